// Package gputest is the frame of tests that need a device: one device for the
// whole test binary, watched by the validation layer where it is installed; a
// single message from it fails the tests.
package gputest

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/vfmrestore/restore/gpu"
)

var (
	mu       sync.Mutex
	messages []string
)

// Long tells whether the tests that take long are wanted, with $VFM_TEST_LONG: continuous integration runs them once a day. The others are what a change must
// pass; docs/ARCHITECTURE.md says what the long ones add.
func Long() bool { return os.Getenv("VFM_TEST_LONG") != "" }

// OnMessage collects a validation message, for devices that a test opens itself.
func OnMessage(s string) {
	mu.Lock()
	defer mu.Unlock()
	messages = append(messages, s)
}

// Main is the body of a TestMain: it opens *dev, runs the tests, calls after,
// closes the device and exits. $VFM_TEST_NOVALIDATION switches the layer off, for
// benchmarks. cacheDir is as in gpu.Options.
func Main(m *testing.M, dev **gpu.Device, cacheDir string, after ...func()) {
	validate := gpu.ValidationAvailable() && os.Getenv("VFM_TEST_NOVALIDATION") == ""
	d, err := gpu.Open(gpu.Options{Validation: validate, OnMessage: OnMessage, CacheDir: cacheDir})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	*dev = d
	code := m.Run()
	for _, f := range after {
		f()
	}
	d.Close()
	mu.Lock()
	for _, s := range messages {
		fmt.Fprintln(os.Stderr, "validation:", s)
		code = 1
	}
	mu.Unlock()
	os.Exit(code)
}
