package blind

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/internal/team"
)

// A blur kernel that all windows show is given to all of them. A picture whose halves moved
// differently has none, and one of four sharp windows is sharp.
func TestShared(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	rng := rand.New(rand.NewPCG(7, 8))
	k := path(rng).scaled(1.6, 21)
	o := Options{Windows: []int{25}, Workers: 2}
	sharp := delta(3)
	for name, c := range map[string]struct {
		left, right  *kernel
		told, shared bool
		verdict      Verdict
	}{
		"one kernel":  {k, k, true, true, Blurred},
		"two kernels": {fromTask(bar(21, 15, false)), fromTask(bar(21, 15, true)), false, false, Untold},
		"sharp":       {sharp, sharp, true, false, Sharp},
	} {
		y := joined(rand.New(rand.NewPCG(7, 9)), 420, 400, c.left, c.right)
		f := newField(y.W, y.H)
		if len(f.Windows) != sharedWindows {
			t.Fatalf("%d windows", len(f.Windows))
		}
		// The pairs are the two sides, which two kernels blur.
		told, err := f.examineShared(t.Context(), y, o, []int{0, 1, 3, 2})
		if err != nil || told != c.told || f.Shared != c.shared || f.Verdict() != c.verdict {
			t.Errorf("%s: told %v, shared %v, verdict %v, error %v", name, told, f.Shared, f.Verdict(), err)
		}
		for i, w := range f.Windows {
			same := w.Kernel == f.Windows[0].Kernel && w.Certainty.Verdict == Blurred
			if (w.Kernel != nil) != c.shared || c.shared && !same {
				t.Errorf("%s: window %d: %+v", name, i, w)
			}
		}
		if c.shared {
			if s := similarity(fromTask(f.Windows[0].Kernel), k); s < 0.8 {
				t.Errorf("similarity to the true kernel %g", s)
			}
			whole, err := EstimateField(t.Context(), y, o)
			if err != nil || !whole.Shared || whole.Verdict() != Blurred {
				t.Errorf("whole: %v, %v, %v", whole.Shared, whole.Verdict(), err)
			}
		}
	}
}

// EstimateShared finds the blur kernel that all windows show. It finds none if the halves moved
// differently, if the blur kernel is longer than its window, or if the picture is too small; and no
// blur in a sharp picture.
func TestEstimateShared(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	rng := rand.New(rand.NewPCG(7, 8))
	k := path(rng).scaled(1.6, 21)
	o := Options{Windows: []int{25}, Workers: 2}
	for name, c := range map[string]struct {
		left, right *kernel
		found       bool
		verdict     Verdict
	}{
		"one kernel":  {k, k, true, Blurred},
		"two kernels": {fromTask(bar(21, 15, false)), fromTask(bar(21, 15, true)), false, Untold},
		"too long":    {fromTask(bar(41, 39, false)), fromTask(bar(41, 39, false)), false, Untold},
		"sharp":       {delta(3), delta(3), true, Sharp},
	} {
		y := joined(rand.New(rand.NewPCG(7, 9)), 420, 400, c.left, c.right)
		f, narrow, err := EstimateShared(t.Context(), y, o)
		if err != nil || (f != nil) != c.found || f != nil && (f.Verdict() != c.verdict || f.Shared != (c.verdict == Blurred)) {
			t.Errorf("%s: %+v, %v", name, f, err)
			continue
		}
		if narrow || f != nil && f.Probable { // halves are searched in larger pictures only
			t.Errorf("%s: narrow %v, probable %v", name, narrow, f != nil && f.Probable)
		}
		if c.verdict == Blurred {
			if s := similarity(fromTask(f.Windows[0].Kernel), k); s < 0.8 {
				t.Errorf("similarity to the true blur kernel %g", s)
			}
		}
	}
	if f, _, err := EstimateShared(t.Context(), scene(rng, 300, 700), o); f != nil || err != nil {
		t.Errorf("two windows: %v, %v", f, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := EstimateShared(ctx, scene(rng, 400, 400), o); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestSharedIsCancelled(t *testing.T) {
	y := scene(fresh(t), 400, 400)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := EstimateField(ctx, y, Options{Workers: 2}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// In a large picture the halves show a shared blur kernel, or that there is none.
func TestFindByHalf(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	rng := rand.New(rand.NewPCG(7, 8))
	k := path(rng).scaled(1.6, 21)
	o := Options{Workers: 2, noiseFactor: sureNoiseFactor, leastNoise: sureLeastNoise}
	for name, c := range map[string]struct {
		kernel         *kernel
		shared, narrow bool
	}{
		"blurred": {k, true, false},
		"sharp":   {delta(3), false, true},
	} {
		// As little noise as in denoised pictures.
		from := scene(rand.New(rand.NewPCG(7, 10)), 940, 520)
		y, _ := seen(rand.New(rand.NewPCG(7, 9)), from, c.kernel, 0.001)
		f := newField(y.W, y.H)
		if len(f.Windows) < halfWindows {
			t.Fatalf("%d windows", len(f.Windows))
		}
		narrow, err := f.findByHalf(t.Context(), y, o, f.byDetail(y)[:halfWindows])
		if err != nil || narrow != c.narrow || f.Shared != c.shared {
			t.Errorf("%s: narrow %v, shared %v, error %v", name, narrow, f.Shared, err)
		}
		if f.Shared {
			if s := similarity(fromTask(f.Best().Kernel), k); s < 0.7 {
				t.Errorf("similarity to the true blur kernel %g", s)
			}
		}
	}
}

// A shared kernel is every window's, but only those that it was found in have it as their own.
func TestShare(t *testing.T) {
	f := newField(1000, 600)
	f.share(path(fresh(t)), []int{1, 4}, Certainty{Verdict: Blurred, Gain: 1})
	for i, w := range f.Windows {
		own := i == 1 || i == 4
		if w.Kernel == nil || w.Borrowed == own || (w.Certainty.Gain > 0) != own {
			t.Errorf("window %d: %+v", i, w)
		}
	}
	if !f.Shared || f.Best() != &f.Windows[1] {
		t.Error("the field is not that of one kernel")
	}
}

// Blur along a line is nothing like the same across it, and a round blur is the same.
func TestRise(t *testing.T) {
	rng := fresh(t)
	line, round := fromTask(bar(15, 9, false)), newKernel(15)
	for i := range round.w {
		x, y := float64(i%15-7), float64(i/15-7)
		round.w[i] = math.Exp(-(x*x + y*y) / 8)
	}
	round.normalise()
	for _, k := range []*kernel{line, round} {
		y, _ := seen(rng, scene(rng, 140, 130), k, 0.003)
		rise, err := search{newPart(y, Options{}), newPart(y, Options{})}.rise(t.Context(), k, team.New(2))
		if err != nil || (rise > 1) != (k == line) || k == round && math.Abs(rise) > 0.01 {
			t.Errorf("line %v: rise %g, error %v", k == line, rise, err)
		}
	}
	turned := newKernel(3)
	turned.w[1] = 1 // above the middle
	if got := turned.turned().turned(); got.w[7] != 1 {
		t.Errorf("turned twice: %v", got.w)
	}
}

// Two parts of a picture tell as much of the blur kernel as the whole: with the true differences of
// the sharp picture, the step for the blur kernel gives the true one.
func TestSolveShared(t *testing.T) {
	rng := fresh(t)
	k := path(rng)
	start := even(k.n)
	var parts []*level
	for _, size := range [][2]int{{90, 80}, {70, 100}} {
		from := scene(rng, size[0], size[1])
		y, _ := seen(rng, from, k, 0)
		l := newLevel(y, nil, k.n)
		l.setTrue(from)
		l.setKernel(start)
		parts = append(parts, l)
	}
	for range 12 {
		solve(parts, penalties{steps: 200})
	}
	if parts[0].k != parts[1].k {
		t.Fatal("the parts have different kernels")
	}
	if s := similarity(parts[0].k, k); !(s > 0.99) {
		t.Errorf("similarity %g", s)
	}
}
