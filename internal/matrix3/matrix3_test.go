package matrix3

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestMatrix compares inverse, product and application with each other on random matrices.
func TestMatrix(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		var m Matrix
		for i := range m {
			m[i] = rng.Float64() - 0.5
		}
		v, ok := m.Inverse()
		if !ok {
			continue
		}
		for i, x := range m.Times(v) {
			if math.Abs(x-Identity[i]) > 1e-6 {
				t.Fatalf("%v times its inverse differs from the identity by %g", m, x-Identity[i])
			}
		}
		for c := range 3 {
			var unit [3]float64
			unit[c] = 1
			if got := m.Apply(unit); got != [3]float64{m[c], m[3+c], m[6+c]} {
				t.Fatalf("column %d of %v is %v", c, m, got)
			}
		}
		if n, ok := m.NormaliseRows(); ok && math.Abs(n[3]+n[4]+n[5]-1) > 1e-9 {
			t.Fatalf("a row of %v has the sum %g", n, n[3]+n[4]+n[5])
		}
	}
	if _, ok := (Matrix{1, 2, 3, 2, 4, 6, 0, 0, 1}).Inverse(); ok {
		t.Error("a singular matrix has an inverse")
	}
	if _, ok := (Matrix{1, -1, 0, 0, 1, 0, 0, 0, 1}).NormaliseRows(); ok {
		t.Error("a row with the sum 0 was normalised")
	}
}
