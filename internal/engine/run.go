package engine

import (
	"context"
	"time"

	"github.com/vfmrestore/restore/netdef/compile"
)

// Work is a number of pieces that go through one program, one after the other: the tiles of a
// picture, say.
type Work struct {
	Recipe Recipe
	Count  int
	Pixels int // of a piece, for Pace; 0: it learns nothing from this work
	// Once says that the pieces depend on what only this device holds (Band): after a loss they are
	// not done again. Renew makes a new device then.
	Once bool
	// Prepare, if there is one, is called before Fill and may run other work of the same session.
	// It is called again for a piece that a lost device did not finish, like Fill.
	Prepare func(i int) error
	// Fill writes the inputs of piece i.
	Fill func(i int, in *Slot) error
	// Take reads the outputs of piece i. It is called once for each piece, in order.
	Take func(i int, out *Slot) error
}

// Slot is one of a program's turns while a caller has it: the inputs and outputs of one piece.
type Slot struct {
	x       *Cached
	turn    int
	held    bool
	inputs  map[string][]float32
	outputs [][]float32
	set     []assignment
	before  transfer // between the program's held values and bands
	after   transfer
	piece   int
	began   time.Time
}

type assignment struct {
	name   string
	values []float32
}

// Input returns the device's memory of an input, row-major, to be written before Fill returns. An
// input that is a setting has none: it is nil.
func (s *Slot) Input(name string) []float32 { return s.inputs[name] }

// HasInput reports whether the program reads the named input.
func (s *Slot) HasInput(name string) bool { return s.x.Program.HasInput(name) }

// Set sets an input of a few values, settings among them. values is read when Fill has returned.
func (s *Slot) Set(name string, values []float32) {
	s.set = append(s.set, assignment{name, values})
}

// Output returns the device's memory of output i, row-major, to be read before Take returns.
func (s *Slot) Output(i int) []float32 { return s.outputs[i] }

// Run does the work. Up to compile.Turns pieces are in flight at a time, so that the host prepares
// and takes pieces while the device computes. It returns the first error, of the functions of w or
// of the device, after what is in flight has ended. If the device is lost and the Engine's own, it
// is opened anew, and the pieces that were not taken are done again, once.
func (e *Engine) Run(ctx context.Context, s *Session, w *Work) error {
	f := s.begin(w)
	defer s.end()
	return e.survive(ctx, s, func() (bool, error) {
		err := e.run(ctx, s, f)
		retry := f.failed != f.done && !w.Once
		f.failed = f.done
		return retry, err
	})
}

// flight is a Run and what of it is in flight.
type flight struct {
	work   *Work
	slots  [compile.Turns]*Slot // in the order of the pieces
	n      int                  // number of slots
	done   int                  // number of pieces that were taken
	failed int                  // done when an error ended the last attempt, or -1
}

// run does the pieces from f.done on.
func (e *Engine) run(ctx context.Context, s *Session, f *flight) (err error) {
	w := f.work
	defer func() {
		for _, slot := range f.slots[:f.n] { // after an error
			_ = slot.x.Program.Wait(slot.turn)
			e.give(slot)
		}
		f.n = 0
	}()
	most, next := len(f.slots), f.done
	for f.done < w.Count {
		if next == w.Count || f.n == most {
			if err := e.finish(f); err != nil {
				return err
			}
			continue
		}
		if w.Prepare != nil {
			if err := w.Prepare(next); err != nil {
				return err
			}
		}
		slot, err := e.take(ctx, w.Recipe, false)
		if slot == nil && err == nil {
			// Nobody waits for a turn while having others, so callers cannot wait for each other.
			if err = s.land(e); err == nil {
				slot, err = e.take(ctx, w.Recipe, true)
			}
		}
		if err != nil && f.n > 0 && TooBig(err) {
			most = f.n // there is no memory for another turn
			continue
		}
		if err != nil {
			return err
		}
		slot.piece = next
		if err = w.Fill(next, slot); err == nil {
			err = e.start(ctx, slot, w.Pixels)
		}
		if err != nil {
			e.give(slot)
			return err
		}
		f.slots[f.n] = slot
		f.n++
		next++
	}
	return nil
}

// finish waits for the piece that was started first, and takes it.
func (e *Engine) finish(f *flight) error {
	slot := f.slots[0]
	copy(f.slots[:], f.slots[1:f.n])
	f.n--
	err := e.land(slot, f.work.Pixels)
	if err == nil {
		err = f.work.Take(slot.piece, slot)
	}
	e.give(slot)
	if err == nil {
		f.done++
	}
	return err
}

// begin enters a Run of the session.
func (s *Session) begin(w *Work) *flight {
	if s.nested == len(s.flights) {
		s.flights = append(s.flights, new(flight)) // kept, so that no frame allocates one
	}
	f := s.flights[s.nested]
	s.nested++
	*f = flight{work: w, failed: -1}
	return f
}

func (s *Session) end() { s.nested-- }

// land finishes all that the session has in flight.
func (s *Session) land(e *Engine) error {
	for _, f := range s.flights[:s.nested] {
		for f.n > 0 {
			if err := e.finish(f); err != nil {
				return err
			}
		}
	}
	return nil
}

// take gives a free turn of a program. If there is none it waits, or returns nil.
func (e *Engine) take(ctx context.Context, r Recipe, wait bool) (*Slot, error) {
	if err := e.acquire(ctx); err != nil {
		return nil, err
	}
	x, err := e.program(r)
	if err != nil {
		e.release()
		return nil, err
	}
	x.users++ // it is not freed now
	select {
	case <-x.free:
	default:
		if !wait {
			x.users--
			e.release()
			return nil, nil
		}
		e.release()
		select {
		case <-x.free:
		case <-e.closed:
			err = ErrClosed
		case <-ctx.Done():
			err = ctx.Err()
		}
		e.turn <- struct{}{}
	}
	if err != nil {
		x.users--
		e.release()
		return nil, err
	}
	// The first one that is free: work of one piece at a time needs the memory of one turn.
	turn := 0
	for x.slots[turn].held {
		turn++
	}
	slot := &x.slots[turn]
	slot.x, slot.turn, slot.held, slot.set = x, turn, true, slot.set[:0]
	slot.before.recorded, slot.after.recorded = false, false
	if slot.inputs == nil {
		err = slot.resolve()
	}
	e.release()
	if err != nil {
		e.give(slot)
		return nil, err
	}
	return slot, nil
}

// resolve finds the memory of the turn's inputs and outputs.
func (s *Slot) resolve() error {
	p, inputs := s.x.Program, map[string][]float32{}
	for _, name := range p.Inputs() {
		v, err := p.Input(s.turn, name)
		if err != nil {
			return err
		}
		inputs[name] = v
	}
	s.outputs = s.outputs[:0]
	for i := range p.Outputs() {
		var v []float32
		if _, err := p.HeldOutput(i); err != nil { // of those that stay on the device there is nothing to read
			if v, err = p.Result(s.turn, i); err != nil {
				return err
			}
		}
		s.outputs = append(s.outputs, v)
	}
	s.inputs = inputs
	return nil
}

// give gives a turn back.
func (e *Engine) give(s *Slot) {
	e.turn <- struct{}{}
	s.x.users--
	s.held = false
	s.x.free <- struct{}{}
	e.release()
}

// start submits a piece. Where the Engine has only a share of the device's time, it also waits for
// its end, so that nothing else is started meanwhile.
func (e *Engine) start(ctx context.Context, s *Slot, pixels int) error {
	if err := e.acquire(ctx); err != nil {
		return err
	}
	defer e.release()
	e.rest.wait(ctx, e.closed)
	if err := e.Alive(ctx); err != nil {
		return err
	}
	p := s.x.Program
	for _, a := range s.set {
		if err := p.Set(s.turn, a.name, a.values); err != nil {
			return err
		}
	}
	s.began = time.Now()
	before, err := s.before.list()
	if err != nil {
		return err
	}
	after, err := s.after.list()
	if err != nil {
		return err
	}
	if err := p.StartWith(s.turn, before, after); err != nil {
		return err
	}
	if e.rest.share == 1 {
		return nil
	}
	return e.wait(s, pixels)
}

// land waits for a piece.
func (e *Engine) land(s *Slot, pixels int) error {
	if e.rest.share < 1 {
		return nil // start has waited
	}
	return e.wait(s, pixels)
}

// wait waits for the piece's run, and learns from how long it took.
func (e *Engine) wait(s *Slot, pixels int) error {
	p := s.x.Program
	late := p.Done(s.turn) // it ended some time ago
	err := p.Wait(s.turn)
	took := e.rest.note(s.began, time.Now())
	if err == nil && pixels > 0 {
		e.Pace.note(pixels, p.Heaviest(), took, !late)
	}
	return err
}
