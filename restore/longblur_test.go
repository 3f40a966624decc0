package restore

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/restore/deblur"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// rectangles is a picture of overlapping rectangles, w×h pixels.
func rectangles(rnd *rand.Rand, w, h int) *picture.Picture {
	p := picture.New(w, h, make([]float32, 3*w*h))
	for range w * h / 400 {
		x0, y0, rw, rh := rnd.IntN(w), rnd.IntN(h), 4+rnd.IntN(50), 4+rnd.IntN(50)
		for c := range 3 {
			v := float32(1.6*rnd.Float64() - 0.8)
			for y := y0; y < min(y0+rh, h); y++ {
				for x := x0; x < min(x0+rw, w); x++ {
					p.Pix[(c*h+y)*w+x] = v
				}
			}
		}
	}
	return p
}

// shaken is a picture blurred along a bent line of long pixels, with a little noise; 0: sharp.
func shaken(rnd *rand.Rand, sharp *picture.Picture, long int) *picture.Picture {
	p := picture.New(sharp.W, sharp.H, slices.Clone(sharp.Pix))
	if long > 0 {
		clear(p.Pix)
		for i := range long {
			s := float64(i)/float64(long-1) - 0.5
			dx, dy := int(math.Round(s*float64(long-1))), int(math.Round(0.4*float64(long)*(s*s-0.1)))
			for k := range p.Pix {
				plane, y, x := k/(p.W*p.H), k/p.W%p.H, k%p.W
				p.Pix[k] += sharp.Pix[(plane*p.H+min(max(y+dy, 0), p.H-1))*p.W+min(max(x+dx, 0), p.W-1)] / float32(long)
			}
		}
	}
	for i := range p.Pix {
		p.Pix[i] += float32(0.004 * rnd.NormFloat64())
	}
	return p
}

// checkLong checks a blur that was found in the half of a picture that shaken blurred.
func checkLong(t *testing.T, b *Blur, p *picture.Picture, long int) {
	t.Helper()
	if b == nil || b.Verdict != blind.Blurred || b.Halvings < 1 || b.halved == nil {
		t.Fatalf("a blur of %d pixels: %+v", long, b)
	}
	if b.Field.W != p.W || b.Field.H != p.H {
		t.Errorf("the field has %d×%d pixels", b.Field.W, b.Field.H)
	}
	// The standard deviation of a uniform line.
	if want := float64(long) / math.Sqrt(12); b.width() < 0.7*want || b.width() > 1.4*want {
		t.Errorf("blur of %d pixels is %.1f wide, want about %.1f", long, b.width(), want)
	}
	sum := 0.0
	for _, v := range b.Kernel.W {
		sum += float64(v)
	}
	if math.Abs(sum-1) > 1e-4 {
		t.Errorf("the kernel's sum is %g", sum)
	}
}

// A blur that is long is found in the halved picture, at the place and the size that it has in the
// whole. In a sharp picture none is found.
func TestFindHalved(t *testing.T) {
	if testing.Short() {
		t.Skip("searches for blur kernels")
	}
	rnd := rand.New(rand.NewPCG(21, 4))
	sharp := rectangles(rnd, 420, 400)
	for _, long := range []int{0, 43} {
		p := shaken(rnd, sharp, long)
		in := (&job{pic: p}).deblurInput()
		b, _, err := findHalved(t.Context(), in, in, &Blur{Field: &blind.Field{}})
		if err != nil {
			t.Fatal(err)
		}
		if long > 0 {
			checkLong(t, b, p, long)
		} else if b != nil {
			t.Errorf("a blur is found in a sharp picture: %+v", b)
		}
	}
}

// The half's blur replaces that of the whole picture only if it is longer.
func TestFindLonger(t *testing.T) {
	if testing.Short() {
		t.Skip("searches for blur kernels")
	}
	rnd := rand.New(rand.NewPCG(21, 5))
	sharp := rectangles(rnd, 600, 560)
	for i, v := range sharp.Pix {
		sharp.Pix[i] = 0.3 + 0.7*v // so bright that no light is negative, though values are blurred
	}
	p := shaken(rnd, sharp, 43)
	in := (&job{pic: p}).deblurInput()
	for width, longer := range map[float64]bool{3: true, 12: false} {
		whole := &Blur{Field: blind.UniformField(p.W, p.H, &task.Kernel{Size: 1, W: []float32{1}})}
		for i := range whole.Field.Windows {
			whole.Field.Windows[i].Certainty.Width = width
		}
		b, err := findLonger(t.Context(), in, whole)
		if err != nil {
			t.Fatal(err)
		}
		if !longer {
			if b != whole {
				t.Errorf("a blur of %g pixels is replaced: %+v", width, b)
			}
			continue
		}
		checkLong(t, b, p, 43)
		if !b.inParts || !b.Field.Shared {
			t.Errorf("the blur is not that of the parts: %+v", b)
		}
	}
}

// A blur that the parts of the half show is undone in the whole picture, by the enlarged kernel.
func TestDeblurInParts(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, 8)
	p := rectangles(rnd, 203, 192)
	k := &task.Kernel{Size: 5, W: make([]float32, 25)}
	for i := range 5 {
		k.W[2*5+i] = 0.2
	}
	field := blind.UniformField(102, 96, k)
	found := func() *Blur {
		b := &Blur{Verdict: blind.Blurred, Field: field, inParts: true}
		field.Windows[0].Certainty.Gain = 1
		b.enlarge([][2]int{{p.W, p.H}})
		return b
	}
	got := restored(t, m, p, Request{Task: task.MotionDeblur, Noise: 2, foundBlur: found()}).Picture
	whole := found()
	whole.halved, whole.Halvings = nil, 0
	want := restored(t, m, p, Request{Task: task.MotionDeblur, Noise: 2, foundBlur: whole}).Picture
	if off := apart(got.Pix, want.Pix); off > 0 {
		t.Errorf("off by %g", off)
	}
	if moved := apart(got.Pix, p.Pix); moved < 0.05 {
		t.Errorf("the blur changes only %g", moved)
	}
}

// The result of a blur that was found in the half: half of what the deconvolved half changes is
// added to the restoration of the whole, and to its samples.
func TestDeblurHalf(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, 8)
	p := rectangles(rnd, 203, 192)
	k := &task.Kernel{Size: 9, W: make([]float32, 81)}
	for i := range 9 {
		k.W[4*9+i] = 1.0 / 9
	}
	half := halvedOften(tile.PlanesOf(p), 1)
	field := blind.UniformField(half.W, half.H, k)
	found := &Blur{Verdict: blind.Blurred, Halvings: 1, halved: field, Field: field.Enlarged(p.W, p.H)}
	for i := range field.Windows {
		field.Windows[i].Certainty.Gain = 1
	}
	found.Kernel = found.Field.Windows[0].Kernel
	req := Request{Task: task.MotionDeblur, Noise: 2, Samples: 1, Temperature: 1, foundBlur: found}
	rows := 0
	req.Rows = func(_ *picture.Picture, n int) { rows = n }
	got := restored(t, m, p, req)
	if got.Task != task.MotionDeblur || got.Blur != found || rows != p.H {
		t.Errorf("task %v, blur %+v, %d rows are told", got.Task, got.Blur, rows)
	}

	whole := restored(t, m, p, Request{Task: task.Denoise, Noise: 2, Samples: 1, Temperature: 1})
	below := Request{Task: task.MotionDeblur, Noise: 1, foundBlur: &Blur{Verdict: blind.Blurred, Field: field, Kernel: k}}
	deblurred := restored(t, m, picture.New(half.W, half.H, half.Pix), below).Picture
	change := halvedOften(tile.PlanesOf(whole.Picture), 1)
	for i, v := range deblurred.Pix {
		change.Pix[i] = (v - change.Pix[i]) / 2
	}
	want := slices.Clone(whole.Picture.Pix)
	addChange(want, change, p.W, p.H)
	sample := slices.Clone(whole.Samples[0].Pix)
	addChange(sample, change, p.W, p.H)
	for i := range want {
		want[i], sample[i] = min(max(want[i], -1), 1), min(max(sample[i], -1), 1)
	}
	if off := apart(got.Picture.Pix, want); off > 2e-3 {
		t.Errorf("off by %g", off)
	}
	if off := apart(got.Samples[0].Pix, sample); off > 2e-3 {
		t.Errorf("the sample is off by %g", off)
	}
	if moved := apart(got.Picture.Pix, whole.Picture.Pix); moved < 0.01 {
		t.Errorf("the half changes only %g", moved)
	}
}

// What says nothing in the whole picture says nothing in its half.
func TestHalfOfHidden(t *testing.T) {
	p := picture.New(11, 8, make([]float32, 3*88))
	p.Pix[3*11+5] = 1 // clipped
	whole := deblur.Picture{W: p.W, H: p.H, Row: tile.PlanesOf(p).Row, Hidden: func(i int) bool { return i == 87 }}
	half := whole.Half()
	if half.W != 6 || half.H != 4 {
		t.Fatalf("%d×%d pixels", half.W, half.H)
	}
	for i := range 24 {
		if want := i == 1*6+2 || i == 3*6+5; half.Hidden(i) != want {
			t.Errorf("pixel %d is hidden: %v", i, !want)
		}
	}
}

// If a blur is suspected, the result is the mean of those of two networks. Samples come from the one
// for motion blur.
func TestDeblurSuspected(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, 8)
	p := rectangles(rnd, 80, 72)
	found := &Blur{suspected: true}
	req := Request{Task: task.MotionDeblur, Noise: 2, Samples: 1, Temperature: 1, foundBlur: found}
	rows := 0
	req.Rows = func(_ *picture.Picture, n int) { rows = n }
	got := restored(t, m, p, req)
	if got.Task != task.MotionDeblur || got.Blur != found || rows != p.H {
		t.Errorf("task %v, blur %+v, %d rows are told", got.Task, got.Blur, rows)
	}
	denoised := restored(t, m, p, Request{Task: task.Denoise, Noise: 2}).Picture
	network := restored(t, m, p, Request{
		Task: task.MotionDeblur, Noise: 2, Samples: 1, Temperature: 1, byNetwork: true, foundBlur: &Blur{},
	})
	want := slices.Clone(denoised.Pix)
	for i, v := range network.Picture.Pix {
		want[i] = (want[i] + v) / 2
	}
	if off := apart(got.Picture.Pix, want); off > 1e-5 {
		t.Errorf("off by %g", off)
	}
	if !slices.Equal(got.Samples[0].Pix, network.Samples[0].Pix) {
		t.Error("the sample is another one")
	}
	if moved := apart(network.Picture.Pix, denoised.Pix); moved < 0.01 {
		t.Errorf("the two networks differ by %g only", moved)
	}
}

// Blur is suspected if a window has a kernel that is wide enough, in its own picture and in the whole.
func TestSuspectsBlur(t *testing.T) {
	k := &task.Kernel{Size: 1, W: []float32{1}}
	for _, c := range []struct {
		width, scale float64
		kernel       *task.Kernel
		borrowed     bool
		want         bool
	}{
		{6, 1, k, false, true}, {4, 1, k, false, false}, {2.6, 2, k, false, true}, {2.4, 2, k, false, false},
		{1.9, 4, k, false, false}, {2.1, 4, k, false, true}, {9, 1, nil, false, false}, {9, 1, k, true, false},
	} {
		f := &blind.Field{Windows: []blind.Window{{Kernel: c.kernel, Borrowed: c.borrowed, Certainty: blind.Certainty{Width: c.width}}}}
		if got := suspectsBlur(f, c.scale); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
