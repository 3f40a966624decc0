package task

import (
	"math"
	"testing"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore/planar"
)

// TestEstimateSigma adds noise to painted pictures full of texture, rounds to 8 bit as files do,
// and asks for the noise back. Now and then a picture is texture all over: the median of the
// pictures counts, and for each a wider bound.
func TestEstimateSigma(t *testing.T) {
	rng := fresh(t)
	base := rng.Uint64N(1 << 32)
	const photos = 5
	var wrong, withHoles [4][]float64 // how far off, by level
	for seed := base; seed < base+photos; seed++ {
		clean := planar.FromNRGBA(synth.Photo(seed, 200, 160))
		if got := Std8(EstimateSigma(clean, nil)); got > 8 {
			t.Errorf("photo %d: clean picture read as noise of %.1f levels", seed, got)
		}
		holes := make([]float32, clean.W*clean.H)
		for i := range holes {
			if rng.Float64() < 0.6 {
				holes[i] = 1
			}
		}
		for k, levels := range []float64{5, 6.375, 15, 30} {
			noisy := clean.Clone()
			AddNoise(rng, noisy, Sigma(levels))
			noisy = planar.FromNRGBA(noisy.ToNRGBA())
			wrong[k] = append(wrong[k], math.Abs(Std8(EstimateSigma(noisy, nil))/levels-1))
			for i := range noisy.Pix {
				if holes[i%len(holes)] == 0 {
					noisy.Pix[i] = -1
				}
			}
			withHoles[k] = append(withHoles[k], math.Abs(Std8(EstimateSigma(noisy, holes))/levels-1))
		}
	}
	for k, levels := range []float64{5, 6.375, 15, 30} {
		tolerance := 0.15
		if levels < 10 { // the finest texture is as strong as this noise
			tolerance = 0.3
		}
		for what, v := range map[string][]float64{"": wrong[k], " with holes": withHoles[k]} {
			limit := tolerance
			if what != "" {
				limit *= 1.7
			}
			if m := median(v); m > limit || v[photos-1] > 4*tolerance { // sorted by now
				t.Errorf("photos from %d%s: noise of %.2f levels is read wrong by %.0f %% in the median, %.0f %% at worst", base, what, levels, 100*m, 100*v[photos-1])
			}
		}
	}
}

func TestEstimateSigmaWithoutStructure(t *testing.T) {
	rng := fresh(t)
	for _, s := range [][2]int{{40, 40}, {64, 64}, {301, 97}, {900, 700}} {
		flat := planar.New(s[0], s[1])
		AddNoise(rng, flat, 0.08)
		// the MAD of one patch scatters by 7 % (4 % over three colours), and a picture of 40×40 has
		// but one
		scatter := 0.07
		if s[0] > 100 {
			scatter = 0.03
		}
		if got := EstimateSigma(flat, nil); math.Abs(got-0.08) > 0.08*3*scatter {
			t.Errorf("%v: %v", s, got)
		}
		gray := planar.New(s[0], s[1]) // grey noise: the same in all channels
		AddNoise(rng, gray, 0.08)
		copy(gray.Plane(1), gray.Plane(0))
		copy(gray.Plane(2), gray.Plane(0))
		if got := EstimateSigma(gray, nil); math.Abs(got-0.08) > 0.08*5*scatter {
			t.Errorf("%v in grey: %v", s, got)
		}
		ramp := planar.New(s[0], s[1])
		for i := range ramp.Pix {
			ramp.Pix[i] = float32(i%s[0])/float32(s[0]) - 0.5
		}
		if got := EstimateSigma(ramp, nil); got > 1e-6 {
			t.Errorf("%v: a ramp read as noise of %v", s, got)
		}
	}
	// pictures without a usable block
	black := planar.New(50, 50)
	for i := range black.Pix {
		black.Pix[i] = -1
	}
	for _, m := range []*planar.Image{black, planar.New(1, 1), planar.New(1, 30), {W: 4, H: 4}} {
		if got := EstimateSigma(m, nil); got != 0 {
			t.Errorf("%d×%d: %v", m.W, m.H, got)
		}
	}
	noisy := planar.New(30, 30)
	AddNoise(rng, noisy, 0.1)
	if got := EstimateSigma(noisy, make([]float32, 900)); got != 0 {
		t.Errorf("all pixels missing: %v", got)
	}
	if got := EstimateSigma(noisy, make([]float32, 3)); got != 0 {
		t.Errorf("mask of another size: %v", got)
	}
}
