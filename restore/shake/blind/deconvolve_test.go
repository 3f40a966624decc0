package blind

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore/task"
)

// With the true kernel, most of what blur took comes back, at the edges too, where the picture shows only part of what it saw.
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

// A picture that is not blurred stays as it is, but for noise.
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

// Clipped lights, declared unknown, do not draw halos; as values, they do.
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
		for i, v := range z.Pix { // as it is shown
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

// The table is the minimum that a search finds.
func TestShrinkage(t *testing.T) {
	rng := fresh(t)
	for range 200 {
		scale := math.Exp(3 * rng.NormFloat64())
		v := scale * 8 * rng.NormFloat64()
		cost := func(w float64) float64 {
			return math.Pow(scale, 2-exponent)*math.Pow(math.Abs(w), exponent) + (w-v)*(w-v)/2
		}
		best := 0.0
		for i := range 4001 {
			if w := v * float64(i) / 4000; cost(w) < cost(best) {
				best = w
			}
		}
		if got := shrink.at(v, scale); !(cost(got) <= cost(best)+1e-3*(cost(best)+scale*scale)) {
			t.Errorf("v %g scale %g: %g costs %g; %g costs %g", v, scale, got, cost(got), best, cost(best))
		}
	}
}
