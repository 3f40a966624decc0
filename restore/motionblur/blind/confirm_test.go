package blind

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// joined is a scene whose left part is blurred by one kernel and whose right part by another.
func joined(rng *rand.Rand, w, h int, left, right *kernel) *Plane {
	from := scene(rng, w, h)
	y, _ := seen(rng, from, left, 0.003)
	z, _ := seen(rng, from, right, 0.003)
	for i := range y.H {
		copy(y.Pix[i*y.W+y.W/2:(i+1)*y.W], z.Pix[i*y.W+y.W/2:(i+1)*y.W])
	}
	return y
}

// A kernel that all parts of a picture show is confirmed. One of a picture whose halves moved
// differently is not, and then the field does not change.
func TestConfirm(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	rng := rand.New(rand.NewPCG(5, 6))
	k := path(rng).scaled(1.6, 21)
	o := Options{Windows: []int{25}, Workers: 2}
	for name, c := range map[string]struct {
		left, right *kernel
		want        bool
	}{"one": {k, k, true}, "two": {fromTask(bar(21, 15, false)), fromTask(bar(21, 15, true)), false}} {
		y := joined(rand.New(rand.NewPCG(5, 7)), 230, 210, c.left, c.right)
		f, err := EstimateField(t.Context(), y, o)
		if err != nil {
			t.Fatal(err)
		}
		// Whatever Estimate thinks of it, the kernel is to be examined.
		w := &f.Windows[0]
		w.Kernel, w.Certainty.Verdict, w.Certainty.Gain = nil, Untold, 1
		got, err := f.Confirm(t.Context(), y, o)
		if err != nil || got != c.want {
			t.Errorf("%s kernel: confirmed: %v, %v; want %v; %+v", name, got, err, c.want, w.Certainty)
		}
		if (w.Kernel != nil) != c.want || (f.Verdict() == Blurred) != c.want {
			t.Errorf("%s kernel: %v, verdict %v", name, w.Kernel != nil, f.Verdict())
		}
		if c.want && (w.Kernel == nil || similarity(fromTask(w.Kernel), k) < confirmedSimilarity) {
			t.Errorf("%s kernel: not the true one", name)
		}
		done, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := f.Confirm(done, y, o); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: error %v", err)
		}
	}
}

// Neighbours with similar kernels confirm each other. Kernels without gain and narrow ones are not
// confirmed, and those without gain confirm no others.
func TestConfirmByNeighbours(t *testing.T) {
	long := Certainty{Verdict: Untold, Gain: leastGain, Width: confirmedWidth}
	flat, upright := fromTask(bar(15, 11, false)), fromTask(bar(15, 11, true))
	field := func() *Field {
		f := newField(1000, 330)
		for i := range f.Windows {
			f.Windows[i].Certainty.Verdict, f.Windows[i].side = Untold, 15
		}
		return f
	}
	y := NewPlane(1000, 330) // without any detail, so that parts confirm nothing
	o := Options{Workers: 2}

	f := field()
	for _, i := range []int{0, 1} {
		f.Windows[i].own, f.Windows[i].Certainty = flat, long
	}
	f.Windows[3].own = upright
	f.Windows[3].Certainty = Certainty{Verdict: Untold, Gain: leastGain / 2, Width: 9}
	if ok, err := f.Confirm(t.Context(), y, o); !ok || err != nil {
		t.Fatalf("two similar neighbours: %v, %v", ok, err)
	}
	for i, w := range f.Windows {
		if w.Kernel == nil || !slices.Equal(w.Kernel.W, flat.export().W) || w.Borrowed != (i > 1) {
			t.Errorf("window %d: kernel %v, borrowed %v", i, w.Kernel, w.Borrowed)
		}
	}

	for name, second := range map[string]func(w *Window){
		"another direction": func(w *Window) { w.own = upright },
		"no gain":           func(w *Window) { w.Certainty.Gain = leastGain - 0.01 },
		"none":              func(w *Window) { w.own = nil },
	} {
		f := field()
		for _, i := range []int{0, 1} {
			f.Windows[i].own, f.Windows[i].Certainty = flat, long
		}
		second(&f.Windows[1])
		if ok, err := f.Confirm(t.Context(), y, o); ok || err != nil || f.Verdict() != Untold {
			t.Errorf("%s: %v, %v, verdict %v", name, ok, err, f.Verdict())
		}
	}
	f = field()
	for _, i := range []int{0, 1} {
		f.Windows[i].own, f.Windows[i].Certainty = flat, Certainty{Gain: 1, Width: confirmedWidth - 0.1}
	}
	if ok, err := f.Confirm(t.Context(), y, o); ok || err != nil {
		t.Errorf("narrow kernels: %v, %v", ok, err)
	}
}
