package blind

import (
	"math"
	"slices"
)

// The step over edges finds a latent picture s that explains the picture and has few gradients that
// are not 0 (Xu, Zheng and Jia, Unnatural L0 sparse representation for natural image deblurring,
// 2013):
//
//	min over s of |y − k ⋆ s|² + λ·#{∇s ≠ 0}
//
// by splitting with a weight that rises, and solves for the kernel on the strongest of its
// gradients. It does not know how sure it is, but finds the way from nothing.

// edges is what the step needs at one scale.
type edges struct {
	*level
	unknown []bool      // on the canvas; nil: none
	fext    []complex64 // the picture's transform
	lap     []float32   // power of the differences
	s       []float32   // the latent picture
	h, v, w []float32   // rows of its gradients
	start   []complex64
	least   float32 // square of the least gradient that counts; 0: not known yet
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

// draw finds s for the kernel as it is. Unknown pixels of the picture become what the model
// predicts.
func (e *edges) draw(lambda float64) {
	c := e.c
	for i, k := range e.otf {
		e.start[i] = mul(conj(k), e.fext[i])
	}
	copy(e.s, e.ext)
	for beta := splitFirst * lambda; beta < splitMost; beta *= splitRise {
		e.bend(e.t, e.s, float32(lambda/beta))
		c.forward(e.a, e.t)
		b := float32(beta)
		a, start, power, lap := e.a, e.start[:len(e.a)], e.power[:len(e.a)], e.lap[:len(e.a)]
		for i, d := range a {
			w, n := 1/(power[i]+b*lap[i]+1e-12), start[i]
			a[i] = complex((real(n)+b*real(d))*w, (imag(n)+b*imag(d))*w)
		}
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

// bend sets dst to the divergence of those gradients of s whose square is at least least.
// Divergence is the adjoint of differences.
func (e *edges) bend(dst, s []float32, least float32) {
	c := e.c
	h, v, up := e.h, e.v[:len(e.h)], e.w[:len(e.h)]
	gradients := func(y int) {
		row, below := s[y*c.w:][:len(h)], s[(y+1)%c.h*c.w:][:len(h)]
		last := len(h) - 1
		for x, m := range row[:last] {
			h[x], v[x] = large(row[x+1]-m, below[x]-m, least)
		}
		h[last], v[last] = large(row[0]-row[last], below[last]-row[last], least)
	}
	gradients(c.h - 1)
	for y := range c.h {
		up, v = v, up[:len(h)]
		gradients(y)
		to := dst[y*c.w:][:len(h)]
		last := h[len(h)-1]
		for x, a := range h {
			to[x] = last - a + up[x] - v[x]
			last = a
		}
	}
}

const (
	splitFirst = 2   // weight of the splitting at first, times lambda
	splitRise  = 3   // by which it rises
	splitMost  = 100 // from which on it changes gradients by less than the kernel's step would see
)

// large returns a and b if the sum of their squares is at least least, or 0 and 0: without a
// branch, which no processor could foretell.
func large(a, b, least float32) (float32, float32) {
	p, q := math.Float32bits(a), math.Float32bits(b)
	if math.Float32bits(a*a+b*b) < math.Float32bits(least) { // they are in the order of the numbers, which are not negative
		p, q = 0, 0
	}
	return math.Float32frombits(p), math.Float32frombits(q)
}

// pick sets x to the gradients of s that count. At first these are as many that each of four
// directions has some; later more and more.
func (e *edges) pick() {
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

// firstLeast is the largest square of a gradient that leaves each direction that has so many at all
// four times as many as the kernel is wide.
func (e *edges) firstLeast() float32 {
	var directions [4][]float32
	most := float32(0)
	for i, in := range e.inside {
		a, b := e.x[0][i], e.x[1][i]
		m := a*a + b*b
		if in == 0 || m == 0 {
			continue
		}
		most = max(most, m)
		at := 0 // of the eighths of a turn that lie opposite each other
		switch {
		case a*b > 0 && b*b > a*a:
			at = 1
		case a*b <= 0 && b*b > a*a:
			at = 2
		case a*b < 0:
			at = 3
		}
		directions[at] = append(directions[at], m)
	}
	least, count := float32(math.Inf(1)), 4*e.n
	for _, d := range directions {
		if len(d) > count {
			slices.Sort(d)
			least = min(least, d[len(d)-1-count])
		}
	}
	if math.IsInf(float64(least), 1) {
		return most / 4
	}
	return least
}
