package task

import (
	"fmt"
	"image"
	"math/rand/v2"
)

// Params is ω: the parameters of a forward operator. Only the field that Descriptor.Needs names is
// set.
type Params struct {
	// Mask is 1 where a value is known and 0 where it is missing: H rows of W values, or three such
	// planes for NeedsChannelMask. Values between are allowed and weigh the value; the networks
	// were trained on 0 and 1.
	Mask []float32
	// Box is the rectangle that Draw left out of InpaintBox's Mask. Operators read Mask alone.
	Box image.Rectangle
	// Kernel is the blur kernel of MotionDeblur.
	Kernel *Kernel
}

// NewRand returns the generator that this package's random numbers come from: PCG, so the same seed
// gives the same numbers on every machine. Different streams of one seed are independent; use them
// to give each picture its own.
func NewRand(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// Draw draws ω for a clean picture of w×h pixels by the law of the paper (B.2.4):
//
//   - InpaintRandom: the share of dropped pixels is U(0.3, 0.7), each pixel is dropped on its own;
//   - InpaintBox: height and width are U{32..127}, the place is uniform at least 16 pixels from the
//     border; all of these shrink in proportion for pictures whose shorter side is below 256;
//   - MotionDeblur: MotionKernel of intensity 0.5 and side 61;
//   - Inpaint: one of the first two, half of the time each; the others have no ω.
//
// scale is Law.Scale. It is an error if the task is unknown, the picture is empty or scale is not
// in (0, 1].
func Draw(rng *rand.Rand, t Task, w, h int, scale float64) (Params, error) {
	return DrawLaw(rng, t, Law{W: w, H: h, Scale: scale})
}

// DrawTraining is Draw with Law.Training.
func DrawTraining(rng *rand.Rand, t Task, w, h int, scale float64) (Params, error) {
	return DrawLaw(rng, t, Law{W: w, H: h, Scale: scale, Training: true})
}

// DrawLaw draws ω by a law; errors as of Draw.
func DrawLaw(rng *rand.Rand, t Task, l Law) (Params, error) {
	if l.W < 1 || l.H < 1 {
		return Params{}, &SizeError{What: "picture", W: l.W, H: l.H}
	}
	if !(l.Scale > 0 && l.Scale <= 1) {
		return Params{}, fmt.Errorf("scale %v of a motion kernel: it must be above 0 and at most 1", l.Scale)
	}
	if !t.Valid() {
		return Params{}, &UnknownTaskError{Name: t.String()}
	}
	d := t.Descriptor()
	if d.Draw == nil {
		return Params{}, nil
	}
	return d.Draw(rng, l)
}
