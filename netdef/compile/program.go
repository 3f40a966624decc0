package compile

import (
	"fmt"
	"sync"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/shaders"
)

// Program is a graph compiled for a device: recorded lists of dispatches and their memory. It may
// be run any number of times. It has two turns, so that the host can write the inputs of one run
// while the device works on the other (turn.go). A Program is not safe for concurrent use.
type Program struct {
	dev      *gpu.Device
	store    *Store
	steps    []*step
	bufs     [nRegions]*gpu.Buffer
	own      []*gpu.Buffer
	arena    *lease
	pipes    map[*shaders.Module]*gpu.Pipeline
	once     *gpu.Commands
	turns    [Turns]*turn
	inputs   map[string]*value
	set      map[string]*setting
	settings *gpu.Buffer // mapped memory of regSetting
	changed  bool        // settings have changed since the phase perSetting was last computed
	outs     []*value
	sizes    [nRegions]int // in units of 4 bytes
	gen      int
	zeros    *value
	closing  sync.Once
}

// setting is the last value of a setting. valid says whether it is on the device.
type setting struct {
	last  []float32
	valid bool
}

// build allocates memory, builds pipelines and records the command lists.
func build(dev *gpu.Device, store *Store, l *lowering, outVals []*value, settings []string, arena *Arena) (p *Program, err error) {
	p = &Program{
		dev: dev, store: store, steps: l.steps, inputs: l.inputs, outs: outVals, sizes: l.sizes, zeros: l.zeros, gen: -1, changed: true,
		set: map[string]*setting{}, pipes: map[*shaders.Module]*gpu.Pipeline{},
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
	p.sizes[regWork] = plan(l.steps)
	if p.arena, err = arena.take(dev, bytesOf(p.sizes[regWork])); err != nil {
		return p, noMemory(p.sizes[regWork], err)
	}
	p.bufs[regWork] = p.arena.buf
	regions := []region{regConst, regSetting, regHeld, regKeep}
	if !dev.Info().Caps.Unified {
		regions = append(regions, regInput, regOut) // the turns have copies of them
	}
	for _, reg := range regions {
		if p.bufs[reg], err = p.buffer(reg, gpu.Local); err != nil {
			return p, err
		}
	}
	p.settings = p.bufs[regSetting]
	if p.settings.Bytes() == nil {
		if p.settings, err = p.buffer(regSetting, gpu.Upload); err != nil {
			return p, err
		}
	}
	for reg, array := range map[region]Array{regParam: Weights, regEMA: Averages, regGrad: Gradients, regM: Moment1, regV: Moment2} {
		p.bufs[reg] = store.bufs[array]
	}
	for _, c := range l.consts {
		if err := dev.Write(p.bufs[regConst], int64(4*c.at.off), asBytes(c.data)); err != nil {
			return p, err
		}
	}
	if err := p.pipelines(in(once)); err != nil {
		return p, err
	}
	if p.once, err = p.record(recording{steps: in(once)}); err != nil {
		return p, err
	}
	wait := p.startOnce()
	err = p.pipelines(func(s *step) bool { return s.phase != once })
	if e := wait(); err == nil {
		err = e
	}
	if err == nil {
		_, err = p.list(0, p.listNow())
	}
	return p, err
}

// buffer makes a buffer for a region. It is filled with zeros, as kernels read beyond the ends of
// inputs and constants, unless kernels write all of the region's values anyway.
func (p *Program) buffer(reg region, kind gpu.Kind) (*gpu.Buffer, error) {
	b, err := p.dev.NewBuffer(bytesOf(p.sizes[reg]), kind)
	if err != nil {
		return nil, noMemory(p.sizes[reg], err)
	}
	p.own = append(p.own, b)
	if reg == regKeep || reg == regOut {
		return b, nil
	}
	return b, zero(p.dev, b)
}

// zero fills a buffer with zeros, without a copy of it on the host where the buffer is mapped.
func zero(dev *gpu.Device, b *gpu.Buffer) error {
	if v := b.Bytes(); v != nil {
		clear(v)
		return nil
	}
	return dev.Write(b, 0, make([]byte, b.Size()))
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
	go func() { done <- p.dev.Run(p.once) }()
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
	p.closing.Do(func() {
		_ = p.idle()
		p.once.Free()
		for _, t := range p.turns {
			t.free()
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

// poison is a float32 NaN, and each of its halves is a float16 NaN.
const poison = 0x7fff7fff

// Poison fills the working memory and the outputs with NaN, so that a test notices what a run does
// not write.
func (p *Program) Poison() error {
	if err := p.idle(); err != nil {
		return err
	}
	c, err := p.dev.NewCommands()
	if err != nil {
		return err
	}
	defer c.Free()
	fill := func(b *gpu.Buffer) {
		if b != nil {
			c.Fill(gpu.Range{Buf: b, Size: b.Size()}, poison)
		}
	}
	fill(p.bufs[regWork])
	fill(p.bufs[regOut])
	for _, t := range p.turns {
		if t != nil && t.out != p.bufs[regOut] {
			fill(t.out)
		}
	}
	if err := c.End(); err != nil {
		return err
	}
	return p.dev.Run(c)
}

// WorkBytes is the size of the working memory in bytes.
func (p *Program) WorkBytes() int64 { return int64(4 * p.sizes[regWork]) }

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
