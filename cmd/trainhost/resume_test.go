package main

import (
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/trainhost"
	"github.com/vfmrestore/restore/weights"
)

// A run resumes only with the same flags, except those that may change, and with the same pictures,
// in whatever folder.
func TestResumeRefusesAnotherRun(t *testing.T) {
	t.Setenv("LP_NUM_THREADS", "2") // -threads sets both
	procs := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(procs) })
	data, dir := pictures(t, 3, 40), t.TempDir()
	ckpt := filepath.Join(dir, "a.ckpt")
	began := []string{"train", "-data", data, "-out", ckpt, "-steps", "2", "-widths", "8,16", "-blocks", "1", "-mid", "1", "-loss", "l2", "-obs", "0",
		"-kl", "0", "-crop", "32", "-per-class", "1,0,0,0,0,0", "-warmup", "1", "-log", "1", "-lr", "0.002", "-seed", "7"}
	if text, err := output(t, began...); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	before, err := os.ReadFile(ckpt)
	if err != nil {
		t.Fatal(err)
	}
	other := pictures(t, 2, 40) // one picture less
	changed := pictures(t, 3, 40)
	f, err := os.Create(filepath.Join(changed, "p1.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, synth.Photo(99, 40, 40)); err != nil {
		t.Fatal(err)
	}
	f.Close()
	for _, c := range []struct {
		args []string
		want []string // in the error
	}{
		{[]string{"-lr", "0.001"}, []string{"-lr 0.002", "-lr 0.001", "a.ckpt"}},
		{[]string{"-seed", "8", "-crop", "64"}, []string{"-seed 7", "-seed 8", "-crop 32", "-crop 64"}},
		{[]string{"-loss", "es"}, []string{"-loss l2", "-loss es"}},
		{[]string{"-per-class", "2"}, []string{"-per-class 1,0,0,0,0,0", "-per-class 2"}},
		{[]string{"-widths", "8,24"}, []string{"-widths 8,16", "-widths 8,24"}},
		{[]string{"-mid", "2"}, []string{"-mid 1", "-mid 2"}},
		{[]string{"-noise"}, []string{"-noise false", "-noise true"}},
		{[]string{"-mf", "1"}, []string{"-mf 0", "-mf 1"}},
		{[]string{"-warmup", "5"}, []string{"-warmup 1", "-warmup 5"}},
		{[]string{"-ema", "0.9"}, []string{"-ema 0.995", "-ema 0.9"}},
		{[]string{"-from", ckpt}, []string{"-from"}},
		{[]string{"-init", "default"}, []string{"-init"}},
		{[]string{"-data", other}, []string{"3 pictures", "2 pictures", filepath.Base(data), filepath.Base(other), "fingerprint"}},
		{[]string{"-data", changed}, []string{filepath.Base(data), filepath.Base(changed), "fingerprint"}},
	} {
		_, err := output(t, append([]string{"train", "-data", data, "-out", ckpt, "-resume"}, c.args...)...)
		if err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %v, want one line", c.args, err)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q: %q does not say %q", c.args, err, w)
			}
		}
	}
	if _, err := output(t, "pretrain", "-data", data, "-out", ckpt, "-resume"); err == nil || !strings.Contains(err.Error(), "trainhost train") {
		t.Errorf("another command: got %v", err)
	}
	if after, err := os.ReadFile(ckpt); err != nil || string(after) != string(before) {
		t.Error("a refusal changed the checkpoint")
	}
	// The same command line with more steps, another folder for the pictures and another notation
	// of the same network.
	moved := filepath.Join(dir, "moved")
	if err := os.Rename(data, moved); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "log.csv")
	text, err := output(t, append(began, "-resume", "-data", moved, "-steps", "4", "-time", "1h", "-threads", "1", "-checkpoint", "1h", "-csv", log, "-widths", "8, 16",
		"-tensorboard", filepath.Join(dir, "board"), "-data-weight", "0", "-strict", "-overwrite")...)
	if err != nil || !strings.Contains(text, "step 4 of 4") {
		t.Fatalf("what may change: %v\n%s", err, text)
	}
	if os.Getenv("LP_NUM_THREADS") != "0" {
		t.Error("-threads 1 is not told to the driver")
	}
}

// A checkpoint of a program without fingerprints resumes, and one line says that the pictures could
// not be compared.
func TestResumeOfOlderCheckpoints(t *testing.T) {
	data, ckpt := pictures(t, 2, 40), filepath.Join(t.TempDir(), "old.ckpt")
	if _, err := output(t, "train", "-data", data, "-out", ckpt, "-steps", "1", "-widths", "8,16", "-blocks", "1", "-mid", "1", "-crop", "32", "-per-class",
		"1,0,0,0,0,0"); err != nil {
		t.Fatal(err)
	}
	f, err := weights.Load(ckpt)
	if err != nil {
		t.Fatal(err)
	}
	var state map[string]any
	if err := json.Unmarshal([]byte(f.Meta["vfm.train"]), &state); err != nil {
		t.Fatal(err)
	}
	origin, _ := json.Marshal(state["origin"])
	var o trainhost.Origin
	if err := json.Unmarshal(origin, &o); err != nil || o.Command != "train" || o.Data.Pictures != 2 || o.Data.Digest == "" || len(o.Hosts) != 1 ||
		o.Hosts[0].Version == "" || o.Hosts[0].Device == "" || o.Hosts[0].Driver == "" {
		t.Errorf("the checkpoint's origin is %s (%v)", origin, err)
	}
	delete(state, "origin")
	text, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	f.Meta["vfm.train"] = string(text)
	if err := weights.Save(ckpt, f); err != nil {
		t.Fatal(err)
	}
	resume := func() (told string) {
		t.Helper()
		told = captured(t, &os.Stderr, func() {
			if out, err := output(t, "train", "-data", data, "-out", ckpt, "-resume", "-steps", "2"); err != nil || !strings.Contains(out, "step 2 of 2") {
				t.Errorf("%v\n%s", err, out)
			}
		})
		return told
	}
	if told := resume(); strings.Count(told, "could not be compared") != 1 {
		t.Errorf("printed %q", told)
	}
	if told := resume(); strings.Contains(told, "could not be compared") { // the second run has saved a fingerprint
		t.Errorf("printed %q again", told)
	}
}
