package deblur

import "math"

// toOpponent replaces three planes by their components along (1,1,1)/√3, (1,−1,0)/√2 and
// (1,1,−2)/√6. The transform is orthonormal, so white noise keeps its standard deviation.
func toOpponent(pix []float32) {
	n := len(pix) / 3
	r, g, b := pix[:n], pix[n:2*n], pix[2*n:]
	for i := range r {
		x, y, z := float64(r[i]), float64(g[i]), float64(b[i])
		r[i] = float32((x + y + z) / math.Sqrt(3))
		g[i] = float32((x - y) / math.Sqrt2)
		b[i] = float32((x + y - 2*z) / math.Sqrt(6))
	}
}

// fromOpponent is the inverse of toOpponent.
func fromOpponent(pix []float32) {
	n := len(pix) / 3
	r, g, b := pix[:n], pix[n:2*n], pix[2*n:]
	for i := range r {
		x, y, z := float64(r[i])/math.Sqrt(3), float64(g[i])/math.Sqrt2, float64(b[i])/math.Sqrt(6)
		r[i], g[i], b[i] = float32(x+y+z), float32(x-y+z), float32(x-2*z)
	}
}
