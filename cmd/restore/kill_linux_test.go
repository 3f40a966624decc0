package main

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/restore/picture"
)

// Processes are killed without warning at random moments. Then each output does not exist, is what
// it was before, or is complete.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	w := someWeights(t, dir)
	put(t, filepath.Join(dir, "in.png"), photo(90, 70, false, 16, false))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-task", "denoise", "-noise", "5", "-weights", w, "-samples", "2", "-mean", "mean.tif", "-std", "std.png", "-report", "r.html", "in.png", "out.png"}
	start := func() *exec.Cmd {
		cmd := exec.Command(self, args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), asProgram+"=1")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	if err := start().Wait(); err != nil { // it may translate kernels; the processes that are killed find them in the cache
		t.Fatal(err)
	}
	outs := []string{"out.png", "mean.tif", "std.png", "r.html"}
	wanted := 25
	if gputest.Long() {
		wanted = 100
	}
	// The moments are within the duration of the last process that ended before it was killed. The
	// load of the machine may change, so processes are started until enough were killed.
	early, killed, ended := 0, 0, 0
	for whole := time.Duration(0); killed < wanted; {
		if rand.IntN(2) == 0 {
			for _, name := range outs {
				os.Remove(filepath.Join(dir, name))
			}
		}
		for _, name := range unfinishedFiles(t, dir) { // left by processes that were killed before
			os.Remove(name)
		}
		cmd, began := start(), time.Now()
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		if whole > 0 {
			if killed%2 == 0 {
				time.Sleep(time.Duration(rand.Float64() * 1.1 * float64(whole)))
			} else { // while it writes
				for len(unfinishedFiles(t, dir)) == 0 && len(done) == 0 {
					time.Sleep(time.Millisecond)
				}
				time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond)
			}
			cmd.Process.Kill()
		}
		if err := <-done; err != nil {
			killed++
		} else {
			whole = time.Since(began)
			ended++
		}
		for _, name := range outs {
			path := filepath.Join(dir, name)
			st, err := os.Stat(path)
			switch {
			case os.IsNotExist(err):
				early++
			case name == "r.html":
				if st.Size() < 10_000 {
					t.Errorf("a report of %d bytes", st.Size())
				}
			default:
				if p, err := picture.DecodeFile(path, picture.Limits{}); err != nil || p.W != 90 || p.H != 70 {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
	t.Logf("%d were killed before their end, %d came to it, %d outputs not begun", killed, ended, early)
}

// unfinishedFiles lists the temporary files of processes that did not end.
func unfinishedFiles(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, ".tmp-*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}
