package compile

import "github.com/vfmrestore/restore/gpu"

// Arena is working memory that Programs share which never run at the same time: one may overwrite what another left there. The zero value is ready. The
// caller keeps Compile and Close of its Programs apart.
type Arena struct{ last *lease }

// lease is a piece of working memory with the number of Programs that use it.
type lease struct {
	buf  *gpu.Buffer
	uses int
}

// take gives memory of at least size bytes: the largest so far, or new memory.
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

// giveBack frees the memory after its last use.
func (l *lease) giveBack() {
	if l.uses--; l.uses == 0 {
		l.buf.Free()
	}
}
