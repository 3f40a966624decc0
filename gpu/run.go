package gpu

// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"slices"
	"time"
	"unsafe"
)

// Run runs the list and waits for its end. Lists of several goroutines run one after the other;
// each sees what the earlier ones wrote. The buffers and pipelines of the list stay alive during
// the run, even if they are freed. Errors: the list's own, *DeviceLostError, *OutOfMemoryError,
// ErrFreed, ErrClosed.
func (d *Device) Run(c *Commands) error {
	if c == nil {
		return errors.New("gpu: Run: no command list")
	}
	if err := d.enter("Run"); err != nil {
		return err
	}
	defer d.leave()
	return d.run(c)
}

// run does the work of Run. The caller has entered the device.
func (d *Device) run(c *Commands) error {
	c.flight.Lock()
	if err := d.begin(c); err != nil {
		c.flight.Unlock()
		return err
	}
	return d.end(c)
}

// Ticket stands for one run of a list that Submit has started. The zero value stands for none.
type Ticket struct {
	c   *Commands
	run uint64 // which run of the list
}

// Submit starts a run of the list and returns at once. Every run must be waited for with
// Ticket.Wait, once: until then the list cannot be run again. The device does what is submitted in
// the order of submission, and each list sees what the earlier ones wrote, so there is no need to
// wait in between. Errors: those of Run, and one if the list still runs.
func (d *Device) Submit(c *Commands) (Ticket, error) { return d.submitAll(nil, c) }

// SubmitAll is Submit of several lists, which run in this order, by one submission. lists is not
// kept. The Ticket stands for all of them.
func (d *Device) SubmitAll(lists []*Commands) (Ticket, error) {
	if len(lists) == 0 {
		return Ticket{}, errors.New("gpu: SubmitAll: no command lists")
	}
	n := len(lists) - 1
	return d.submitAll(lists[:n], lists[n])
}

func (d *Device) submitAll(before []*Commands, c *Commands) (Ticket, error) {
	if c == nil || slices.Contains(before, nil) {
		return Ticket{}, errors.New("gpu: Submit: no command list")
	}
	if err := d.enter("Submit"); err != nil {
		return Ticket{}, err
	}
	defer d.leave()
	locked := 0
	unlock := func() {
		for _, x := range before[:locked] {
			x.flight.Unlock()
		}
	}
	for _, x := range before {
		if !x.flight.TryLock() {
			unlock()
			return Ticket{}, errStillRuns
		}
		locked++
	}
	if !c.flight.TryLock() {
		unlock()
		return Ticket{}, errStillRuns
	}
	c.before = append(c.before[:0], before...)
	if err := d.begin(c); err != nil {
		c.before = c.before[:0]
		c.flight.Unlock()
		unlock()
		return Ticket{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs++
	c.awaited = c.runs
	return Ticket{c, c.runs}, nil
}

var errStillRuns = errors.New("gpu: Submit: the list still runs; wait for it first")

// Wait waits for the end of the run. The second Wait for a run fails. Options.Timeout counts from
// this call, as lists that were submitted before may have kept the device. Errors:
// *DeviceLostError, *OutOfMemoryError, and ErrClosed if the device was closed meanwhile, which ends
// the run too.
func (t Ticket) Wait() error {
	c := t.c
	if c == nil {
		return nil
	}
	c.mu.Lock()
	pending := c.awaited == t.run
	if pending {
		c.awaited = 0
	}
	c.mu.Unlock()
	if !pending {
		return errors.New("gpu: Wait: somebody has waited for this run already")
	}
	d := c.d
	d.life.RLock()
	if d.closed {
		d.life.RUnlock()
		for _, x := range c.before {
			x.flight.Unlock()
		}
		c.before = c.before[:0]
		c.flight.Unlock()
		return fmt.Errorf("gpu: Wait: %w", ErrClosed)
	}
	defer d.leave()
	return d.end(c)
}

// Done reports whether the run has ended, or cannot be asked any more.
func (t Ticket) Done() bool {
	c := t.c
	if c == nil {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.awaited != t.run || c.d.enter("Done") != nil {
		return true
	}
	defer c.d.leave()
	return vkWaitForFences(c.d.handle, 1, c.fences, 1, 0) != resultTimeout
}

// begin submits a list and those before it, whose flights the caller has locked, and pins what they
// use.
func (d *Device) begin(c *Commands) (err error) {
	held := 0
	for _, x := range c.before {
		if err = d.hold(x); err != nil {
			break
		}
		held++
	}
	if err == nil {
		if err = d.hold(c); err == nil {
			if err = d.submit(c); err == nil {
				return nil
			}
			d.letGo(c)
		}
	}
	for _, x := range c.before[:held] {
		d.letGo(x)
	}
	return err
}

// hold pins a list that can be run and what it uses.
func (d *Device) hold(c *Commands) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if !c.ended {
		return errors.New("gpu: Run before End")
	}
	if err := d.pin(&c.res); err != nil {
		return err
	}
	if err := d.pin(c.uses...); err != nil {
		d.unpin(&c.res)
		return err
	}
	return nil
}

func (d *Device) letGo(c *Commands) {
	d.unpin(c.uses...)
	d.unpin(&c.res)
}

// end waits for lists that begin has submitted, and unlocks their flights.
func (d *Device) end(c *Commands) error {
	err := d.wait(c)
	hung := d.hung() // then the device still uses them: they stay pinned for good
	for _, x := range c.before {
		d.landed(x, err, hung)
	}
	c.before = c.before[:0]
	d.landed(c, err, hung)
	if !hung {
		d.trimHeap()
	}
	return err
}

// landed unlocks the flight of a list, and what it pinned unless the device hangs.
func (d *Device) landed(c *Commands, err error, hung bool) {
	c.mu.Lock()
	c.ran = c.ran || err == nil
	c.mu.Unlock()
	if !hung {
		d.letGo(c)
	}
	c.flight.Unlock()
}

// Activity counts what the host asked of a device since it was opened.
type Activity struct {
	Submits int64 // of command lists, those of transfers among them
	Waits   int64 // for their end
}

// Activity returns the counters.
func (d *Device) Activity() Activity { return Activity{d.submits.Load(), d.waits.Load()} }

// trimHeap gives the memory of destroyed pipelines back to the system. Software drivers hold a
// hundred megabytes for the pipelines of a network, in pieces spread over several arenas of the C
// library. The library keeps freed pieces, so memory would grow with every set of pipelines that
// another thread builds. Mesa destroys pipelines with the next submission, so the time for this is
// after one.
func (d *Device) trimHeap() {
	if d.garbage.CompareAndSwap(true, false) {
		C.vfm_trim()
	}
}

// submit hands the list to the queue.
func (d *Device) submit(c *Commands) error {
	d.submits.Add(1)
	if d.faults != nil && countDown(&d.faults.Lose) {
		return d.fail(resultDeviceLost, "vkQueueSubmit", "a run (a fault made on purpose)")
	}
	if r := vkResetFences(d.handle, 1, c.fences); r < 0 {
		return d.fail(int(r), "vkResetFences", "a run")
	}
	d.queueMu.Lock()
	c.handles = c.handles[:0] // kept, so that a run allocates nothing
	for _, x := range c.before {
		c.handles = append(c.handles, x.cvk())
	}
	c.handles = append(c.handles, c.cvk())
	r := C.vfm_submit(d.c, C.VfQueue(unsafe.Pointer(d.queue)), C.uint32_t(len(c.handles)), &c.handles[0], raw(c.fence))
	d.queueMu.Unlock()
	if r < 0 {
		return d.fail(int(r), "vkQueueSubmit", "a run")
	}
	return nil
}

// wait waits for the list's fence.
func (d *Device) wait(c *Commands) error {
	d.waits.Add(1)
	start := time.Now()
	for {
		// Wait in one go: waiting costs nothing, but waking up does.
		wait := ^uint64(0)
		if d.timeout > 0 {
			left := d.timeout - time.Since(start)
			if left <= 0 {
				return d.lose("a run", reasonTimeout)
			}
			wait = uint64(left)
		}
		switch r := vkWaitForFences(d.handle, 1, c.fences, 1, wait); {
		case r == resultTimeout:
		case r < 0:
			return d.fail(int(r), "vkWaitForFences", "a run")
		default:
			return nil
		}
	}
}

// hung reports whether a run was given up while the device still worked on it.
func (d *Device) hung() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.hungLocked()
}

func (d *Device) hungLocked() bool { return d.lost != nil && d.lost.Reason == reasonTimeout }
