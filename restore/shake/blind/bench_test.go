package blind

import (
	"context"
	"math/rand/v2"
	"testing"
)

// A picture of 256×256 pixels on one core.
func BenchmarkEstimate(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	y, _ := seen(rng, scene(rng, 268, 268), path(rng), 0.003)
	for b.Loop() {
		if _, err := Estimate(context.Background(), y, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDeconvolve(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	k := path(rng)
	y, _ := seen(rng, scene(rng, 268, 268), k, 0.003)
	for b.Loop() {
		if _, err := Deconvolve(context.Background(), y, k.export(), Deconvolution{}); err != nil {
			b.Fatal(err)
		}
	}
}
