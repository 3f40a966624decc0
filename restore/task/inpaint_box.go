package task

import (
	"image"
	"math"
	"math/rand/v2"
)

// The law of inpaint-box, in pixels, for pictures whose shorter side is lawSide or more. All
// lengths shrink in proportion for smaller pictures.
const (
	lawSide        = 256
	boxMin, boxMax = 32, 127 // height and width
	boxBorder      = 16      // least distance from the border
)

// inpaintBox: a rectangle is missing.
var inpaintBox = Descriptor{
	Name:    "inpaint-box",
	Class:   2,
	Help:    "missing areas, wider than a few pixels",
	Options: inpaintRandom.Options,
	Needs:   NeedsMask,
	Scale:   1,
	Draw: func(rng *rand.Rand, l Law) (Params, error) {
		box := drawBox(rng, l.W, l.H)
		return Params{Box: box, Mask: boxMask(l.W, l.H, box)}, nil
	},
	Operator: maskOperator,
	View:     ViewFilled,
}

func drawBox(rng *rand.Rand, w, h int) image.Rectangle {
	shrink := min(1, float64(min(w, h))/lawSide)
	border := int(math.Round(boxBorder * shrink))
	// axis draws length and start of one side. The side stays inside the border however small the
	// picture is.
	axis := func(n int) (from, to int) {
		size := int(math.Round(float64(boxMin+rng.IntN(boxMax-boxMin+1)) * shrink))
		size = max(1, min(size, n-2*border))
		from = border + rng.IntN(max(1, n-2*border-size+1))
		return from, from + size
	}
	y0, y1 := axis(h)
	x0, x1 := axis(w)
	return image.Rect(x0, y0, x1, y1)
}

func boxMask(w, h int, box image.Rectangle) []float32 {
	mask := make([]float32, w*h)
	for y := 0; y < h; y++ {
		for x := 0; x < w; x++ {
			if !(image.Point{X: x, Y: y}).In(box) {
				mask[y*w+x] = 1
			}
		}
	}
	return mask
}
