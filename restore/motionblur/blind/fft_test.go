package blind

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/dsp/fourier"
)

func fresh(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// The transform is the same as gonum's in float64, for sizes with all radices, and the inverse
// undoes it.
func TestTransform(t *testing.T) {
	rng := fresh(t)
	for _, size := range [][2]int{{16, 16}, {16, 18}, {30, 16}, {64, 50}, {36, 90}, {288, 300}, {18, 20}, {250, 48}} {
		w, h := size[0], size[1]
		tr := newTransform(w, h)
		src := make([]float32, w*h)
		for i := range src {
			src[i] = float32(rng.NormFloat64())
		}
		got := make([]complex64, tr.size())
		tr.forward(got, src)
		rows, cols := fourier.NewCmplxFFT(w), fourier.NewFFT(h)
		want, col := make([][]complex128, h/2+1), make([]float64, h)
		for x := range w {
			for y := range col {
				col[y] = float64(src[y*w+x])
			}
			for f, v := range cols.Coefficients(nil, col) {
				want[f] = append(want[f], v)
			}
		}
		near := 1e-6 * math.Sqrt(float64(w*h)) // relative to the size of the values
		for f, row := range want {
			for x, v := range rows.Coefficients(nil, row) {
				if d := cmplx.Abs(v - complex128(got[tr.at(x, f)])); !(d < 2*near) {
					t.Fatalf("%d×%d: frequency %d, %d is off by %g", w, h, x, f, d)
				}
			}
		}
		back := make([]float32, w*h)
		for i := range back {
			back[i] = float32(math.NaN())
		}
		tr.inverse(back, got)
		for i, v := range back {
			if d := math.Abs(float64(v - src[i])); !(d < 5e-6) {
				t.Fatalf("%d×%d: value %d comes back off by %g", w, h, i, d)
			}
		}
	}
}

// The passes in assembly do the same as Go's own loops.
func TestFastPasses(t *testing.T) {
	rng := fresh(t)
	for _, n := range []int{2, 3, 4, 5, 8, 60, 90, 300} {
		l := newLines(n)
		s := 1
		for i := range l.passes {
			p := &l.passes[i]
			x, want, got := make([]lanes, n), make([]lanes, n), make([]lanes, n)
			for i := range x {
				for j := range x[i] {
					x[i][j] = complex(float32(rng.NormFloat64()), float32(rng.NormFloat64()))
					got[i][j] = complex(float32(math.NaN()), 0)
				}
			}
			p.plain(want, x, s)
			if !p.fast(got, x, s) {
				t.Skip("the processor has no such instructions")
			}
			for i := range want {
				for j, v := range want[i] {
					if d := cmplx.Abs(complex128(v - got[i][j])); !(d < 1e-5) {
						t.Fatalf("length %d, radix %d: line %d, place %d: %v, not %v", n, p.radix, j, i, got[i][j], v)
					}
				}
			}
			s *= p.radix
		}
	}
}
