package blind

import (
	"fmt"
	"math"
)

// Plane is one plane of a picture: H rows of W values, one row after the other. Values are light or
// brightness from 0 (black) to 1 (white).
type Plane struct {
	W, H int
	Pix  []float64 // the value at column x of row y is Pix[y*W+x]
}

// NewPlane returns a plane of w×h zeros.
func NewPlane(w, h int) *Plane { return &Plane{W: w, H: h, Pix: make([]float64, w*h)} }

// Check returns an error unless the plane has at least one pixel, W·H values, and only values from
// −1e6 to 1e6, whose squares fit in float32.
func (p *Plane) Check() error {
	if p.W < 1 || p.H < 1 || len(p.Pix) != p.W*p.H {
		return fmt.Errorf("plane of %d×%d pixels holds %d values; it needs one value per pixel, and at least one pixel", p.W, p.H, len(p.Pix))
	}
	for i, v := range p.Pix {
		if !(math.Abs(v) <= 1e6) {
			return fmt.Errorf("plane has the value %v at column %d of row %d; values must be about 0 to 1", v, i%p.W, i/p.W)
		}
	}
	return nil
}

// checkSlope returns an error unless slope is nil or has a value above 0 for every pixel of y.
func checkSlope(slope, y *Plane) error {
	if slope == nil {
		return nil
	}
	if slope.W != y.W || slope.H != y.H || len(slope.Pix) != len(y.Pix) {
		return fmt.Errorf("slopes of %d×%d pixels for a picture of %d×%d; they must have the picture's size",
			slope.W, slope.H, y.W, y.H)
	}
	for i, v := range slope.Pix {
		if !(v > 0 && v <= 1e6) {
			return fmt.Errorf("slope %v at column %d of row %d; slopes must be above 0 and at most 1e6",
				v, i%y.W, i/y.W)
		}
	}
	return nil
}

// rootMeanSquare is the root of the mean squared value. It is 1 for nil.
func rootMeanSquare(p *Plane) float64 {
	if p == nil {
		return 1
	}
	sum := 0.0
	for _, v := range p.Pix {
		sum += v * v
	}
	return math.Sqrt(sum / float64(len(p.Pix)))
}

// Crop returns a copy of the w×h pixels at (x, y), which must be inside the plane.
func (p *Plane) Crop(x, y, w, h int) *Plane {
	out := NewPlane(w, h)
	for i := range h {
		copy(out.Pix[i*w:(i+1)*w], p.Pix[(y+i)*p.W+x:])
	}
	return out
}

// gradients returns the differences to the next pixel to the right, which are 0 in the last column,
// and downwards, which are 0 in the last row.
func (p *Plane) gradients() [2]*Plane {
	dx, dy := NewPlane(p.W, p.H), NewPlane(p.W, p.H)
	for y := range p.H {
		row := p.Pix[y*p.W:][:p.W]
		for x := range p.W - 1 {
			dx.Pix[y*p.W+x] = row[x+1] - row[x]
		}
		if y+1 < p.H {
			below := p.Pix[(y+1)*p.W:][:p.W]
			for x, v := range row {
				dy.Pix[y*p.W+x] = below[x] - v
			}
		}
	}
	return [2]*Plane{dx, dy}
}
