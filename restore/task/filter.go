package task

import (
	"math"
	"slices"

	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/planar"
)

// real is the arithmetic of pictures: float32 in the program, float64 in tests that need every
// digit. Sums are always in float64.
type real interface{ ~float32 | ~float64 }

// filter is a linear map from n to m values along one axis. Output i depends only on the inputs
// start[i] … start[i]+len(taps[i])−1. Each separable operator of this package (reduction,
// enlargement, Gaussian, padding, pooling) is a pair of filters.
type filter struct {
	n, m  int
	start []int
	taps  [][]float64
}

func newFilter(n, m int) *filter {
	return &filter{n: n, m: m, start: make([]int, m), taps: make([][]float64, m)}
}

// add adds w to the weight of input in for output out.
func (f *filter) add(in, out int, w float64) {
	t, s := f.taps[out], f.start[out]
	switch {
	case len(t) == 0:
		s = in
		t = []float64{0}
	case in < s:
		t = append(make([]float64, s-in), t...)
		s = in
	}
	for in >= s+len(t) {
		t = append(t, 0)
	}
	t[in-s] += w
	f.taps[out], f.start[out] = t, s
}

// part returns the map to the outputs from … to−1 only, and the first input that these need. The
// map has as many inputs as they need.
func (f *filter) part(from, to int) (g *filter, first int) {
	first = slices.Min(f.start[from:to])
	g = &filter{m: to - from, start: make([]int, to-from), taps: f.taps[from:to]}
	for i, t := range g.taps {
		g.start[i] = f.start[from+i] - first
		g.n = max(g.n, g.start[i]+len(t))
	}
	return g, first
}

// transpose returns the adjoint map from m to n values.
func (f *filter) transpose() *filter {
	g := newFilter(f.m, f.n)
	for i, t := range f.taps {
		for k, w := range t {
			if w != 0 {
				g.add(i, f.start[i]+k, w)
			}
		}
	}
	return g
}

// matrix returns the map as a dense matrix [n][m], to be multiplied from the right.
func (f *filter) matrix() Matrix {
	out := Matrix{Rows: f.n, Cols: f.m, Data: make([]float32, f.n*f.m)}
	for i, t := range f.taps {
		for k, w := range t {
			out.Data[(f.start[i]+k)*f.m+i] = float32(w)
		}
	}
	return out
}

// filterRows maps each of the h rows of f.n values in src to f.m values.
func filterRows[T real](f *filter, src []T, h int) []T {
	out := make([]T, h*f.m)
	parallel(h, h*f.m*len(f.taps[0]), func(y0, y1 int) { someRows(f, out, src, y0, y1) })
	return out
}

// someRows is filterRows for the rows y0 … y1−1.
func someRows[T real](f *filter, out, src []T, y0, y1 int) {
	for y := y0; y < y1; y++ {
		row, dst := src[y*f.n:(y+1)*f.n], out[y*f.m:(y+1)*f.m]
		for i, t := range f.taps {
			in := row[f.start[i] : f.start[i]+len(t)]
			sum := 0.0
			for k, w := range t {
				sum += w * float64(in[k])
			}
			dst[i] = T(sum)
		}
	}
}

// filterColumns maps the f.n rows of w values in src to f.m rows.
func filterColumns[T real](f *filter, src []T, w int) []T {
	out := make([]T, f.m*w)
	parallel(f.m, f.m*w*len(f.taps[0]), func(i0, i1 int) { someColumns(f, out, src, make([]float64, w), i0, i1) })
	return out
}

// someColumns is filterColumns for the outputs i0 … i1−1. acc is scratch memory for a row.
func someColumns[T real](f *filter, out, src []T, acc []float64, i0, i1 int) {
	w := len(acc)
	for i := i0; i < i1; i++ {
		clear(acc)
		for k, t := range f.taps[i] {
			axpy(acc, t, src[(f.start[i]+k)*w:(f.start[i]+k+1)*w])
		}
		dst := out[i*w : (i+1)*w]
		for x, v := range acc {
			dst[x] = T(v)
		}
	}
}

// partWork is the number of multiply-adds that pay for starting a goroutine.
const partWork = 200_000

// axpy adds a·x to acc, which has the length of x.
func axpy[T real](acc []float64, a float64, x []T) {
	acc = acc[:len(x)]
	for i, v := range x {
		acc[i] += a * float64(v)
	}
}

// parallel is team.Split into as many parts as the work, in multiply-adds, pays for. Every index is
// computed by the same instructions in any split, so results do not depend on the number of cores.
func parallel(n, work int, f func(from, to int)) { team.Split(n, 1+work/partWork, f) }

// Both blurs of this package have kernels of blurSide×blurSide weights; the Gaussian one has the
// standard deviation gaussStd.
const (
	blurSide = 61
	gaussStd = 3.0
)

// gaussTaps returns size (odd) weights of a Gaussian of standard deviation std, sampled at whole
// steps, of sum 1.
func gaussTaps(size int, std float64) []float64 {
	t := make([]float64, size)
	sum := 0.0
	for i := range t {
		d := float64(i - size/2)
		t[i] = math.Exp(-d * d / (2 * std * std))
		sum += t[i]
	}
	for i := range t {
		t[i] /= sum
	}
	return t
}

// gaussFilter is one axis of gaussian-deblur's operator on n values: 61 taps of standard deviation
// 3, reflected edges.
func gaussFilter(n int) *filter {
	f := newFilter(n, n)
	taps := gaussTaps(blurSide, gaussStd)
	for i := 0; i < n; i++ {
		for a, w := range taps {
			f.add(planar.Mirror(i+a-blurSide/2, n), i, w)
		}
	}
	return f
}

// reflectPadFilter lengthens n values by pad reflected values on each side. Outputs beyond n+2·pad,
// up to total, are 0.
func reflectPadFilter(n, pad, total int) *filter {
	f := newFilter(n, total)
	for i := 0; i < n+2*pad; i++ {
		f.add(planar.Mirror(i-pad, n), i, 1)
	}
	return f
}

// downFilter is one axis of super-resolve's operator: n → ⌈n/4⌉ values.
func downFilter(n int) *filter {
	return resizeFilter(n, (n+Factor-1)/Factor, Factor, keys, 2)
}

// upFilter is one axis of the adapter's view of super-resolve: n → 4n values.
func upFilter(n int) *filter { return resizeFilter(n, n*Factor, 1.0/Factor, keys, 2) }

// resizeFilter resamples n values to m as PIL (and torch with antialias=True) does. Output i is
// centred at (i+½)·scale in units of the input. For reductions the kernel is stretched by scale. At
// the edges, weights that fall outside are dropped and the others renormalised to sum 1. kernel is
// 0 beyond ±reach.
func resizeFilter(n, m int, scale float64, kernel func(float64) float64, reach float64) *filter {
	f := newFilter(n, m)
	stretch := max(scale, 1)
	for i := 0; i < m; i++ {
		centre := (float64(i) + 0.5) * scale
		from := max(0, int(math.Floor(centre-reach*stretch+0.5)))
		to := min(n, int(math.Floor(centre+reach*stretch+0.5)))
		from = min(from, n-1)
		sum := 0.0
		t := make([]float64, max(1, to-from))
		for j := range t {
			t[j] = kernel((float64(from+j) + 0.5 - centre) / stretch)
			sum += t[j]
		}
		for j := range t {
			t[j] /= sum
		}
		f.start[i], f.taps[i] = from, t
	}
	return f
}

// keys is Keys' cubic convolution kernel with a = −½, the "bicubic" of PIL and of torch's
// antialiased interpolation.
func keys(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case x < 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return (((x-5)*x+8)*x - 4) * a
	}
	return 0
}
