package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tinyRun gives the arguments of a short run.
func tinyRun(data, out string, more ...string) []string {
	return append([]string{"train", "-data", data, "-out", out, "-steps", "2", "-widths", "8,16", "-blocks", "1", "-mid", "1", "-loss", "l2", "-obs", "0", "-kl", "0",
		"-crop", "32", "-per-class", "1,0,0,0,0,0", "-warmup", "1", "-log", "1"}, more...)
}

// -val scores during training. A score that fails is reported, and the run continues to its end.
func TestValidation(t *testing.T) {
	data, dir := pictures(t, 2, 40), t.TempDir()
	good, bad := pictures(t, 1, 32), t.TempDir()
	whole, err := os.ReadFile(filepath.Join(good, "p0.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bad, "cut.PNG"), whole[:len(whole)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	for folder, words := range map[string]string{good: "validation at step ", bad: "no score at step "} {
		out := filepath.Join(dir, filepath.Base(folder)+".ckpt")
		var text string
		stderr := captured(t, &os.Stderr, func() {
			text, err = output(t, tinyRun(data, out, "-val", folder, "-val-every", "1")...)
		})
		if err != nil || !strings.Contains(text, "complete: true") || strings.Count(text+stderr, words+"1") != 1 || strings.Count(text+stderr, words+"2") != 1 {
			t.Errorf("%v\n%s\n%s", err, text, stderr)
		}
		if _, err := os.Stat(out); err != nil {
			t.Error(err)
		}
	}
}

// A checkpoint that cannot be saved for a score is reported, and the run continues.
func TestValidationWithoutSave(t *testing.T) {
	full := errors.New("no space left on device")
	saves := 0
	v := validation{folder: t.TempDir(), every: 5, limit: 1}
	stderr := captured(t, &os.Stderr, func() {
		for step := range uint64(11) {
			v.after(context.Background(), func() error { saves++; return full }, "none.ckpt", step)
		}
	})
	if want := "trainhost: no score at step 5 - no space left on device\ntrainhost: no score at step 10 - no space left on device\n"; stderr != want || saves != 2 {
		t.Errorf("%d saves, printed %q", saves, stderr)
	}
	// A score that ends with the run prints nothing.
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if stderr := captured(t, &os.Stderr, func() { v.after(ctx, func() error { return full }, "none.ckpt", 5) }); stderr != "" {
		t.Errorf("printed %q", stderr)
	}
}

// A folder that cannot be scored is an error before anything is built.
func TestBadValidation(t *testing.T) {
	data, dir := pictures(t, 1, 40), t.TempDir()
	junk := t.TempDir()
	if err := os.WriteFile(filepath.Join(junk, "a.tiff"), []byte("junk"), 0o644); err != nil {
		t.Fatal(err)
	}
	for folder, want := range map[string]string{t.TempDir(): "holds no picture", junk: "a.tiff: not a picture", filepath.Join(dir, "none"): "is not a folder"} {
		text, err := output(t, tinyRun(data, filepath.Join(dir, "a.ckpt"), "-val", folder)...)
		if err == nil || !strings.Contains(err.Error(), want) || text != "" {
			t.Errorf("want %q: %v\n%s", want, err, text)
		}
	}
}

// No command overwrites a checkpoint or starts work whose result cannot be written.
func TestCheckpointsStay(t *testing.T) {
	data, dir := pictures(t, 1, 140), t.TempDir()
	ckpt := filepath.Join(dir, "a.ckpt")
	if _, err := output(t, tinyRun(data, ckpt)...); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(ckpt)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a.ckpt", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"pack", "-in", ckpt}, {"export", "-weights", ckpt}, {"noise", "-data", data}, {"defocus", "-data", data}, {"shakes", "-data", data},
	} {
		for _, name := range []string{"a.ckpt", "link"} {
			if _, err := output(t, append(args, "-out", filepath.Join(dir, name))...); err == nil || !strings.Contains(err.Error(), "is a checkpoint, which would be lost") {
				t.Errorf("%q onto %s: %v", args, name, err)
			}
		}
		if _, err := output(t, append(args, "-out", filepath.Join(dir, "none", "x"))...); err == nil || !strings.Contains(err.Error(), "there is no directory") {
			t.Errorf("%q into no folder: %v", args, err)
		}
	}
	if _, err := output(t, "experiment", "photographs", "-data", data, "-eval", data, "-out", dir); err == nil || !strings.Contains(err.Error(), "holds checkpoints of an earlier run, such as a.ckpt") {
		t.Errorf("photographs: %v", err)
	}
	if _, err := output(t, tinyRun(data, filepath.Join(dir, "b.ckpt"), "-csv", ckpt)...); err == nil {
		t.Error("a log may be a checkpoint")
	}
	if after, err := os.ReadFile(ckpt); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the checkpoint has changed: %v", err)
	}
}

// A command whose output cannot be written fails.
func TestFullStdout(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full")
	}
	defer full.Close()
	data, dir := pictures(t, 1, 64), t.TempDir()
	ckpt, packed := filepath.Join(dir, "a.ckpt"), filepath.Join(dir, "a.vfm")
	if _, err := output(t, tinyRun(data, ckpt)...); err != nil {
		t.Fatal(err)
	}
	if _, err := output(t, "pack", "-in", ckpt, "-out", packed); err != nil {
		t.Fatal(err)
	}
	old := os.Stdout
	defer func() { os.Stdout = old }()
	os.Stdout = full
	eval := "eval -data " + data + " -weights " + packed + " -tasks denoise -limit 1"
	for _, args := range []string{
		"version", "help", "", "watch " + someLog(t), "watch -follow 1h " + someLog(t), "experiment photographs -variants list", "experiment generators -methods list", "pack -in " + ckpt + " -out " + filepath.Join(dir, "b.vfm"),
		"export -weights " + packed + " -width 16 -height 16 -out " + filepath.Join(dir, "a.onnx"), eval, eval + " -json", strings.Join(tinyRun(data, filepath.Join(dir, "b.ckpt")), " "),
	} {
		if err := run(context.Background(), strings.Fields(args)); err == nil || !strings.HasPrefix(err.Error(), "stdout: ") {
			t.Errorf("%q: %v", args, err)
		}
	}
	os.Stdout = old
	if _, err := os.Stat(filepath.Join(dir, "b.ckpt")); err != nil {
		t.Error("a run that cannot print leaves no checkpoint:", err)
	}
	if text, err := output(t, "version"); err != nil || !strings.HasPrefix(text, "trainhost ") {
		t.Errorf("%q %v", text, err)
	}
}

// someLog writes the log of a short run.
func someLog(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("step,loss,data\n")
	for i := range 9 {
		b.WriteString(strings.Repeat(string(rune('1'+i)), 2) + ",0.5,0.25\n")
	}
	path := filepath.Join(t.TempDir(), "log.csv")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
