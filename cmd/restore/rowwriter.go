package main

import (
	"errors"
	"sync"

	"github.com/vfmrestore/restore/restore/picture"
)

// rowWriter writes a picture to its temporary file while the restoration still computes its lower
// rows, so that encoding a large picture takes no time of its own. Like all outputs the file gets
// its name when everything is done.
type rowWriter struct {
	files  *staging
	out    output
	cancel func() // stops the restoration when writing failed

	mu     sync.Mutex
	more   sync.Cond
	rows   int   // rows that are final
	failed error // why no more rows will come

	started bool
	writer  sync.WaitGroup
	written error // result of the writer
}

func newRowWriter(files *staging, out output, cancel func()) *rowWriter {
	b := &rowWriter{files: files, out: out, cancel: cancel}
	b.more.L = &b.mu
	return b
}

// rowsReady is a restore.Request.Rows. The first call starts the writer.
func (b *rowWriter) rowsReady(p *picture.Picture, rows int) {
	b.set(rows, nil)
	if b.started {
		return
	}
	b.started = true
	b.writer.Go(func() {
		if b.written = b.files.addRows(b.out, p, b.waitRows); b.written != nil {
			b.cancel()
		}
	})
}

func (b *rowWriter) set(rows int, failed error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows, b.failed = max(b.rows, rows), failed
	b.more.Broadcast()
}

// waitRows is a picture.Waiter.
func (b *rowWriter) waitRows(rows int) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.rows < rows && b.failed == nil {
		b.more.Wait()
	}
	return b.failed
}

// finish waits until the picture is written or writing has failed. failed is the restoration's
// error. finish returns the error that came first.
func (b *rowWriter) finish(failed error) error {
	if failed != nil {
		b.set(0, failed)
	}
	b.writer.Wait()
	if b.written != nil && (failed == nil || !errors.Is(b.written, failed)) {
		return b.written
	}
	return failed
}
