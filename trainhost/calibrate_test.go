package trainhost

import (
	"context"
	"fmt"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/task"
)

// A network whose samples spread far too little or too much is calibrated task by task, and z = μ
// does not change.
func TestCalibrate(t *testing.T) {
	dir := t.TempDir()
	for i := range 5 {
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%d.png", i)))
		if err != nil {
			t.Fatal(err)
		}
		if err := png.Encode(f, synth.Photo(uint64(i), 80, 72)); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	step, err := buildStep(tinyNet(), EnergyScore(), PerClass(1), 32, task.MotionSide(kernelScale(32)))
	if err != nil {
		t.Fatal(err)
	}
	store, err := compile.NewStore(testDev, netdef.Reachable(step.network...), false, 3)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	params, err := store.Get()
	if err != nil {
		t.Fatal(err)
	}
	n := &restore.Network{Config: tinyNet(), Params: params}
	off := []float64{1.5, -1}
	tasks := []task.Task{task.Denoise, task.SuperResolve}
	for i, what := range tasks {
		row := n.Params[logvarParam][what.Class()*48:][:48]
		for k := range row {
			row[k] += float32(off[i])
		}
	}
	open := func(n *restore.Network) (*restore.Model, error) {
		return restore.Open(restore.Config{Network: n, Shared: testDev})
	}
	cfg := EvalConfig{Folder: dir, Tasks: tasks, Sigma: 0.05, Samples: 6, Limit: 4, Spread: true, Crop: 64}
	var rounds [][]Score
	if err := Calibrate(context.Background(), n, cfg, 6, open, func(s []Score) { rounds = append(rounds, s) }); err != nil {
		t.Fatal(err)
	}
	for i, what := range tasks {
		first, last := rounds[0][i], rounds[5][i]
		if before, after := widen(first, 6), widen(last, 6); !(math.Abs(after-1) < 0.05) || math.Abs(before-1) < 0.1 {
			t.Errorf("%v: should spread %.2f as much, after calibration %.2f", what, before, after)
		}
		if last.Coverage < last.Expected+aimCoverage-0.02 || last.Std < 0.85*aimSpread*last.Error {
			t.Errorf("%v: after calibration %+v", what, last)
		}
		if first.Mode != last.Mode {
			t.Errorf("%v: z = μ went from %g to %g dB", what, first.Mode, last.Mode)
		}
	}
	if CheckpointFromNetwork(n); n.Meta["vfm.provenance"] == "" {
		t.Error("the provenance does not tell")
	}
	cfg.Samples = 1
	if err := Calibrate(context.Background(), n, cfg, 1, open, nil); err == nil {
		t.Error("calibration on single samples was accepted")
	}
}
