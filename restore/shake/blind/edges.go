package blind

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/vfmrestore/restore/restore/task"
)

// EdgeTune holds the free numbers of the alternation over edges.
type EdgeTune struct {
	Lambda  float64
	Iters   int
	Kappa   float64
	Most    float64
	Tik     float64
	Thresh  float64
	Prune   float64
	Ratio   float64
	Least   float64
	Sel     float64
	KSteps  int
	ShrinkL float64
	First   float64
	Smooth float64
}

func DefaultEdges() EdgeTune {
	return EdgeTune{Lambda: 4e-3, Iters: 5, Kappa: 2, Most: 1e3, Tik: 2, Thresh: 0.05, Prune: 0.1, Ratio: math.Sqrt2, Least: 5, Sel: 2, KSteps: 30, ShrinkL: 1.1, First: 5}
}

// edger is memory for one scale.
type edger struct {
	l     *level
	ext   []float64
	Y     []complex128
	lap   []float64 // Σ|G|²
	s     []float64
	h, v  []float64
	div   []float64
	D, N1 []complex128
}

func newEdger(y *Plane, n int) *edger {
	l := newLevel(y, n)
	c := l.c
	N := c.w * c.h
	e := &edger{l: l, ext: c.extend(y), Y: make([]complex128, c.size()), lap: make([]float64, c.size()), s: make([]float64, N), h: make([]float64, N), v: make([]float64, N), div: make([]float64, N), D: make([]complex128, c.size()), N1: make([]complex128, c.size())}
	c.forward(e.Y, e.ext)
	for i := range c.w/2 + 1 {
		for j := range c.h {
			sx, sy := math.Sin(math.Pi*float64(i)/float64(c.w)), math.Sin(math.Pi*float64(j)/float64(c.h))
			e.lap[c.at(i, j)] = 4 * (sx*sx + sy*sy)
		}
	}
	return e
}

// l0 finds the latent picture s of few gradients.
func (e *edger) l0(t EdgeTune, lambda float64) {
	l, c := e.l, e.l.c
	for i, k := range l.K {
		e.N1[i] = complex(real(k), -imag(k)) * e.Y[i]
	}
	copy(e.s, e.ext)
	for beta := 2 * lambda; beta < t.Most; beta *= t.Kappa {
		th := lambda / beta
		for y := range c.h {
			row, below := e.s[y*c.w:][:c.w], e.s[(y+1)%c.h*c.w:][:c.w]
			h, v := e.h[y*c.w:][:c.w], e.v[y*c.w:][:c.w]
			for x, u := range row {
				next := x + 1
				if next == c.w {
					next = 0
				}
				a, b := row[next]-u, below[x]-u
				if a*a+b*b < th {
					a, b = 0, 0
				}
				h[x], v[x] = a, b
			}
		}
		for y := range c.h {
			h, v, above := e.h[y*c.w:][:c.w], e.v[y*c.w:][:c.w], e.v[(y+c.h-1)%c.h*c.w:][:c.w]
			d := e.div[y*c.w:][:c.w]
			last := h[c.w-1]
			for x := range d {
				d[x] = last - h[x] + above[x] - v[x]
				last = h[x]
			}
		}
		c.forward(e.D, e.div)
		for i, k := range l.K {
			w := 1 / (real(k)*real(k) + imag(k)*imag(k) + beta*e.lap[i] + 1e-12)
			n := e.N1[i]
			d := e.D[i]
			e.D[i] = complex((real(n)+beta*real(d))*w, (imag(n)+beta*imag(d))*w)
		}
		c.inverse(e.s, e.D)
	}
}

// pick sets the level's x to the gradients of s that are at least the threshold; sets the threshold from the directions if th is 0.
func (e *edger) pick(t EdgeTune, th float64) float64 {
	l, c := e.l, e.l.c
	n := 0
	for y := range c.h {
		for x := range c.w {
			i := y*c.w + x
			l.x[0][i] = e.s[y*c.w+(x+1)%c.w] - e.s[i]
			l.x[1][i] = e.s[(y+1)%c.h*c.w+x] - e.s[i]
		}
	}
	if th == 0 {
		var dirs [4][]float64
		most := 0.0
		for i, in := range l.inside {
			if in > 0 {
				a, b := l.x[0][i], l.x[1][i]
				m := a*a + b*b
				most = max(most, m)
				if m > 0 {
					d := math.Atan2(b, a)
					if d < 0 {
						d += math.Pi
					}
					q := min(int(d/(math.Pi/4)), 3)
					dirs[q] = append(dirs[q], m)
				}
			}
		}
		r := int(t.Sel * float64(l.n))
		th = math.Inf(1)
		for _, d := range dirs {
			if len(d) > r {
				slices.Sort(d)
				th = min(th, d[len(d)-1-r])
			}
		}
		if math.IsInf(th, 1) {
			th = most / 4
		}
	} else {
		th /= 1.1
	}
	for {
		n = 0
		for i := range l.x[0] {
			a, b := l.x[0][i], l.x[1][i]
			if l.inside[i] > 0 && a*a+b*b >= th {
				n++
			}
		}
		if n > 0 || th < 1e-12 {
			break
		}
		th *= 0.81
	}
	for i := range l.x[0] {
		a, b := l.x[0][i], l.x[1][i]
		if a*a+b*b < th {
			l.x[0][i], l.x[1][i] = 0, 0
		}
	}
	return th
}

// EstimateEdges is the coarse-to-fine alternation over edges.
func EstimateEdges(ctx context.Context, y *Plane, n int, t EdgeTune, v bool) (*kernel, *edger, error) {
	scales := int(math.Floor(math.Log(float64(n)/t.First) / math.Log(t.Ratio)))
	scales = max(scales, 0)
	var k *kernel
	var e *edger
	for s := scales; s >= 0; s-- {
		f := math.Pow(t.Ratio, -float64(s))
		ks := int(math.Ceil(float64(n)*f - 1e-9))
		ks = max(3, ks+1-ks%2)
		e = newEdger(y.reduced(f), ks)
		l := e.l
		if k == nil {
			k = newKernel(ks)
			m := ks / 2 * ks
			k.w[m+ks/2], k.w[m+ks/2-1] = 0.5, 0.5
		} else {
			k = k.scaled(t.Ratio, ks)
		}
		l.setKernel(k)
		th, lambda := 0.0, t.Lambda
		for range t.Iters {
			if err := ctx.Err(); err != nil {
				return nil, nil, err
			}
			e.l0(t, lambda)
			th = e.pick(t, th)
			l.tik = t.Tik
			l.smoothness = t.Smooth
			l.solveKernel(t.KSteps)
			k := l.k.threshold(t.Thresh)
			if t.Prune > 0 {
				k = k.prune(t.Prune)
			}
			l.setKernel(k)
			lambda = max(lambda/t.ShrinkL, 1e-4)
		}
		k = l.k.centred()
		if v {
			fmt.Println("  edges scale", s, ks, k.power())
		}
	}
	return k, e, nil
}

func ExpEdges(y *Plane, n int, t EdgeTune, v bool) (*task.Kernel, float64) {
	k, _, err := EstimateEdges(context.Background(), y, n, t, v)
	if err != nil {
		panic(err)
	}
	return k.export(), 0
}

// NCC is the largest normalised correlation of two kernels over moves.
func NCC(a, b *task.Kernel) float64 {
	n := smooth(a.Size + b.Size + 2)
	t := newTransform(n, n)
	A, B := make([]complex128, t.size()), make([]complex128, t.size())
	p := make([]float64, n*n)
	ka, kb := kernelOf(a), kernelOf(b)
	ka.spread(p, n, n)
	t.forward(A, p)
	kb.spread(p, n, n)
	t.forward(B, p)
	for i := range A {
		A[i] *= complex(real(B[i]), -imag(B[i]))
	}
	t.inverse(p, A)
	return slices.Max(p) / math.Sqrt(ka.power()*kb.power())
}
