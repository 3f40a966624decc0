package main

import (
	"errors"
	"sync"

	"github.com/vfmrestore/restore/restore/picture"
)

// beside writes a picture to its temporary file while the restoration is still making it, so that a large picture's encoder works beside the device and not
// after it. Its name it gets as all do, when all is done.
type beside struct {
	files  *staging
	out    output
	cancel func() // the restoration, when writing failed

	mu     sync.Mutex
	more   sync.Cond
	rows   int   // that are there
	failed error // why no more will come

	begun   bool
	writer  sync.WaitGroup
	written error
}

func newBeside(files *staging, out output, cancel func()) *beside {
	b := &beside{files: files, out: out, cancel: cancel}
	b.more.L = &b.mu
	return b
}

// tell is restore.Request.Rows.
func (b *beside) tell(p *picture.Picture, rows int) {
	b.set(rows, nil)
	if b.begun {
		return
	}
	b.begun = true
	b.writer.Go(func() {
		if b.written = b.files.addRows(b.out, p, b.wait); b.written != nil {
			b.cancel()
		}
	})
}

func (b *beside) set(rows int, failed error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows, b.failed = max(b.rows, rows), failed
	b.more.Broadcast()
}

// wait is picture.Waiter.
func (b *beside) wait(rows int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.rows < rows && b.failed == nil {
		b.more.Wait()
	}
	return b.failed
}

// end waits until the picture is written, or not; failed is what the restoration ended with. The error is what went wrong first.
func (b *beside) end(failed error) error {
	if failed != nil {
		b.set(0, failed)
	}
	b.writer.Wait()
	if b.written != nil && (failed == nil || !errors.Is(b.written, failed)) {
		return b.written
	}
	return failed
}
