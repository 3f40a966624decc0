package task

import "math/rand/v2"

// inpaint: pixels are missing as a mask says. It has no class of its own: Resolve turns it into
// inpaint-random or inpaint-box.
var inpaint = Descriptor{
	Name:    "inpaint",
	Class:   1,
	Help:    "missing pixels; the mask decides between inpaint-random and inpaint-box",
	Options: inpaintRandom.Options,
	Needs:   NeedsMask,
	Scale:   1,
	Draw: func(rng *rand.Rand, l Law) (Params, error) {
		return [...]*Descriptor{&inpaintRandom, &inpaintBox}[rng.IntN(2)].Draw(rng, l)
	},
	Operator: maskOperator,
	View:     ViewFilled,
}

// nearby is the distance in rows and columns within which a known pixel is near a missing one.
const nearby = 2

// Resolve returns the class that serves t: t itself, except that Inpaint becomes InpaintRandom or
// InpaintBox by the look of the mask (w×h values, 1 known). If at least half of the missing pixels
// have a known one within two rows and columns (lost pixels, scratches, lettering), it is
// InpaintRandom. Larger holes are boxes.
func Resolve(t Task, mask []float32, w, h int) Task {
	if len(mask) != w*h {
		return t
	}
	return ResolveOf(t, func(i int) bool { return mask[i] >= 0.5 }, w, h)
}

// ResolveOf is Resolve with a function that tells which pixels are known.
func ResolveOf(t Task, known func(i int) bool, w, h int) Task {
	if t != Inpaint {
		return t
	}
	missing, near := 0, 0
	for y := 0; y < h; y++ {
		for x := 0; x < w; x++ {
			if known(y*w + x) {
				continue
			}
			missing++
			if knownNear(known, w, h, x, y) {
				near++
			}
		}
	}
	if 2*near >= missing {
		return InpaintRandom
	}
	return InpaintBox
}

func knownNear(known func(i int) bool, w, h, x, y int) bool {
	for v := max(0, y-nearby); v <= min(h-1, y+nearby); v++ {
		for u := max(0, x-nearby); u <= min(w-1, x+nearby); u++ {
			if known(v*w + u) {
				return true
			}
		}
	}
	return false
}
