package blind

import (
	"math"
	"slices"
)

// The estimation by edges finds a latent picture s that explains the picture and has few gradients
// other than 0 (Xu, Zheng and Jia, Unnatural L0 sparse representation for natural image deblurring,
// 2013):
//
//	min over s of |y − k ⋆ s|² + λ·#{∇s ≠ 0}
//
// It does so by half-quadratic splitting with a growing weight, and then solves for the blur kernel
// with the strongest gradients of s. It gives no measure of certainty, but needs no good first
// guess.

// edges is what this needs at one scale.
type edges struct {
	*level
	unknown []bool      // unknown pixels on the canvas; nil: none
	fext    []complex64 // the picture's transform
	lap     []float32   // |transform|² of the differences
	s       []float32   // the latent picture
	h, v, w []float32   // rows of its gradients
	start   []complex64
	least   float32 // square of the smallest gradient that counts; 0: not known yet
}

func newEdges(l *level, unknown []bool) *edges {
	c := l.c
	e := &edges{level: l, fext: make([]complex64, c.size()), lap: make([]float32, c.size()), start: make([]complex64, c.size()), s: make([]float32, c.w*c.h)}
	for _, p := range []*[]float32{&e.h, &e.v, &e.w} {
		*p = make([]float32, c.w)
	}
	c.forward(e.fext, l.ext)
	for y := range c.h/2 + 1 {
		sy := math.Sin(math.Pi * float64(y) / float64(c.h))
		for x := range c.w {
			sx := math.Sin(math.Pi * float64(x) / float64(c.w))
			e.lap[c.at(x, y)] = float32(4 * (sx*sx + sy*sy))
		}
	}
	if unknown != nil {
		e.unknown = make([]bool, c.w*c.h)
		for y := range c.ph {
			copy(e.unknown[(y+c.top)*c.w+c.left:], unknown[y*c.pw:(y+1)*c.pw])
		}
	}
	return e
}

// findLatent finds s for the current blur kernel. It replaces unknown pixels of the picture by what
// the model predicts.
func (e *edges) findLatent(lambda float64) {
	c := e.c
	for i, k := range e.otf {
		e.start[i] = mul(conj(k), e.fext[i])
	}
	copy(e.s, e.ext)
	for beta := splitFirst * lambda; beta < splitMost; beta *= splitRise {
		e.divergence(e.t, e.s, float32(lambda/beta))
		c.forward(e.a, e.t)
		latent(e.a, e.start, e.power, e.lap, float32(beta))
		c.inverse(e.s, e.a)
	}
	if e.unknown == nil {
		return
	}
	e.blurred(e.t, e.s)
	for i, u := range e.unknown {
		if u {
			e.ext[i] = e.t[i]
		}
	}
	c.forward(e.fext, e.ext)
	c.differences(e.t, e.u, e.ext)
	for _, i := range e.hidden {
		e.y[0][i], e.y[1][i] = e.t[i], e.u[i]
	}
}

// divergence sets dst to the divergence of those gradients of s whose square is at least least. It
// is the adjoint of differences.
func (e *edges) divergence(dst, s []float32, least float32) {
	c := e.c
	h, v, up := e.h, e.v, e.w
	row := func(y int) []float32 { return s[y*c.w:][:c.w] }
	gradientsRow(h, v, row(c.h-1), row(0), least)
	for y := range c.h {
		up, v = v, up
		gradientsRow(h, v, row(y), row((y+1)%c.h), least)
		divergenceRow(dst[y*c.w:][:c.w], h, up, v)
	}
}

const (
	splitFirst = 2   // first weight of the splitting, times lambda
	splitRise  = 3   // factor by which it grows
	splitMost  = 100 // with a larger weight gradients change too little to matter for the blur kernel
)

// large returns a and b if the sum of their squares is at least least, else 0 and 0. It has no
// branch, as no processor could predict it.
func large(a, b, least float32) (float32, float32) {
	p, q := math.Float32bits(a), math.Float32bits(b)
	// The bits of numbers that are not negative have the order of the numbers.
	if math.Float32bits(a*a+b*b) < math.Float32bits(least) {
		p, q = 0, 0
	}
	return math.Float32frombits(p), math.Float32frombits(q)
}

// selectGradients sets x to the gradients of s that count: at first so many that each of four
// directions has some, later more and more.
func (e *edges) selectGradients() {
	e.c.differences(e.x[0], e.x[1], e.s)
	if e.least == 0 {
		e.least = e.firstLeast()
	} else {
		e.least /= 1.1
	}
	x0, x1 := e.x[0], e.x[1][:len(e.x[0])]
	for i, a := range x0 {
		x0[i], x1[i] = large(a, x1[i], e.least)
	}
}

// firstLeast is the largest threshold (square of a gradient) that leaves every direction with four
// times as many gradients as the blur kernel is wide. Directions with fewer gradients do not count.
func (e *edges) firstLeast() float32 {
	var directions [4][]float32 // the largest ones of each, in rising order
	most, count := float32(0), 4*e.n
	for i, in := range e.inside {
		a, b := e.x[0][i], e.x[1][i]
		m := a*a + b*b
		if in == 0 || m == 0 {
			continue
		}
		most = max(most, m)
		at := 0 // the direction, one of four pairs of opposite eighths of a turn
		switch {
		case a*b > 0 && b*b > a*a:
			at = 1
		case a*b <= 0 && b*b > a*a:
			at = 2
		case a*b < 0:
			at = 3
		}
		directions[at] = keepLargest(directions[at], count+1, m)
	}
	least := float32(math.Inf(1))
	for _, d := range directions {
		if len(d) > count {
			least = min(least, d[0])
		}
	}
	if math.IsInf(float64(least), 1) {
		return most / 4
	}
	return least
}

// keepLargest adds v to a list of at most n values in rising order, and drops the least if there are
// more.
func keepLargest(list []float32, n int, v float32) []float32 {
	at, _ := slices.BinarySearch(list, v)
	switch {
	case len(list) < n:
		return slices.Insert(list, at, v)
	case at > 0:
		copy(list, list[1:at])
		list[at-1] = v
	}
	return list
}
