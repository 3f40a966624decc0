package motionblur

import (
	"context"

	"github.com/vfmrestore/restore/internal/team"
	"gonum.org/v1/gonum/dsp/fourier"
)

// grid is a square of n×n complex numbers with the Fourier transform of that size, and memory for it. n is a power of two.
type grid struct {
	n     int
	v     []complex128 // n rows of n
	team  *team.Team   // nil: transforms run on the caller's goroutine
	lanes []lane       // one per worker of the team
	back  bool
	// Stored once, so that nothing is allocated per transform.
	rowsJob, colsJob func(worker, i int)
}

// lane is what one worker needs.
type lane struct {
	fft  *fourier.CmplxFFT
	cols [strip][]complex128
}

const (
	strip = 4  // columns that are gathered at once: a cache line of them
	share = 16 // rows or columns of one piece of work
)

// newGrid returns a grid whose transforms run on the workers of a team, or on one goroutine if there is none.
func newGrid(n int, t *team.Team) *grid {
	g := &grid{n: n, v: make([]complex128, n*n), team: t, lanes: make([]lane, 1)}
	if t != nil {
		g.lanes = make([]lane, t.Workers())
	}
	for i := range g.lanes {
		l := &g.lanes[i]
		l.fft = fourier.NewCmplxFFT(n)
		for c := range l.cols {
			l.cols[c] = make([]complex128, n)
		}
	}
	g.rowsJob, g.colsJob = g.rows, g.columns
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

func (g *grid) transform(back bool) {
	g.back = back
	for _, job := range [2]func(worker, i int){g.rowsJob, g.colsJob} {
		if g.team != nil {
			_ = g.team.Each(context.Background(), g.n/share, job)
			continue
		}
		for i := range g.n / share {
			job(0, i)
		}
	}
}

func (g *grid) line(l *lane, v []complex128) {
	if g.back {
		l.fft.Sequence(v, v)
	} else {
		l.fft.Coefficients(v, v)
	}
}

func (g *grid) rows(worker, i int) {
	for y := i * share; y < (i+1)*share; y++ {
		g.line(&g.lanes[worker], g.v[y*g.n:(y+1)*g.n])
	}
}

func (g *grid) columns(worker, i int) {
	n, l := g.n, &g.lanes[worker]
	for x := i * share; x < (i+1)*share; x += strip {
		for y := range n {
			at := g.v[y*n+x : y*n+x+strip]
			for c := range l.cols {
				l.cols[c][y] = at[c]
			}
		}
		for c := range l.cols {
			g.line(l, l.cols[c])
		}
		for y := range n {
			at := g.v[y*n+x : y*n+x+strip]
			for c := range l.cols {
				at[c] = l.cols[c][y]
			}
		}
	}
}

// wrapped is the place of row y and column x, which may be negative.
func (g *grid) wrapped(y, x int) int { return (y&(g.n-1))*g.n + x&(g.n-1) }

// frequency of a row or column in cycles per pixel, from −½ on.
func (g *grid) frequency(i int) float64 {
	if i >= g.n/2 {
		i -= g.n
	}
	return float64(i) / float64(g.n)
}
