package shake

import "gonum.org/v1/gonum/dsp/fourier"

// grid is a square of n×n complex numbers with the Fourier transform of that size, and memory for it. n is a power of two.
type grid struct {
	n    int
	v    []complex128 // n rows of n
	fft  *fourier.CmplxFFT
	cols [strip][]complex128
}

// strip is how many columns are gathered at once: a cache line of them.
const strip = 4

func newGrid(n int) *grid {
	g := &grid{n: n, v: make([]complex128, n*n), fft: fourier.NewCmplxFFT(n)}
	for i := range g.cols {
		g.cols[i] = make([]complex128, n)
	}
	return g
}

// forward is V(f) = Σ v(x)·e^(−2πi f·x), in place.
func (g *grid) forward() { g.transform(g.fft.Coefficients) }

// inverse undoes forward, in place.
func (g *grid) inverse() {
	g.transform(g.fft.Sequence)
	scale := complex(1/float64(g.n*g.n), 0)
	for i := range g.v {
		g.v[i] *= scale
	}
}

func (g *grid) transform(line func(dst, src []complex128) []complex128) {
	n := g.n
	for y := range n {
		row := g.v[y*n : (y+1)*n]
		line(row, row)
	}
	for x := 0; x < n; x += strip {
		for y := range n {
			at := g.v[y*n+x : y*n+x+strip]
			for i := range g.cols {
				g.cols[i][y] = at[i]
			}
		}
		for i := range g.cols {
			line(g.cols[i], g.cols[i])
		}
		for y := range n {
			at := g.v[y*n+x : y*n+x+strip]
			for i := range g.cols {
				at[i] = g.cols[i][y]
			}
		}
	}
}

// wrapped is the place of row y and column x, which may be negative.
func (g *grid) wrapped(y, x int) int { return (y&(g.n-1))*g.n + x&(g.n-1) }

// opposite is the place of −f for f at place i.
func (g *grid) opposite(i int) int { return g.wrapped(-(i / g.n), -(i % g.n)) }

// frequency of a row or column in cycles per pixel, from −½ on.
func (g *grid) frequency(i int) float64 {
	if i >= g.n/2 {
		i -= g.n
	}
	return float64(i) / float64(g.n)
}

// powers gives |A|² and |B|² of the real a and b of which v = a + i·b was transformed, at place i.
func (g *grid) powers(i int) (a, b float64) {
	p, q := g.v[i], g.v[g.opposite(i)]
	q = complex(real(q), -imag(q))
	s, d := (p+q)/2, (p-q)/2
	return real(s)*real(s) + imag(s)*imag(s), real(d)*real(d) + imag(d)*imag(d)
}
