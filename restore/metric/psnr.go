package metric

import (
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

func decibel(peak, mse float64) float64 { return 10 * math.Log10(peak*peak/mse) }
