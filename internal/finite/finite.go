// Package finite finds NaN and infinities, which files and drivers may give and which spread
// through all later arithmetic.
package finite

import "math"

// FirstNot returns the index of the first value that is NaN or infinite, or -1.
func FirstNot(v []float32) int {
	const exponent = 0x7f800000 // all ones for NaN and infinity alone
	for i, x := range v {
		if math.Float32bits(x)&exponent == exponent {
			return i
		}
	}
	return -1
}
