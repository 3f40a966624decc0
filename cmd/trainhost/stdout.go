package main

import (
	"fmt"
	"os"
	"sync"
)

// stdout is where commands print. What cannot be written there does not end a training run, but in
// the end it is told, as results would be missing.
var stdout = &witness{}

// witness writes to os.Stdout and remembers the first failure.
type witness struct {
	mu  sync.Mutex
	err error
}

func (w *witness) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := os.Stdout.Write(p)
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("stdout: %w", err)
	}
	return n, err
}

// failed is the first failure since the last call.
func (w *witness) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	err := w.err
	w.err = nil
	return err
}
