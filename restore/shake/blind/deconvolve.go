package blind

import (
	"context"
	"fmt"
	"math"

	"github.com/vfmrestore/restore/restore/task"
)

// Deconvolution says how Deconvolve works. The zero value is good for pictures of little noise.
type Deconvolution struct {
	Noise float64 // standard deviation of white noise, in units of Plane; 0: 0.003
	// Unknown tells pixels, row by row, whose values say nothing: clipped ones, and those that something else covers. nil: every pixel counts.
	Unknown               []bool
	Steps                 int
	Weight, Second, Power float64
}

// Deconvolve returns the picture that y, blurred by k, was made from. y is a picture blurred by correlation with k (task.Kernel), which saw more than it shows: what
// lies up to half a kernel beyond its edges is estimated with it, so edges need no taper. Values are not clamped.
//
// It minimises ½Σ(k ⋆ x − y)² over the known pixels plus a weight times Σ|g ⋆ x|^p over five filters g, the first and second differences
// along and across, whose values in photographs are mostly small and sometimes large. The minimum is sought by splitting: alternating steps for x, which are divisions of spectra,
// for the filters' values and for the blurred picture beyond its edges, which are pixel by pixel (alternating direction method of multipliers).
//
// It fails if y, k or the options make no sense, and with ctx.Err().
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
	if o.Noise < 0 || math.IsNaN(o.Noise) || math.IsInf(o.Noise, 0) {
		return nil, fmt.Errorf("noise of standard deviation %v: must be finite and at least 0", o.Noise)
	}
	return deconvolve(ctx, y, kernelOf(k), o)
}

func deconvolve(ctx context.Context, y *Plane, k *kernel, o Deconvolution) (*Plane, error) {
	if o.Noise == 0 {
		o.Noise = 0.003
	}
	if o.Steps == 0 {
		o.Steps = 60
	}
	if o.Weight == 0 {
		o.Weight = 1
	}
	if o.Power == 0 {
		o.Power = 0.8
	}
	if o.Second == 0 {
		o.Second = 0.25
	}
	c := newCanvas(y.W, y.H, k.n)
	n, size := c.w*c.h, c.size()
	known := make([]bool, n)
	for i := range y.H {
		for j := range y.W {
			known[(i+c.top)*c.w+c.left+j] = o.Unknown == nil || !o.Unknown[i*y.W+j]
		}
	}
	obs := c.extend(y)
	K := make([]complex128, size)
	c.otf(K, k)
	// filters
	filters := []struct {
		taps   [][3]float64
		weight float64
	}{
		{[][3]float64{{0, 0, -1}, {1, 0, 1}}, 1}, {[][3]float64{{0, 0, -1}, {0, 1, 1}}, 1},
		{[][3]float64{{-1, 0, 1}, {0, 0, -2}, {1, 0, 1}}, o.Second}, {[][3]float64{{0, -1, 1}, {0, 0, -2}, {0, 1, 1}}, o.Second},
		{[][3]float64{{0, 0, 1}, {1, 0, -1}, {0, 1, -1}, {1, 1, 1}}, o.Second},
	}
	if o.Second < 0 {
		filters = filters[:2]
	}
	nf := len(filters)
	shrink := tableOf(o.Power)
	G := make([][]complex128, nf)
	power := make([]float64, size)
	plane := make([]float64, n)
	for f := range filters {
		clear(plane)
		for _, t := range filters[f].taps {
			plane[wrap(-int(t[1]), c.h)*c.w+wrap(-int(t[0]), c.w)] += t[2]
		}
		G[f] = make([]complex128, size)
		c.forward(G[f], plane)
		for i, g := range G[f] {
			power[i] += real(g)*real(g) + imag(g)*imag(g)
		}
	}
	apply := func(dst, src []float64, f int) {
		clear(dst)
		for _, t := range filters[f].taps {
			dx, dy := int(t[0]), int(t[1])
			for yy := range c.h {
				row := src[wrap(yy+dy, c.h)*c.w:][:c.w]
				out := dst[yy*c.w:][:c.w]
				for x := range c.w {
					xx := x + dx
					if xx < 0 {
						xx += c.w
					} else if xx >= c.w {
						xx -= c.w
					}
					out[x] += t[2] * row[xx]
				}
			}
		}
	}
	adjoint := func(dst, src []float64, f int) { // adds
		for _, t := range filters[f].taps {
			dx, dy := int(t[0]), int(t[1])
			for yy := range c.h {
				row := src[wrap(yy-dy, c.h)*c.w:][:c.w]
				out := dst[yy*c.w:][:c.w]
				for x := range c.w {
					xx := x - dx
					if xx < 0 {
						xx += c.w
					} else if xx >= c.w {
						xx -= c.w
					}
					out[x] += t[2] * row[xx]
				}
			}
		}
	}
	lambda := o.Weight * o.Noise * o.Noise * 40 // weight of the prior against ½‖·‖²
	x := append([]float64(nil), obs...)
	u := append([]float64(nil), obs...)
	du := make([]float64, n)
	kx := make([]float64, n)
	w, dw := make([][]float64, nf), make([][]float64, nf)
	for f := range w {
		w[f], dw[f] = make([]float64, n), make([]float64, n)
	}
	X, A, B := make([]complex128, size), make([]complex128, size), make([]complex128, size)
	tmp := make([]float64, n)
	c.forward(X, x)
	for i := range A {
		A[i] = X[i] * K[i]
	}
	c.inverse(kx, A)
	const mu = 1.0 // of the split of the data term
	for it := range o.Steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		// β/λ rises
		beta := lambda * math.Min(2*math.Pow(2, float64(it)/3), 400)
		for i := range u {
			v := kx[i] - du[i]
			if known[i] {
				u[i] = (obs[i] + mu*v) / (1 + mu)
			} else {
				u[i] = v
			}
		}
		clear(tmp)
		for f := range w {
			apply(plane, x, f)
			scale := math.Pow(lambda*filters[f].weight/beta, 1/(2-o.Power))
			for i, v := range plane {
				w[f][i] = shrink.at(v, scale)
			}
			adjoint(tmp, w[f], f)
		}
		for i := range plane {
			plane[i] = u[i] + du[i]
		}
		c.forward(A, plane)
		c.forward(B, tmp)
		for i := range X {
			kr, ki := real(K[i]), imag(K[i])
			X[i] = (complex(mu*kr, -mu*ki)*A[i] + complex(beta, 0)*B[i]) / complex(mu*(kr*kr+ki*ki)+beta*power[i]+1e-12, 0)
			A[i] = X[i] * K[i]
		}
		c.inverse(x, X)
		c.inverse(kx, A)
		for i := range du {
			du[i] += u[i] - kx[i]
		}
	}
	return c.cut(x), nil
}

// shrinkage is the table of argmin over w of |w|^p + ½(w − v)².
type shrinkage struct {
	p     float64
	table []float64
}

const (
	shrinkStep = 1.0 / 64
	shrinkMost = 32
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
