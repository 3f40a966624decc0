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
	"github.com/vfmrestore/restore/internal/small"
)

var (
	mu       sync.Mutex
	messages []string
)

// Long tells whether the tests that take long are wanted, with $VFM_TEST_LONG: continuous integration runs them once a day. The others are what a change must
// pass; docs/ARCHITECTURE.md says what the long ones add.
func Long() bool { return os.Getenv("VFM_TEST_LONG") != "" }

// SmallKernels makes kernels small (package small), but in the long tests. It is called in a TestMain of packages whose tests are not about the kernels.
func SmallKernels() { small.Kernels = !Long() }

// OnMessage collects a validation message, for devices that a test opens itself.
func OnMessage(s string) {
	mu.Lock()
	defer mu.Unlock()
	messages = append(messages, s)
}

// Open opens a device of a test's own, watched by the validation layer like Main's and closed after
// the test.
func Open(t testing.TB, o gpu.Options) *gpu.Device {
	t.Helper()
	o.Validation, o.OnMessage, o.CacheDir = validate(), OnMessage, "-"
	d, err := gpu.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func validate() bool {
	return gpu.ValidationAvailable() && os.Getenv("VFM_TEST_NOVALIDATION") == ""
}

// Main is the body of a TestMain: it opens *dev, runs the tests, calls after,
// closes the device and exits. $VFM_TEST_NOVALIDATION switches the layer off, for
// benchmarks. cacheDir is as in gpu.Options.
func Main(m *testing.M, dev **gpu.Device, cacheDir string, after ...func()) {
	d, err := gpu.Open(gpu.Options{Validation: validate(), OnMessage: OnMessage, CacheDir: cacheDir})
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
