package gpu

// #include "shim.h"
import "C"

import (
	"errors"
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
	c.mu.Lock()
	defer c.mu.Unlock()
	return d.run(c)
}

// run does the work of Run. The caller has entered the device and holds the list's lock.
func (d *Device) run(c *Commands) error {
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
	err := d.submit(c)
	if d.hung() {
		return err // the device still uses them: they stay pinned for good
	}
	d.unpin(c.uses...)
	d.unpin(&c.res)
	d.trimHeap()
	return err
}

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

func (d *Device) submit(c *Commands) error {
	if d.faults != nil && countDown(&d.faults.Lose) {
		return d.fail(resultDeviceLost, "vkQueueSubmit", "a run (a fault made on purpose)")
	}
	if r := vkResetFences(d.handle, 1, c.fences); r < 0 {
		return d.fail(int(r), "vkResetFences", "a run")
	}
	d.queueMu.Lock()
	r := C.vfm_submit(d.c, C.VfQueue(unsafe.Pointer(d.queue)), c.cvk(), raw(c.fence))
	d.queueMu.Unlock()
	if r < 0 {
		return d.fail(int(r), "vkQueueSubmit", "a run")
	}
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
			c.ran = true
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
