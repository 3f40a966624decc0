package motionblur

import (
	"context"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
)

// Options adds to the options for compiling a program what it needs beside them.
func (p Program) Options(o compile.Options) compile.Options {
	o.Settings = settings
	if p.Kind != Filter && o.Tuning.MaxFMA == 0 {
		o.Tuning.MaxFMA = compile.ShortRun
	}
	return o
}

// Run runs a compiled program. Errors are those of compile.Program.
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

// Programs compiles programs as they are asked for, and keeps them all. It is for one goroutine at a time.
type Programs struct {
	dev     *gpu.Device
	opt     compile.Options
	store   *compile.Store
	network error // why there is no kernel network
	list    map[Program]*compile.Program
}

// NewPrograms makes Programs that are compiled with the given options, the kernel network's with the embedded parameters. Errors are those of the device.
func NewPrograms(dev *gpu.Device, opt compile.Options) (*Programs, error) {
	network, missing := Network() // asked for by its program alone
	store, err := compile.EmptyStore(dev, network.Nodes, false)
	if err != nil {
		return nil, err
	}
	if err := store.Set(network.Values); err != nil {
		store.Close()
		return nil, err
	}
	return &Programs{dev, opt, store, missing, map[Program]*compile.Program{}}, nil
}

// Run is a Runner.
func (s *Programs) Run(_ context.Context, what Program, in []Input, out [][]float32) error {
	p := s.list[what]
	if what.Kind == Maps && s.network != nil {
		return s.network
	}
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

// Close frees the device's memory.
func (s *Programs) Close() {
	for _, p := range s.list {
		p.Close()
	}
	s.store.Close()
}
