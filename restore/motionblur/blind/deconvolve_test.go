package blind

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore/task"
)

// With the true blur kernel, most of what the blur took comes back, also at the edges, where part
// of the light comes from outside the picture.
func TestDeconvolve(t *testing.T) {
	rng := fresh(t)
	k := path(rng)
	y, x := seen(rng, scene(rng, 140, 121), k, 0.002)
	z, err := Deconvolve(context.Background(), y, k.export(), Deconvolution{})
	if err != nil {
		t.Fatal(err)
	}
	if z.W != y.W || z.H != y.H {
		t.Fatalf("%d×%d of %d×%d", z.W, z.H, y.W, y.H)
	}
	for _, margin := range []int{0, 10} {
		if before, after := psnr(y, x, margin), psnr(z, x, margin); !(after > before+4) {
			t.Errorf("margin %d: %.2f dB from %.2f", margin, after, before)
		}
	}
}

// A picture that is not blurred stays as it is, except for its noise.
func TestDeconvolveByNothing(t *testing.T) {
	rng := fresh(t)
	x := scene(rng, 90, 77)
	z, err := Deconvolve(context.Background(), x, delta(3).export(), Deconvolution{Noise: 0.0005})
	if err != nil {
		t.Fatal(err)
	}
	if p := psnr(z, x, 0); !(p > 45) {
		t.Errorf("%.2f dB to itself", p)
	}
}

// Clipped lights that are marked as unknown have no halos around them; those that are not, do.
func TestClippedLights(t *testing.T) {
	rng := fresh(t)
	k := path(rng)
	from := scene(rng, 130, 130)
	for _, at := range [][2]int{{40, 40}, {80, 60}, {60, 90}} {
		for dy := range 4 {
			for dx := range 4 {
				from.Pix[(at[1]+dy)*from.W+at[0]+dx] = 12
			}
		}
	}
	y, x := seen(rng, from, k, 0.002)
	unknown := make([]bool, len(y.Pix))
	for i, v := range y.Pix {
		if v >= 1 {
			y.Pix[i], unknown[i] = 1, true
		}
	}
	run := func(o Deconvolution) float64 {
		z, err := Deconvolve(context.Background(), y, k.export(), o)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range z.Pix { // as it is displayed
			z.Pix[i] = min(max(v, 0), 1)
			x.Pix[i] = min(x.Pix[i], 1)
		}
		return psnr(z, x, 6)
	}
	if as, without := run(Deconvolution{}), run(Deconvolution{Unknown: unknown}); !(without > as+1) {
		t.Errorf("%.2f dB without clipped pixels, %.2f with them", without, as)
	}
}

func TestDeconvolveRefuses(t *testing.T) {
	y, k := NewPlane(20, 20), delta(3).export()
	for _, c := range []struct {
		y    *Plane
		k    *task.Kernel
		o    Deconvolution
		want string
	}{
		{&Plane{W: 2, H: 2}, k, Deconvolution{}, "holds 0 values"},
		{y, &task.Kernel{Size: 2, W: make([]float32, 4)}, Deconvolution{}, "must be odd"},
		{y, &task.Kernel{Size: 3, W: make([]float32, 9)}, Deconvolution{}, "sum to 0"},
		{y, k, Deconvolution{Noise: -1}, "noise"},
		{y, k, Deconvolution{Noise: math.NaN()}, "noise"},
		{y, k, Deconvolution{Steps: -1}, "steps"},
		{y, k, Deconvolution{Unknown: make([]bool, 1)}, "map of unknown"},
	} {
		if _, err := Deconvolve(context.Background(), c.y, c.k, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v; want one that says %q", err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Deconvolve(ctx, y, k, Deconvolution{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// The table's values are the minima that a search finds, except where two minima cost the same.
func TestShrinkage(t *testing.T) {
	rng := fresh(t)
	for range 150 {
		scale := math.Exp(3 * rng.NormFloat64())
		v := scale * math.Exp(2*rng.NormFloat64())
		if rng.IntN(2) == 0 {
			v = -v
		}
		cost := func(w float64) float64 {
			return math.Pow(scale, 2-exponent)*math.Pow(math.Abs(w), exponent) + (w-v)*(w-v)/2
		}
		best := 0.0
		for i := range 4001 {
			if w := v * float64(i) / 4000; cost(w) < cost(best) {
				best = w
			}
		}
		row := []float32{float32(v)}
		shrink().row(row, nil, nil, float32(scale))
		if got := float64(row[0]); !(cost(got) <= cost(best)+1e-5*cost(best)) {
			t.Errorf("v %g scale %g: %g costs %g; %g costs %g", v, scale, got, cost(got), best, cost(best))
		}
	}
}

// filter is the same as correlating with each filter, shrinking, and correlating with the filter's
// half-turn.
func TestFilter(t *testing.T) {
	rng := fresh(t)
	p := newSplitter(21, 17, delta(3), false)
	s := p.newSplitting()
	c := s.c
	for i := range s.x {
		s.x[i] = float32(rng.NormFloat64())
	}
	const weight, beta = 0.3, 0.7
	s.filter(weight, beta)
	type tap struct {
		dx, dy int
		w      float32
	}
	want, power := make([]float64, c.w*c.h), make([]float64, c.size())
	for i, taps := range [][]tap{
		{{0, 0, -1}, {1, 0, 1}},
		{{0, 0, -1}, {0, 1, 1}},
		{{-1, 0, 1}, {0, 0, -2}, {1, 0, 1}},
		{{0, -1, 1}, {0, 0, -2}, {0, 1, 1}},
		{{0, 0, 1}, {1, 0, -1}, {0, 1, -1}, {1, 1, 1}},
	} {
		v, impulse := make([]float32, c.w*c.h), make([]float32, c.w*c.h)
		each := func(do func(at, from int, w float32)) {
			for at := range v {
				for _, t := range taps {
					do(at, wrap(at/c.w+t.dy, c.h)*c.w+wrap(at%c.w+t.dx, c.w), t.w)
				}
			}
		}
		each(func(at, from int, w float32) { v[at] += w * s.x[from] })
		shrink().row(v, nil, nil, float32(math.Pow(weight*filterWeights[i]/beta, 1/(2-exponent))))
		each(func(at, from int, w float32) { want[from] += float64(w * v[at]) })
		for _, t := range taps {
			impulse[wrap(t.dy, c.h)*c.w+wrap(t.dx, c.w)] += t.w
		}
		f := make([]complex64, c.size())
		c.forward(f, impulse)
		for i, v := range f {
			power[i] += float64(norm(v))
		}
	}
	for i, v := range want {
		if d := math.Abs(v - float64(s.g[i])); !(d < 1e-4) {
			t.Fatalf("row %d column %d is off by %g", i/c.w, i%c.w, d)
		}
	}
	for i, v := range power {
		if d := math.Abs(v - float64(p.filtered[i])); !(d < 1e-4) {
			t.Fatalf("power %d is off by %g", i, d)
		}
	}
}

// Blocks leave no seams: a picture processed in blocks differs from one processed as a whole by
// what 8 bits hardly show. The result is the same for any number of workers.
func TestBlocks(t *testing.T) {
	rng := fresh(t)
	k := path(rng)
	y, x := seen(rng, scene(rng, 400, 330), k, 0.003)
	whole, err := Deconvolve(context.Background(), y, k.export(), Deconvolution{})
	if err != nil {
		t.Fatal(err)
	}
	var first *Plane
	for workers := 1; workers < 4; workers++ {
		z, err := deconvolve(context.Background(), y, k.export(), Deconvolution{Noise: defaultNoise, Steps: defaultSteps, Workers: workers}, 160)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = z
		}
		if !slices.Equal(z.Pix, first.Pix) {
			t.Errorf("the picture differs between %d workers and one", workers)
		}
	}
	differ := 0 // by more than two levels of 8 bits
	for i, v := range whole.Pix {
		if math.Abs(v-first.Pix[i]) > 2.0/255 {
			differ++
		}
	}
	t.Logf("%d pixels differ", differ)
	if like := psnr(whole, first, 0); !(like > 58) || differ > len(whole.Pix)/300 {
		t.Errorf("the picture made in blocks has %.1f dB to that made as a whole; %d pixels differ by more than two levels", like, differ)
	}
	if a, b := psnr(whole, x, 12), psnr(first, x, 12); !(b > a-0.02) {
		t.Errorf("%.2f dB in blocks, %.2f as a whole", b, a)
	}
}

// Blocks cover a side, have one length that is not too large, and their weights add up to 1.
func TestCut(t *testing.T) {
	rng := fresh(t)
	for range 300 {
		side, n, most := 1+rng.IntN(3000), 1+2*rng.IntN(40), 100+rng.IntN(600)
		b := cut(side, n, most)
		sum := make([]float64, side)
		for i, at := range b.starts {
			if at < 0 || at+b.length > side || b.length > max(most, 3*(3*n+overlap)) {
				t.Fatalf("side %d, kernel %d, most %d: block at %d of %d", side, n, most, at, b.length)
			}
			for j, w := range b.weights(i) {
				if w < 0 || w > 1 || w > 0 && (i > 0 && j < n || i+1 < len(b.starts) && j >= b.length-n) {
					t.Fatalf("side %d, kernel %d, most %d: place %d of block %d of %v counts %g", side, n, most, j, i, b, w)
				}
				sum[at+j] += w
			}
			if i > 1 && b.starts[i-2]+b.length > at {
				t.Fatalf("side %d, kernel %d, most %d: blocks %d and %d of %v overlap", side, n, most, i-2, i, b)
			}
		}
		for i, v := range sum {
			if !(math.Abs(v-1) < 1e-12) {
				t.Fatalf("side %d, kernel %d, most %d, %v: weights at %d add up to %g", side, n, most, b, i, v)
			}
		}
	}
}
