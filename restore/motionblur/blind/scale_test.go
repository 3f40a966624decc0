package blind

import (
	"math"
	"testing"
)

// Reduction keeps linear functions about the centre of the picture.
func TestReduced(t *testing.T) {
	p := NewPlane(60, 44)
	for i := range p.Pix {
		p.Pix[i] = 0.3 + 0.01*(float64(i%60)-29.5) + 0.02*(float64(i/60)-21.5)
	}
	for _, f := range []float64{0.9, math.Sqrt(0.5), 0.3} {
		q := p.reduced(f)
		for y := 4; y < q.H-4; y++ {
			for x := 4; x < q.W-4; x++ {
				want := 0.3 + 0.01*(float64(x)-float64(q.W-1)/2)/f + 0.02*(float64(y)-float64(q.H-1)/2)/f
				if d := math.Abs(q.Pix[y*q.W+x] - want); !(d < 1e-3) {
					t.Fatalf("scale %g: column %d of row %d is off by %g", f, x, y, d)
				}
			}
		}
	}
}

// An enlarged blur kernel keeps its centre, and its width grows by the same factor.
func TestScaled(t *testing.T) {
	k := path(fresh(t))
	s := k.scaled(math.Sqrt2, 19)
	x0, y0 := k.centroid()
	x, y := s.centroid()
	if math.Abs(x-math.Sqrt2*x0) > 0.1 || math.Abs(y-math.Sqrt2*y0) > 0.1 {
		t.Errorf("centre at %g, %g; was %g, %g", x, y, x0, y0)
	}
	if a, b := s.width(), math.Sqrt2*k.width(); math.Abs(a-b) > 0.1*b {
		t.Errorf("width %g, not %g", a, b)
	}
}
