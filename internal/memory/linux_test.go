//go:build linux

package memory

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

// For control groups of both versions the limits of the group and of all above it count. Cached
// files do not count as used.
func TestGroup(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("two", "0::/a/b\n")
	write("a/memory.max", "1000\n")
	write("a/memory.current", "700\n")
	write("a/memory.stat", "anon 5\ninactive_file 100\n")
	write("a/b/memory.max", "max\n")
	write("one", "3:cpu:/x\n2:memory:/x\n")
	write("memory/x/memory.limit_in_bytes", "500\n")
	write("memory/x/memory.usage_in_bytes", "100\n")
	write("host", "0::/of/the/host\n")
	for self, want := range map[string]int64{"two": 400, "one": 400, "host": math.MaxInt64,
		"none": math.MaxInt64} {
		if got := group(filepath.Join(root, self), root); got != want {
			t.Errorf("%s: %d bytes left, want %d", self, got, want)
		}
	}
}
