package atomicfile

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	es, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range es {
		out = append(out, e.Name())
	}
	return out
}

func TestWriteCreatesAndReplaces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.bin")
	for _, body := range []string{"first", "the second, longer"} {
		err := Write(path, func(w io.Writer) error {
			_,
				err := io.WriteString(w, body)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); string(got) != body {
			t.Fatalf("got %q, want %q", got, body)
		}
	}
	if n := names(t, dir); len(n) != 1 {
		t.Fatalf("left behind: %v", n)
	}
}

func TestFailureKeepsOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.bin")
	if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	err := Write(path, func(w io.Writer) error {
		w.Write(bytes.Repeat([]byte{1}, 1<<20))
		return boom
	})
	if err != boom {
		t.Fatalf("got %v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "old" {
		t.Fatalf("old content is gone: %d bytes", len(got))
	}
	if n := names(t, dir); len(n) != 1 {
		t.Fatalf("left behind: %v", n)
	}
}

func TestModeAndLinkAreKept(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes or links to keep")
	}
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	os.WriteFile(real, []byte("old"), 0o640)
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	if err := Write(link, func(w io.Writer) error {
		_,
			err := io.WriteString(w, "new")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	st, _ := os.Lstat(link)
	if st.Mode()&os.ModeSymlink == 0 {
		t.Error("the link was replaced by a file")
	}
	st, _ = os.Stat(real)
	if st.Mode().Perm() != 0o640 {
		t.Errorf("mode became %v", st.Mode())
	}
	if got, _ := os.ReadFile(real); string(got) != "new" {
		t.Errorf("got %q", got)
	}
}

func TestCheckRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	os.WriteFile(file, nil, 0o644)
	for path, want := range map[string]string{
		filepath.Join(dir, "no", "x.png"): "there is no directory",
		filepath.Join(file, "x.png"):      "not a directory",
		dir:                               "is a directory",
		os.DevNull:                        "not a regular file",
	} {
		err := Check(path)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
		if err := Write(path, func(io.Writer) error {
			t.Error(
				"fill was called")
			return nil
		}); err == nil {
			t.Errorf("%s: Write went ahead", path)
		}
	}
	if err := Check(file); err != nil {
		t.Error(err)
	}
	if err := Check(filepath.Join(dir, "new")); err != nil {
		t.Error(err)
	}
}

func TestAbortAfterCommitAndTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(f, "abc")
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("visible before Commit")
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	f.Abort()
	if got, _ := os.ReadFile(path); string(got) != "abc" {
		t.Errorf("got %q", got)
	}
	if f.Commit() == nil {
		t.Error("second Commit succeeded")
	}
}
