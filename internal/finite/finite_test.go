package finite

import (
	"math"
	"testing"
)

func TestFirstNot(t *testing.T) {
	inf := float32(math.Inf(1))
	v := []float32{0, -1, math.MaxFloat32, math.SmallestNonzeroFloat32, 1e-40}
	if i := FirstNot(v); i != -1 {
		t.Errorf("%v at %d is not finite", v[i], i)
	}
	for _, bad := range []float32{inf, -inf, float32(math.NaN()), inf - inf} {
		for k := range v {
			w := append([]float32{}, v...)
			w[k], w[len(w)-1] = bad, bad
			if i := FirstNot(w); i != k {
				t.Errorf("%v at %d is found at %d", bad, k, i)
			}
		}
	}
}
