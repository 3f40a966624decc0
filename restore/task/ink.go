package task

import "math"

// drawPath draws a polyline given around the origin on a canvas of n×n pixels whose centre is (n/2, n/2): 1 on the line (Bresenham,
// one pixel wide), 0 elsewhere. Only pixels with both coordinates in [lo, hi) are drawn.
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

// smoothInk blurs an n×n canvas with a Gaussian of standard deviation 1, the canvas' edge pixels continuing outside.
func smoothInk(ink []float64, n int) []float64 {
	f := newFilter(n, n)
	taps := gaussTaps(9, 1)
	for i := 0; i < n; i++ {
		for a, w := range taps {
			f.add(min(max(i+a-len(taps)/2, 0), n-1), i, w)
		}
	}
	return f.columns(f.rows(ink, n), n)
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
