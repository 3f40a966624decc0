// Package optim minimises a loss with AdamW on the device, and runs the loop around the steps.
package optim

import (
	"math"

	"github.com/vfmrestore/restore/shaders"
)

// AdamW holds the settings of the optimiser for one run.
type AdamW struct {
	LR           float64 // learning rate at its peak
	Beta1, Beta2 float64 // decay per step of the first and second moment
	WeightDecay  float64
	MaxNorm      float64 // gradient norm above which the gradient is scaled down
	EMA          float64 // decay per step of the averaged weights
	Warmup       uint64  // steps of linear warm-up
	Steps        uint64  // length of the run
	// Constant keeps the learning rate after the warm-up. Otherwise a cosine takes it to 0 at the
	// end of the run.
	Constant bool
}

// Rate returns the learning rate of a step, counted from 0.
func (a AdamW) Rate(step uint64) float64 {
	lr := a.LR
	if step < a.Warmup {
		lr *= float64(step+1) / float64(a.Warmup)
	}
	if a.Constant {
		return lr
	}
	return lr * 0.5 * (1 + math.Cos(math.Pi*min(1, float64(step)/float64(a.Steps))))
}

// hyper returns the optimiser's input of a step, in the order of shaders.HyperLR and following.
func (a AdamW) hyper(step uint64) []float32 {
	n := float64(step + 1)
	h := make([]float32, shaders.HyperLen)
	h[shaders.HyperLR] = float32(a.Rate(step))
	h[shaders.HyperBeta1], h[shaders.HyperBeta2] = float32(a.Beta1), float32(a.Beta2)
	h[shaders.HyperEps] = 1e-8
	h[shaders.HyperCorr1] = float32(1 / (1 - math.Pow(a.Beta1, n)))
	h[shaders.HyperCorr2] = float32(1 / (1 - math.Pow(a.Beta2, n)))
	// At first the average follows the weights closely: it must not remember the random start.
	h[shaders.HyperEMA] = float32(min(a.EMA, n/(n+10)))
	h[shaders.HyperMaxNorm], h[shaders.HyperDecay] = float32(a.MaxNorm), float32(a.WeightDecay)
	return h
}
