//go:build unix

package blind

import (
	"context"
	"math/rand/v2"
	"syscall"
	"testing"
)

// benchmark also reports the time of all cores together.
func benchmark(b *testing.B, run func()) {
	used := func() float64 {
		var r syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
			b.Fatal(err)
		}
		return float64(r.Utime.Sec)*1e3 + float64(r.Utime.Usec)/1e3
	}
	before := used()
	for b.Loop() {
		run()
	}
	b.ReportMetric((used()-before)/float64(b.N), "user-ms/op")
}

// A picture of 256×256 pixels.
func BenchmarkEstimate(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	y, _ := seen(rng, scene(rng, 268, 268), path(rng), 0.003)
	benchmark(b, func() {
		if _, err := Estimate(context.Background(), y, Options{Workers: 2}); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkDeconvolve(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	k := path(rng)
	y, _ := seen(rng, scene(rng, 268, 268), k, 0.003)
	benchmark(b, func() {
		if _, err := Deconvolve(context.Background(), y, k.export(), Deconvolution{}); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkTransform(b *testing.B) {
	t := newTransform(300, 300)
	p, s := make([]float32, 300*300), make([]complex64, t.size())
	p[3] = 1
	benchmark(b, func() {
		t.forward(s, p)
		t.inverse(p, s)
	})
}
