package motionblur

import (
	"context"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
)

// Options adds to the options for compiling a program what this program needs.
func (p Program) Options(o compile.Options) compile.Options {
	o.Settings = settings
	if p.Kind != Filter && o.Tuning.MaxFMA == 0 {
		o.Tuning.MaxFMA = compile.ShortRun
	}
	return o
}

// Run runs a compiled program, as a Runner does. Errors are those of compile.Program.
func Run(p *compile.Program, in []Input, out [][]float32) error {
	for _, x := range in {
		if err := p.SetInput(x.Name, x.Values); err != nil {
			return err
		}
	}
	if err := p.Run(); err != nil {
		return err
	}
	for i, dst := range out {
		if err := p.ReadOutput(i, dst); err != nil {
			return err
		}
	}
	return nil
}

// Programs compiles programs when they are first needed, and keeps all of them. It is for one
// goroutine at a time.
type Programs struct {
	dev        *gpu.Device
	opt        compile.Options
	store      *compile.Store
	networkErr error // why there is no kernel network; nil if there is one
	list       map[Program]*compile.Program
}

// NewPrograms makes Programs that are compiled with the given options, and the kernel network with
// its embedded parameters. Errors are those of the device. If there is no kernel network, only
// running its program fails.
func NewPrograms(dev *gpu.Device, opt compile.Options) (*Programs, error) {
	network, networkErr := Network()
	store, err := compile.EmptyStore(dev, network.Nodes, false)
	if err != nil {
		return nil, err
	}
	if err := store.Set(network.Values); err != nil {
		store.Close()
		return nil, err
	}
	return &Programs{dev, opt, store, networkErr, map[Program]*compile.Program{}}, nil
}

// Run is a Runner. It does not watch the context.
func (s *Programs) Run(_ context.Context, what Program, in []Input, out [][]float32) error {
	if what.Kind == Maps && s.networkErr != nil {
		return s.networkErr
	}
	p := s.list[what]
	if p == nil {
		g := netdef.NewGraph()
		outs, err := what.Build(g)
		if err != nil {
			return err
		}
		if p, err = compile.Compile(s.dev, s.store, g, outs, what.Options(s.opt)); err != nil {
			return err
		}
		s.list[what] = p
	}
	return Run(p, in, out)
}

// Poison sets the memory of all programs to NaN, for tests: what a program does not write stays
// NaN.
func (s *Programs) Poison() error {
	for _, p := range s.list {
		if err := p.Poison(); err != nil {
			return err
		}
	}
	return nil
}

// Close frees the device's memory.
func (s *Programs) Close() {
	for _, p := range s.list {
		p.Close()
	}
	s.store.Close()
}
