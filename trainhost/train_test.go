package trainhost

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/trainhost/optim"
	"github.com/vfmrestore/restore/weights"
)

func tinyConfig(steps uint64) Config {
	c := DefaultConfig()
	c.Per, c.Crop, c.Steps, c.Warmup = PerClass(1), 32, steps, 2
	return c
}

// regression is the squared error at z = μ alone.
func regression() Objective {
	return Objective{Data: DataRegression, DataWeight: regressionWeight, Gamma: 0.01}
}

func newTiny(t *testing.T, cfg Config, from *Checkpoint, resume bool) *Trainer {
	t.Helper()
	tr, err := NewTrainer(testDev, noisePictures(6, 40), tinyNet(), cfg, from, resume)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.Close)
	return tr
}

// A run that is interrupted, saved, loaded and resumed ends with the same bits as one that was not
// interrupted, including the optimiser's state and the averages.
func TestResumeIsExact(t *testing.T) {
	whole := newTiny(t, tinyConfig(6), nil, false)
	if done, err := whole.Run(context.Background(), optim.Schedule{}, nil); err != nil || !done {
		t.Fatal(done, err)
	}
	part := newTiny(t, tinyConfig(6), nil, false)
	ctx, cancel := context.WithCancel(context.Background())
	_, err := part.Run(ctx, optim.Schedule{Every: 3}, func(Report) { cancel() })
	if err != context.Canceled {
		t.Fatalf("interrupted run: %v", err)
	}
	if part.State.Step < 3 || part.State.Step >= 6 {
		t.Fatalf("interrupted at step %d", part.State.Step)
	}
	path := filepath.Join(t.TempDir(), "a.ckpt")
	if err := SaveCheckpoint(path, part.Store(), part.State); err != nil {
		t.Fatal(err)
	}
	c, err := LoadCheckpoint(path)
	if err != nil {
		t.Fatal(err)
	}
	rest := newTiny(t, Config{}, c, true)
	if done, err := rest.Run(context.Background(), optim.Schedule{}, nil); err != nil || !done {
		t.Fatal(done, err)
	}
	for _, a := range optim.Arrays {
		want, err := whole.Store().State(a)
		if err != nil {
			t.Fatal(err)
		}
		got, err := rest.Store().State(a)
		if err != nil {
			t.Fatal(err)
		}
		for name, w := range want {
			for i := range w {
				if math.Float32bits(got[name][i]) != math.Float32bits(w[i]) {
					t.Fatalf("array %s, %s[%d]: %g after resuming, %g without", a, name, i, got[name][i], w[i])
				}
			}
		}
	}
}

// If a checkpoint cannot be saved, the run continues.
func TestFailedSaves(t *testing.T) {
	tr := newTiny(t, tinyConfig(4), nil, false)
	tries := 0
	save := func() error {
		if tries++; tries < 3 {
			return errors.New("no space left on device")
		}
		return nil
	}
	if done, err := tr.Run(context.Background(), optim.Schedule{Checkpoint: save, Interval: time.Nanosecond}, nil); err != nil || !done || tr.State.Step != 4 || tries != 4 {
		t.Errorf("done %v at step %d after %d saves: %v", done, tr.State.Step, tries, err)
	}
}

// Training must learn: on one batch, seen again and again, the data term falls
// well below where it starts.
func TestTrainingLearns(t *testing.T) {
	cfg := tinyConfig(80)
	cfg.Objective, cfg.LR = regression(), 5e-3
	tr := newTiny(t, cfg, nil, false)
	b, err := batchSource{pictures: tr.pictures, seed: 1, counts: cfg.Per, side: cfg.Crop, blurOnHost: true}.batch(1)
	if err != nil {
		t.Fatal(err)
	}
	first, last := 0.0, 0.0
	for i := uint64(0); i < cfg.Steps; i++ {
		if err := tr.train(b); err != nil {
			t.Fatal(err)
		}
		mean := tr.newAverage()
		if err := mean.add(tr); err != nil {
			t.Fatal(err)
		}
		last = mean.report().Terms[TermData]
		if i == 0 {
			first = last
		}
	}
	if !(last < 0.8*first) {
		t.Errorf("data term went from %g to %g", first, last)
	}
}

// Training of the spread changes the log-variance and nothing that z = μ depends on.
func TestSpreadOnly(t *testing.T) {
	cfg := tinyConfig(4)
	cfg.Objective = SpreadOnly()
	tr := newTiny(t, cfg, nil, false)
	before := map[compile.Array]map[string][]float32{}
	arrays := []compile.Array{compile.Weights, compile.Averages}
	state := func(a compile.Array) map[string][]float32 {
		v, err := tr.Store().State(a)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, a := range arrays {
		before[a] = state(a)
	}
	if done, err := tr.Run(context.Background(), optim.Schedule{}, nil); err != nil || !done {
		t.Fatal(done, err)
	}
	for _, a := range arrays {
		changed := 0
		for name, now := range state(a) {
			for i, v := range now {
				if v == before[a][name][i] {
					continue
				}
				// The layer's outputs are μ and then the log-variance, 48 channels each.
				if changed++; name != logvarParam && !(strings.HasPrefix(name, "adapter/out/") && i%96 >= 48) {
					t.Fatalf("array %s: %s[%d] changed from %g to %g", a, name, i, before[a][name][i], v)
				}
			}
		}
		if changed == 0 {
			t.Errorf("array %s: nothing changed", a)
		}
	}
}

// What is packed must open as the same network, with its history and the tasks that it was trained
// for.
func TestPackRoundTrip(t *testing.T) {
	cfg := tinyConfig(1)
	cfg.Per = Counts{0, 1, 0, 2, 0, 0}
	tr := newTiny(t, cfg, nil, false)
	if _, err := tr.Run(context.Background(), optim.Schedule{}, nil); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := SaveCheckpoint(filepath.Join(dir, "a.ckpt"), tr.Store(), tr.State); err != nil {
		t.Fatal(err)
	}
	c, err := LoadCheckpoint(filepath.Join(dir, "a.ckpt"))
	if err != nil {
		t.Fatal(err)
	}
	n, err := Pack(c, About{"noise", "nobody", "v1"})
	if err != nil {
		t.Fatal(err)
	}
	f, err := n.File(weights.F32)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "a.vfm")
	if err := weights.Save(path, f); err != nil {
		t.Fatal(err)
	}
	if f, err = weights.Load(path); err != nil {
		t.Fatal(err)
	}
	back, err := restore.NetworkFromFile(f)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range c.Averaged() {
		for i, w := range want {
			if back.Params[name][i] != w {
				t.Fatalf("%s[%d] is %g, was %g", name, i, back.Params[name][i], w)
			}
		}
	}
	if tasks, err := back.Tasks(); err != nil || !slices.Equal(tasks, []task.Task{task.InpaintRandom, task.SuperResolve}) {
		t.Errorf("it is for %v, %v", tasks, err)
	}
	again := CheckpointFromNetwork(back)
	if again.State.Step != 1 || again.State.Config.Crop != 32 {
		t.Errorf("history came back as %+v", again.State)
	}
}

// Bad configurations and folders are refused with their reason, before any work.
func TestBadConfig(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"crop":      func(c *Config) { c.Crop = 33 },
		"per":       func(c *Config) { c.Per[2] = -1 },
		"steps":     func(c *Config) { c.Steps = 0 },
		"rate":      func(c *Config) { c.LR = math.NaN() },
		"objective": func(c *Config) { c.Objective.Data = "l1" },
		"weight":    func(c *Config) { c.Objective.KL = -1 },
		"spread":    func(c *Config) { c.Objective.Spread = true },
	} {
		cfg := tinyConfig(1)
		change(&cfg)
		if _, err := NewTrainer(testDev, noisePictures(2, 40), tinyNet(), cfg, nil, false); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if _, err := LoadPictures(t.TempDir(), 32); err == nil {
		t.Error("an empty folder was accepted")
	}
	if _, err := LoadCheckpoint(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a missing checkpoint was accepted")
	}
}

// Training sees pictures as the program does: colour that a JPEG file holds at half the size comes
// out interpolated, and not in squares of 2×2 equal pixels.
func TestTrainingPicturesAreAsRead(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "halved.jpg")
	var b bytes.Buffer
	if err := jpeg.Encode(&b, synth.Photo(3, 96, 80), &jpeg.Options{Quality: 92}); err != nil { // 4:2:0
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	pics, err := LoadPictures(dir, 32)
	if err != nil {
		t.Fatal(err)
	}
	want, err := picture.DecodeFile(file, picture.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	m := pics.list[0][0]
	if m.w != want.W || m.h != want.H {
		t.Fatalf("%d×%d pixels in place of %d×%d", m.w, m.h, want.W, want.H)
	}
	for i := range m.w * m.h {
		for c := range 3 {
			if v := math.Round(float64(want.Pix[c*m.w*m.h+i]+1) * 127.5); v != float64(m.pix[3*i+c]) {
				t.Fatalf("pixel %d, channel %d: %d in place of %g", i, c, m.pix[3*i+c], v)
			}
		}
	}
}
