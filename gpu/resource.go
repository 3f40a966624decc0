package gpu

import "fmt"

// resource is the part of a buffer, program or command list that guards its lifetime. A run pins
// what it uses; a Free during the run takes effect when the run is over. Guarded by Device.mu.
type resource struct {
	d       *Device
	what    string // for messages
	freed   bool
	pins    int
	list    *Commands // if it is one
	destroy func()    // called once, when the device is alive and nothing uses the resource
}

func (d *Device) adopt(r *resource) {
	d.mu.Lock()
	d.resources[r] = struct{}{}
	d.mu.Unlock()
}

// free marks the resource as freed and destroys it as soon as nothing uses it. On a device that
// hangs nothing is destroyed: kernels that still run may reach any buffer by its address, whether
// their list names it or not.
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

// discard is free, inside of a call that has entered the device already.
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

// pin keeps the resources alive until unpin. It fails, and pins none, if one of them has been
// freed.
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
