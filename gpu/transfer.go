package gpu

import (
	"errors"
	"sync"
)

// stageSize is the size in bytes of each staging buffer: large enough for the full speed of the
// bus, small enough to keep allocated.
const stageSize = 4 << 20

// staging copies data to and from buffers that the host cannot map. Its parts are made at first
// use.
type staging struct {
	mu       sync.Mutex
	up, down *Buffer
	c        *Commands
}

// Write copies p to the buffer, starting at byte off, and returns when the device can see it. No
// run may use these bytes meanwhile.
func (d *Device) Write(b *Buffer, off int64, p []byte) error {
	return d.transfer("Write", b, off, p, true)
}

// Read copies len(p) bytes of the buffer, starting at byte off, to p. No run may write these bytes
// meanwhile.
func (d *Device) Read(b *Buffer, off int64, p []byte) error {
	return d.transfer("Read", b, off, p, false)
}

func (d *Device) transfer(call string, b *Buffer, off int64, p []byte, write bool) error {
	if b == nil {
		return errors.New("gpu: " + call + ": no buffer")
	}
	if err := d.enter(call); err != nil {
		return err
	}
	defer d.leave()
	if err := b.check(call, off, int64(len(p))); err != nil {
		return err
	}
	if err := d.pin(&b.res); err != nil {
		return err
	}
	defer d.unpin(&b.res)
	if b.bytes != nil {
		if write {
			copy(b.bytes[off:], p)
		} else {
			copy(p, b.bytes[off:])
		}
		return nil
	}
	d.stage.mu.Lock()
	defer d.stage.mu.Unlock()
	for len(p) > 0 {
		n := min(len(p), stageSize)
		if err := d.staged(b, off, p[:n], write); err != nil {
			return err
		}
		p, off = p[n:], off+int64(n)
	}
	return nil
}

// staged moves at most stageSize bytes through a staging buffer. The caller holds stage.mu.
func (d *Device) staged(b *Buffer, off int64, p []byte, write bool) error {
	s := &d.stage
	side, kind := &s.down, Readback
	if write {
		side, kind = &s.up, Upload
	}
	var err error
	if *side == nil {
		if *side, err = d.newBuffer(stageSize, kind); err != nil {
			return err
		}
	}
	if s.c == nil {
		if s.c, err = d.newCommands(); err != nil {
			return err
		}
	} else if err = s.c.restart(); err != nil {
		return err
	}
	n := int64(len(p))
	here, there := Range{*side, 0, n}, Range{b, off, n}
	if write {
		copy((*side).bytes, p)
		s.c.recordCopy(there, here)
	} else {
		s.c.recordCopy(here, there)
	}
	if err = s.c.finish(); err == nil {
		err = d.run(s.c)
	}
	if err == nil && !write {
		copy(p, (*side).bytes)
	}
	return err
}
