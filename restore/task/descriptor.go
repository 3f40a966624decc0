package task

import (
	"math/rand/v2"

	"github.com/vfmrestore/restore/restore/planar"
)

// Descriptor states everything about one task that the rest of the program asks: the networks'
// class, the forward operator, the law of its parameters, the adapter's view, and the flags and the
// help text of the command. Each task has a file with its descriptor; docs/NEW-TASK.md shows how to
// write one.
type Descriptor struct {
	// Name is the name on the command line, in JSON and in weights files.
	Name string
	// Aliases are other names that Parse takes.
	Aliases []string
	// Class is the class index c in 0..Classes-1 that the networks are conditioned on (the paper's
	// B.2.4). Several tasks may share a class.
	Class int
	// Help says in one line, without a full stop, what is wrong with a picture that needs this
	// task.
	Help string
	// Options are the options that this task takes and that not all tasks take.
	Options []Option
	// Needs says which field of Params the operator reads.
	Needs Needs
	// Scale is how many times wider and higher the restored picture is than the observation.
	Scale int
	// Draw draws the parameters ω of a random degradation. It is nil if there are none.
	Draw func(rng *rand.Rand, l Law) (Params, error)
	// Operator returns A for clean pictures of w×h pixels, which are not empty. The parameters have
	// passed the check for Needs.
	Operator func(w, h int, p Params) LinearMap
	// Axis is the matrix F(n) of one axis of n values if A x is F(h)ᵀ · X · F(w) on every plane,
	// else nil. Trainers use it to compute A as matrix products.
	Axis func(n int) Matrix
	// View is how the adapter sees an observation.
	View ViewKind
}

// Option is something that a user may ask for. Its value is the name of the command's flag.
type Option string

// The options that only some tasks take.
const (
	OptionMask      Option = "mask"       // which pixels are missing
	OptionStrength  Option = "strength"   // how much of the noise is removed
	OptionBlur      Option = "blur"       // shape and width of the defocus
	OptionKernel    Option = "kernel"     // the kernel of the motion blur
	OptionKernelOut Option = "kernel-out" // the kernel that was found
	OptionExpected  Option = "expected"   // wide holes are filled with the mean of what may be there
	OptionProject   Option = "project"    // Operator.Project; AᵀA must be a projection, or near one
	OptionSingle    Option = "single"     // frames of a video are not averaged over time
	OptionMaskOut   Option = "mask-out"   // restore degrade writes the mask
	OptionScale     Option = "scale"      // restore degrade draws a smaller motion kernel
	OptionCamera    Option = "camera"     // restore degrade simulates a camera
)

// Needs is the kind of parameters that an operator has.
type Needs int

const (
	NeedsNothing     Needs = iota
	NeedsMask              // Params.Mask with one value per pixel
	NeedsChannelMask       // Params.Mask with one value per pixel and channel: three planes
	NeedsKernel            // Params.Kernel
)

// ViewKind is one of the ways to show an observation to the adapter in the size of the restored
// picture.
type ViewKind int

const (
	ViewAsIs     ViewKind = iota
	ViewFilled            // missing values are filled by PushPull
	ViewEnlarged          // enlarged by Factor with the bicubic kernel
)

// Law says for what kind of picture parameters are drawn.
type Law struct {
	W, H  int           // pixels of the clean picture
	Clean *planar.Image // the clean picture, for tasks whose parameters depend on it; may be nil
	// Scale in (0, 1] shrinks the motion kernel to MotionSide(Scale), for trainers on small crops.
	// 1 is the paper's law.
	Scale float64
	// Training widens the law: half of the motion kernels get a support U{9..side}, centred in the
	// same array of zeros, so that a network also sees the small shakes of ordinary photographs.
	Training bool
}

// Takes tells whether the task takes an option.
func (d *Descriptor) Takes(o Option) bool {
	for _, have := range d.Options {
		if have == o {
			return true
		}
	}
	return false
}

// check returns an error unless p has what the task needs for pictures of w×h pixels.
func (d *Descriptor) check(p Params, w, h int) error {
	switch d.Needs {
	case NeedsMask, NeedsChannelMask:
		return d.checkMask(len(p.Mask), w, h)
	case NeedsKernel:
		if p.Kernel == nil {
			return &MissingError{Task: d.Name, What: "motion kernel"}
		}
		return p.Kernel.Check()
	}
	return nil
}

// masked tells whether values of the observation are missing.
func (d *Descriptor) masked() bool { return d.Needs == NeedsMask || d.Needs == NeedsChannelMask }

// checkMask checks the length of the mask of a w×h picture.
func (d *Descriptor) checkMask(have, w, h int) error {
	want := h
	if d.Needs == NeedsChannelMask {
		want *= 3
	}
	if have == 0 {
		return &MissingError{Task: d.Name, What: "mask"}
	}
	if have != w*want {
		return &SizeError{What: "mask", W: have, WantW: w, WantH: want}
	}
	return nil
}
