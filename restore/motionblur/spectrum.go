package motionblur

import "math"

// Spectrum is the mean power spectrum of the brightness (R+G+B)/√3 of photographs with values in
// [-1, 1], per pixel: white noise of standard deviation σ has the spectrum σ². fx and fy are in
// cycles per pixel. At frequency 0 it is +Inf, because nothing is known about the mean.
//
// It is fitted to 98 of the 879 training photographs (docs/DATA.md), windowed at 256×256 pixels,
// between 0.008 and 0.6 cycles per pixel. The residual of the fit is 0.35 (root mean square of the
// logarithm). Lines along the axes are more frequent than others, hence the term in 4θ.
func Spectrum(fx, fy float64) float64 {
	f := math.Hypot(fx, fy)
	if f == 0 {
		return math.Inf(1)
	}
	l := math.Log(max(f, 0.004) / 0.05)
	c := fx / f
	cos4 := 1 - 8*c*c*(1-c*c)
	return math.Exp(1.43 + l*(-2.08+l*(0.10-0.18*l)) + (0.55-0.08*l*l)*cos4)
}

// ColourPower is the power of each of the two colour axes relative to that of brightness.
const ColourPower = 0.055

// ColourAxes is an orthonormal basis of RGB. The first axis is brightness, the others are colour.
var ColourAxes = [3][3]float64{
	{1 / math.Sqrt(3), 1 / math.Sqrt(3), 1 / math.Sqrt(3)},
	{math.Sqrt2 / 2, -math.Sqrt2 / 2, 0},
	{1 / math.Sqrt(6), 1 / math.Sqrt(6), -2 / math.Sqrt(6)},
}
