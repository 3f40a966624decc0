package compile

import (
	"github.com/vfmrestore/restore/internal/small"
	"github.com/vfmrestore/restore/shaders"
)

// Tuning holds sizes that decide how work is divided among kernels. Zero values mean the defaults.
type Tuning struct {
	// MaxFMA limits the unrolled multiply-adds of a kernel (CPU lowering). Larger kernels load and
	// store running sums less often, but the driver takes longer to build them: about 0.2 s at 600
	// and 3 s at LongRun, once per machine.
	MaxFMA int
}

// rareFMA is the limit for kernels that do not run in every run.
const rareFMA = 256

// nodeFMA returns the limit for the current node.
func (l *lowering) nodeFMA() int {
	if l.phase != always {
		return min(l.tune.maxFMA(), rareFMA)
	}
	return l.tune.maxFMA()
}

// ShortRun is the MaxFMA for Programs that run so briefly that most of the time goes into building
// them (software drivers).
const ShortRun = 256

// SingleRun returns the MaxFMA for Programs that run only once or a few times, on pictures with the
// given number of pixels. For few pixels most of the time goes into building the kernels, so these
// are small. The kernels of such Programs are small in other ways too (shaders.Target.FastBuild).
func SingleRun(pixels int) int {
	if pixels <= 1<<18 {
		return fastBuildFMA / 2
	}
	return fastBuildFMA
}

// fastBuildFMA is the largest MaxFMA that implies shaders.Target.FastBuild.
const fastBuildFMA = 64

// fastBuildRows is how many rows a kernel with FastBuild adds up.
const fastBuildRows = 8

// LongRun is the MaxFMA for Programs that run for minutes, such as training.
const LongRun = 4800

func (t Tuning) maxFMA() int {
	if small.Kernels {
		return SingleRun(1)
	}
	if t.MaxFMA > 0 {
		return t.MaxFMA
	}
	return 600
}

func (t Tuning) fastBuild() bool { return t.maxFMA() <= fastBuildFMA }

// pixels returns how many pixels a weight-gradient kernel adds up before it stores the sum.
func (t Tuning) pixels(mode shaders.Mode) int {
	if mode == shaders.GPU {
		return 1024
	}
	return max(4, min(256, t.maxFMA()/16))
}
