package cachefile

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Files are read back with the right mark only, and not if they are damaged or too large.
func TestCacheFile(t *testing.T) {
	dir := t.TempDir()
	path := Path(filepath.Join(dir, "new"), "file")
	data := []byte("some data")
	for range 2 { // create, replace
		if err := Write(path, "mark", SumOf(data), data); err != nil {
			t.Fatal(err)
		}
	}
	if got, sum := Read(path, "mark", 1000); !bytes.Equal(got, data) || sum != SumOf(data) {
		t.Errorf("read %q", got)
	}
	if got, _ := Read(path, "other", 1000); got != nil {
		t.Errorf("read %q with another mark", got)
	}
	if got, _ := Read(path, "mark", 20); got != nil {
		t.Error("read a file that is too large")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := Replace(path, b); err != nil {
		t.Fatal(err)
	}
	if got, _ := Read(path, "mark", 1000); got != nil {
		t.Error("read a damaged file")
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files, %v", len(entries), err)
	}
	if Path("-", "file") != "" || Replace("", data) != nil || ReadPlain("", 10) != nil {
		t.Error("no cache directory is not accepted")
	}
}
