package optim

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
)

// Spec says what a Step minimises, and how.
type Spec struct {
	Graph *netdef.Graph
	Loss  *netdef.Node // [1,1,1,1]
	// Outputs can be read after a step, in addition to the loss: Output(1) is the first of them.
	Outputs []*netdef.Node
	// Params are nodes of which the parameters are stored, in this order. Parameters that Loss or
	// Outputs need must be among them.
	Params []*netdef.Node
	// Trains selects the parameters that change, by name; nil selects all.
	Trains func(name string) bool
	AdamW  AdamW
	Seed   uint64 // of the initial values
	// Init may replace the initial values; it may be nil.
	Init func(*compile.Store) error
	// LongRun builds the large kernels, which are faster and take long to build.
	LongRun bool
}

// ErrNothingToTrain says that the loss depends on no parameter that may change.
var ErrNothingToTrain = errors.New("nothing to train: the loss depends on no parameter that may change")

// Step is a training step on the device: loss, gradients, AdamW and the running average.
type Step struct {
	store *compile.Store
	prog  *compile.Program
	// AdamW may be changed between steps.
	AdamW AdamW
}

// NewStep fills the store of parameters and compiles the step.
func NewStep(dev *gpu.Device, spec Spec) (*Step, error) {
	var trained []*netdef.Node
	for _, p := range netdef.Params(spec.Loss) {
		if !strings.HasPrefix(p.Name, compile.EMAPrefix) && (spec.Trains == nil || spec.Trains(p.Name)) {
			trained = append(trained, p)
		}
	}
	if len(trained) == 0 {
		return nil, ErrNothingToTrain
	}
	gradients, err := spec.Graph.Gradient(spec.Loss, trained)
	if err != nil {
		return nil, err
	}
	byName := map[string]*netdef.Node{}
	for i, p := range trained {
		byName[p.Name] = gradients[i]
	}
	s := &Step{AdamW: spec.AdamW}
	if s.store, err = compile.NewStore(dev, spec.Params, true, spec.Seed); err != nil {
		return nil, err
	}
	if spec.Init != nil {
		err = spec.Init(s.store)
	}
	if err == nil {
		opt := compile.Options{Grads: byName, AdamW: true}
		if spec.LongRun {
			opt.Tuning.MaxFMA = compile.LongRun
		}
		s.prog, err = compile.Compile(dev, s.store, spec.Graph, append([]*netdef.Node{spec.Loss}, spec.Outputs...), opt)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close frees the device memory.
func (s *Step) Close() {
	if s.prog != nil {
		s.prog.Close()
	}
	s.store.Close()
}

// Store returns the parameters.
func (s *Step) Store() *compile.Store { return s.store }

// Program returns the compiled step.
func (s *Step) Program() *compile.Program { return s.prog }

// Set gives the program the inputs of a step, counted from 0. Inputs that the program does not have
// are ignored: the term that needs them is switched off.
func (s *Step) Set(step uint64, inputs map[string][]float32) error {
	for name, v := range inputs {
		if !s.prog.HasInput(name) {
			continue
		}
		if err := s.prog.SetInput(name, v); err != nil {
			return err
		}
	}
	return s.prog.SetInput(compile.HyperInput, s.AdamW.hyper(step))
}

// Run computes a step on the inputs that were set.
func (s *Step) Run() error { return s.prog.Run() }

// Output reads an output of the last step: 0 is the loss, Spec.Outputs follow.
func (s *Step) Output(i int) ([]float32, error) { return s.prog.Output(i) }

// Scalar reads an output that is one number.
func (s *Step) Scalar(i int) (float64, error) {
	v, err := s.prog.Output(i)
	if err != nil {
		return 0, err
	}
	return float64(v[0]), nil
}

// Loss reads the loss of the last step. done is the number of steps so far. It fails with
// DivergedError if the loss is not finite.
func (s *Step) Loss(done uint64) (float64, error) {
	v, err := s.Scalar(0)
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		err = &DivergedError{done}
	}
	return v, err
}

// DivergedError says that the loss is not finite any more.
type DivergedError struct{ Step uint64 }

func (e *DivergedError) Error() string {
	return fmt.Sprintf("training diverged at step %d: the loss is not a number; lower -lr or resume from an earlier checkpoint", e.Step)
}
