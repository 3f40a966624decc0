package compile

import (
	"fmt"
	"slices"
	"sync"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// Program is a graph compiled for a device: recorded lists of dispatches and their memory. It may
// be run any number of times. A Program is not safe for concurrent use.
type Program struct {
	dev     *gpu.Device
	store   *Store
	steps   []*step
	bufs    [nRegions]*gpu.Buffer
	own     []*gpu.Buffer
	arena   *lease
	pipes   map[*shaders.Module]*gpu.Pipeline
	cmds    [once + 1]*gpu.Commands
	inputs  map[string]*value
	set     map[string]*setting
	changed bool // settings have changed since the phase perSetting was last computed
	outs    []*value
	outIdx  map[*netdef.Node]int
	gen     int
	zeros   *value
	work    int
	once    sync.Once
}

// setting is the last value of a setting. valid says whether it is on the device.
type setting struct {
	last  []float32
	valid bool
}

// build allocates memory, builds pipelines and records the command lists.
func build(dev *gpu.Device, store *Store, l *lowering, outs []*netdef.Node, outVals []*value, settings []string, arena *Arena) (p *Program, err error) {
	p = &Program{dev: dev, store: store, steps: l.steps, inputs: l.inputs, outs: outVals, zeros: l.zeros, gen: -1, changed: true, set: map[string]*setting{}, pipes: map[*shaders.Module]*gpu.Pipeline{}, outIdx: map[*netdef.Node]int{}}
	for i, n := range outs {
		p.outIdx[n] = i
	}
	for _, name := range settings {
		p.set[name] = &setting{}
	}
	defer func() {
		if err != nil {
			p.Close()
			p = nil
		}
	}()
	p.work = plan(l.steps)
	if p.arena, err = arena.take(dev, bytesOf(p.work)); err != nil {
		return p, noMemory(p.work, err)
	}
	p.bufs[regWork] = p.arena.buf
	for reg, size := range map[region]int{regConst: l.constSize, regInput: l.inputSize, regKeep: l.keepSize} {
		b, err := dev.NewBuffer(bytesOf(size), gpu.Local)
		if err != nil {
			return p, noMemory(size, err)
		}
		p.bufs[reg], p.own = b, append(p.own, b)
		if reg == regConst || reg == regInput {
			if err := dev.Write(b, 0, make([]byte, b.Size())); err != nil {
				return p, err
			}
		}
	}
	for reg, name := range map[region]string{regParam: "p", regEMA: "ema", regGrad: "g", regM: "m", regV: "v"} {
		p.bufs[reg] = store.bufs[name]
	}
	for _, c := range l.consts {
		if err := dev.Write(p.bufs[regConst], int64(4*c.at.off), asBytes(c.data)); err != nil {
			return p, err
		}
	}
	if err := p.pipelines(in(once)); err != nil {
		return p, err
	}
	if p.cmds[once], err = p.record(in(once), false); err != nil {
		return p, err
	}
	wait := p.startOnce()
	err = p.pipelines(func(s *step) bool { return s.phase != once })
	if e := wait(); err == nil {
		err = e
	}
	for _, ph := range []phase{perSetting, always} {
		if err == nil {
			p.cmds[ph], err = p.record(in(ph), false)
		}
	}
	return p, err
}

// in returns a function that selects the steps of a phase.
func in(ph phase) func(*step) bool { return func(s *step) bool { return s.phase == ph } }

// startOnce runs the phase once, if the store has parameters, while the pipelines of the other
// phases are built. The returned function waits for its end.
func (p *Program) startOnce() (wait func() error) {
	gen := p.store.gen
	if gen == 0 {
		return func() error { return nil }
	}
	done := make(chan error, 1)
	go func() { done <- p.dev.Run(p.cmds[once]) }()
	return func() error {
		err := <-done
		if err == nil {
			p.gen = gen
		}
		return err
	}
}

// bytesOf returns the size in bytes of a region of size elements, including what kernels may access
// beyond its end.
func bytesOf(size int) int64 { return int64(4 * (size + 16*alignment)) }

func noMemory(size int, err error) error {
	return fmt.Errorf("working memory of %.1f MB: %w", float64(size)/(1<<18), err)
}

// pipelines builds one pipeline for every module of the selected steps that has none yet.
func (p *Program) pipelines(choose func(*step) bool) error {
	var mods []*shaders.Module
	var descs []gpu.PipelineDesc
	for _, s := range p.steps {
		if s.mod == nil || !choose(s) {
			continue
		}
		if _, ok := p.pipes[s.mod]; ok {
			continue
		}
		p.pipes[s.mod] = nil
		mods = append(mods, s.mod)
		descs = append(descs, gpu.PipelineDesc{Name: s.mod.Name, Code: s.mod.Words, Bindings: s.mod.NumBindings(), PushBytes: s.mod.PushBytes(), Subgroup: s.mod.Subgroup})
	}
	pipes, err := p.dev.NewPipelines(descs)
	if err != nil {
		return err
	}
	for i, m := range mods {
		p.pipes[m] = pipes[i]
		m.Words = nil // the driver has its own copy
	}
	return nil
}

// Close frees the memory of the Program, but not the store.
func (p *Program) Close() {
	p.once.Do(func() {
		for _, c := range p.cmds {
			if c != nil {
				c.Free()
			}
		}
		for _, x := range p.pipes {
			if x != nil {
				x.Free()
			}
		}
		for _, b := range p.own {
			b.Free()
		}
		if p.arena != nil {
			p.arena.release()
		}
	})
}

// InputError reports an unknown input or one with the wrong number of values.
type InputError struct{ Name, Reason string }

func (e *InputError) Error() string { return fmt.Sprintf("program input %q: %s", e.Name, e.Reason) }

// HasInput reports whether the Program reads the named input.
func (p *Program) HasInput(name string) bool { return p.inputs[name] != nil }

// SetInput sets the values of an input, row-major.
func (p *Program) SetInput(name string, v []float32) error {
	in := p.inputs[name]
	if in == nil {
		return &InputError{name, "the program has no such input"}
	}
	if len(v) != in.size {
		return &InputError{name, fmt.Sprintf("got %d values, want %d", len(v), in.size)}
	}
	s := p.set[name]
	if s != nil {
		if s.valid && slices.Equal(s.last, v) {
			return nil
		}
		s.valid, p.changed = false, true // until it is written
	}
	err := p.dev.Write(p.bufs[regInput], int64(4*in.off), asBytes(v))
	if s != nil && err == nil {
		s.last, s.valid = append(s.last[:0], v...), true
	}
	return err
}

// Run computes the outputs and waits for the end.
func (p *Program) Run() error {
	if p.gen != p.store.gen {
		if err := p.dev.Run(p.cmds[once]); err != nil {
			return err
		}
		p.gen, p.changed = p.store.gen, true
	}
	if p.changed && len(p.set) > 0 {
		if err := p.dev.Run(p.cmds[perSetting]); err != nil {
			return err
		}
		p.changed = false
	}
	return p.dev.Run(p.cmds[always])
}

// Output returns output i of the last run, row-major.
func (p *Program) Output(i int) ([]float32, error) {
	v := make([]float32, p.outs[i].size)
	return v, p.ReadOutput(i, v)
}

// ReadOutput reads output i of the last run into dst.
func (p *Program) ReadOutput(i int, dst []float32) error {
	o := p.outs[i]
	if len(dst) != o.size {
		return fmt.Errorf("program output %d has %d values, not %d", i, o.size, len(dst))
	}
	reg, off := o.place()
	return p.dev.Read(p.bufs[reg], off, asBytes(dst))
}

// poison is a float32 NaN, and each of its halves is a float16 NaN.
const poison = 0x7fff7fff

// Poison fills the working memory and the outputs with NaN, so that a test notices what a run does
// not write.
func (p *Program) Poison() error {
	c, err := p.dev.NewCommands()
	if err != nil {
		return err
	}
	defer c.Free()
	c.Fill(gpu.Range{Buf: p.bufs[regWork], Size: p.bufs[regWork].Size()}, poison)
	for _, o := range p.outs {
		reg, off := o.place()
		if reg == regKeep {
			c.Barrier() // outputs may be in the same place
			c.Fill(gpu.Range{Buf: p.bufs[reg], Off: off, Size: int64(4 * o.size)}, poison)
		}
	}
	if err := c.End(); err != nil {
		return err
	}
	p.gen = -1 // the outputs may include values that are not computed in every run
	return p.dev.Run(c)
}

// WorkBytes is the size of the working memory in bytes.
func (p *Program) WorkBytes() int64 { return int64(4 * p.work) }

// Heaviest is the share of the largest dispatch in the arithmetic of a run, in [0,1].
func (p *Program) Heaviest() float64 {
	most := 0.0
	for _, s := range p.steps {
		if s.phase == always {
			most = max(most, s.flops)
		}
	}
	if most == 0 {
		return 0
	}
	return most / p.Flops()
}

// Flops is the number of floating-point operations of a run: two for each multiply-add of
// convolutions and products.
func (p *Program) Flops() float64 {
	f := 0.0
	for _, s := range p.steps {
		if s.phase == always {
			f += s.flops
		}
	}
	return f
}

// Dispatches is the number of dispatches of a run.
func (p *Program) Dispatches() int {
	n := 0
	for _, s := range p.steps {
		if s.phase == always {
			n++
		}
	}
	return n
}
