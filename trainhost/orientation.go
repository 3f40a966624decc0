package trainhost

import "math/rand/v2"

// orientation is one of the eight orientations of the square: mirrored, and then transposed.
type orientation struct{ mirrorX, mirrorY, transpose bool }

func drawOrientation(rng *rand.Rand) orientation {
	o := rng.IntN(8)
	return orientation{o&1 != 0, o&2 != 0, o&4 != 0}
}

// each calls f for every pixel of a square of side pixels: to is the index of the pixel, and (x, y)
// is where its value comes from. The mirror image of a coordinate x is sum − x, modulo side.
func (o orientation) each(side, sum int, f func(to, x, y int)) {
	for y := range side {
		for x := range side {
			u, v := x, y
			if o.mirrorX {
				u = (sum - u) % side
			}
			if o.mirrorY {
				v = (sum - v) % side
			}
			if o.transpose {
				u, v = v, u
			}
			f(y*side+x, u, v)
		}
	}
}
