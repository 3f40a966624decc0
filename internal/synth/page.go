package synth

import (
	"math"
	"math/rand/v2"
)

// page is a block of strokes that look like text: lines of words of invented letters, the first
// line larger, for boards, labels and book spines.
type page struct {
	lines []line
}

type line struct {
	left, top, size, pen float64
	letters              []letter
}

// letter is a few straight strokes on a grid of 3×4 points (width ½, height 1); an empty one is a
// blank.
type letter [][4]float64

// newPage fills a rectangle of w×h (from the origin) with rows lines of text.
func newPage(rng *rand.Rand, w, h float64, rows int) page {
	var p page
	total := float64(rows) + 0.9 // the title has nearly twice the height
	unit := h * 0.8 / total
	top := h * 0.12
	for r := 0; r < rows; r++ {
		size := unit * 0.62
		if r == 0 {
			size = unit * 1.25
		}
		l := line{left: w * 0.09, top: top, size: size, pen: size * 0.075}
		room := int(w * 0.82 / (size * 0.72))
		if r > 0 && r == rows-1 {
			room = room * (2 + rng.IntN(3)) / 5
		}
		for word := 0; len(l.letters) < room; {
			if word == 0 {
				word = 2 + rng.IntN(7)
				if len(l.letters) > 0 {
					l.letters = append(l.letters, nil)
					continue
				}
			}
			l.letters = append(l.letters, newLetter(rng))
			word--
		}
		p.lines = append(p.lines, l)
		top += size * 1.55
	}
	return p
}

// newLetter draws a stem and one to three further strokes between grid points.
func newLetter(rng *rand.Rand) letter {
	at := func() (x, y float64) { return 0.25 * float64(rng.IntN(3)), float64(rng.IntN(4)) / 3 }
	stem := 0.25 * float64(rng.IntN(2))
	l := letter{{stem, 0, stem, 1}}
	for n := 1 + rng.IntN(3); n > 0; n-- {
		x0, y0 := at()
		x1, y1 := at()
		switch rng.IntN(3) {
		case 0:
			x0, x1, y1 = 0, 0.5, y0
		case 1:
			x1 = x0
		}
		l = append(l, [4]float64{x0, y0, x1, y1})
	}
	return l
}

// ink tells whether a stroke covers the position.
func (p *page) ink(x, y float64) bool {
	for i := range p.lines {
		l := &p.lines[i]
		ly := (y - l.top) / l.size
		if ly < -0.1 || ly > 1.1 {
			continue
		}
		lx := (x - l.left) / l.size
		k := int(math.Floor(lx / 0.72))
		if k < 0 || k >= len(l.letters) {
			continue
		}
		lx -= 0.72*float64(k) + 0.1
		pen := l.pen / l.size
		for _, s := range l.letters[k] {
			if toSegment(lx, ly, s) < pen {
				return true
			}
		}
	}
	return false
}

// toSegment is the distance from a point to a stroke.
func toSegment(x, y float64, s [4]float64) float64 {
	dx, dy := s[2]-s[0], s[3]-s[1]
	t := 0.0
	if q := dx*dx + dy*dy; q > 0 {
		t = clamp01(((x-s[0])*dx + (y-s[1])*dy) / q)
	}
	return math.Hypot(x-s[0]-t*dx, y-s[1]-t*dy)
}
