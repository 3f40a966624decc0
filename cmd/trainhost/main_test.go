package main

import (
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/trainhost"
	"github.com/vfmrestore/restore/weights"
)

func TestMain(m *testing.M) {
	gputest.SmallKernels()
	os.Exit(m.Run())
}

// pictures writes a few synthetic photographs to a new folder.
func pictures(t *testing.T, n, side int) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < n; i++ {
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("p%d.png", i)))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, synth.Photo(uint64(i), side, side)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// captured gives what f writes to a standard stream, os.Stdout or os.Stderr.
func captured(t *testing.T, stream **os.File, f func()) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	old := *stream
	*stream = w
	text := make(chan string)
	go func() {
		b, _ := io.ReadAll(r)
		text <- string(b)
	}()
	f()
	*stream = old
	w.Close()
	return <-text
}

// output runs a command and returns its output.
func output(t *testing.T, args ...string) (text string, err error) {
	t.Helper()
	text = captured(t, &os.Stdout, func() { err = run(context.Background(), args) })
	return text, err
}

// From pictures to weights that restore: train, stop, resume, start a second run
// from the first, pack, train on from packed weights, evaluate.
func TestFromPicturesToWeights(t *testing.T) {
	data, dir := pictures(t, 3, 96), t.TempDir()
	ckpt, second, vfm := filepath.Join(dir, "a.ckpt"), filepath.Join(dir, "b.ckpt"), filepath.Join(dir, "a.vfm")
	small := []string{"-crop", "32", "-per-class", "1", "-warmup", "1", "-log", "1"}
	must := func(args ...string) string {
		t.Helper()
		text, err := output(t, args...)
		if err != nil {
			t.Fatalf("trainhost %s: %v", strings.Join(args, " "), err)
		}
		return text
	}
	text := must(append([]string{"train", "-data", data, "-out", ckpt, "-steps", "2", "-widths", "8,16", "-blocks", "1", "-mid", "1", "-loss", "l2", "-csv", filepath.Join(dir, "log.csv")}, small...)...)
	if !strings.Contains(text, "building kernels") || !strings.Contains(text, "pictures/s") {
		t.Errorf("train printed:\n%s", text)
	}
	if !strings.Contains(text, "step 2 of 2") || !strings.Contains(text, "complete: true") {
		t.Errorf("train printed:\n%s", text)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "log.csv")); err != nil || strings.Count(string(b), "\n") != 3 || !strings.HasPrefix(string(b), "step,loss,data,mean,mf,obs,kl,denoise dB,") {
		t.Errorf("CSV log: %q, %v; want the names of the columns and two steps", b, err)
	}
	if text := must("train", "-data", data, "-out", ckpt, "-resume"); !strings.Contains(text, "step 2 of 2") {
		t.Errorf("resuming a finished run printed:\n%s", text)
	}
	must(append([]string{"train", "-data", data, "-from", ckpt, "-out", second, "-steps", "1"}, small...)...)
	eight := filepath.Join(dir, "eight.vfm")
	must("pack", "-in", second, "-out", eight, "-int8")
	must("pack", "-in", second, "-out", vfm, "-data-name", "synthetic", "-attribution", "none needed")
	f, err := weights.Load(vfm)
	if err != nil {
		t.Fatal(err)
	}
	var prov trainhost.Provenance
	if err := json.Unmarshal([]byte(f.Meta[weights.KeyProvenance]), &prov); err != nil {
		t.Fatal(err)
	}
	if o := prov.Runs[len(prov.Runs)-1].Origin; o == nil || o.Data.Pictures != 3 || o.Data.Digest == "" || len(o.Hosts) != 1 || o.Hosts[0].Driver == "" ||
		o.Hosts[0].Device == "" || o.Hosts[0].Version != versionText() || prov.Packer != versionText() || prov.Runs[0].Origin == nil {
		t.Errorf("provenance lacks what made the weights: %s", f.Meta[weights.KeyProvenance])
	}
	if prov.Updates != 3 || len(prov.Runs) != 2 || prov.Runs[0].Config.Objective.Data != "l2" || prov.Data != "synthetic" {
		t.Errorf("provenance: %+v", prov)
	}
	if q, err := weights.Load(eight); err != nil || q.Find("flow/in/w").DType != weights.I8 || q.Find("flow/in/b").DType != weights.F32 || len(q.Tensors) != len(f.Tensors) {
		t.Errorf("8 bits: %v", err)
	}
	must("export", "-weights", eight, "-out", filepath.Join(dir, "net.onnx"), "-width", "16", "-height", "24")
	if b, err := os.ReadFile(filepath.Join(dir, "net.onnx")); err != nil || !strings.Contains(string(b), "picture") {
		t.Errorf("ONNX: %d bytes, %v", len(b), err)
	}
	must(append([]string{"train", "-data", data, "-init", vfm, "-out", filepath.Join(dir, "c.ckpt"), "-steps", "1"}, small...)...)
	var scores []trainhost.Score
	if err := json.Unmarshal([]byte(must("eval", "-data", data, "-weights", vfm, "-limit", "1", "-samples", "2", "-tasks", "denoise,inpaint-box,super-resolve", "-json")), &scores); err != nil {
		t.Fatal(err)
	}
	if len(scores) != 3 || scores[0].Task != "denoise" || !(scores[0].Mode > 10) || !(scores[1].Mean > 5) || !(scores[2].Coverage > 0) {
		t.Errorf("scores: %+v", scores)
	}
	// Two draws are the mean of two seeds.
	one := func(args ...string) trainhost.Score {
		var s []trainhost.Score
		if err := json.Unmarshal([]byte(must(append([]string{"eval", "-data", data, "-weights", vfm, "-limit", "2", "-tasks", "inpaint-box", "-json"}, args...)...)), &s); err != nil || len(s) != 1 {
			t.Fatalf("%v: %d scores", err, len(s))
		}
		return s[0]
	}
	a, b, both := one("-seed", "3"), one("-seed", "4"), one("-seed", "3", "-draws", "2")
	if math.Abs((a.Mode+b.Mode)/2-both.Mode) > 1e-6 || math.Abs((a.ModeSSIM+b.ModeSSIM)/2-both.ModeSSIM) > 1e-6 || len(both.ModeDraws) != 2 || math.Abs(both.ModeDraws[1]-b.Mode) > 1e-6 || a.Mode == b.Mode {
		t.Errorf("draws: %+v, %+v, together %+v", a, b, both)
	}
}

// Every mistake gives one line that says what is wrong, and leaves no file.
func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "x.ckpt")
	text := filepath.Join(dir, "text.vfm")
	if err := os.WriteFile(text, []byte("not weights"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"command":    {[]string{"trian"}, "unknown command"},
		"no data":    {[]string{"train", "-out", out}, "-data"},
		"empty":      {[]string{"train", "-data", t.TempDir(), "-out", out}, "holds no picture"},
		"no folder":  {[]string{"train", "-data", filepath.Join(dir, "none"), "-out", out}, "none"},
		"resume":     {[]string{"train", "-data", dir, "-out", out, "-resume"}, "x.ckpt"},
		"widths":     {[]string{"train", "-data", dir, "-out", out, "-widths", "8,x"}, "8,x"},
		"pack":       {[]string{"pack", "-in", text, "-out", filepath.Join(dir, "y.vfm")}, "text.vfm"},
		"pack twice": {[]string{"pack", "-in", text, "-out", out, "-fp32", "-int8"}, "exclude"},
		"export":     {[]string{"export", "-weights", text, "-out", out}, "text.vfm"},
		"experiment": {[]string{"experiment", "chess"}, "which one"},
		"variant":    {[]string{"experiment", "checkerboard", "-out", dir, "-variants", "bishop"}, "bishop"},
		"protocol":   {[]string{"experiment", "checkerboard", "-out", dir, "-protocol", "ours"}, "paper or authors"},
		"own τ":      {[]string{"experiment", "checkerboard", "-out", dir, "-tau", "0"}, "τ must be positive"},
		"own α":      {[]string{"experiment", "checkerboard", "-out", dir, "-alpha", "0.5"}, "-alpha needs -tau"},
		"own σ":      {[]string{"experiment", "checkerboard", "-out", dir, "-sigma", "-1"}, "σ -1"},
		"own y":      {[]string{"experiment", "checkerboard", "-out", dir, "-y", "NaN"}, "y NaN"},
		"own width":  {[]string{"experiment", "checkerboard", "-out", dir, "-flow", "4x1000000000"}, "at most 8192"},
		"own size":   {[]string{"experiment", "checkerboard", "-out", dir, "-adapter", "4x64x"}, "such as 6x512"},
		"generator":  {[]string{"experiment", "generators", "-out", dir, "-methods", "gan"}, "-methods list"},
		"arithmetic": {[]string{"experiment", "generators", "-out", dir, "-tflop", "-1"}, "TFLOP"},
		"no preset":  {[]string{"experiment", "generators", "-out", dir, "-preset", "big"}, "small, paper or tiny"},
		"classes":    {[]string{"train", "-data", dir, "-out", out, "-per-class", "1,2"}, "-per-class"},
		"eval":       {[]string{"eval", "-data", dir, "-weights", text}, "text.vfm"},
		"draws":      {[]string{"eval", "-data", dir, "-draws", "0"}, "-draws 0"},
		"task":       {[]string{"eval", "-data", dir, "-tasks", "unblur"}, "unblur"},
		"two starts": {[]string{"train", "-data", dir, "-out", out, "-from", out, "-init", "default"}, "-init"},
	} {
		_, err := output(t, c.args...)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v, want one line with %q", name, err, c.want)
		}
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a checkpoint was written")
	}
}
