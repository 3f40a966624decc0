package defocus

import "github.com/vfmrestore/restore/restore/motionblur/blind"

// nearWhite is the value from which on pixels count as clipped; white is 1.
const nearWhite = 253.5 / 255

// Clipped marks the pixels of a plane that are clipped: the light may have been more than their
// value.
func Clipped(y *blind.Plane) []bool {
	out := make([]bool, len(y.Pix))
	for i, v := range y.Pix {
		out[i] = v >= nearWhite
	}
	return out
}
