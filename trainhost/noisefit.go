package trainhost

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/planar"
)

// NoiseFit is the training of the network that estimates noise (noise.Network).
type NoiseFit Fit

// noiseSample is one picture's statistics and what should be found.
type noiseSample struct {
	x [noise.Features]float32
	y [noise.Outputs]float32
}

// Sides of the pictures, in pixels, log-uniform.
const noiseSideMin, noiseSideMax = 96, 288

// Run draws the pictures, trains the network and gives it.
func (f NoiseFit) Run(ctx context.Context, pics *Pictures) (*noise.Network, error) {
	samples, err := f.draw(ctx, pics)
	if err != nil {
		return nil, err
	}
	return f.fit(ctx, samples)
}

// draw makes the samples.
func (f NoiseFit) draw(ctx context.Context, pics *Pictures) ([]noiseSample, error) {
	samples := make([]noiseSample, f.Samples)
	return samples, drawSamples(ctx, len(samples), f.Report, func() func(i int) error {
		var e noise.Estimator
		return func(i int) error { return f.sample(pics, &e, uint64(i), &samples[i]) }
	})
}

// drawSamples draws count samples, shared among the cores, each of which has a function of its own for it.
func drawSamples(ctx context.Context, count int, report func(string), worker func() func(i int) error) error {
	var next, failed atomic.Int64
	var first error
	var once sync.Once
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			draw := worker()
			for i := int(next.Add(1)) - 1; i < count && ctx.Err() == nil && failed.Load() == 0; i = int(next.Add(1)) - 1 {
				if err := draw(i); err != nil {
					once.Do(func() { first = err })
					failed.Store(1)
				}
				if n := i + 1; report != nil && n%2000 == 0 {
					report(fmt.Sprintf("%d of %d pictures", n, count))
				}
			}
		}()
	}
	wg.Wait()
	if first == nil {
		first = ctx.Err()
	}
	return first
}

// sample makes one.
func (f NoiseFit) sample(pics *Pictures, e *noise.Estimator, i uint64, s *noiseSample) error {
	rng := rand.New(rand.NewPCG(f.Seed, i))
	side := min(int(noiseSideMin*math.Pow(noiseSideMax/noiseSideMin, rng.Float64())), pics.largest())
	ob, err := shootBy(rng, pics.source(rng, sizeShares), side)
	if err != nil {
		return err
	}
	truth := noise.Measure(ob.clean, ob.noisy)
	s.y = truth.Targets()
	e.Describe(noise.ImageSource(ob.noisy, nil), &s.x)
	return nil
}

// largest is the side of the largest square that lies in a picture.
func (p *Pictures) largest() (side int) {
	for _, sizes := range p.list {
		side = max(side, min(sizes[0].w, sizes[0].h))
	}
	return side
}

// source gives square crops of the pictures, their sizes drawn by shares; nil where a drawn one is too small.
func (p *Pictures) source(rng *rand.Rand, shares [3]float64) func(side int) *planar.Image {
	return func(side int) *planar.Image {
		for range 20 {
			if m := p.draw(rng, shares); min(m.w, m.h) >= side {
				x := planar.New(side, side)
				m.crop(rng, side, x.Pix)
				return x
			}
		}
		return nil
	}
}

// fit trains the network.
func (f NoiseFit) fit(ctx context.Context, samples []noiseSample) (*noise.Network, error) {
	held := len(samples) / 10
	check, learn := samples[:held], samples[held:]
	net := &noise.Network{}
	normal(net.Mean[:], net.Scale[:], len(learn), func(k int) []float32 { return learn[k].x[:] })
	rng := Fit(f).newRand()
	w := newPerceptron(rng, net.Mean[:], net.Scale[:], [4]int{noise.Features, len(net.A), len(net.B), noise.Outputs})
	err := Fit(f).run(ctx, rng, w, len(learn), func(k int, weight float64) { w.huber(learn[k].x[:], learn[k].y[:], weight) }, func() string {
		storeNoise(w, net)
		return fmt.Sprintf("root mean square error of logarithms %.3f on pictures for learning, %.3f on others; per output %.2f",
			rms(net, learn[:min(len(learn), 2000)]), rms(net, check), perOutput(net, check))
	})
	if err != nil {
		return nil, err
	}
	storeNoise(w, net)
	return net, nil
}

// storeNoise writes the weights to a network.
func storeNoise(w *perceptron, net *noise.Network) {
	w.layers[0].store(func(o int) []float32 { return net.A[o][:] }, net.BiasA[:])
	w.layers[1].store(func(o int) []float32 { return net.B[o][:] }, net.BiasB[:])
	w.layers[2].store(func(o int) []float32 { return net.C[o][:] }, net.BiasC[:])
}

func rms(net *noise.Network, samples []noiseSample) float64 {
	sum := 0.0
	for _, v := range perOutput(net, samples) {
		sum += v * v / noise.Outputs
	}
	return math.Sqrt(sum)
}

func perOutput(net *noise.Network, samples []noiseSample) (e [noise.Outputs]float64) {
	for i := range samples {
		y := net.Run(samples[i].x[:])
		for k, v := range y {
			e[k] += math.Pow(float64(v-samples[i].y[k]), 2)
		}
	}
	for k := range e {
		e[k] = math.Sqrt(e[k] / float64(max(1, len(samples))))
	}
	return e
}
