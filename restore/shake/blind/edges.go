package blind

import (
	"math"
	"slices"
)

// The step over edges finds a latent picture s that explains the picture and has few gradients that are not 0 (Xu, Zheng and Jia, Unnatural L0 sparse representation
// for natural image deblurring, 2013):
//
//	min over s of |y − k ⋆ s|² + λ·#{∇s ≠ 0}
//
// by splitting with a weight that doubles, and solves for the kernel on the strongest of its gradients. It does not know how sure it is, but finds the way from nothing.

// edges is what the step needs at one scale.
type edges struct {
	*level
	unknown []bool       // on the canvas; nil: none
	fext    []complex128 // the picture's transform
	lap     []float64    // power of the differences
	s, h, v []float64    // the latent picture, its gradients
	start   []complex128
	least   float64 // square of the least gradient that counts; 0: not known yet
}

func newEdges(l *level, unknown []bool) *edges {
	c := l.c
	e := &edges{level: l, fext: make([]complex128, c.size()), lap: make([]float64, c.size()), start: make([]complex128, c.size())}
	for _, p := range []*[]float64{&e.s, &e.h, &e.v} {
		*p = make([]float64, c.w*c.h)
	}
	c.forward(e.fext, l.ext)
	for y := range c.h {
		sy := math.Sin(math.Pi * float64(y) / float64(c.h))
		for x := range c.w/2 + 1 {
			sx := math.Sin(math.Pi * float64(x) / float64(c.w))
			e.lap[c.at(x, y)] = 4 * (sx*sx + sy*sy)
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

// draw finds s for the kernel as it is. Unknown pixels of the picture become what the model predicts.
func (e *edges) draw(lambda float64) {
	c := e.c
	for i, k := range e.otf {
		e.start[i] = complex(real(k), -imag(k)) * e.fext[i]
	}
	copy(e.s, e.ext)
	for beta := 2 * lambda; beta < splitMost; beta *= 2 {
		c.differences(e.h, e.v, e.s)
		least := lambda / beta
		for i, a := range e.h {
			if b := e.v[i]; a*a+b*b < least {
				e.h[i], e.v[i] = 0, 0
			}
		}
		c.divergence(e.t, e.h, e.v)
		c.forward(e.a, e.t)
		for i, k := range e.otf {
			w := 1 / (real(k)*real(k) + imag(k)*imag(k) + beta*e.lap[i] + 1e-12)
			n, d := e.start[i], e.a[i]
			e.a[i] = complex((real(n)+beta*real(d))*w, (imag(n)+beta*imag(d))*w)
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

// splitMost is the weight from which on the splitting changes gradients by less than the kernel's step would see.
const splitMost = 1e3

// divergence is the adjoint of differences.
func (c *canvas) divergence(dst, h, v []float64) {
	for y := range c.h {
		row, down, up := h[y*c.w:][:c.w], v[y*c.w:][:c.w], v[(y+c.h-1)%c.h*c.w:][:c.w]
		to := dst[y*c.w:][:c.w]
		last := row[c.w-1]
		for x := range to {
			to[x] = last - row[x] + up[x] - down[x]
			last = row[x]
		}
	}
}

// pick sets x to the gradients of s that count. At first these are as many that each of four directions has some; later more and more.
func (e *edges) pick() {
	e.c.differences(e.x[0], e.x[1], e.s)
	if e.least == 0 {
		e.least = e.firstLeast()
	} else {
		e.least /= 1.1
	}
	for i, a := range e.x[0] {
		if b := e.x[1][i]; a*a+b*b < e.least {
			e.x[0][i], e.x[1][i] = 0, 0
		}
	}
}

// firstLeast is the largest square of a gradient that leaves each direction that has so many at all four times as many as the kernel is wide.
func (e *edges) firstLeast() float64 {
	var directions [4][]float64
	most := 0.0
	for i, in := range e.inside {
		a, b := e.x[0][i], e.x[1][i]
		m := a*a + b*b
		if !in || m == 0 {
			continue
		}
		most = max(most, m)
		at := 0 // of the eighths of a turn that lie opposite each other
		switch {
		case a*b > 0 && math.Abs(b) > math.Abs(a):
			at = 1
		case a*b <= 0 && math.Abs(b) > math.Abs(a):
			at = 2
		case a*b < 0:
			at = 3
		}
		directions[at] = append(directions[at], m)
	}
	least, count := math.Inf(1), 4*e.n
	for _, d := range directions {
		if len(d) > count {
			slices.Sort(d)
			least = min(least, d[len(d)-1-count])
		}
	}
	if math.IsInf(least, 1) {
		return most / 4
	}
	return least
}
