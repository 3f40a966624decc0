package compile

import "github.com/vfmrestore/restore/gpu"

// Arena is working memory that several Programs share. They must never run at the same time, and
// each may overwrite what another left in it. The zero value is ready for use. Calls of Compile and
// Close of these Programs must not overlap either.
type Arena struct{ last *lease }

// lease is a buffer of working memory, with the number of Programs that use it.
type lease struct {
	buf  *gpu.Buffer
	uses int
}

// take returns memory of at least size bytes: the largest so far if that is enough, else new
// memory.
func (a *Arena) take(dev *gpu.Device, size int64) (*lease, error) {
	if a != nil && a.last != nil && a.last.uses > 0 && a.last.buf.Size() >= size {
		a.last.uses++
		return a.last, nil
	}
	b, err := dev.NewBuffer(size, gpu.Local)
	if err != nil {
		return nil, err
	}
	l := &lease{b, 1}
	if a != nil && (a.last == nil || a.last.uses == 0 || a.last.buf.Size() < size) {
		a.last = l
	}
	return l, nil
}

// release frees the memory after its last use.
func (l *lease) release() {
	if l.uses--; l.uses == 0 {
		l.buf.Free()
	}
}
