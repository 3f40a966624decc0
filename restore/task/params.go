package task

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
)

// Params is ω: what a forward operator needs beside its task. Only the fields of the task in question are set.
type Params struct {
	// Mask (the three inpainting tasks) holds H rows of W values: 1 where the pixel is known, 0 where it is missing. Values between
	// are allowed and weigh the pixel; the networks were trained on 0 and 1.
	Mask []float32
	// Box (InpaintBox) is the rectangle that Draw left out of Mask; operators read Mask alone.
	Box image.Rectangle
	// Kernel (MotionDeblur) is the blur kernel.
	Kernel *Kernel
}

// Sides of the law of ω (METHOD, the paper's B.2.4), stated for pictures of 256×256.
const (
	lawSide              = 256
	dropMin, dropMax     = 0.3, 0.7
	boxMin, boxMax       = 32, 127
	boxBorder            = 16
	minSupport           = 9 // smallest support of a scaled-down motion kernel
	scaledShare          = 0.5
	blurSide             = 61 // side of both blur kernels
	gaussStd             = 3.0
	paperMotionIntensity = 0.5
)

// NewRand returns the generator that this package's randomness comes from: PCG, so the same seed gives the same numbers on every
// machine. Different streams of one seed are independent; use them to give each picture its own.
func NewRand(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// Draw draws ω for a clean picture of w×h pixels by the law of the paper:
//
//   - InpaintRandom: the share of dropped pixels is U(0.3, 0.7), each pixel dropped on its own;
//   - InpaintBox: height and width are U{32..127}, the place uniform at least 16 pixels from the border; all of these shrink in
//     proportion for pictures whose shorter side is below 256;
//   - MotionDeblur: MotionKernel of intensity 0.5 and side 61;
//   - Inpaint: one of the first two, half of the time each; the others have no ω.
//
// scale in (0, 1] shrinks the motion kernel to MotionSide(scale) for trainers on small crops; 1 is the paper. An unknown task, an
// empty picture or another scale is an error.
func Draw(rng *rand.Rand, t Task, w, h int, scale float64) (Params, error) {
	return draw(rng, t, w, h, scale, false)
}

// DrawTraining is Draw with half of the motion kernels reduced to a support U{9..side} (centred in the same array of zeros), so
// that a network also meets the small shakes of ordinary photographs.
func DrawTraining(rng *rand.Rand, t Task, w, h int, scale float64) (Params, error) {
	return draw(rng, t, w, h, scale, true)
}

// MotionSide returns the side of Draw's motion kernel at a scale: the odd number nearest to 61·scale, at least 9.
func MotionSide(scale float64) int {
	return max(minSupport, 2*int(math.Round((blurSide*scale-1)/2))+1)
}

func draw(rng *rand.Rand, t Task, w, h int, scale float64, training bool) (p Params, err error) {
	if w < 1 || h < 1 {
		return p, &SizeError{What: "picture", W: w, H: h}
	}
	if !(scale > 0 && scale <= 1) {
		return p, fmt.Errorf("scale %v of a motion kernel: must lie in (0, 1]", scale)
	}
	if t == Inpaint {
		t = InpaintRandom + Task(rng.IntN(2))
	}
	switch t {
	case InpaintRandom:
		p.Mask = dropMask(rng, w, h)
	case InpaintBox:
		p.Box = drawBox(rng, w, h)
		p.Mask = boxMask(w, h, p.Box)
	case MotionDeblur:
		side := MotionSide(scale)
		support := side
		if training && rng.Float64() < scaledShare {
			support = minSupport + rng.IntN(side-minSupport+1)
		}
		p.Kernel, err = MotionKernel(rng, side, support, paperMotionIntensity)
	default:
		if !t.Valid() {
			err = &UnknownTaskError{Name: t.String()}
		}
	}
	return p, err
}

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

func drawBox(rng *rand.Rand, w, h int) image.Rectangle {
	shrink := min(1, float64(min(w, h))/lawSide)
	border := int(math.Round(boxBorder * shrink))
	// one axis: length and start, kept inside the border however small the picture is
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

// Resolve returns the class that serves t: t itself, except that Inpaint becomes InpaintRandom or InpaintBox by the look of the
// mask (w×h, 1 known). Holes that are all close to known pixels (most missing pixels have one within two rows and columns: lost
// pixels, scratches, lettering) count as random, larger holes as boxes.
func Resolve(t Task, mask []float32, w, h int) Task {
	if len(mask) != w*h {
		return t
	}
	return ResolveOf(t, func(i int) bool { return mask[i] >= 0.5 }, w, h)
}

// ResolveOf is Resolve where known tells which pixels are.
func ResolveOf(t Task, known func(i int) bool, w, h int) Task {
	if t != Inpaint {
		return t
	}
	missing, near := 0, 0
	for y := 0; y < h; y++ {
		for x := 0; x < w; x++ {
			if known(y*w + x) {
				continue
			}
			missing++
			if knownNear(known, w, h, x, y) {
				near++
			}
		}
	}
	if 2*near >= missing {
		return InpaintRandom
	}
	return InpaintBox
}

func knownNear(known func(i int) bool, w, h, x, y int) bool {
	for v := max(0, y-2); v <= min(h-1, y+2); v++ {
		for u := max(0, x-2); u <= min(w-1, x+2); u++ {
			if known(v*w + u) {
				return true
			}
		}
	}
	return false
}
