package report

import (
	"math"
	"testing"

	"github.com/vfmrestore/restore/restore/picture"
)

// Large pictures are reduced by averaging. An incomplete last block may be left out, but nothing
// beyond the picture is read.
func TestReduce(t *testing.T) {
	w, h := 2*MaxSide+3, 7
	p := picture.New(w, h, make([]float32, 3*w*h))
	for i := range p.Pix {
		p.Pix[i] = float32(i/(w*h))/4 - 0.5
	}
	p.Alpha = make([]float32, w*h)
	q := reduce(p)
	if err := q.Check(); err != nil || q.W > MaxSide || q.W < MaxSide/2 || q.H != 2 {
		t.Fatalf("%v: %d×%d", err, q.W, q.H)
	}
	for i, v := range q.Pix {
		if want := float32(i/(q.W*q.H))/4 - 0.5; v != want {
			t.Fatalf("value %d is %g, want %g", i, v, want)
		}
	}
	if reduce(picture.New(3, 2, make([]float32, 18))).W != 3 {
		t.Error("a small picture was reduced")
	}
}

// Colours follow the deviation: the darkest for the smallest, the brightest at the top of the scale
// and above.
func TestHeat(t *testing.T) {
	const w, h = 40, 10
	std := make([]float32, 3*w*h)
	for i := range std {
		std[i] = float32(i%(w*h)) / (w * h) * 0.2
	}
	p, top := heat(std, w, h)
	if math.Abs(top-0.2*127.5*397/400) > 0.01 {
		t.Errorf("top of the scale %g", top)
	}
	level := func(i, c int) float64 { return math.Round(float64(p.Pix[c*w*h+i]+1) * 127.5) }
	for c := range 3 {
		if level(0, c) != stops[0][c] || level(w*h-1, c) != stops[8][c] {
			t.Errorf("channel %d goes from %g to %g", c, level(0, c), level(w*h-1, c))
		}
	}
	for i := 1; i < w*h; i++ {
		if level(i, 1) < level(i-1, 1) { // green rises everywhere
			t.Fatalf("pixel %d is darker than the one before", i)
		}
	}
	if _, top := heat(make([]float32, 12), 2, 2); top <= 0 {
		t.Errorf("no deviation at all gives a scale up to %g", top)
	}
}

// Areas are shown in their real size.
func TestRepeated(t *testing.T) {
	small := picture.New(3, 2, make([]float32, 18))
	for i := range small.Pix {
		small.Pix[i] = float32(i) / 20
	}
	p := repeated(small, 4, 10, 7)
	if err := p.Check(); err != nil || p.W != 10 || p.H != 7 {
		t.Fatalf("%v: %d×%d", err, p.W, p.H)
	}
	for i, v := range p.Pix {
		x, y, c := i%10, i/10%7, i/70
		if want := small.Pix[(c*2+y/4)*3+x/4]; v != want {
			t.Fatalf("pixel %d, %d of plane %d is %v, not %v", x, y, c, v, want)
		}
	}
}
