package gpu

import "fmt"

// resource is the part of a buffer, pipeline or command list that guards its life: what a run uses is pinned until the
// run is over, and a Free in between is put off until then. Guarded by Device.mu.
type resource struct {
	d       *Device
	what    string // for messages
	freed   bool
	pins    int
	destroy func() // called once, with the device alive and the resource unused
}

func (d *Device) adopt(r *resource) {
	d.mu.Lock()
	d.resources[r] = struct{}{}
	d.mu.Unlock()
}

// free marks the resource as freed and destroys it as soon as nothing uses it. On a device that hangs nothing is destroyed any more: kernels that go
// on may reach buffers by their addresses, of which the list knows nothing.
func (r *resource) free() {
	d := r.d
	d.life.RLock()
	defer d.life.RUnlock()
	if d.closed {
		return
	}
	d.discard(r)
	d.inst.deliver()
}

// discard is free inside of a call that is on the device already.
func (d *Device) discard(r *resource) {
	d.mu.Lock()
	now := !r.freed && r.pins == 0 && !d.hungLocked()
	r.freed = true
	if now {
		delete(d.resources, r)
	}
	d.mu.Unlock()
	if now {
		r.destroy()
	}
}

// pin keeps the resources alive until unpin; it fails, pinning none, if one of them has been freed.
func (d *Device) pin(rs ...*resource) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, r := range rs {
		if r.d != d {
			return fmt.Errorf("gpu: %s belongs to another device", r.what)
		}
		if r.freed {
			return fmt.Errorf("gpu: %s: %w", r.what, ErrFreed)
		}
	}
	for _, r := range rs {
		r.pins++
	}
	return nil
}

func (d *Device) unpin(rs ...*resource) {
	var dead []*resource
	d.mu.Lock()
	for _, r := range rs {
		r.pins--
		if r.pins == 0 && r.freed && !d.hungLocked() {
			delete(d.resources, r)
			dead = append(dead, r)
		}
	}
	d.mu.Unlock()
	for _, r := range dead {
		r.destroy()
	}
}
