package task

// Defocus is another name of GaussianDeblur.
const Defocus = "defocus"

// gaussianDeblur: A is a Gaussian blur of 61×61 taps and standard deviation 3 with reflected edges.
var gaussianDeblur = Descriptor{
	Name:    "gaussian-deblur",
	Aliases: []string{Defocus},
	Class:   4,
	Help:    "a blur that is the same in all directions, as of a lens out of focus",
	// A's largest singular value is 1, so x + Aᵀ(y − A x) is a step towards y.
	Options: []Option{OptionBlur, OptionProject},
	Scale:   1,
	Operator: func(w, h int, _ Params) LinearMap {
		return newSeparable(w, h, gaussFilter)
	},
	Axis: GaussMatrix,
	View: ViewAsIs,
}
