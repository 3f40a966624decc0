package trainhost

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
)

// Fit is the training of a small network over a picture's statistics.
type Fit struct {
	Samples int // pictures drawn; a tenth of them is kept for checking
	Epochs  int
	LR      float64
	Seed    uint64
	// Report is called now and then with what has been done; may be nil.
	Report func(string)
}

// newRand draws a network's weights first, and then the order of the samples.
func (f Fit) newRand() *rand.Rand { return rand.New(rand.NewPCG(f.Seed, 1<<40)) }

// run trains by Adam, on batches of 64 of count samples. learn adds the gradient of a sample; score
// tells how well the network does.
func (f Fit) run(ctx context.Context, rng *rand.Rand, w *perceptron, count int, learn func(k int, weight float64), score func() string) error {
	const batch = 64
	steps := f.Epochs * count / batch
	for step := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		w.zero()
		for range batch {
			learn(rng.IntN(count), 1.0/batch)
		}
		w.update(f.LR * min(1, float64(step+1)/200) * 0.5 * (1 + math.Cos(math.Pi*float64(step)/float64(steps))))
		if f.Report != nil && (step+1)%(max(1, steps/10)) == 0 {
			f.Report(fmt.Sprintf("step %d of %d: %s", step+1, steps, score()))
		}
	}
	return nil
}
