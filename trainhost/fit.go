package trainhost

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/trainhost/optim"
)

// Fit is the training of a small network over a picture's statistics (noise.Network,
// defocus.Network), on the host.
type Fit struct {
	Samples int // pictures drawn; a tenth of them is kept for checking
	Epochs  int
	LR      float64 // learning rate at its peak
	Seed    uint64
	// Report is called about ten times with the state of the training; it may be nil.
	Report func(string)
}

// statistics are the inputs of a small network for one picture, and the outputs that it should
// give.
type statistics struct{ x, y []float32 }

// smallNet is a network to train: a pointer to a struct with the layout of noise.Network, and the
// sizes of its inputs, hidden layers and outputs.
type smallNet struct {
	net   any
	sizes [4]int
	// learn adds the gradient of the loss on a sample, times weight.
	learn func(w *perceptron, s statistics, weight float64)
	// score describes how well net does on samples that it learned from, and on others.
	score func(learn, check []statistics) string
}

// train fits a network by Adam, on batches of 64 samples.
func (f Fit) train(ctx context.Context, n smallNet, samples []statistics) error {
	held := len(samples) / 10
	check, learn := samples[:held], samples[held:]
	// The generator draws the weights first, and then the order of the samples.
	rng := rand.New(rand.NewPCG(f.Seed, 1<<40))
	w := newPerceptron(rng, learn, n.sizes)
	const batch, warmup = 64, 200
	steps := uint64(f.Epochs * len(learn) / batch)
	rate := optim.AdamW{LR: f.LR, Warmup: warmup, Steps: steps}
	loop := optim.Loop[struct{}]{Train: func(step uint64, _ struct{}) error {
		w.zero()
		for range batch {
			n.learn(w, learn[rng.IntN(len(learn))], 1.0/batch)
		}
		w.update(rate.Rate(step))
		return nil
	}}
	if f.Report != nil {
		loop.Every = max(1, steps/10)
		loop.Report = func(p optim.Progress) {
			w.store(n.net)
			f.Report(fmt.Sprintf("step %d of %d: %s", p.Step, p.Steps, n.score(learn[:min(len(learn), 2000)], check)))
		}
	}
	if _, err := loop.Run(ctx, 0, steps); err != nil {
		return err
	}
	w.store(n.net)
	return nil
}

// drawSamples calls draw for every sample, on all cores, and reports every 2000.
func (f Fit) drawSamples(ctx context.Context, t *team.Team, draw func(worker, i int) error) error {
	return drawAll(ctx, t, f.Samples, func(worker, i int) error {
		if n := i + 1; f.Report != nil && n%2000 == 0 {
			f.Report(fmt.Sprintf("%d of %d pictures", n, f.Samples))
		}
		return draw(worker, i)
	})
}

// drawAll calls draw for i from 0 to count − 1 on the workers of a team. It stops at the first
// error, which it returns, or when ctx is done.
func drawAll(ctx context.Context, t *team.Team, count int, draw func(worker, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if t.Each(ctx, count, func(worker, i int) {
		if err := draw(worker, i); err != nil {
			cancel(err)
		}
	}) != nil {
		return context.Cause(ctx)
	}
	return nil
}
