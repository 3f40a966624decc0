package blind

import (
	"context"
	"fmt"
	"math"

	"github.com/vfmrestore/restore/restore/task"
)

// Deconvolution says how Deconvolve works. The zero value is good for pictures of little noise.
type Deconvolution struct {
	Noise   float64 // standard deviation of the picture's white noise, in units of Plane; 0: 0.003, about that of 8 bits and a good camera
	Unknown []bool  // tells pixels, row by row, whose values say nothing: clipped ones above all. nil: every pixel counts
	Steps   int     // 0: 60, after which hardly anything changes; 16 lose 0.1 dB
}

const (
	defaultNoise = 0.003
	defaultSteps = 60
	exponent     = 0.8
	priorWeight  = 40   // of Σ|g ⋆ x|^0.8, times the noise's variance, beside half the squared error
	priorRise    = 1.26 // of its splitting's weight, from startSplit times the prior's own to endSplit times, per step
	startSplit   = 2
	endSplit     = 400
)

// tap is a weight of a filter at a place beside its own.
type tap struct {
	dx, dy int
	w      float64
}

// filters are what is rarely large in a photograph: first and second differences, and how much they count.
var filters = []struct {
	taps   []tap
	weight float64
}{
	{[]tap{{0, 0, -1}, {1, 0, 1}}, 1},
	{[]tap{{0, 0, -1}, {0, 1, 1}}, 1},
	{[]tap{{-1, 0, 1}, {0, 0, -2}, {1, 0, 1}}, 0.25},
	{[]tap{{0, -1, 1}, {0, 0, -2}, {0, 1, 1}}, 0.25},
	{[]tap{{0, 0, 1}, {1, 0, -1}, {0, 1, -1}, {1, 1, 1}}, 0.25},
}

var shrink = tableOf(exponent)

// Deconvolve returns the picture that y was made from by correlation with k (task.Kernel), the kernel's whole extent of it and cut to y's size. y saw more than it shows: what lies
// up to half a kernel beyond its edges is estimated with it, so edges need no taper. Values are not clamped.
//
// It looks for the least ½Σ(k ⋆ x − y)² over the known pixels plus a weight times Σ|g ⋆ x|^0.8 over five filters g (Levin et al., Image and depth from a conventional camera with a
// coded aperture, 2007), by splitting with multipliers: steps for x are divisions of spectra, those for the filters' values and for the blurred picture are pixel by pixel, where the
// blurred picture is free at unknown pixels and beyond the edges (Almeida and Figueiredo, Deconvolving images with unknown boundaries, 2013).
//
// It fails if y, k or o make no sense, and with ctx.Err().
func Deconvolve(ctx context.Context, y *Plane, k *task.Kernel, o Deconvolution) (*Plane, error) {
	if err := y.Check(); err != nil {
		return nil, err
	}
	if err := k.Check(); err != nil {
		return nil, err
	}
	if o.Unknown != nil && len(o.Unknown) != len(y.Pix) {
		return nil, fmt.Errorf("map of unknown pixels holds %d values; the picture has %d pixels", len(o.Unknown), len(y.Pix))
	}
	if !(o.Noise >= 0 && o.Noise <= math.MaxFloat32) {
		return nil, fmt.Errorf("noise of standard deviation %v: must be finite and at least 0", o.Noise)
	}
	if o.Steps < 0 {
		return nil, fmt.Errorf("%d steps: must be at least 0", o.Steps)
	}
	if o.Noise == 0 {
		o.Noise = defaultNoise
	}
	if o.Steps == 0 {
		o.Steps = defaultSteps
	}
	s := newSplitting(y, kernelOf(k), o)
	weight := priorWeight * o.Noise * o.Noise
	beta := startSplit * weight
	for range o.Steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.step(weight, beta)
		beta = min(beta*priorRise, endSplit*weight)
	}
	return s.c.cut(s.x), nil
}

// splitting is the state of Deconvolve, on a canvas.
type splitting struct {
	c          *canvas
	known      []bool
	seen       []float32   // the picture, continued around
	otf        []complex64 // of the kernel
	power      []float32   // Σ|G|² over the filters
	x, kx      []float32   // the sharp picture, blurred
	u, dual    []float32   // the blurred picture, split from kx, and its multiplier
	plane, g   []float32
	fx, fu, fg []complex64
}

func newSplitting(y *Plane, k *kernel, o Deconvolution) *splitting {
	c := newCanvas(y.W, y.H, k.n)
	n := c.w * c.h
	s := &splitting{c: c, known: make([]bool, n), seen: c.extend(y), power: make([]float32, c.size()), dual: make([]float32, n), kx: make([]float32, n), plane: make([]float32, n), g: make([]float32, n)}
	for i := range y.H {
		for j := range y.W {
			s.known[(i+c.top)*c.w+c.left+j] = o.Unknown == nil || !o.Unknown[i*y.W+j]
		}
	}
	s.x, s.u = append([]float32(nil), s.seen...), append([]float32(nil), s.seen...)
	s.otf, s.fx, s.fu, s.fg = make([]complex64, c.size()), make([]complex64, c.size()), make([]complex64, c.size()), make([]complex64, c.size())
	c.otf(s.otf, k)
	for _, f := range filters {
		clear(s.plane)
		for _, t := range f.taps {
			s.plane[wrap(t.dy, c.h)*c.w+wrap(t.dx, c.w)] += float32(t.w)
		}
		c.forward(s.fg, s.plane)
		for i, g := range s.fg {
			s.power[i] += real(g)*real(g) + imag(g)*imag(g)
		}
	}
	c.forward(s.fx, s.x)
	for i, k := range s.otf {
		s.fx[i] = mul(s.fx[i], k)
	}
	c.inverse(s.kx, s.fx)
	return s
}

// step is one round: filters' values and blurred picture for x, then x for them.
func (s *splitting) step(weight, beta float64) {
	c := s.c
	clear(s.g)
	for _, f := range filters {
		c.filtered(s.plane, s.x, f.taps)
		scale := math.Pow(weight*f.weight/beta, 1/(2-exponent))
		for i, v := range s.plane {
			s.plane[i] = float32(shrink.at(float64(v), scale))
		}
		c.addAdjoint(s.g, s.plane, f.taps)
	}
	for i, k := range s.kx {
		v := k - s.dual[i]
		s.u[i] = v
		if s.known[i] {
			s.u[i] = (s.seen[i] + v) / 2
		}
		s.plane[i] = s.u[i] + s.dual[i]
	}
	c.forward(s.fu, s.plane)
	c.forward(s.fg, s.g)
	for i, k := range s.otf {
		w := 1 / (norm(k) + float32(beta)*s.power[i] + 1e-12)
		s.fx[i] = times(mul(conj(k), s.fu[i])+times(s.fg[i], float32(beta)), w)
		s.fu[i] = mul(s.fx[i], k)
	}
	c.inverse(s.x, s.fx)
	c.inverse(s.kx, s.fu)
	for i, k := range s.kx {
		s.dual[i] += s.u[i] - k
	}
}

// filtered sets dst to Σ w·src(· + d).
func (c *canvas) filtered(dst, src []float32, taps []tap) {
	clear(dst)
	for _, t := range taps {
		c.addMoved(dst, src, t.dx, t.dy, float32(t.w))
	}
}

// addAdjoint adds what the adjoint of filtered makes of src to dst.
func (c *canvas) addAdjoint(dst, src []float32, taps []tap) {
	for _, t := range taps {
		c.addMoved(dst, src, -t.dx, -t.dy, float32(t.w))
	}
}

// addMoved adds w·src(x + dx, y + dy) to dst; |dx| is less than the canvas is wide.
func (c *canvas) addMoved(dst, src []float32, dx, dy int, w float32) {
	dx = wrap(dx, c.w)
	for y := range c.h {
		row, to := src[wrap(y+dy, c.h)*c.w:][:c.w], dst[y*c.w:][:c.w]
		first, rest := to[:c.w-dx], to[c.w-dx:]
		for i, v := range row[dx:] {
			first[i] += w * v
		}
		for i := range rest {
			rest[i] += w * row[i]
		}
	}
}

// shrinkage is a table of argmin over w of |w|^p + ½(w − v)², for v ≥ 0.
type shrinkage struct {
	p     float64
	table []float64
}

const (
	shrinkStep = 1.0 / 64
	shrinkMost = 32 // from which on one step of the iteration for w is exact enough
)

func tableOf(p float64) *shrinkage {
	s := &shrinkage{p: p}
	cost := func(w, v float64) float64 { return math.Pow(w, p) + (w-v)*(w-v)/2 }
	for i := 0; float64(i)*shrinkStep <= shrinkMost+shrinkStep; i++ {
		v := float64(i) * shrinkStep
		w := v
		for range 50 {
			if w <= 1e-9 {
				break
			}
			w = v - p*math.Pow(w, p-1)
		}
		if !(w > 1e-9) || cost(w, v) >= v*v/2 {
			w = 0
		}
		s.table = append(s.table, w)
	}
	return s
}

// at is argmin over w of scale^(2−p)·|w|^p + ½(w − v)².
func (s *shrinkage) at(v, scale float64) float64 {
	a := math.Abs(v) / scale
	if a >= shrinkMost {
		return v - math.Copysign(scale*s.p*math.Pow(a, s.p-1), v)
	}
	t := a / shrinkStep
	i := int(t)
	t -= float64(i)
	return math.Copysign(scale*((1-t)*s.table[i]+t*s.table[i+1]), v)
}
