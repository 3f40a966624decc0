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

// The transform is that of gonum, of sizes of all radices, and its inverse undoes it.
func TestTransform(t *testing.T) {
	rng := fresh(t)
	for _, size := range [][2]int{{2, 2}, {4, 6}, {30, 12}, {64, 50}, {36, 90}, {288, 300}, {6, 7 + 1}, {10, 3}, {12, 5}} {
		w, h := size[0], size[1]
		tr := newTransform(w, h)
		src := make([]float64, w*h)
		for i := range src {
			src[i] = rng.NormFloat64()
		}
		got := make([]complex128, tr.size())
		tr.forward(got, src)
		rows, cols := fourier.NewFFT(w), fourier.NewCmplxFFT(h)
		want := make([][]complex128, h)
		for y := range want {
			want[y] = rows.Coefficients(nil, src[y*w:][:w])
		}
		for f := range w/2 + 1 {
			col := make([]complex128, h)
			for y := range col {
				col[y] = want[y][f]
			}
			cols.Coefficients(col, col)
			for y, v := range col {
				if d := cmplx.Abs(v - got[tr.at(f, y)]); !(d < 1e-9) {
					t.Fatalf("%d×%d: frequency %d, %d is off by %g", w, h, f, y, d)
				}
			}
		}
		back := make([]float64, w*h)
		for i := range back {
			back[i] = math.NaN()
		}
		tr.inverse(back, got)
		for i, v := range back {
			if d := math.Abs(v - src[i]); !(d < 1e-11) {
				t.Fatalf("%d×%d: value %d comes back off by %g", w, h, i, d)
			}
		}
	}
}

func BenchmarkTransform(b *testing.B) {
	t := newTransform(288, 288)
	p, s := make([]float64, 288*288), make([]complex128, t.size())
	p[3] = 1
	for b.Loop() {
		t.forward(s, p)
		t.inverse(p, s)
	}
}
