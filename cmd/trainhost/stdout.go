package main

import (
	"fmt"
	"os"
	"sync"
)

// stdout is where commands print. A write error does not end a training run, but it is the error of
// the command at its end, as results would be missing.
var stdout = &stickyWriter{}

// stickyWriter writes to os.Stdout and keeps the first error.
type stickyWriter struct {
	mu  sync.Mutex
	err error
}

func (w *stickyWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := os.Stdout.Write(p)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("stdout: %w", err)
	}
	return n, err
}

// failed returns the first error since the last call.
func (w *stickyWriter) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.err
	w.err = nil
	return err
}
