package blind

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"testing"
)

// rowTest makes fresh random slices and compares results with references in float64.
type rowTest struct {
	t   *testing.T
	rng *rand.Rand
	n   int
}

func (r rowTest) reals() []float32 {
	v := make([]float32, r.n)
	for i := range v {
		v[i] = float32(r.rng.NormFloat64())
	}
	return v
}

// positives are between 0.1 and 1.1.
func (r rowTest) positives() []float32 {
	v := make([]float32, r.n)
	for i := range v {
		v[i] = 0.1 + r.rng.Float32()
	}
	return v
}

func (r rowTest) spectrum() []complex64 {
	v := make([]complex64, r.n)
	for i := range v {
		v[i] = complex(float32(r.rng.NormFloat64()), float32(r.rng.NormFloat64()))
	}
	return v
}

// poisoned are values that a function must overwrite.
func (r rowTest) poisoned() []float32 {
	v := make([]float32, r.n)
	for i := range v {
		v[i] = float32(math.NaN())
	}
	return v
}

func (r rowTest) near(what string, got []float32, want func(i int) float64) {
	r.t.Helper()
	for i, v := range got {
		if w := want(i); !(math.Abs(float64(v)-w) <= 1e-5*(1+math.Abs(w))) {
			r.t.Fatalf("%s of %d: value %d is %g, not %g", what, r.n, i, v, w)
		}
	}
}

func (r rowTest) nearComplex(what string, got []complex64, want func(i int) complex128) {
	r.t.Helper()
	for i, v := range got {
		if w := want(i); !(cmplx.Abs(complex128(v)-w) <= 1e-5*(1+cmplx.Abs(w))) {
			r.t.Fatalf("%s of %d: value %d is %g, not %g", what, r.n, i, v, w)
		}
	}
}

func (r rowTest) sum(what string, got float64, term func(i int) float64) {
	r.t.Helper()
	want, scale := 0.0, 1.0
	for i := range r.n {
		want += term(i)
		scale += math.Abs(term(i))
	}
	if !(math.Abs(got-want) <= 1e-5*scale) {
		r.t.Fatalf("%s of %d: sum %g, not %g", what, r.n, got, want)
	}
}

// eachLength runs a test for lengths with and without a rest that the assembly does not do.
func eachLength(t *testing.T, least int, run func(r rowTest)) {
	rng := fresh(t)
	for _, n := range []int{least, 7, 8, 9, 10, 16, 37, 64} {
		if n >= least {
			t.Run(fmt.Sprint(n), func(t *testing.T) { run(rowTest{t, rng, n}) })
		}
	}
}

func TestSpectrumRows(t *testing.T) {
	eachLength(t, 1, func(r rowTest) {
		a, b, k := r.spectrum(), r.spectrum(), r.spectrum()
		v, w := r.positives(), r.positives()
		z := func(s []complex64, i int) complex128 { return complex128(s[i]) }
		clone := func(s []complex64) []complex64 { return append([]complex64(nil), s...) }

		got := clone(a)
		product(got, got, k)
		r.nearComplex("product", got, func(i int) complex128 { return z(a, i) * z(k, i) })
		got = clone(a)
		residual(got, k, b, 0.7)
		r.nearComplex("residual", got, func(i int) complex128 {
			return 0.7 * cmplx.Conj(z(k, i)) * (z(b, i) - z(k, i)*z(a, i))
		})
		got = clone(a)
		weighted(got, v, 0.7)
		r.nearComplex("weighted", got, func(i int) complex128 { return z(a, i) * complex(0.7*float64(v[i]), 0) })

		power, cross := clone(a), clone(b)
		other := r.spectrum()
		correlate(power, cross, k, other)
		r.nearComplex("power", power, func(i int) complex128 { return z(a, i) + z(k, i)*cmplx.Conj(z(k, i)) })
		r.nearComplex("cross", cross, func(i int) complex128 { return z(b, i) + cmplx.Conj(z(k, i))*z(other, i) })

		divisor := func(i int) complex128 { return complex(float64(v[i])+0.7*float64(w[i]), 0) }
		got = clone(a)
		latent(got, b, v, w, 0.7)
		r.nearComplex("latent", got, func(i int) complex128 { return (z(b, i) + 0.7*z(a, i)) / divisor(i) })

		x, kx := clone(a), clone(b)
		divide(x, kx, k, v, w, 0.7)
		quotient := func(i int) complex128 {
			return (cmplx.Conj(z(k, i))*z(b, i) + 0.7*z(a, i)) / divisor(i)
		}
		r.nearComplex("divide", x, quotient)
		r.nearComplex("divide, blurred", kx, func(i int) complex128 { return quotient(i) * z(k, i) })
	})
}

func TestPixelRows(t *testing.T) {
	eachLength(t, 1, func(r rowTest) {
		a, b, c, d := r.reals(), r.reals(), r.reals(), r.reals()
		v, w := r.positives(), r.positives()
		f := func(s []float32, i int) float64 { return float64(s[i]) }
		clone := func(s []float32) []float32 { return append([]float32(nil), s...) }

		got, other := r.poisoned(), r.poisoned()
		rim(got, a, v)
		r.near("rim", got, func(i int) float64 { return f(a, i) * (1 - f(v, i)) })
		got = clone(c)
		inner(got, other, a, b, v, w)
		r.near("inner", got, func(i int) float64 { return f(v, i) * (f(a, i) - f(c, i)) })
		r.near("inner, tapered", other, func(i int) float64 { return f(b, i) * f(w, i) })

		spread, precision := clone(v), r.poisoned()
		variances(spread, precision, a, b, 3)
		sure := func(i int) float64 { return 1 / ((f(a, i)*f(a, i)+f(b, i)*f(b, i))/2 + f(v, i)) }
		r.near("precision", precision, sure)
		r.near("spread", spread, func(i int) float64 { return 1 / (3 + sure(i)) })

		p, residue := r.poisoned(), clone(b)
		sum := startRow(p, residue, a, v, w)
		rest := func(i int) float64 { return f(b, i) - f(a, i)*f(v, i) }
		r.near("startRow", residue, rest)
		r.near("startRow, direction", p, func(i int) float64 { return rest(i) * f(w, i) })
		r.sum("startRow", sum, func(i int) float64 { return rest(i) * rest(i) * f(w, i) })

		got = clone(a)
		sum = applyRow(got, b, v)
		applied := func(i int) float64 { return f(a, i) + f(b, i)*f(v, i) }
		r.near("applyRow", got, applied)
		r.sum("applyRow", sum, func(i int) float64 { return applied(i) * f(b, i) })

		x, residue := clone(a), clone(b)
		sum = stepRow(x, residue, c, d, v, 0.7)
		rest = func(i int) float64 { return f(b, i) - 0.7*f(d, i) }
		r.near("stepRow", x, func(i int) float64 { return f(a, i) + 0.7*f(c, i) })
		r.near("stepRow, residual", residue, rest)
		r.sum("stepRow", sum, func(i int) float64 { return rest(i) * rest(i) * f(v, i) })

		got = clone(a)
		turn(got, b, v, 0.7)
		r.near("turn", got, func(i int) float64 { return f(b, i)*f(v, i) + 0.7*f(a, i) })
		got = clone(a)
		target(got, b, c, v)
		r.near("target", got, func(i int) float64 {
			return f(a, i) + relaxation*(f(b, i)-f(a, i)+f(v, i)*(f(c, i)+f(a, i)-2*f(b, i)))
		})
	})
}

// Rows that wrap around. TestFilter has the filters' rows.
func TestWrappedRows(t *testing.T) {
	eachLength(t, 2, func(r rowTest) {
		row, below, up := r.reals(), r.reals(), r.reals()
		for i := range row { // so that sums of squares are exact, and never the limit
			row[i], below[i] = float32(math.Round(float64(8*row[i]))/8), float32(math.Round(float64(8*below[i]))/8)
		}
		h, v := r.poisoned(), r.poisoned()
		const least = 1.3
		gradientsRow(h, v, row, below, least)
		differences := func(i int) (a, b float64) {
			a = float64(row[(i+1)%r.n] - row[i])
			if b = float64(below[i] - row[i]); a*a+b*b < least {
				return 0, 0
			}
			return a, b
		}
		r.near("gradients along the row", h, func(i int) float64 { a, _ := differences(i); return a })
		r.near("gradients along the column", v, func(i int) float64 { _, b := differences(i); return b })
		to := r.poisoned()
		divergenceRow(to, h, up, v)
		r.near("divergence", to, func(i int) float64 {
			return float64(h[(i+r.n-1)%r.n]) - float64(h[i]) + float64(up[i]) - float64(v[i])
		})
	})
}

// A row is shrunk as value by value, and scaled before and after.
func TestShrinkRow(t *testing.T) {
	eachLength(t, 1, func(r rowTest) {
		s := shrink()
		in, before, after := r.reals(), r.positives(), r.positives()
		for i := range in {
			in[i] *= float32(math.Exp(3 * r.rng.NormFloat64()))
		}
		for _, scaled := range []bool{false, true} {
			got := append([]float32(nil), in...)
			if scaled {
				s.row(got, before, after, 0.7)
			} else {
				s.row(got, nil, nil, 0.7)
			}
			r.near("shrinkage", got, func(i int) float64 {
				one := []float32{in[i]}
				if scaled {
					one[0] *= before[i]
				}
				if s.rest(one, 0.7); scaled {
					one[0] *= after[i]
				}
				return float64(one[0])
			})
		}
	})
}

// The list holds the largest values, as sorting all of them gives.
func TestKeepLargest(t *testing.T) {
	rng := fresh(t)
	var list, all []float32
	for range 50 {
		v := float32(rng.IntN(30)) // some are equal
		list, all = keepLargest(list, 7, v), append(all, v)
		slices.Sort(all)
		if want := all[max(0, len(all)-7):]; !slices.Equal(list, want) {
			t.Fatalf("%v, want %v", list, want)
		}
	}
}
