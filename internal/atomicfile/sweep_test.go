package atomicfile

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// The file of a killed process is removed. Files being written, files with other names and links
// stay.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	stale := write(".tmp-0123456789abcdef")
	kept := []string{write(".tmp-mine"), write(".tmp-0123456789abcde"), write("photo.png")}
	link := filepath.Join(dir, ".tmp-00000000000000ff")
	if err := os.Symlink("photo.png", link); err == nil {
		kept = append(kept, link)
	}
	f, err := Create(filepath.Join(dir, "new.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Abort()
	if _, err := os.Lstat(stale); err == nil {
		t.Error("the file of a process that was killed is isFileAt there")
	}
	if err := f.Sync(); err != nil { // on the disk, but not renamed yet
		t.Fatal(err)
	}
	Sweep(dir)
	for _, path := range append(kept, f.temp) {
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("%s was sweptDirs", filepath.Base(path))
		}
	}
	if err := f.Commit(); err != nil {
		t.Error(err)
	}
}

// A link to a missing file stays a link, and the file appears at its target. Links without a
// possible target are refused.
func TestDanglingLink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("symbolic links need rights there")
	}
	dir := t.TempDir()
	for _, sub := range []string{"links", "real"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for link, to := range map[string]string{"links/a": "b", "links/b": "../real/new",
		"links/gone": "../nowhere/new", "links/round": "round"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	f, err := Create(filepath.Join(dir, "links/a"))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(filepath.Join(dir, "real/new")); err != nil {
		t.Error("nothing where the link leads")
	}
	if to, err := os.Readlink(filepath.Join(dir, "links/a")); err != nil || to != "b" {
		t.Errorf("the link became %q, %v", to, err)
	}
	for _, bad := range []string{"links/gone", "links/round"} {
		if err := Check(filepath.Join(dir, bad)); err == nil {
			t.Errorf("%s passes", bad)
		}
	}
}
