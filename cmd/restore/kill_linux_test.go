package main

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/vfmrestore/restore/restore/picture"
)

// A hundred processes killed without warning at random moments: each output is not there, or what was there before, or whole.
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
	var whole time.Duration
	for range 2 { // the first may have kernels to translate, which those to be killed have not
		began := time.Now()
		if err := start().Wait(); err != nil {
			t.Fatal(err)
		}
		whole = time.Since(began)
	}
	outs := []string{"out.png", "mean.tif", "std.png", "r.html"}
	early, killed := 0, 0
	for range 100 {
		if rand.IntN(2) == 0 {
			for _, name := range outs {
				os.Remove(filepath.Join(dir, name))
			}
		}
		cmd := start()
		time.Sleep(time.Duration(rand.Float64() * 1.1 * float64(whole)))
		cmd.Process.Kill()
		if err := cmd.Wait(); err != nil {
			killed++
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
	t.Logf("%d of 100 were killed before their end, %d outputs not begun", killed, early)
	if killed < 30 {
		t.Errorf("only %d of 100 were killed: the moments are badly chosen", killed)
	}
}
