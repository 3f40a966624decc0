package gpu

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"
)

// Lists in flight run in the order of their submission, each on what the earlier ones wrote.
func TestSubmitInOrder(t *testing.T) {
	d := openTest(t, Options{})
	p := incrPipeline(t, d)
	buf := must[*Buffer](t)(d.NewBuffer(1<<16, Local))
	value := uint32(7)
	const lists = 4
	var triple, fill [lists]*Commands // x ← 3x+1, and x ← 5
	for k := range lists {
		triple[k] = chain(t, d, p, buf, 1)
		fill[k] = must[*Commands](t)(d.NewCommands())
		fill[k].Fill(Range{Buf: buf}, 5)
		ok(t, fill[k].End())
	}
	first := must[*Commands](t)(d.NewCommands())
	first.Fill(Range{Buf: buf}, value)
	ok(t, first.End())
	ok(t, d.Run(first))
	before := d.Activity()
	for range 20 {
		var flying [lists]Ticket
		for k := range lists {
			c := triple[k]
			if rand.IntN(4) == 0 {
				c, value = fill[k], 5
			} else {
				value = 3*value + 1
			}
			flying[k] = must[Ticket](t)(d.Submit(c))
		}
		for _, k := range rand.Perm(lists) { // in any order
			ok(t, flying[k].Wait())
		}
	}
	if got, want := d.Activity(), (Activity{before.Submits + 20*lists, before.Waits + 20*lists}); got != want {
		t.Errorf("counted %+v, want %+v", got, want)
	}
	got := make([]byte, buf.Size())
	ok(t, d.Read(buf, 0, got))
	for k := 0; k < len(got); k += 4 {
		if v := binary.LittleEndian.Uint32(got[k:]); v != value {
			t.Fatalf("word %d is %d, want %d", k/4, v, value)
		}
	}
}

// A list runs once at a time, and every run is waited for once.
func TestSubmitTwice(t *testing.T) {
	d := openTest(t, Options{})
	p := incrPipeline(t, d)
	buf := must[*Buffer](t)(d.NewBuffer(256, Local))
	c := chain(t, d, p, buf, 1)
	ticket := must[Ticket](t)(d.Submit(c))
	if _, err := d.Submit(c); err == nil {
		t.Error("a list that is in flight was submitted again")
	}
	if _, err := c.Timestamps(); err == nil {
		t.Error("time stamps of a list that is in flight")
	}
	ok(t, ticket.Wait())
	if ticket.Wait() == nil {
		t.Error("waited for a run twice")
	}
	ok(t, d.Run(c))
	ok(t, Ticket{}.Wait())
	if _, err := d.Submit(nil); err == nil {
		t.Error("no list was submitted")
	}
}

// What a list in flight uses may be freed; it is gone after the wait.
func TestFreeInFlight(t *testing.T) {
	d := openTest(t, Options{})
	p := incrPipeline(t, d)
	for range 5 {
		buf := must[*Buffer](t)(d.NewBuffer(1<<20, Local))
		c := chain(t, d, p, buf, 3)
		ticket := must[Ticket](t)(d.Submit(c))
		buf.Free()
		c.Free()
		if !pinned(d, buf) {
			t.Error("a buffer is not held during the run")
		}
		ok(t, ticket.Wait())
	}
	d.mu.Lock()
	n := len(d.resources)
	d.mu.Unlock()
	if n != 1 {
		t.Errorf("%d resources left, want the pipeline alone", n)
	}
}

// A device may be closed while lists are in flight.
func TestCloseInFlight(t *testing.T) {
	d := openTest(t, Options{})
	p := incrPipeline(t, d)
	buf := must[*Buffer](t)(d.NewBuffer(1<<16, Local))
	c := chain(t, d, p, buf, 10)
	ticket := must[Ticket](t)(d.Submit(c))
	d.Close()
	if err := ticket.Wait(); !errors.Is(err, ErrClosed) {
		t.Errorf("wait after Close: %v", err)
	}
	if _, err := d.Submit(c); !errors.Is(err, ErrClosed) {
		t.Errorf("submit after Close: %v", err)
	}
}

// A device that is lost at one submission fails what is in flight or gives it whole.
func TestLostInFlight(t *testing.T) {
	faults := &Faults{}
	d := openTest(t, Options{Faults: faults})
	p := incrPipeline(t, d)
	buf := must[*Buffer](t)(d.NewBuffer(256, Local))
	a, b := chain(t, d, p, buf, 1), chain(t, d, p, buf, 1)
	ticket := must[Ticket](t)(d.Submit(a))
	faults.Lose.Store(1)
	var lost *DeviceLostError
	if _, err := d.Submit(b); !errors.As(err, &lost) {
		t.Errorf("submit on a device that is lost: %v", err)
	}
	if err := ticket.Wait(); err != nil && !errors.As(err, &lost) {
		t.Errorf("wait on a device that is lost: %v", err)
	}
}

// Several lists by one submission run in order, and all are held until the wait.
func TestSubmitAll(t *testing.T) {
	d := openTest(t, Options{})
	p := incrPipeline(t, d)
	buf := must[*Buffer](t)(d.NewBuffer(1<<12, Local))
	fill := must[*Commands](t)(d.NewCommands())
	fill.Fill(Range{Buf: buf}, 5)
	ok(t, fill.End())
	before := d.Activity()
	lists := []*Commands{fill, chain(t, d, p, buf, 1), chain(t, d, p, buf, 2)}
	for range 3 {
		ticket := must[Ticket](t)(d.SubmitAll(lists))
		for _, c := range lists {
			if _, err := d.Submit(c); err == nil {
				t.Error("a list in flight was submitted again")
			}
			if c.Restart() == nil {
				t.Error("a list in flight was emptied")
			}
		}
		ok(t, ticket.Wait())
	}
	if got := d.Activity(); got.Submits-before.Submits != 3 || got.Waits-before.Waits != 3 {
		t.Errorf("%+v after %+v", got, before)
	}
	got := make([]byte, 4)
	ok(t, d.Read(buf, 0, got))
	if v := binary.LittleEndian.Uint32(got); v != 3*(3*(3*5+1)+1)+1 {
		t.Errorf("the result is %d", v)
	}
	if _, err := d.SubmitAll(nil); err == nil {
		t.Error("no lists were submitted")
	}
	if _, err := d.SubmitAll([]*Commands{fill, fill}); err == nil {
		t.Error("a list was submitted twice at once")
	}
	ok(t, fill.Restart())
	fill.Fill(Range{Buf: buf}, 6)
	ok(t, fill.End())
	ok(t, d.Run(fill))
	ok(t, d.Read(buf, 0, got))
	if v := binary.LittleEndian.Uint32(got); v != 6 {
		t.Errorf("after Restart the result is %d", v)
	}
}

// CopyRows copies the ranges and nothing between them.
func TestCopyRows(t *testing.T) {
	for _, d := range []*Device{openTest(t, Options{}), openDiscrete(t)} {
		size := 1 + rand.IntN(40)
		r := Rows{
			DstOff: int64(rand.IntN(50)), SrcOff: int64(rand.IntN(50)), DstStride: int64(size + rand.IntN(9)), SrcStride: int64(size + rand.IntN(9)),
			Size: int64(size), Count: 1 + rand.IntN(150),
		}
		from, to := randomBytes(8000), randomBytes(8000)
		r.Src = must[*Buffer](t)(d.NewBuffer(int64(len(from)), Local))
		r.Dst = must[*Buffer](t)(d.NewBuffer(int64(len(to)), Local))
		ok(t, d.Write(r.Src, 0, from))
		ok(t, d.Write(r.Dst, 0, to))
		c := must[*Commands](t)(d.NewCommands())
		c.CopyRows(r)
		ok(t, c.End())
		ok(t, d.Run(c))
		for k := range r.Count {
			copy(to[int(r.DstOff)+k*int(r.DstStride):], from[int(r.SrcOff)+k*int(r.SrcStride):][:size])
		}
		got := make([]byte, len(to))
		ok(t, d.Read(r.Dst, 0, got))
		if !bytes.Equal(got, to) {
			t.Errorf("%+v differs", r)
		}
		for _, bad := range []Rows{
			{Dst: r.Dst, Src: r.Dst, DstStride: 4, SrcStride: 4, Size: 4, Count: 1}, {Dst: r.Dst, Src: r.Src, DstStride: 3, SrcStride: 4, Size: 4, Count: 1},
			{Dst: r.Dst, Src: r.Src, DstStride: 4, SrcStride: 4, Size: 4}, {Dst: r.Dst, Src: r.Src, DstStride: 4000, SrcStride: 4, Size: 4, Count: 4},
		} {
			c := must[*Commands](t)(d.NewCommands())
			c.CopyRows(bad)
			if c.End() == nil {
				t.Errorf("accepted: %+v", bad)
			}
		}
	}
}
