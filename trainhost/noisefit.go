package trainhost

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/noise"
)

// Sides of the pictures that noise is estimated from, in pixels, log-uniform.
const noiseSideMin, noiseSideMax = 96, 288

// Noise draws pictures and trains the network that estimates noise on them.
func (f Fit) Noise(ctx context.Context, pics *Pictures) (*noise.Network, error) {
	samples, err := f.drawNoise(ctx, pics)
	if err != nil {
		return nil, err
	}
	return f.fitNoise(ctx, samples)
}

// drawNoise draws the samples.
func (f Fit) drawNoise(ctx context.Context, pics *Pictures) ([]statistics, error) {
	workers := team.New(0)
	estimators := make([]noise.Estimator, workers.Workers())
	samples := make([]statistics, f.Samples)
	return samples, f.drawSamples(ctx, workers, func(worker, i int) error {
		rng := rand.New(rand.NewPCG(f.Seed, uint64(i)))
		side := min(int(noiseSideMin*math.Pow(noiseSideMax/noiseSideMin, rng.Float64())), pics.largest())
		d, err := degradeByCamera(rng, pics.crops(rng, sizeShares), side)
		if err != nil {
			return err
		}
		truth := noise.Measure(d.clean, d.noisy)
		y := truth.Targets()
		var x [noise.Features]float32
		estimators[worker].Describe(noise.ImageSource(d.noisy, nil), &x)
		samples[i] = statistics{x[:], y[:]}
		return nil
	})
}

// fitNoise trains the network on samples.
func (f Fit) fitNoise(ctx context.Context, samples []statistics) (*noise.Network, error) {
	net := &noise.Network{}
	return net, f.train(ctx, smallNet{
		net: net, sizes: [4]int{noise.Features, len(net.A), len(net.B), noise.Outputs},
		learn: func(w *perceptron, s statistics, weight float64) { w.huber(s.x, s.y, weight) },
		score: func(learn, check []statistics) string {
			return fmt.Sprintf("root mean square error of logarithms %.3f on pictures for learning, %.3f on others; per output %.2f",
				noiseError(net, learn), noiseError(net, check), noiseErrors(net, check))
		},
	}, samples)
}

// noiseError is the root mean square error of all outputs.
func noiseError(net *noise.Network, samples []statistics) float64 {
	sum := 0.0
	for _, v := range noiseErrors(net, samples) {
		sum += v * v / noise.Outputs
	}
	return math.Sqrt(sum)
}

// noiseErrors are the root mean square errors of each output.
func noiseErrors(net *noise.Network, samples []statistics) (e [noise.Outputs]float64) {
	for _, s := range samples {
		for k, v := range net.Run(s.x) {
			e[k] += math.Pow(float64(v-s.y[k]), 2)
		}
	}
	for k := range e {
		e[k] = math.Sqrt(e[k] / float64(max(1, len(samples))))
	}
	return e
}
