package blind

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
)

// constant is a plane of one value.
func constant(w, h int, v float64) *Plane {
	p := NewPlane(w, h)
	for i := range p.Pix {
		p.Pix[i] = v
	}
	return p
}

// A plane that is a multiple of another, with that slope, is the same part.
func TestSlopeOfParts(t *testing.T) {
	rng := fresh(t)
	y, _ := seen(rng, scene(rng, 120, 110), path(rng), 0.02)
	more := y.Crop(0, 0, y.W, y.H)
	c := 0.1 + 5*rng.Float64()
	for i := range more.Pix {
		more.Pix[i] *= c
	}
	a, b := newPart(y, Options{}), newPart(more, Options{Slope: constant(y.W, y.H, c)})
	if math.Abs(a.noise-b.noise) > 1e-12 || psnr(a.y, b.y, 0) < 200 {
		t.Errorf("noise %g and %g, planes differ by %g dB", a.noise, b.noise, psnr(a.y, b.y, 0))
	}
	if !(a.noise > noiseFactor*math.Sqrt2*0.015) {
		t.Errorf("noise %g for differences of noise of 0.02", a.noise)
	}
}

// Where noise is proportional to the slope, it counts as what it is before the curve.
func TestNoiseLevelBeforeTheCurve(t *testing.T) {
	rng := fresh(t)
	y, slope := NewPlane(64, 48), NewPlane(64, 48)
	for i := range y.Pix {
		slope.Pix[i] = 0.1
		if i%64 > 40 {
			slope.Pix[i] = 3
		}
		y.Pix[i] = 0.01 * slope.Pix[i] * rng.NormFloat64()
	}
	if v := noiseLevel(y, slope); math.Abs(v-0.01) > 0.0015 {
		t.Errorf("noise of %g was found, 0.01 was added", v)
	}
}

// A block's noise is that of the options times the slope.
func TestDeconvolveSlope(t *testing.T) {
	rng := fresh(t)
	k := path(rng)
	y, _ := seen(rng, scene(rng, 90, 80), k, 0.01)
	run := func(o Deconvolution) []float64 {
		x, err := Deconvolve(context.Background(), y, k.export(), o)
		if err != nil {
			t.Fatal(err)
		}
		return x.Pix
	}
	a := run(Deconvolution{Noise: 0.005, Slope: constant(y.W, y.H, 3)})
	if !slices.Equal(a, run(Deconvolution{Noise: 0.015})) {
		t.Error("noise of 0.005 at a slope of 3 is not noise of 0.015")
	}
	if slices.Equal(a, run(Deconvolution{Noise: 0.005})) {
		t.Error("the slope changes nothing")
	}
}

func TestSlopeIsChecked(t *testing.T) {
	y, k := NewPlane(40, 40), delta(3).export()
	for want, slope := range map[string]*Plane{
		"slopes of 40×39": constant(40, 39, 1), "slope 0": constant(40, 40, 0), "slope NaN": constant(40, 40, math.NaN()),
	} {
		_, a := Estimate(context.Background(), y, Options{Slope: slope})
		_, b := Deconvolve(context.Background(), y, k, Deconvolution{Slope: slope})
		_, _, c := UniformField(40, 40, k).Explain(context.Background(), y, Options{Slope: slope})
		for _, err := range []error{a, b, c} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		}
	}
}

// The true blur kernel explains a picture better than a wrong one, and nothing is said without one.
func TestExplain(t *testing.T) {
	rng := fresh(t)
	k := path(rng)
	y, _ := seen(rng, scene(rng, 150, 140), k, 0.002)
	explain := func(f *Field) (float64, bool) {
		gain, ok, err := f.Explain(context.Background(), y, Options{Workers: 2})
		if err != nil {
			t.Fatal(err)
		}
		return gain, ok
	}
	right, ok := explain(UniformField(y.W, y.H, k.export()))
	wrong, _ := explain(UniformField(y.W, y.H, k.turned().export()))
	if !ok || right < wrong+0.1 {
		t.Errorf("gains: true %g, turned by a quarter %g", right, wrong)
	}
	if gain, ok := explain(newField(y.W, y.H)); ok || gain != 0 {
		t.Errorf("without a blur kernel: %g, %v", gain, ok)
	}
	small := UniformField(y.W, y.H, bar(99, 5, true))
	if _, ok := explain(small); ok {
		t.Error("a blur kernel of 99 pixels in a window of 138")
	}
}
