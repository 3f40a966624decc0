package restore

import (
	"context"
	"fmt"

	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/restore/task"
)

// motionBlurRunner runs motionblur's programs on a Model's device. It allocates nothing after the
// first run of each program.
type motionBlurRunner struct {
	m       *Model
	session *engine.Session // of the caller that has the estimator
	recipes map[motionblur.Program]engine.Recipe
	work    engine.Work
	in      []motionblur.Input
	out     [][]float32
}

// deviceEstimator is an Estimator that computes on the device.
type deviceEstimator struct {
	*motionblur.Estimator
	runner *motionBlurRunner
}

// newDeviceEstimator fails if the program was built without the kernel network.
func (m *Model) newDeviceEstimator() (*deviceEstimator, error) {
	if _, err := m.kernels(); err != nil {
		return nil, fmt.Errorf("%v needs the kernel network, which cannot be read: %w", task.MotionDeblur, err)
	}
	s := &motionBlurRunner{m: m, recipes: map[motionblur.Program]engine.Recipe{}}
	s.work = engine.Work{Count: 1, Fill: s.fill, Take: s.take}
	return &deviceEstimator{motionblur.NewDeviceEstimator(s.run), s}, nil
}

func (s *motionBlurRunner) run(ctx context.Context, p motionblur.Program, in []motionblur.Input, out [][]float32) error {
	r := s.recipes[p]
	if r == nil {
		r = recipe{m: s.m, program: programMotionBlur, network: s.m.generalNetwork(), motionBlur: p}
		s.recipes[p] = r
	}
	s.work.Recipe, s.in, s.out = r, in, out
	return s.m.engine.Run(ctx, s.session, &s.work)
}

func (s *motionBlurRunner) fill(_ int, in *engine.Slot) error {
	for _, x := range s.in {
		if to := in.Input(x.Name); to != nil {
			copy(to, x.Values)
		} else {
			in.Set(x.Name, x.Values)
		}
	}
	return nil
}

func (s *motionBlurRunner) take(_ int, out *engine.Slot) error {
	for i, to := range s.out {
		copy(to, out.Output(i))
	}
	return nil
}
