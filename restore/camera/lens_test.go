package camera

import (
	"math"
	"testing"

	"github.com/vfmrestore/restore/restore/planar"
)

// TestLens compares the blur of the lens with a sum over all pixels in float64: it is a Gaussian in
// linear light, and beyond the border the picture is mirrored.
func TestLens(t *testing.T) {
	rng := newRand(t)
	w, h, sigma := 5+rng.IntN(20), 5+rng.IntN(20), 0.3+2*rng.Float64()
	x := planar.New(w, h)
	for i := range x.Pix {
		x.Pix[i] = 2*rng.Float32() - 1
	}
	before := x.Clone()
	clean, noisy, err := Camera{Lens: sigma}.Degrade(rng, x)
	if err != nil {
		t.Fatal(err)
	}
	if d := rms(x, before); d != 0 {
		t.Errorf("Degrade changed its argument by %g", d)
	}
	if d := rms(clean, noisy); d > 1e-6 {
		t.Errorf("the lens adds noise of %g", d)
	}
	radius := int(math.Ceil(4 * sigma))
	at := func(ch, x0, y0 int) float64 {
		sum, weights := 0.0, 0.0
		for dy := -radius; dy <= radius; dy++ {
			for dx := -radius; dx <= radius; dx++ {
				weight := math.Exp(-float64(dx*dx+dy*dy) / (2 * sigma * sigma))
				v := before.Plane(ch)[planar.Mirror(y0+dy, h)*w+planar.Mirror(x0+dx, w)]
				sum, weights = sum+weight*float64(Light(v)), weights+weight
			}
		}
		return sum / weights
	}
	for ch := range 3 {
		for y := range h {
			for x := range w {
				got, want := clean.Plane(ch)[y*w+x], Display(float32(at(ch, x, y)))
				if math.Abs(float64(got-want)) > 1e-4 {
					t.Fatalf("%d×%d, sigma %g: pixel (%d, %d) of colour %d is %g, want %g",
						w, h, sigma, x, y, ch, got, want)
				}
			}
		}
	}
}

// TestLensBeforeNoise says that the lens does not soften the noise.
func TestLensBeforeNoise(t *testing.T) {
	rng := newRand(t)
	_, noisy, err := Camera{White: 0.1, Lens: 2}.Degrade(rng, flat(0, 64, 64))
	if err != nil {
		t.Fatal(err)
	}
	if d := rms(noisy, flat(0, 64, 64)); math.Abs(d-0.1) > 0.005 {
		t.Errorf("the noise is %g, want 0.1", d)
	}
}
