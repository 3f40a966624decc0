package camera

import (
	"math"

	"github.com/vfmrestore/restore/restore/planar"
)

// soften blurs a picture in linear light by a Gaussian of standard deviation sigma (pixels), in
// place. Pixels beyond the border mirror those inside.
func soften(img *planar.Image, sigma float64) {
	for i, v := range img.Pix {
		img.Pix[i] = Light(v)
	}
	weights := gaussian(sigma)
	for ch := range 3 {
		copy(img.Plane(ch), smooth(img.Plane(ch), img.W, img.H, weights, 1))
	}
	for i, v := range img.Pix {
		img.Pix[i] = Display(v)
	}
}

// gaussian gives an odd number of weights of a Gaussian, out to four standard deviations, with the
// sum 1.
func gaussian(sigma float64) []float32 {
	radius := int(math.Ceil(4 * sigma))
	values := make([]float64, 2*radius+1)
	sum := 0.0
	for i := range values {
		d := float64(i-radius) / sigma
		values[i] = math.Exp(-d * d / 2)
		sum += values[i]
	}
	weights := make([]float32, len(values))
	for i, v := range values {
		weights[i] = float32(v / sum)
	}
	return weights
}
