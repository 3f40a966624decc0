package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/trainhost"
	"github.com/vfmrestore/restore/weights"
)

// pack packs a checkpoint, or calibrates packed weights.
func pack(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("trainhost pack", flag.ContinueOnError)
	in := fs.String("in", "", "checkpoint, or packed weights to calibrate again")
	out := fs.String("out", "", "weights file to write (.vfm)")
	fp32 := fs.Bool("fp32", false, "store 32 bits per number instead of 16")
	int8 := fs.Bool("int8", false, "store 8 bits per number and a scale per output channel: half the size")
	data := fs.String("data-name", "", "name of the training data, stored with the weights")
	calibrate := fs.String("calibrate", "", "folder of pictures on which the spread of the samples is set, task by task (training pictures are good enough for six numbers)")
	scales := fs.String("scales", "", "folder of pictures on which the scales of the samples' noise are set, task by task, so that the means of blocks deviate as much as their error")
	only := fs.String("tasks", "", "with -calibrate and -scales: only these tasks, separated by commas (default: all of the network's)")
	device := fs.String("device", "", "device index or part of its name, for -calibrate and -scales")
	attribution := fs.String("attribution", "", "where the authors of the training data are named, stored with the weights")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := noNames(fs); err != nil {
		return err
	}
	if *in == "" || *out == "" {
		return errors.New("pack: -in and -out are needed")
	}
	some, err := tasksOf(*only)
	if err != nil {
		return err
	}
	if *fp32 && *int8 {
		return errors.New("pack: -fp32 and -int8 exclude each other")
	}
	if err := checkOut("pack", *out); err != nil {
		return err
	}
	dt := weights.F16
	switch {
	case *fp32:
		dt = weights.F32
	case *int8:
		dt = weights.I8
	}
	made, err := weights.Load(*in)
	if err != nil {
		return err
	}
	about := trainhost.About{Data: *data, Attribution: *attribution, Packer: versionText()}
	if trainhost.IsKernelCheckpoint(made) {
		if *calibrate != "" || *scales != "" {
			return errors.New("pack: -calibrate and -scales are for the restoring network: the kernel network draws no samples")
		}
		c, err := trainhost.KernelCheckpointFromFile(*in, made)
		if err != nil {
			return err
		}
		f, err := trainhost.PackKernels(c, dt, about)
		if err != nil {
			return err
		}
		return savePacked(*out, f)
	}
	n, err := packable(*in, made, about)
	if err != nil {
		return err
	}
	open := func(n *restore.Network) (*restore.Model, error) {
		return restore.Open(restore.Config{Device: *device, Network: n})
	}
	// A network for compression is calibrated as one for denoising, on JPEG files.
	compressed := n.ForCompression()
	if compressed {
		n.SetTasks([]task.Task{task.Denoise})
	}
	degrade := func(cfg trainhost.EvalConfig) trainhost.EvalConfig {
		switch {
		case compressed:
			cfg.Camera, cfg.Auto = calibrationJPEG, true
		case denoisesCameras(n):
			cfg.Camera, cfg.Auto, cfg.Limit = calibrationCamera, true, 2*cfg.Limit
		}
		return cfg
	}
	if *calibrate != "" {
		cfg := trainhost.EvalConfig{Folder: *calibrate, Tasks: some, Sigma: 0.05, Samples: 10, Limit: 24, Spread: true, Crop: 256, Seed: 1000}
		report := func(scores []trainhost.Score) { fmt.Fprintln(stdout, trainhost.Table(scores)) }
		if err := trainhost.Calibrate(ctx, n, degrade(cfg), 3, open, report); err != nil {
			return fmt.Errorf("pack: -calibrate: %w", err)
		}
	}
	if *scales != "" {
		cfg := trainhost.EvalConfig{Folder: *scales, Tasks: some, Sigma: 0.05, Samples: 4, Limit: 16, Spread: true, Crop: 256, Seed: 2000}
		if err := trainhost.CalibrateScales(ctx, n, degrade(cfg), open, func(line string) { fmt.Fprintln(stdout, line) }); err != nil {
			return fmt.Errorf("pack: -scales: %w", err)
		}
	}
	if compressed {
		n.SetCompression()
	}
	f, err := n.File(dt)
	if err != nil {
		return err
	}
	return savePacked(*out, f)
}

// calibrationJPEG degrades the pictures on which a network for compression is calibrated (see
// restore help degrade).
const calibrationJPEG = "jpeg=30"

// calibrationCamera does the same for a network that denoises what cameras make. Weak white noise,
// as for the other tasks, would leave the intervals of strong noise and of JPEG too narrow.
const calibrationCamera = "iso=1600"

// denoisesCameras reports whether a network denoises alone, and is told the shape of the noise.
func denoisesCameras(n *restore.Network) bool {
	ts, err := n.Tasks()
	return err == nil && slices.Equal(ts, []task.Task{task.Denoise}) && n.Config.Traits().Noise
}

// packable returns the network of a checkpoint with its provenance, or that of packed weights,
// which keep theirs.
func packable(path string, f *weights.File, about trainhost.About) (*restore.Network, error) {
	if !trainhost.IsCheckpoint(f) {
		if about.Data != "" || about.Attribution != "" {
			return nil, errors.New("pack: packed weights keep their -data-name and -attribution")
		}
		return restore.NetworkFromFile(f)
	}
	c, err := trainhost.CheckpointFromFile(path, f)
	if err != nil {
		return nil, err
	}
	return trainhost.Pack(c, about)
}

// savePacked writes a weights file and prints its size.
func savePacked(path string, f *weights.File) error {
	if err := weights.Save(path, f); err != nil {
		return err
	}
	st, err := os.Stat(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s: %.2f MB, %d tensors\n", path, float64(st.Size())/1e6, len(f.Tensors))
	return nil
}

// openNetwork reads weights from a checkpoint or a .vfm file; "" means the
// embedded weights.
func openNetwork(path string) (*restore.Network, error) {
	if path == "" {
		f, err := weights.Default()
		if err != nil {
			return nil, err
		}
		return restore.NetworkFromFile(f)
	}
	f, err := weights.Load(path)
	if err != nil {
		return nil, err
	}
	if !trainhost.IsCheckpoint(f) {
		return restore.NetworkFromFile(f)
	}
	c, err := trainhost.CheckpointFromFile(path, f)
	if err != nil {
		return nil, err
	}
	return trainhost.Pack(c, trainhost.About{})
}
