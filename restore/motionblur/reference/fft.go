package reference

import (
	"context"

	"github.com/vfmrestore/restore/internal/team"
	"gonum.org/v1/gonum/dsp/fourier"
)

// grid is a square of n×n complex numbers that can be Fourier transformed. n is a power of two.
type grid struct {
	n        int
	v        []complex128 // n rows of n
	team     *team.Team   // nil: transforms run on the caller's goroutine
	workers  []transformer
	inverted bool
	// Made once, so that no transform allocates memory.
	rowsJob, columnsJob func(worker, i int)
}

// transformer is what one worker needs.
type transformer struct {
	fft     *fourier.CmplxFFT
	columns [columnsAtOnce][]complex128
}

const (
	columnsAtOnce = 4  // columns that are gathered together: a cache line of them
	linesPerJob   = 16 // rows or columns
)

// newGrid returns a grid whose transforms run on the workers of a team, or on the caller's
// goroutine if there is none.
func newGrid(n int, t *team.Team) *grid {
	g := &grid{n: n, v: make([]complex128, n*n), team: t, workers: make([]transformer, 1)}
	if t != nil {
		g.workers = make([]transformer, t.Workers())
	}
	for i := range g.workers {
		w := &g.workers[i]
		w.fft = fourier.NewCmplxFFT(n)
		for c := range w.columns {
			w.columns[c] = make([]complex128, n)
		}
	}
	g.rowsJob, g.columnsJob = g.rows, g.columns
	return g
}

// forward is V(f) = Σ v(x)·e^(−2πi f·x), in place.
func (g *grid) forward() { g.transform(false) }

// inverse undoes forward, in place.
func (g *grid) inverse() {
	g.transform(true)
	scale := complex(1/float64(g.n*g.n), 0)
	for i := range g.v {
		g.v[i] *= scale
	}
}

func (g *grid) transform(inverted bool) {
	g.inverted = inverted
	for _, job := range [2]func(worker, i int){g.rowsJob, g.columnsJob} {
		if g.team != nil {
			_ = g.team.Each(context.Background(), g.n/linesPerJob, job)
			continue
		}
		for i := range g.n / linesPerJob {
			job(0, i)
		}
	}
}

func (g *grid) line(w *transformer, v []complex128) {
	if g.inverted {
		w.fft.Sequence(v, v)
	} else {
		w.fft.Coefficients(v, v)
	}
}

func (g *grid) rows(worker, i int) {
	for y := i * linesPerJob; y < (i+1)*linesPerJob; y++ {
		g.line(&g.workers[worker], g.v[y*g.n:(y+1)*g.n])
	}
}

func (g *grid) columns(worker, i int) {
	n, w := g.n, &g.workers[worker]
	for x := i * linesPerJob; x < (i+1)*linesPerJob; x += columnsAtOnce {
		for y := range n {
			at := g.v[y*n+x:][:columnsAtOnce]
			for c := range w.columns {
				w.columns[c][y] = at[c]
			}
		}
		for c := range w.columns {
			g.line(w, w.columns[c])
		}
		for y := range n {
			at := g.v[y*n+x:][:columnsAtOnce]
			for c := range w.columns {
				at[c] = w.columns[c][y]
			}
		}
	}
}

// index is the index of row y and column x, which may be negative.
func (g *grid) index(y, x int) int { return (y&(g.n-1))*g.n + x&(g.n-1) }

// frequency is that of a row or column in cycles per pixel, from −½ on.
func (g *grid) frequency(i int) float64 { return float64(wrapped(i, g.n)) / float64(g.n) }

// wrapped is the frequency of a row or column in cycles per n, from −n/2 on.
func wrapped(i, n int) int {
	if i >= n/2 {
		return i - n
	}
	return i
}
