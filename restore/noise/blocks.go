package noise

import (
	"math"

	"github.com/vfmrestore/restore/restore/planar"
)

// steps sums how much larger the steps between two pixels are than the steps next to them, at one
// phase of an 8×8 grid.
type steps struct{ sum, n float64 }

// blocks compares the steps of luminance across the lines of an 8×8 grid, at its most likely
// position, with the other steps. visible is the logarithm of their ratio, 0 to about 3, and height
// their difference in units of planar.Image; both are means over rows and columns. They are 0 if
// there is no grid.
func (e *Estimator) blocks(src Source) (visible, height float64) {
	e.steps = [2][8]steps{}
	const wide, maxStrips = 512, 64
	if src.W < 24 || src.H < 24 {
		return 0, 0
	}
	w := min(src.W, wide)
	x0 := (src.W - w) / 2
	rows := src.H / 8
	every := (rows + maxStrips - 1) / maxStrips
	for i := 0; i < rows; i += every {
		top, bottom := max(0, 8*i-2), min(src.H, 8*i+9)
		e.addSteps(src.Crop(x0, top, w, bottom-top), x0, top)
	}
	for d := range e.steps {
		best, excess, sum, n := 0.0, 0.0, 0.0, 0.0
		for _, s := range e.steps[d] {
			sum, n = sum+s.sum, n+s.n
		}
		for _, s := range e.steps[d] {
			if s.n > 0 && n > s.n {
				here, rest := s.sum/s.n, (sum-s.sum)/(n-s.n)
				best = max(best, math.Log((here+1e-4)/(rest+1e-4)))
				excess = max(excess, (here-rest)/3)
			}
		}
		visible += best / 2
		height += excess / 2
	}
	return min(visible, 3), height
}

// addSteps adds the steps of a part of the picture whose first pixel is (x0, y0).
func (e *Estimator) addSteps(img *planar.Image, x0, y0 int) {
	r, g, b := img.Plane(0), img.Plane(1), img.Plane(2)
	luma := func(i int) float32 { return r[i] + g[i] + b[i] }
	add := func(s *steps, l2, l1, r1, r2 float32) {
		if v := math.Abs(float64(r1 - l1 - (r2-r1+l1-l2)/2)); v < 10 { // not NaN
			s.sum += v
			s.n++
		}
	}
	w := img.W
	for y := range img.H {
		for x := range w {
			i := y*w + x
			if x >= 2 && x+1 < w {
				add(&e.steps[0][(x0+x)%8], luma(i-2), luma(i-1), luma(i), luma(i+1))
			}
			if y >= 2 && y+1 < img.H {
				add(&e.steps[1][(y0+y)%8], luma(i-2*w), luma(i-w), luma(i), luma(i+w))
			}
		}
	}
}
