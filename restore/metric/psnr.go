package metric

import (
	"fmt"
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

// PSNR returns the peak signal-to-noise ratio 10·log₁₀(2²/MSE) in dB of two pictures in [-1, 1];
// +Inf for equal ones.
func PSNR(a, b *planar.Image) (float64, error) {
	e, err := MSE(a, b)
	return decibel(Range, e), err
}

// PSNRLuminance returns the PSNR in dB of the luminance (ITU-T T.871) of two pictures in [-1, 1]:
// +Inf for equal ones.
func PSNRLuminance(a, b *planar.Image) (float64, error) {
	if err := sameImages(a, b); err != nil {
		return 0, err
	}
	n := a.W * a.H
	s := 0.0
	for i := range n {
		d := 0.0
		for c, k := range [3]float64{0.299, 0.587, 0.114} {
			d += k * float64(a.Pix[c*n+i]-b.Pix[c*n+i])
		}
		s += d * d
	}
	return decibel(Range, s/float64(n)), nil
}

// PSNRShifted returns the largest PSNR in dB of x to the truth over shifts of x by up to the given
// number of whole pixels. As many pixels on every side do not count. The position of a blur kernel
// that was found is arbitrary, and so is that of the deblurred picture. It fails if the pictures
// differ in size or are not larger than twice the shift.
func PSNRShifted(truth, x *planar.Image, shift int) (float64, error) {
	if err := sameImages(truth, x); err != nil {
		return 0, err
	}
	w, h := truth.W-2*shift, truth.H-2*shift
	if shift < 0 || w <= 0 || h <= 0 {
		return 0, fmt.Errorf("%d×%d pixels: too small for shifts by %d", truth.W, truth.H, shift)
	}
	best := math.Inf(1)
	for dy := range 2*shift + 1 {
		for dx := range 2*shift + 1 {
			s := 0.0
			for c := range 3 {
				a, b := truth.Plane(c), x.Plane(c)
				for y := range h {
					row := b[(y+dy)*x.W+dx:][:w]
					for i, v := range a[(y+shift)*truth.W+shift:][:w] {
						d := float64(v - row[i])
						s += d * d
					}
				}
			}
			best = min(best, s/float64(3*w*h))
		}
	}
	return decibel(Range, best), nil
}

func decibel(peak, mse float64) float64 { return 10 * math.Log10(peak*peak/mse) }
