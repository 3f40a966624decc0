package compile

import (
	"fmt"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/shaders"
)

// span is a range of memory in bytes.
type span struct {
	reg      region
	from, to int64
}

func (a span) overlaps(b span) bool { return a.reg == b.reg && a.from < b.to && b.from < a.to }

func spanOf(v *value) span {
	reg, off := v.place()
	return span{reg, off, off + 4*int64(v.extent())}
}

// hazards records what was read and written since the last barrier.
type hazards struct{ reads, writes []span }

func overlapsAny(s span, l []span) bool {
	for _, x := range l {
		if s.overlaps(x) {
			return true
		}
	}
	return false
}

// add records the accesses of a step and reports whether a barrier must precede it.
func (h *hazards) add(reads, writes []span) bool {
	need := false
	for _, s := range reads {
		need = need || overlapsAny(s, h.writes)
	}
	for _, s := range writes {
		need = need || overlapsAny(s, h.writes) || overlapsAny(s, h.reads)
	}
	if need {
		h.reads, h.writes = nil, nil
	}
	h.reads = append(h.reads, reads...)
	h.writes = append(h.writes, writes...)
	return need
}

// accesses returns the memory that a step reads and writes.
func (s *step) accesses() (reads, writes []span) {
	if s.fill != nil {
		return nil, []span{spanOf(s.fill)}
	}
	for i, a := range s.args {
		acc := s.mod.Operands[i]
		if acc&shaders.Read != 0 {
			reads = append(reads, spanOf(a))
		}
		if acc&shaders.Write != 0 {
			writes = append(writes, spanOf(a))
		}
	}
	return reads, writes
}

// recording says what a command list does.
type recording struct {
	steps    func(*step) bool
	turn     *turn // whose inputs are copied to the device first, and outputs from it at the end; may be nil
	settings bool  // settings are copied to the device too
	stamps   bool  // every step is enclosed by barriers and followed by a time stamp
}

// record records the selected steps, with a barrier only where a step needs memory that an earlier
// one wrote, or overwrites memory that an earlier one used.
func (p *Program) record(r recording) (*gpu.Commands, error) {
	c, err := p.dev.NewCommands()
	if err != nil {
		return nil, err
	}
	var h hazards
	maxX := p.dev.Info().Caps.MaxGroups[0]
	// The first step must see what the host or an earlier run wrote.
	c.Barrier()
	if r.turn.copies() {
		copied := p.copy(c, regInput, p.bufs[regInput], r.turn.in)
		if r.settings {
			copied = p.copy(c, regSetting, p.bufs[regSetting], p.settings) || copied
		}
		if copied {
			c.Barrier()
		}
	}
	n := 0
	if r.stamps {
		c.Timestamp(0)
	}
	for _, s := range p.steps {
		if !r.steps(s) {
			continue
		}
		if h.add(s.accesses()) || r.stamps {
			c.Barrier()
		}
		p.dispatch(c, s, maxX)
		if n++; r.stamps {
			c.Barrier()
			c.Timestamp(n)
		}
	}
	c.Barrier()
	if r.turn.copies() {
		p.copy(c, regOut, r.turn.out, p.bufs[regOut])
	}
	if err := c.End(); err != nil {
		c.Free()
		return nil, fmt.Errorf("recording: %w", err)
	}
	return c, nil
}

// copy records that all values of a region are copied, and reports whether there are any.
func (p *Program) copy(c *gpu.Commands, reg region, to, from *gpu.Buffer) bool {
	size := int64(4 * p.sizes[reg])
	if size > 0 {
		c.Copy(gpu.Range{Buf: to, Size: size}, gpu.Range{Buf: from, Size: size})
	}
	return size > 0
}

// dispatch records one step.
func (p *Program) dispatch(c *gpu.Commands, s *step, maxX int) {
	if s.fill != nil {
		reg, off := s.fill.place()
		c.Fill(gpu.Range{Buf: p.bufs[reg], Off: off, Size: 4 * int64(s.fill.extent())}, 0)
		return
	}
	args := s.args
	if s.mod.Zero {
		args = append(append([]*value{}, args...), p.zeros)
	}
	x, y := s.mod.Groups(s.items, maxX)
	var addr []uint64
	var bind []gpu.Range
	for i, a := range args {
		reg, off := a.place()
		b := p.bufs[reg]
		if s.mod.Target.Mode == shaders.CPU {
			addr = append(addr, b.Address()+uint64(off))
		}
		if s.mod.Bound(i) {
			bind = append(bind, gpu.Range{Buf: b, Off: off, Size: min(4*int64(a.extent()), b.Size()-off)})
		}
	}
	c.Dispatch(p.pipes[s.mod], bind, s.mod.Push(addr, s.scalars, s.items, x), x, y, 1)
}

// Timing is the measured time of a step.
type Timing struct {
	Name, Kernel string
	Nanoseconds  float64
	Flops        float64
}

// Profile runs the Program once with a time stamp after every step.
func (p *Program) Profile() ([]Timing, error) {
	if err := p.Run(); err != nil {
		return nil, err
	}
	main := in(always)
	t, err := p.turn(0)
	if err != nil {
		return nil, err
	}
	c, err := p.record(recording{steps: main, turn: t, stamps: true})
	if err != nil {
		return nil, err
	}
	defer c.Free()
	if err := p.dev.Run(c); err != nil {
		return nil, err
	}
	ns, err := c.Timestamps()
	if err != nil {
		return nil, err
	}
	var out []Timing
	for _, s := range p.steps {
		if !main(s) {
			continue
		}
		t := Timing{Name: s.name, Nanoseconds: ns[len(out)+1] - ns[len(out)], Flops: s.flops}
		if s.mod != nil {
			t.Kernel = s.mod.Name
		}
		out = append(out, t)
	}
	return out, nil
}
