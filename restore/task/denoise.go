package task

// denoise: y = x + ε.
var denoise = Descriptor{
	Name:    "denoise",
	Class:   0,
	Help:    "noise: grain and colour speckles",
	Options: []Option{OptionStrength, OptionCamera, OptionSingle},
	Scale:   1,
	Operator: func(w, h int, _ Params) LinearMap {
		return Identity(w, h)
	},
	View: ViewAsIs,
}
