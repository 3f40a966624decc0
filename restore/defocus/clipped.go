package defocus

import "github.com/vfmrestore/restore/restore/motionblur/blind"

// nearWhite is where values count as clipped, as a share of white.
const nearWhite = 253.5 / 255

// Clipped tells the pixels of a plane whose light may have been more than they show.
func Clipped(y *blind.Plane) []bool {
	out := make([]bool, len(y.Pix))
	for i, v := range y.Pix {
		out[i] = v >= nearWhite
	}
	return out
}
