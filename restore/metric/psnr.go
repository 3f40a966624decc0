package metric

import (
	"image"
	"math"

	"github.com/vfmrestore/restore/restore/planar"
)

// MSE returns the mean squared error over all pixels and channels.
func MSE(a, b *planar.Image) (float64, error) {
	if err := sameImages(a, b); err != nil {
		return 0, err
	}
	s := 0.0
	for i, v := range a.Pix {
		d := float64(v) - float64(b.Pix[i])
		s += d * d
	}
	return s / float64(len(a.Pix)), nil
}

// PSNR returns the peak signal-to-noise ratio 10·log₁₀(2²/MSE) in dB of two pictures in [-1, 1]; +Inf for equal ones.
func PSNR(a, b *planar.Image) (float64, error) {
	e, err := MSE(a, b)
	return decibel(Range, e), err
}

// PSNR8 returns the PSNR in dB of the colours of two 8-bit pictures (peak 255, alpha ignored); +Inf for equal ones.
func PSNR8(a, b *image.NRGBA) (float64, error) {
	ra, rb := a.Bounds(), b.Bounds()
	if ra.Dx() != rb.Dx() || ra.Dy() != rb.Dy() || ra.Empty() {
		return 0, shapef("pictures of different size: %d×%d and %d×%d", ra.Dx(), ra.Dy(), rb.Dx(), rb.Dy())
	}
	sum := 0
	for y := 0; y < ra.Dy(); y++ {
		p, q := a.Pix[a.PixOffset(ra.Min.X, ra.Min.Y+y):], b.Pix[b.PixOffset(rb.Min.X, rb.Min.Y+y):]
		for i := 0; i < 4*ra.Dx(); i++ {
			if i%4 != 3 {
				d := int(p[i]) - int(q[i])
				sum += d * d
			}
		}
	}
	return decibel(255, float64(sum)/float64(3*ra.Dx()*ra.Dy())), nil
}

func decibel(peak, mse float64) float64 { return 10 * math.Log10(peak*peak/mse) }
