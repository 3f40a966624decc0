package task

import (
	"math"
	"sync"
)

// drawPath draws a polyline around the origin on a canvas of n×n pixels whose centre is (n/2, n/2).
// The result is 1 on the line (Bresenham, one pixel wide) and 0 elsewhere. Only pixels with both
// coordinates in [lo, hi) are drawn.
func drawPath(xs, ys []float64, n, lo, hi int) []float64 {
	ink := make([]float64, n*n)
	at := func(v float64) int { return int(math.Floor(v + float64(n)/2)) }
	set := func(x, y int) {
		if x >= lo && x < hi && y >= lo && y < hi {
			ink[y*n+x] = 1
		}
	}
	set(at(xs[0]), at(ys[0]))
	for i := 1; i < len(xs); i++ {
		bresenham(at(xs[i-1]), at(ys[i-1]), at(xs[i]), at(ys[i]), set)
	}
	return ink
}

// bresenham visits the pixels of the straight line between two pixels, both included.
func bresenham(x0, y0, x1, y1 int, set func(x, y int)) {
	dx, dy, sx, sy := x1-x0, y1-y0, 1, 1
	if dx < 0 {
		dx, sx = -dx, -1
	}
	if dy < 0 {
		dy, sy = -dy, -1
	}
	err := dx - dy
	for {
		set(x0, y0)
		if x0 == x1 && y0 == y1 {
			return
		}
		e := 2 * err
		if e > -dy {
			err, x0 = err-dy, x0+sx
		}
		if e < dx {
			err, y0 = err+dx, y0+sy
		}
	}
}

// pen turns a canvas into a kernel of half its side, along one axis: a Gaussian of standard
// deviation 1 with edge pixels repeated outside, then reduction to half, as one filter. It is
// stored transposed (where each canvas pixel goes), as most of a canvas is empty.
type pen struct{ *filter }

// pens caches pens by the side of the kernel.
var pens sync.Map

func penOf(side int) pen {
	if p, ok := pens.Load(side); ok {
		return p.(pen)
	}
	n := 2 * side
	smooth, taps := newFilter(n, n), gaussTaps(9, 1)
	for i := range n {
		for a, w := range taps {
			smooth.add(min(max(i+a-len(taps)/2, 0), n-1), i, w)
		}
	}
	half, both := resizeFilter(n, side, 2, lanczos3, 3), newFilter(n, side)
	for i, t := range half.taps {
		for k, w := range t {
			at := half.start[i] + k
			for j, v := range smooth.taps[at] {
				both.add(smooth.start[at]+j, i, w*v)
			}
		}
	}
	p, _ := pens.LoadOrStore(side, pen{both.transpose()})
	return p.(pen)
}

// draw turns a canvas of p.m×p.m pixels into p.n×p.n weights.
func (p pen) draw(ink []float64) []float64 {
	out, row := make([]float64, p.n*p.n), make([]float64, p.n)
	for y := range p.m {
		clear(row)
		empty := true
		for x, v := range ink[y*p.m : (y+1)*p.m] {
			if v != 0 {
				axpy(row[p.start[x]:], v, p.taps[x])
				empty = false
			}
		}
		if empty {
			continue
		}
		for k, w := range p.taps[y] {
			axpy(out[(p.start[y]+k)*p.n:], w, row)
		}
	}
	return out
}

// lanczos3 is the Lanczos kernel of three lobes.
func lanczos3(x float64) float64 {
	x = math.Abs(x)
	switch {
	case x < 1e-9:
		return 1
	case x >= 3:
		return 0
	}
	x *= math.Pi
	return 3 * math.Sin(x) * math.Sin(x/3) / (x * x)
}
