package blind

import (
	"math"
	"testing"

	"github.com/vfmrestore/restore/restore/task"
)

// A blur kernel on a canvas blurs by correlation, as task.Kernel defines it.
func TestOTFIsCorrelation(t *testing.T) {
	rng := fresh(t)
	k := &task.Kernel{Size: 5, W: make([]float32, 25)}
	for i := range k.W {
		k.W[i] = rng.Float32()
	}
	p := NewPlane(20, 17)
	for i := range p.Pix {
		p.Pix[i] = rng.NormFloat64()
	}
	c := newCanvas(p.W, p.H, k.Size)
	l := &level{c: c, a: make([]complex64, c.size()), otf: make([]complex64, c.size()), power: make([]float32, c.size()), t: make([]float32, c.w*c.h)}
	l.setKernel(fromTask(k))
	got := make([]float32, c.w*c.h)
	l.blurred(got, c.place(p))
	out := c.cut(got)
	for i := 2; i < p.H-2; i++ {
		for j := 2; j < p.W-2; j++ {
			want := 0.0
			for a := range 5 {
				for b := range 5 {
					want += float64(k.W[a*5+b]) * p.Pix[(i+a-2)*p.W+j+b-2]
				}
			}
			if d := math.Abs(want - out.Pix[i*p.W+j]); !(d < 1e-5) {
				t.Fatalf("row %d column %d is off by %g", i, j, d)
			}
		}
	}
}

// spread and gather are each other's adjoints. divergence is the adjoint of differences, and if
// some differences are too small, of the others.
func TestAdjoints(t *testing.T) {
	rng := fresh(t)
	c := newCanvas(18, 13, 5)
	n := c.w * c.h
	draw := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		return v
	}
	exact := func(a, b []float32) (s float64) {
		for i, v := range a {
			s += float64(v) * float64(b[i])
		}
		return s
	}
	same := func(what string, a, b float64) {
		if !(math.Abs(a-b) < 1e-4*(1+math.Abs(a))) {
			t.Errorf("%s: %g and %g", what, a, b)
		}
	}
	k, plane := newKernel(5), draw(n)
	for i := range k.w {
		k.w[i] = rng.NormFloat64()
	}
	p, w, weights := make([]float32, n), make([]float64, 25), 0.0
	k.spread(p, c.w, c.h)
	gather(w, 5, plane, c.w, c.h)
	for i, v := range w {
		weights += v * k.w[i]
	}
	same("spread", exact(p, plane), weights)
	same("dot", exact(p, plane), dot(p, plane))

	x, z := draw(n), draw(n)
	dx, dy, ex, ey, d := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	c.differences(dx, dy, x)
	c.differences(ex, ey, z)
	l := &level{c: c}
	e := &edges{level: l, h: make([]float32, c.w), v: make([]float32, c.w), w: make([]float32, c.w)}
	e.divergence(d, z, 0)
	same("differences", exact(dx, ex)+exact(dy, ey), exact(x, d))
	const least = 2
	for i, a := range ex {
		if b := ey[i]; a*a+b*b < least {
			ex[i], ey[i] = 0, 0
		}
	}
	e.divergence(d, z, least)
	same("large differences", exact(dx, ex)+exact(dy, ey), exact(x, d))
}

// The least squares with k ≥ 0 meet the conditions of a minimum.
func TestNonNegative(t *testing.T) {
	rng := fresh(t)
	const n = 12
	var a [n][n]float64
	var m [2 * n][n]float64
	b := make([]float64, n)
	for i := range m {
		y := rng.NormFloat64()
		for j := range n {
			m[i][j] = rng.NormFloat64()
			b[j] += m[i][j] * y
		}
	}
	for i := range n {
		for j := range n {
			for _, r := range m {
				a[i][j] += r[i] * r[j]
			}
		}
	}
	apply := func(dst, k []float64) {
		for i := range n {
			dst[i] = 0
			for j, v := range k {
				dst[i] += a[i][j] * v
			}
		}
	}
	start := make([]float64, n)
	start[3] = 1
	k := nonNegative(apply, b, start, 2000)
	g := make([]float64, n)
	apply(g, k)
	for i, v := range k {
		g := g[i] - b[i]
		if v < 0 || v > 0 && math.Abs(g) > 1e-5 || v == 0 && g < -1e-5 {
			t.Errorf("weight %d is %g where the gradient is %g", i, v, g)
		}
	}
}

// even is a blur kernel of n×n equal weights.
func even(n int) *kernel {
	k := newKernel(n)
	for i := range k.w {
		k.w[i] = 1
	}
	return k.normalise()
}

// setTrue sets the differences of the sharp picture to those of the scene that seen has blurred. It
// reaches half a kernel beyond the picture, and so does the canvas.
func (l *level) setTrue(from *Plane) {
	c := l.c
	for d, g := range from.gradients() {
		for i := range from.H {
			for j := range from.W {
				l.x[d][wrap(c.top-l.n/2+i, c.h)*c.w+wrap(c.left-l.n/2+j, c.w)] = float32(g.Pix[i*from.W+j])
			}
		}
	}
}

// With the true differences of the sharp picture the step for the blur kernel gives the true blur
// kernel, in spite of the picture's edges.
func TestSolve(t *testing.T) {
	rng := fresh(t)
	k := path(rng)
	from := scene(rng, 120, 110)
	y, _ := seen(rng, from, k, 0)
	l := newLevel(y, nil, k.n)
	l.setTrue(from)
	l.setKernel(even(k.n))
	for range 12 {
		solve([]*level{l}, penalties{steps: 200})
	}
	for i, v := range l.k.w {
		if d := math.Abs(v - k.w[i]); !(d < 0.1*k.largest()) {
			t.Fatalf("weight %d is %g, not %g", i, v, k.w[i])
		}
	}
	if s := similarity(l.k, k); !(s > 0.99) {
		t.Errorf("similarity %g", s)
	}
}

// Islands are removed, shifts are by whole pixels, and trimming keeps every weight.
func TestTidying(t *testing.T) {
	k := newKernel(9)
	k.w[1*9+1], k.w[1*9+2], k.w[2*9+3], k.w[7*9+7] = 4, 3, 2, 0.5
	p := k.clone().prune(0.1)
	if p.w[7*9+7] != 0 || !(math.Abs(p.sum()-1) < 1e-12) || !(math.Abs(p.w[10]-4.0/9) < 1e-12) {
		t.Errorf("pruned: %v", p.w)
	}
	c := p.centred()
	if x, y := c.centroid(); math.Abs(x) > 0.5 || math.Abs(y) > 0.5 || similarity(c, p) < 1-1e-6 {
		t.Errorf("centred at %g, %g, similarity %g", x, y, similarity(c, p))
	}
	s := c.trimmed(1)
	if s.n >= 9 || math.Abs(s.sum()-1) > 1e-12 || similarity(s, c) < 1-1e-6 {
		t.Errorf("trimmed to %d: %v", s.n, s.w)
	}
	if w := (&kernel{n: 3, w: []float64{0, 0, 0, 0.5, 0, 0.5, 0, 0, 0}}).width(); math.Abs(w-1) > 1e-12 {
		t.Errorf("width %g", w)
	}
}
