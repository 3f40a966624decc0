package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// With little address space a picture is restored, or refused in one line, without stack traces of
// Go, LLVM or the driver.
func TestLittleAddressSpace(t *testing.T) {
	dir := t.TempDir()
	w := someWeights(t, dir)
	put(t, filepath.Join(dir, "in.png"), photo(64, 48, false, 8, false))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	restore := func(kilobytes int) outcome {
		return execute(t, dir, nil, "sh", "-c", fmt.Sprintf("ulimit -v %d; exec %s -task denoise -noise 8 -weights %s in.png out.png", kilobytes, self, w))
	}
	before := contents(t, dir)
	for _, few := range []int{100_000, 700_000, 1_200_000, 1_550_000} {
		r := restore(few)
		if r.code != exitFailure || strings.Count(r.stderr, "\n") != 1 || !strings.Contains(r.stderr, "not enough memory") || !strings.Contains(r.stderr, "needs about") {
			t.Errorf("%d kB: exit code %d, stderr %q", few, r.code, r.stderr)
		}
		unchanged(t, dir, before, nil)
	}
	if r := restore(16_000_000); r.code != exitOK || r.stderr != "" {
		t.Errorf("with 16 GB of address space: exit code %d, stderr %q", r.code, r.stderr)
	}
}
