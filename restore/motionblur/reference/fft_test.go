package reference

import (
	"math"
	"math/cmplx"
	"testing"
)

// The transform is the sum that defines it.
func TestGrid(t *testing.T) {
	rng := newRand(t)
	const n = 16
	g := newGrid(n, nil)
	a, b := make([]float64, n*n), make([]float64, n*n)
	for i := range a {
		a[i], b[i] = rng.NormFloat64(), rng.NormFloat64()
		g.v[i] = complex(a[i], b[i])
	}
	dft := func(v []float64, fy, fx int) (sum complex128) {
		for i, x := range v {
			sum += complex(x, 0) * cmplx.Rect(1, -2*math.Pi*float64(fy*(i/n)+fx*(i%n))/n)
		}
		return sum
	}
	g.forward()
	for i := range g.v {
		p, q := dft(a, i/n, i%n), dft(b, i/n, i%n)
		if d := cmplx.Abs(g.v[i] - p - 1i*q); d > 1e-10 {
			t.Fatalf("frequency %d: off by %g", i, d)
		}
	}
	g.inverse()
	for i := range g.v {
		if d := cmplx.Abs(g.v[i] - complex(a[i], b[i])); d > 1e-12 {
			t.Fatalf("back at %d: off by %g", i, d)
		}
	}
}
