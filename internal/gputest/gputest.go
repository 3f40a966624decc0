// Package gputest runs tests that need a device. A test binary opens one device, with the
// validation layer if it is installed. Any message of the layer fails the tests.
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

// Long tells whether the long tests are requested with $VFM_TEST_LONG. Continuous integration runs
// them once a day. docs/ARCHITECTURE.md says what they add.
func Long() bool { return os.Getenv("VFM_TEST_LONG") != "" }

// SmallKernels makes kernels small (package small), except in the long tests. Packages whose tests
// are not about kernels call it in TestMain.
func SmallKernels() { small.Kernels = !Long() }

// OnMessage records a validation message, for devices that a test opens itself.
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
