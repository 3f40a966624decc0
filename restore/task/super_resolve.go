package task

// superResolve: A is antialiased bicubic reduction by Factor.
var superResolve = Descriptor{
	Name:  "super-resolve",
	Class: 3,
	Help:  "too few pixels: the result is four times as wide and high",
	Scale: Factor,
	Operator: func(w, h int, _ Params) LinearMap {
		return newSeparable(w, h, downFilter)
	},
	Axis: DownMatrix,
	View: ViewEnlarged,
}
