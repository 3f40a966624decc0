package task

import (
	"math"
	"math/rand/v2"
	"testing"
)

// CheckAdjoint checks that an operator for pictures of w×h pixels and its adjoint fit: ⟨A x, y⟩ =
// ⟨x, Aᵀ y⟩ in float64 on random numbers. It returns these and what the two make of them. Tests of
// package task_test use it too.
func CheckAdjoint(t *testing.T, what string, rng *rand.Rand, op *Operator, w, h int) (x, y, ax, aty []float64) {
	t.Helper()
	ow, oh := op.OutSize()
	x, y = normals(rng, 3*w*h), normals(rng, 3*ow*oh)
	ax, aty = op.Apply64(x), op.Adjoint64(y)
	left, right := dot(ax, y), dot(x, aty)
	if !(math.Abs(left-right) <= 1e-10*math.Sqrt(dot(x, x)*dot(y, y))) {
		t.Errorf("%s, %d×%d: ⟨Ax,y⟩ = %v, ⟨x,Aᵀy⟩ = %v", what, w, h, left, right)
	}
	return x, y, ax, aty
}

func normals(rng *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	return x
}

func dot(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * b[i]
	}
	return s
}
