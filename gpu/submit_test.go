package gpu

import (
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
