package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/vfmrestore/restore/restore/picture"
)

// commandsThatWrite are command lines with outputs in the directory `full`, where they do not fit.
func commandsThatWrite(t *testing.T, dir string) [][]string {
	w := someWeights(t, dir)
	return [][]string{
		{"degrade", "-task", "denoise", "big.png", "full/out.png"},
		{"degrade", "-task", "denoise", "big.png", "full/out.jpg"},
		{"degrade", "-task", "inpaint-random", "-mask-out", "full/mask.png", "big.png", "full/out.png"},
		{"-weights", w, "-task", "denoise", "big.png", "full/out.png"},
		{"-weights", w, "-task", "denoise", "-samples", "2", "-mean", "full/m.png", "-std", "full/s.png", "-samples-dir", "full/d", "big.png", "full/out.png"},
	}
}

func bigPicture(t *testing.T, dir string) {
	t.Helper()
	p := photo(200, 150, false, 16, false)
	if err := picture.EncodeFile(filepath.Join(dir, "big.png"), p, 0); err != nil {
		t.Fatal(err)
	}
}

// A full disk: a tmpfs of two pages. Mounting it needs root.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	full := filepath.Join(dir, "full")
	if err := os.Mkdir(full, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", full, "tmpfs", 0, "size=8k"); err != nil {
		t.Skip("cannot mount a small disk:", err)
	}
	defer func() {
		if err := syscall.Unmount(full, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	bigPicture(t, dir)
	for _, args := range commandsThatWrite(t, dir) {
		fails(t, dir, nil, exitFailure, "no space left on device", args...)
	}
	// A large picture's file fills the disk while the picture is being restored.
	before := contents(t, dir)
	tiles := 0
	err := asLarge(t, dir, filepath.Join(full, "out.png"), t.Context(), &interrupter{"tile", func() { tiles++ }})
	if err == nil || !strings.Contains(err.Error(), "full/out.png: cannot write: no space left on device") || strings.Contains(err.Error(), ".tmp-") {
		t.Errorf("a large picture: %v", err)
	}
	unchanged(t, dir, before, []string{"a large picture"})
	t.Logf("ended after %d tiles", tiles)
	// The name of an older picture on the full disk still shows that picture.
	write(t, filepath.Join(full, "out.png"), []byte("an older picture"))
	fails(t, dir, nil, exitFailure, "full/out.png: cannot write: no space left", "degrade", "-task", "denoise", "big.png", "full/out.png")
}

// A limit on the size of files replaces the full disk where nothing can be mounted. Its signal
// would end a Go program with a stack trace.
func TestFileSizeLimit(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "full"), 0o755); err != nil {
		t.Fatal(err)
	}
	bigPicture(t, dir)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range commandsThatWrite(t, dir) {
		if args[0] != "degrade" {
			continue // the driver writes files of its own
		}
		before := contents(t, dir)
		quoted := "ulimit -f 8; exec \"$0\" \"$@\"" // blocks of 512 bytes or 1 KiB, depending on the shell
		r := execute(t, dir, nil, "/bin/sh", append([]string{"-c", quoted, self}, args...)...)
		failed(t, r, exitFailure, "file too large", args)
		unchanged(t, dir, before, args)
		if strings.Contains(r.stderr, ".tmp-") {
			t.Errorf("the message names a temporary file: %s", r.stderr)
		}
	}
}
