package temporal

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/planar"
)

const (
	w, h  = 120, 88
	sigma = 20 / 127.5
	left  = sigma / 5 // noise that is left in a restored frame
)

var big = planar.FromNRGBA(synth.Photo(11, 2*w+200, 2*h+160))

// view is the camera's view of the photograph at a position in half pixels.
func view(x0, y0 int) []float32 {
	out := make([]float32, 3*w*h)
	for c := range 3 {
		p := big.Plane(c)
		for y := range h {
			for x := range w {
				at := (2*y+y0)*big.W + 2*x + x0
				out[(c*h+y)*w+x] = (p[at] + p[at+1] + p[at+big.W] + p[at+big.W+1]) / 4
			}
		}
	}
	return out
}

func noisy(rng *rand.Rand, x []float32) []float32 {
	y := slices.Clone(x)
	for i := range y {
		y[i] += left * float32(rng.NormFloat64())
	}
	return y
}

func apply(t *testing.T, f *Filter, frame []float32) []float32 {
	t.Helper()
	out := slices.Clone(frame)
	if err := f.Apply(context.Background(), out, w, h, sigma); err != nil {
		t.Fatal(err)
	}
	return out
}

func rms(a, b []float32) float64 {
	s := 0.0
	for i := range a {
		s += float64(a[i]-b[i]) * float64(a[i]-b[i])
	}
	return math.Sqrt(s / float64(len(a)))
}

// Without motion and noise frames are not changed at all. With noise eight frames reduce it
// strongly.
func TestStill(t *testing.T) {
	var f Filter
	x := view(40, 40)
	for range 4 {
		if !slices.Equal(apply(t, &f, x), x) {
			t.Fatal("a still frame without noise changed")
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	f = Filter{}
	var out []float32
	for range 10 {
		out = apply(t, &f, noisy(rng, x))
	}
	if e := rms(out, x); e > 0.45*left {
		t.Errorf("an error of %.2f of one frame's noise is left after ten", e/left)
	}
}

// A camera that pans by whole and by half pixels is followed.
func TestPan(t *testing.T) {
	for _, step := range [][2]int{{6, 2}, {-3, 1}, {13, -9}} {
		rng := rand.New(rand.NewPCG(3, 4))
		var f Filter
		var in, out float64
		for i := range 8 {
			x := view(60+step[0]*i, 80+step[1]*i)
			y := noisy(rng, x)
			z := apply(t, &f, y)
			if i >= 4 {
				in, out = in+rms(y, x), out+rms(z, x)
			}
		}
		if limit := map[bool]float64{false: 0.75, true: 0.95}[step[0]%2 != 0]; out > limit*in {
			t.Errorf("steps of %v half pixels: an error of %.2f of the frames' is left, more than %v", step, out/in, limit)
		}
		near := 0
		for _, v := range f.match.found[0] {
			if math.Hypot(float64(v.x)-float64(step[0])/2, float64(v.y)-float64(step[1])/2) < 0.4 {
				near++
			}
		}
		if all := len(f.match.found[0]); near < all*6/10 {
			t.Errorf("steps of %v half pixels are found in %d of %d blocks", step, near, all)
		}
	}
}

// A square that crosses the picture leaves no trail, and averaging starts again after a cut.
func TestNoGhost(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var f Filter
	square := func(x []float32, x0 int) {
		for y := 30; y < 54; y++ {
			for u := x0; u < x0+24; u++ {
				for c := range 3 {
					x[(c*h+y)*w+u] = []float32{0.9, -0.6, 0.3}[c]
				}
			}
		}
	}
	for i := range 9 {
		x := view(40, 40)
		square(x, 4+9*i)
		y := noisy(rng, x)
		z := apply(t, &f, y)
		for c := range 3 {
			for v := 30; v < 54 && i > 0; v++ {
				for u := 9*i - 5; u < 9*i+4; u++ { // its old position
					at := (c*h+v)*w + u
					if e := math.Abs(float64(z[at] - x[at])); e > 6*left {
						t.Fatalf("frame %d, pixel %d,%d: %.0f levels off, where one frame's noise is %.0f", i, u, v, 127.5*e, 127.5*left)
					}
				}
			}
		}
	}
	x := view(90, 10)
	for i := range x { // another scene
		x[i] = -x[i] * 0.8
	}
	y := noisy(rng, x)
	if z := apply(t, &f, y); rms(z, y) > 0.1*left {
		t.Errorf("after a cut a frame changed by %.2f of its noise", rms(z, y)/left)
	}
}

// Frames with almost no noise are not changed, nor is the first of another size. Odd sizes work.
func TestPass(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	var f Filter
	x := view(40, 40)
	apply(t, &f, x)
	for _, level := range []float64{0, Quiet / 2, math.NaN()} {
		y := noisy(rng, x)
		out := slices.Clone(y)
		if err := f.Apply(context.Background(), out, w, h, level); err != nil ||
			!slices.Equal(out, y) {
			t.Fatalf("noise %v: %v, or the frame changed", level, err)
		}
	}
	for _, size := range [][2]int{{1, 1}, {3, 40}, {17, 16}, {33, 7}, {64, 64}} {
		frame := noisy(rng, make([]float32, 3*size[0]*size[1]))
		for i := range 3 {
			out := slices.Clone(frame)
			if err := f.Apply(context.Background(), out, size[0], size[1], sigma); err != nil {
				t.Fatal(err)
			}
			if i == 0 && !slices.Equal(out, frame) {
				t.Fatalf("%v: the first frame changed", size)
			}
			if rms(out, frame) > 1e-6 {
				t.Fatalf("%v: the same frame again changed", size)
			}
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := f.Apply(ctx, make([]float32, 3*64*64), 64, 64, sigma); err != context.Canceled {
		t.Fatalf("cancelled: %v", err)
	}
}

// The result does not depend on the number of workers, and only the first two frames allocate
// memory.
func TestWorkers(t *testing.T) {
	results := [2][]float32{}
	for k, workers := range []int{1, 7} {
		rng := rand.New(rand.NewPCG(9, 10))
		var f Filter
		f.fit(w, h)
		f.team = team.New(workers)
		for i := range 4 {
			results[k] = apply(t, &f, noisy(rng, view(40+3*i, 60-5*i)))
		}
		if workers == 1 {
			frame := noisy(rng, view(60, 60))
			out := make([]float32, len(frame))
			if n := testing.AllocsPerRun(3, func() {
				copy(out, frame)
				if err := f.Apply(context.Background(), out, w, h, sigma); err != nil {
					t.Fatal(err)
				}
			}); n > 0 {
				t.Errorf("%v allocations per frame", n)
			}
		}
	}
	if !slices.Equal(results[0], results[1]) {
		t.Error("one worker and seven give different frames")
	}
}

// Cubic interpolation keeps constants and straight lines.
func TestCubic(t *testing.T) {
	for k := range 8 {
		c, d := cubic(float32(k)/8), float32(k)/8
		if sum, line := c[0]+c[1]+c[2]+c[3], -c[0]+c[2]+2*c[3]; math.Abs(float64(sum-1)) > 1e-6 ||
			math.Abs(float64(line-d)) > 1e-6 {
			t.Errorf("at %v: sum %v, line %v", d, sum, line)
		}
	}
}

func BenchmarkApply(b *testing.B) {
	const w, h = 1280, 720
	x := make([]float32, 3*w*h)
	rng := rand.New(rand.NewPCG(11, 12))
	for i := range x {
		x[i] = float32(math.Sin(float64(i%w)/7)*math.Sin(float64(i/w)/5))/2 +
			left*float32(rng.NormFloat64())
	}
	frame := make([]float32, len(x))
	var f Filter
	for b.Loop() {
		copy(frame, x)
		if err := f.Apply(context.Background(), frame, w, h, sigma); err != nil {
			b.Fatal(err)
		}
	}
}
