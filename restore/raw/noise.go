package raw

import (
	"math"
	"math/rand/v2"

	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/planar"
)

const (
	patchSide = 64 // pixels, even
	patches   = 8  // in each direction, at most
	smoothing = 2  // neighbours of a colour on each side
)

// Profile measures the noise of the developed picture: what demosaicing, matrix and curve make of
// the sensor's noise (Noise, which must not be nil). The light of up to 64 patches of 64×64 pixels
// is smoothed, and developed with and without simulated sensor noise. The same mosaic gives the
// same profile.
func (m *Mosaic) Profile(r Rendering) (noise.Profile, error) {
	if err := check(m, r); err != nil {
		return noise.Profile{}, err
	}
	if m.Noise == nil {
		return noise.Profile{}, wrong("the noise of the sensor is not known")
	}
	w, h := min(patchSide, m.W), min(patchSide, m.H)
	xs, ys := spread(m.W, w), spread(m.H, h)
	clean := planar.New(w, h*len(xs)*len(ys))
	noisy := planar.New(w, clean.H)
	light, rng := m.lights(), rand.New(rand.NewPCG(1, 2))
	at := 0
	for _, y := range ys {
		for _, x := range xs {
			// The patch with the neighbours that demosaicing reads.
			p := part{x: max(0, x-reach), y: max(0, y-reach)}
			p.w, p.h = min(m.W, x+w+reach)-p.x, min(m.H, y+h+reach)-p.y
			a, b := m.patch(rng, &light, p)
			for _, to := range []struct{ all, part *planar.Image }{{clean, a}, {noisy, b}} {
				m.finish(r, to.part, p.y)
				for c := range 3 {
					for v := range h {
						copy(to.all.Plane(c)[(at+v)*w:][:w], to.part.Plane(c)[(y-p.y+v)*p.w+x-p.x:])
					}
				}
			}
			at += h
		}
	}
	return noise.Measure(clean, noisy), nil
}

// part is a rectangle of a mosaic. Its origin is even.
type part struct{ x, y, w, h int }

// spread gives even positions for patches of length side, spread over n pixels.
func spread(n, side int) (at []int) {
	count := min(max(n/side, 1), patches)
	for i := range count {
		at = append(at, (n-side)*(2*i+1)/(2*count)&^1)
	}
	return at
}

// patch gives the light of a part of the mosaic, smoothed, without and with noise.
func (m *Mosaic) patch(rng *rand.Rand, light *lights, p part) (clean, noisy *planar.Image) {
	gains := m.gains()
	clean, noisy = planar.New(p.w, p.h), planar.New(p.w, p.h)
	for v := range p.h {
		for u := range p.w {
			c := m.Pattern.colour(u, v)
			sum, n := 0.0, 0.0
			for dv := -2 * smoothing; dv <= 2*smoothing; dv += 2 {
				for du := -2 * smoothing; du <= 2*smoothing; du += 2 {
					if a, b := p.x+u+du, p.y+v+dv; a >= 0 && a < m.W && b >= 0 && b < m.H {
						sum, n = sum+light.at(float64(m.Pix[b*m.W+a]), a, b, c), n+1
					}
				}
			}
			mean := sum / n
			sigma := gains[c] * math.Sqrt(m.Noise.Shot[c]*max(mean/gains[c], 0)+m.Noise.Read[c])
			at := (c*p.h+v)*p.w + u
			clean.Pix[at] = float32(min(mean, 1))
			noisy.Pix[at] = float32(min(mean+sigma*rng.NormFloat64(), 1))
		}
	}
	return clean, noisy
}
