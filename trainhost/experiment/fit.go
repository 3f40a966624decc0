package experiment

import (
	"context"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/trainhost/optim"
)

// numbers are inputs of a graph by name.
type numbers map[string][]float32

// parameters are values of parameters by name.
type parameters map[string][]float32

// among returns those of the named parameters that p has.
func (p parameters) among(names []string) parameters {
	found := parameters{}
	for _, name := range names {
		if v := p[name]; v != nil {
			found[name] = v
		}
	}
	return found
}

// adamw returns the settings that all experiments share, for a run of so many steps.
func adamw(lr float64, steps int) optim.AdamW {
	return optim.AdamW{LR: lr, Beta1: 0.9, Beta2: 0.999, MaxNorm: 1e9, Steps: uint64(steps)}
}

// fit minimises a loss whose randomness comes from the Philox input "key".
type fit struct {
	graph *netdef.Graph
	loss  *netdef.Node
	outs  []*netdef.Node // can be read after a step
	// trains selects the parameters that are trained, by name; nil selects all.
	trains func(name string) bool
	start  parameters // instead of initial values
	adamw  optim.AdamW
	seed   uint64
	// draw gives the inputs of a step in addition to the key; it may be nil. It is called on one
	// goroutine for one step after another.
	draw func(step int) numbers
	// after is called after each step; it may be nil.
	after func(step int, s *optim.Step) error
}

// run trains all steps. The caller closes the returned Step.
func (f fit) run(ctx context.Context, dev *gpu.Device) (*optim.Step, error) {
	if err := f.graph.Err(); err != nil {
		return nil, err
	}
	steps := f.adamw.Steps
	s, err := optim.NewStep(dev, optim.Spec{
		Graph: f.graph, Loss: f.loss, Outputs: f.outs, Params: netdef.Reachable(append(f.outs, f.loss)...), Trains: f.trains,
		AdamW: f.adamw, Seed: f.seed, LongRun: steps >= 1000,
		Init: func(store *compile.Store) error { return store.Set(f.start.among(store.Names())) },
	})
	if err != nil {
		return nil, err
	}
	loop := optim.Loop[numbers]{Batch: func(step uint64) (numbers, error) {
		in := numbers{}
		if f.draw != nil {
			in = f.draw(int(step))
		}
		in["key"] = netdef.Key{Seed: f.seed, Sample: uint32(step)}.Float32()
		return in, nil
	}}
	loop.Train = func(step uint64, in numbers) error {
		if err := s.Set(step, in); err != nil {
			return err
		}
		if err := s.Run(); err != nil {
			return err
		}
		// Reading the loss takes time, so it is not checked after every step.
		if done := step + 1; done%200 == 0 || done == steps {
			if _, err := s.Loss(done); err != nil {
				return err
			}
		}
		if f.after != nil {
			return f.after(int(step), s)
		}
		return nil
	}
	if _, err := loop.Run(ctx, 0, steps); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}
