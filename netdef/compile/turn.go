package compile

import (
	"fmt"
	"slices"
	"sync"
	"unsafe"

	"github.com/vfmrestore/restore/gpu"
)

// Turns is the number of runs of a Program that may be in flight at a time. Each has inputs and
// outputs of its own in memory that the host can use directly: what the device itself works on
// where host and device share memory, else staging memory, from and to which each run copies.
const Turns = 2

// turn is the memory of a run and its command lists.
type turn struct {
	shared  bool        // the device works on in and out themselves
	in, out *gpu.Buffer // of regInput and regOut, mapped
	lists   [2]*gpu.Commands

	// A setting that changes waits for the runs of all turns, whoever waits for them otherwise.
	mu      sync.Mutex      // guards what follows
	all     []*gpu.Commands // what is submitted, kept so that a run allocates nothing
	started bool            // a Start without the caller's Wait
	flying  bool            // nobody has waited for ticket yet
	ticket  gpu.Ticket
	err     error // of the last run that somebody has waited for
}

// A turn's lists: that of a run, and that of a run which computes what depends on settings too.
const (
	listRun = iota
	listSettings
)

// copies reports whether runs copy inputs and outputs.
func (t *turn) copies() bool { return t != nil && !t.shared }

func (t *turn) free() {
	if t == nil {
		return
	}
	for _, c := range t.lists {
		c.Free()
	}
}

// turn returns turn i, and makes it when it is first needed.
func (p *Program) turn(i int) (*turn, error) {
	t := p.turns[i]
	if t == nil {
		t = &turn{shared: p.dev.Info().Caps.Unified}
		in, out := gpu.Upload, gpu.Readback
		if t.shared {
			in, out = gpu.Local, gpu.Local
		}
		var err error
		if t.in, err = p.buffer(regInput, in); err != nil {
			return nil, err
		}
		if t.out, err = p.buffer(regOut, out); err != nil {
			t.in.Free() // the next attempt makes another
			return nil, err
		}
		p.turns[i] = t
	}
	if t.shared {
		p.bufs[regInput], p.bufs[regOut] = t.in, t.out // what is recorded next uses them
	}
	return t, nil
}

// listNow says which of a turn's lists the next run needs.
func (p *Program) listNow() int {
	if p.changed && len(p.set) > 0 {
		return listSettings
	}
	return listRun
}

// list returns a command list of turn i, and records it when it is first needed.
func (p *Program) list(i, which int) (*gpu.Commands, error) {
	t, err := p.turn(i)
	if err != nil {
		return nil, err
	}
	if t.lists[which] != nil {
		return t.lists[which], nil
	}
	steps := in(always)
	if which == listSettings {
		steps = func(s *step) bool { return s.phase != once }
	}
	t.lists[which], err = p.record(recording{steps: steps, turn: t, settings: which == listSettings})
	return t.lists[which], err
}

// InputError reports an unknown input or one with the wrong number of values.
type InputError struct{ Name, Reason string }

func (e *InputError) Error() string { return fmt.Sprintf("program input %q: %s", e.Name, e.Reason) }

// HasInput reports whether the Program reads the named input.
func (p *Program) HasInput(name string) bool { return p.inputs[name] != nil }

// Inputs lists the inputs that are not settings.
func (p *Program) Inputs() (names []string) {
	for name, v := range p.inputs {
		if v.reg == regInput {
			names = append(names, name)
		}
	}
	return names
}

// Outputs is the number of outputs.
func (p *Program) Outputs() int { return len(p.outs) }

// Input returns the memory of an input for a turn (0 to Turns−1), row-major. It is the driver's
// memory, not Go's: it is valid until Close of the Program or the device, and may be written, but
// not read, while the turn is not in flight. Settings have none: Set sets them.
func (p *Program) Input(turn int, name string) ([]float32, error) {
	v := p.inputs[name]
	if v == nil {
		return nil, &InputError{name, "the program has no such input"}
	}
	switch v.reg {
	case regSetting:
		return nil, &InputError{name, "it is a setting and can only be set"}
	case regHeld:
		return nil, &InputError{name, "it stays on the device"}
	}
	t, err := p.turn(turn)
	if err != nil {
		return nil, err
	}
	return floats(t.in, v)
}

// HeldInput returns where an input of Options.HeldInputs is on the device.
func (p *Program) HeldInput(name string) (gpu.Range, error) {
	v := p.inputs[name]
	if v == nil || v.reg != regHeld {
		return gpu.Range{}, &InputError{name, "it is no input that stays on the device"}
	}
	return p.rangeOf(v), nil
}

// HeldOutput returns where an output of Options.HeldOutputs is on the device.
func (p *Program) HeldOutput(i int) (gpu.Range, error) {
	if v := p.outs[i]; v.reg == regHeld {
		return p.rangeOf(v), nil
	}
	return gpu.Range{}, fmt.Errorf("program output %d does not stay on the device", i)
}

func (p *Program) rangeOf(v *value) gpu.Range {
	return gpu.Range{Buf: p.bufs[v.reg], Off: 4 * int64(v.off), Size: 4 * int64(v.size)}
}

// SetInput is Set for turn 0.
func (p *Program) SetInput(name string, v []float32) error { return p.Set(0, name, v) }

// Set sets the values of an input for a turn, row-major. A setting has one value for all turns; if
// it changes, Set waits until no run is in flight.
func (p *Program) Set(turn int, name string, v []float32) error {
	in := p.inputs[name]
	if in != nil && len(v) != in.size {
		return &InputError{name, fmt.Sprintf("got %d values, want %d", len(v), in.size)}
	}
	if in == nil || in.reg != regSetting {
		to, err := p.Input(turn, name)
		if err == nil {
			copy(to, v)
		}
		return err
	}
	s := p.set[name]
	if s.valid && slices.Equal(s.last, v) {
		return nil
	}
	s.valid, p.changed = false, true // until it is written
	if err := p.idle(); err != nil {
		return err
	}
	to, err := floats(p.settings, in)
	if err != nil {
		return err
	}
	copy(to, v)
	s.last, s.valid = append(s.last[:0], v...), true
	return nil
}

// Start begins a run on the inputs of a turn and returns at once: one submission to the device.
// Wait must be called before the turn's memory is used again.
func (p *Program) Start(turn int) error { return p.StartWith(turn, nil, nil) }

// StartWith is Start with lists that run before and after the program's own, by the same
// submission; either may be nil.
func (p *Program) StartWith(turn int, before, after *gpu.Commands) error {
	if p.gen != p.store.gen {
		if err := p.dev.Run(p.once); err != nil {
			return err
		}
		p.gen, p.changed = p.store.gen, true
	}
	c, err := p.list(turn, p.listNow())
	if err != nil {
		return err
	}
	t := p.turns[turn]
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.started {
		return fmt.Errorf("compile: turn %d is in flight already", turn)
	}
	t.all = t.all[:0]
	for _, x := range [...]*gpu.Commands{before, c, after} {
		if x != nil {
			t.all = append(t.all, x)
		}
	}
	if t.ticket, err = p.dev.SubmitAll(t.all); err != nil {
		return err
	}
	t.flying, t.started, p.changed = true, true, false
	return nil
}

// Done reports whether the turn's run has ended, or there is none.
func (p *Program) Done(turn int) bool {
	t := p.turns[turn]
	if t == nil {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.flying || t.ticket.Done()
}

// Wait waits for the end of the turn's run. Without one it does nothing. Unlike the other methods,
// it and Done may be called while another goroutine starts another turn.
func (p *Program) Wait(turn int) error {
	t := p.turns[turn]
	if t == nil {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.started {
		return nil
	}
	t.started = false
	return t.land()
}

// land waits for the run in flight and returns its error, or that of one that has landed already.
// The caller holds t.mu.
func (t *turn) land() error {
	if t.flying {
		t.flying, t.err = false, t.ticket.Wait()
	}
	return t.err
}

// idle waits until nothing is in flight.
func (p *Program) idle() (err error) {
	for _, t := range p.turns {
		if t == nil {
			continue
		}
		t.mu.Lock()
		if t.flying {
			if e := t.land(); err == nil {
				err = e
			}
		}
		t.mu.Unlock()
	}
	return err
}

// Run computes the outputs from the inputs of turn 0 and waits for the end.
func (p *Program) Run() error {
	if err := p.Start(0); err != nil {
		return err
	}
	return p.Wait(0)
}

// Result returns the memory of output i for a turn, row-major: the driver's, valid as Input's is.
// It may be read from Wait to the next Start.
func (p *Program) Result(turn, i int) ([]float32, error) {
	if p.outs[i].reg == regHeld {
		return nil, fmt.Errorf("program output %d stays on the device", i)
	}
	t, err := p.turn(turn)
	if err != nil {
		return nil, err
	}
	return floats(t.out, p.outs[i])
}

// Output returns a copy of output i of the last run of turn 0, row-major.
func (p *Program) Output(i int) ([]float32, error) {
	v := make([]float32, p.outs[i].size)
	return v, p.ReadOutput(i, v)
}

// ReadOutput copies output i of the last run of turn 0 to dst.
func (p *Program) ReadOutput(i int, dst []float32) error {
	if len(dst) != p.outs[i].size {
		return fmt.Errorf("program output %d has %d values, not %d", i, p.outs[i].size, len(dst))
	}
	from, err := p.Result(0, i)
	if err == nil {
		copy(dst, from)
	}
	return err
}

// floats returns the mapped memory of a value.
func floats(b *gpu.Buffer, v *value) ([]float32, error) {
	bytes := b.Bytes()
	if bytes == nil {
		return nil, fmt.Errorf("memory of a program: %w", gpu.ErrClosed)
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&bytes[4*v.off])), v.size), nil
}
