// Package dctref has the DCT of JPEG's blocks in float64, by its definition, for tests.
package dctref

import "math"

// Coefficient is coefficient i = 8·v + u of a block (ITU-T T.81, A.3.3): v is the vertical and u
// the horizontal frequency. value gives the value of the block at column x and row y, 0 to 7.
func Coefficient(i int, value func(x, y int) float64) (z float64) {
	u, v := i%8, i/8
	for y := range 8 {
		for x := range 8 {
			z += value(x, y) * math.Cos(math.Pi*float64((2*x+1)*u)/16) *
				math.Cos(math.Pi*float64((2*y+1)*v)/16)
		}
	}
	if z /= 4; u == 0 {
		z /= math.Sqrt2
	}
	if v == 0 {
		z /= math.Sqrt2
	}
	return z
}

// Luminance is coefficient i of luminance (ITU-T T.871) of the block at column x0 and row y0 of a
// w×h picture: three planes of values in [-1, 1].
func Luminance(pix []float32, w, h, x0, y0, i int) float64 {
	n := w * h
	return Coefficient(i, func(x, y int) float64 {
		at := (y0+y)*w + x0 + x
		return 127.5*(0.299*float64(pix[at])+0.587*float64(pix[n+at])+
			0.114*float64(pix[2*n+at])) - 0.5
	})
}
