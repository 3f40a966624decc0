package trainhost

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore/defocus"
	"github.com/vfmrestore/restore/restore/planar"
)

// randomStatistics are three samples of random inputs.
func randomStatistics(rng *rand.Rand, inputs int) (samples []statistics) {
	for range 3 {
		x := make([]float32, inputs)
		for i := range x {
			x[i] = float32(2 + 3*rng.NormFloat64())
		}
		samples = append(samples, statistics{x: x})
	}
	return samples
}

// The gradient of the cross-entropy agrees with finite differences, and what is stored computes the
// same in float32.
func TestCrossEntropyGradient(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
	net := &defocus.Network{}
	samples := randomStatistics(rng, defocus.Features)
	w := newPerceptron(rng, samples, [4]int{defocus.Features, len(net.A), len(net.B), defocus.Outputs})
	x := samples[0].x
	y := defocus.Targets(defocus.Blur{Shape: defocus.Disc, Width: 1 + 5*rng.Float64()})
	belief := func() (p [defocus.Outputs]float64) {
		sum := 0.0
		for o, v := range w.layers[2].y {
			p[o] = math.Exp(v)
			sum += p[o]
		}
		for o := range p {
			p[o] /= sum
		}
		return p
	}
	loss := func() (sum float64) {
		w.zero()
		w.crossEntropy(x, y[:], 1)
		for o, p := range belief() {
			sum -= float64(y[o]) * math.Log(p)
		}
		return sum
	}
	checkGradient(t, rng, w, loss)
	w.store(net)
	loss()
	want := belief()
	for o, v := range net.Run(x) {
		if math.Abs(float64(v)-want[o]) > 1e-4 {
			t.Errorf("output %d is %g, in float64 %g", o, v, want[o])
		}
	}
}

// The network learns to distinguish blurs from few pictures.
func TestDefocusFit(t *testing.T) {
	var imgs []image.Image
	for seed := range uint64(8) {
		imgs = append(imgs, synth.Photo(seed, 144, 144))
	}
	net, err := Fit{Samples: 600, Epochs: 15, LR: 3e-3, Seed: 1}.Defocus(t.Context(), NewPictures(128, imgs...))
	if err != nil {
		t.Fatal(err)
	}
	// On other pictures: the probability of blurs within a third of the true one.
	sum, n := 0.0, 0
	for seed := range uint64(4) {
		for _, s := range []float64{1, 2, 4} {
			b := defocus.Blur{Shape: defocus.Gaussian, Width: s}
			d := Defocusing{Blur: b, Gamma: 1, Bright: 1, Noise: 1}
			y, err := d.shootGrey(rand.New(rand.NewPCG(seed, 9)), planar.FromNRGBA(synth.Photo(50+seed, 160, 160)))
			if err != nil {
				t.Fatal(err)
			}
			var x [defocus.Features]float32
			defocus.Describe(y, nil, &x)
			near := defocus.Targets(b)
			for o, p := range net.Run(x[:]) {
				for i, v := range near {
					if v > 0 && o >= i-3 && o <= i+3 {
						sum += float64(p)
						break
					}
				}
			}
			n++
		}
	}
	if sum/float64(n) < 0.25 {
		t.Errorf("the belief in blurs near the true one is %.2f on the average; without learning it would be 0.15", sum/float64(n))
	}
}
