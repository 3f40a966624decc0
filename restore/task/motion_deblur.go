package task

import (
	"math"
	"math/rand/v2"
)

const (
	motionIntensity = 0.5 // the paper's
	minSupport      = 9   // smallest support of a motion kernel that is scaled down
	scaledShare     = 0.5 // share of these in training
)

// motionDeblur: A is correlation with a motion kernel of up to 61×61 weights with reflected edges.
var motionDeblur = Descriptor{
	Name:    "motion-deblur",
	Class:   5,
	Help:    "blur of a camera that moved",
	Options: []Option{OptionKernel, OptionKernelOut, OptionScale},
	Needs:   NeedsKernel,
	Scale:   1,
	Draw:    drawMotion,
	Operator: func(w, h int, p Params) LinearMap {
		return Correlation(w, h, p.Kernel)
	},
	View: ViewAsIs,
}

// MotionSide returns the side of Draw's motion kernel at a scale: the odd number nearest to
// 61·scale, at least 9.
func MotionSide(scale float64) int {
	return max(minSupport, 2*int(math.Round((blurSide*scale-1)/2))+1)
}

func drawMotion(rng *rand.Rand, l Law) (p Params, err error) {
	side := MotionSide(l.Scale)
	support := side
	if l.Training && rng.Float64() < scaledShare {
		support = minSupport + rng.IntN(side-minSupport+1)
	}
	p.Kernel, err = MotionKernel(rng, side, support, motionIntensity)
	return p, err
}
