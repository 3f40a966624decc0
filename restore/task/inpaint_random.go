package task

import "math/rand/v2"

// The law of inpaint-random draws the share of missing pixels from U(dropMin, dropMax).
const dropMin, dropMax = 0.3, 0.7

// inpaintRandom: single pixels are missing, in all channels together.
var inpaintRandom = Descriptor{
	Name:    "inpaint-random",
	Class:   1,
	Help:    "missing pixels that lie near known ones: dead pixels, scratches, lettering",
	Options: []Option{OptionMask, OptionExpected, OptionProject, OptionMaskOut},
	Needs:   NeedsMask,
	Scale:   1,
	Draw: func(rng *rand.Rand, l Law) (Params, error) {
		return Params{Mask: dropMask(rng, l.W, l.H)}, nil
	},
	Operator: maskOperator,
	View:     ViewFilled,
}

// maskOperator is A of the inpainting tasks.
func maskOperator(w, h int, p Params) LinearMap { return Multiply(w, h, p.Mask) }

// dropMask drops each pixel independently of the others.
func dropMask(rng *rand.Rand, w, h int) []float32 {
	drop := dropMin + (dropMax-dropMin)*rng.Float64()
	mask := make([]float32, w*h)
	for i := range mask {
		if rng.Float64() >= drop {
			mask[i] = 1
		}
	}
	return mask
}
