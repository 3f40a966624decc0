package engine

import (
	"context"

	"github.com/vfmrestore/restore/gpu"
)

// Band is memory on the device that carries values from programs to programs, without a way over
// the host. It is lost with the device.
type Band struct{ buf *gpu.Buffer }

// NewBand makes a Band of so many values. Its contents are undefined. Errors: those of the device,
// and of Alive.
func (e *Engine) NewBand(ctx context.Context, size int) (*Band, error) {
	if err := e.acquire(ctx); err != nil {
		return nil, err
	}
	defer e.release()
	buf, err := e.dev.NewBuffer(4*int64(size), gpu.Local)
	if err != nil {
		return nil, err
	}
	return &Band{buf}, nil
}

// Free frees the memory once nothing in flight uses it.
func (b *Band) Free() { b.buf.Free() }

// Rows says which values a Band and a program's input or output exchange: Count rows of Size
// values, with distances from one row to the next.
type Rows struct {
	Band, Value             int // of the first row
	BandStride, ValueStride int
	Size, Count             int
}

// FromBand says that rows of an input (compile.Options.HeldInputs) come from a Band. It is called
// by Fill.
func (s *Slot) FromBand(input string, b *Band, r Rows) error {
	to, err := s.x.Program.HeldInput(input)
	if err != nil {
		return err
	}
	return s.before.copy(s.x, gpu.Rows{
		Dst: to.Buf, DstOff: to.Off + 4*int64(r.Value), DstStride: 4 * int64(r.ValueStride),
		Src: b.buf, SrcOff: 4 * int64(r.Band), SrcStride: 4 * int64(r.BandStride), Size: 4 * int64(r.Size), Count: r.Count,
	})
}

// ToBand says that rows of an output (compile.Options.HeldOutputs) go to a Band. It is called by
// Fill.
func (s *Slot) ToBand(output int, b *Band, r Rows) error {
	from, err := s.x.Program.HeldOutput(output)
	if err != nil {
		return err
	}
	return s.after.copy(s.x, gpu.Rows{
		Src: from.Buf, SrcOff: from.Off + 4*int64(r.Value), SrcStride: 4 * int64(r.ValueStride),
		Dst: b.buf, DstOff: 4 * int64(r.Band), DstStride: 4 * int64(r.BandStride), Size: 4 * int64(r.Size), Count: r.Count,
	})
}

// transfer is a list of copies that is recorded anew for each piece.
type transfer struct {
	c        *gpu.Commands
	recorded bool // for the piece at hand
	open     bool // the recording has not been ended
}

func (t *transfer) copy(x *Cached, r gpu.Rows) (err error) {
	if !t.recorded {
		if t.open { // Fill had failed
			t.free()
		}
		if t.c == nil {
			t.c, err = x.device.NewCommands()
		} else {
			err = t.c.Restart()
		}
		if err != nil {
			return err
		}
		t.recorded, t.open = true, true
	}
	t.c.CopyRows(r)
	return nil
}

// list ends the recording. It is nil if there is nothing to copy.
func (t *transfer) list() (*gpu.Commands, error) {
	if !t.recorded {
		return nil, nil
	}
	if err := t.c.End(); err != nil {
		return nil, err
	}
	t.open = false
	return t.c, nil
}

func (t *transfer) free() {
	t.c.Free()
	t.c, t.open = nil, false
}
