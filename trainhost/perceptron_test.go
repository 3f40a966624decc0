package trainhost

import (
	"math"
	"math/rand/v2"
	"testing"
)

// checkGradient compares the gradient that loss leaves in the layers of w with finite differences, at
// random parameters.
func checkGradient(t *testing.T, rng *rand.Rand, w *perceptron, loss func() float64) {
	t.Helper()
	for range 60 {
		l := &w.layers[rng.IntN(3)]
		k := rng.IntN(len(l.p))
		loss()
		got := l.g[k]
		const h = 1e-5
		p := l.p[k]
		l.p[k] = p + h
		up := loss()
		l.p[k] = p - h
		down := loss()
		l.p[k] = p
		if want := (up - down) / (2 * h); math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
			t.Fatalf("layer of %d inputs, parameter %d: gradient %g, differences say %g", l.in, k, got, want)
		}
	}
}
