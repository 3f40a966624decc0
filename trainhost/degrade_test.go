package trainhost

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/restore/noise"
)

// Every draw gives a clean and a noisy crop of the right side, with values in range, and a level
// that fits the noise. The same seed gives the same draw.
func TestDrawNoisy(t *testing.T) {
	pics := noisePictures(3, 96)
	const side = 64
	told, found, clean := 0, 0, 0
	for i := range 150 {
		var estimator noise.Estimator
		var again degraded
		for try := range 2 {
			rng := rand.New(rand.NewPCG(9, uint64(i)))
			ob, err := drawNoisy(rng, pics, side)
			if err != nil {
				t.Fatal(err)
			}
			ob.estimateNoise(&estimator)
			if ob.clean.W != side || ob.clean.H != side || ob.noisy.W != side || ob.noisy.H != side {
				t.Fatalf("draw %d: %d×%d and %d×%d pixels", i, ob.clean.W, ob.clean.H, ob.noisy.W, ob.noisy.H)
			}
			for _, v := range slices.Concat(ob.clean.Pix, ob.noisy.Pix) {
				if math.IsNaN(float64(v)) || v < -4 || v > 4 {
					t.Fatalf("draw %d: value %g", i, v)
				}
			}
			if try == 0 {
				again = ob
			} else if !slices.Equal(again.noisy.Pix, ob.noisy.Pix) || again.profile != ob.profile {
				t.Fatalf("draw %d differs the second time", i)
			}
		}
		truth := noise.Measure(again.clean, again.noisy)
		switch p := again.profile; {
		case !p.Found:
			told++
			// Clipping makes white noise weaker than its level, never stronger.
			if s := truth.Sigma(); s > 1.1*p.Sigma()+0.005 {
				t.Errorf("draw %d: noise of %g, given level %g", i, s, p.Sigma())
			}
		case truth.Sigma() < 1e-6:
			clean++
		default:
			found++
		}
	}
	if told < 10 || found < 50 || clean < 3 {
		t.Errorf("of 150 draws %d have a given level, %d an estimated one and %d are clean", told, found, clean)
	}
}

// The gradient of the perceptron that estimates noise agrees with finite differences.
func TestPerceptronGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
	net := &noise.Network{}
	samples := randomStatistics(rng, noise.Features)
	w := newPerceptron(rng, samples, [4]int{noise.Features, len(net.A), len(net.B), noise.Outputs})
	x, y := samples[0].x, make([]float32, noise.Outputs)
	for i := range y {
		y[i] = float32(5 * rng.NormFloat64())
	}
	loss := func() float64 {
		w.zero()
		w.huber(x, y, 1)
		sum := 0.0
		for o, v := range w.layers[2].y {
			d := math.Abs(v - float64(y[o]))
			if d < 1 {
				sum += d * d / 2
			} else {
				sum += d - 0.5
			}
		}
		return sum
	}
	checkGradient(t, rng, w, loss)
	// The stored network computes the same in float32.
	w.store(net)
	loss()
	for o, v := range net.Run(x) {
		if want := w.layers[2].y[o]; math.Abs(float64(v)-want) > 1e-4*(1+math.Abs(want)) {
			t.Errorf("output %d is %g, in float64 %g", o, v, want)
		}
	}
}

// After a short fit the estimate of the noise level is better than the mean level.
func TestNoiseFit(t *testing.T) {
	fit := Fit{Samples: 1500, Epochs: 30, LR: 3e-3, Seed: 1}
	pics := noisePictures(4, 128)
	samples, err := fit.drawNoise(t.Context(), pics)
	if err != nil {
		t.Fatal(err)
	}
	net, err := fit.fitNoise(t.Context(), samples)
	if err != nil {
		t.Fatal(err)
	}
	check := samples[:150]
	mean := [noise.Outputs]float64{}
	for _, s := range check {
		for k, v := range s.y {
			mean[k] += float64(v) / float64(len(check))
		}
	}
	spread := 0.0
	for _, s := range check {
		for k, v := range s.y {
			spread += math.Pow(float64(v)-mean[k], 2) / float64(len(check)*noise.Outputs)
		}
	}
	if e := noiseError(net, check); e > 0.75*math.Sqrt(spread) {
		t.Errorf("error %g of logarithms that spread by %g", e, math.Sqrt(spread))
	}
}
