package noise

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore/planar"
)

// Grey pictures have all of their noise in luminance. It must be found there, and not be taken for
// texture because chroma has none. In pictures without noise hardly any is found.
func TestGreyPictures(t *testing.T) {
	for seed := range uint64(4) {
		img := planar.FromNRGBA(synth.Photo(20+seed, 192, 160))
		n := img.W * img.H
		for i := range n {
			v := (img.Pix[i] + img.Pix[n+i] + img.Pix[2*n+i]) / 3
			img.Pix[i], img.Pix[n+i], img.Pix[2*n+i] = v, v, v
		}
		clean := Estimate(img, nil)
		for _, level := range []float64{6, 20, 40} {
			rng := rand.New(rand.NewPCG(seed, uint64(level)))
			noisy := planar.New(img.W, img.H)
			for i := range n {
				v := math.Round(127.5*(float64(img.Pix[i])+1) + level*rng.NormFloat64())
				for c := range 3 {
					noisy.Pix[c*n+i] = float32(min(max(v, 0), 255)/127.5 - 1)
				}
			}
			p := Estimate(noisy, nil)
			if got := 127.5 * p.Sigma(); got < 0.75*level || got > 1.35*level {
				t.Errorf("picture %d: noise of %v levels is found as %.1f (%v)", seed, level, got, p)
			}
			if p.Chroma != [Bands]float64{} {
				t.Errorf("picture %d: noise of colour in a grey picture: %v", seed, p)
			}
			if s := 127.5 * clean.Sigma(); s > 5 { // a landscape with grass all over has 4
				t.Errorf("picture %d: noise of %.1f levels is found where there is none", seed, s)
			}
			if math.Abs(127.5*Grey(level/127.5).Sigma()-level) > 1e-9 {
				t.Errorf("the profile of grey noise of %v levels has %v", level, 127.5*Grey(level/127.5).Sigma())
			}
		}
	}
}
