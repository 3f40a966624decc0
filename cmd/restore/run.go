package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/picture"
)

// restore is the command without a name: read, restore, write. Files come before the device, which may take a while to open.
func (a *app) restore(args []string) error {
	o, err := a.parseOptions(args)
	if err != nil {
		return err
	}
	in, missing, err := o.read()
	if err != nil {
		return err
	}
	started := time.Now()
	model, err := restore.Open(restore.Config{Device: o.device, Weights: o.weights, Tile: o.tile, Validation: o.validation})
	if err != nil {
		return err
	}
	defer model.Close()
	opened := time.Now()
	if o.verbose {
		fmt.Fprintln(a.err, oneLine(model.Info()))
	}
	show := progress{w: a.err, on: a.terminal}
	result, err := model.Restore(a.ctx, in, restore.Request{
		Task: o.task, Mask: missing, Noise: o.noiseLevel(),
		Samples: o.samples, Steps: o.stepCount(), Times: o.times, Project: o.project, Explain: o.explain != "", Seed: o.seed, Temperature: o.temperature,
		StatisticsOnly: o.samplesDir == "" && o.explain == "", Progress: show.update,
	})
	show.clear()
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	if err != nil {
		return err
	}
	if o.verbose {
		fmt.Fprintf(a.err, "%d×%d pixels, noise %.2f of 255, device opened in %.2f s, restored in %.2f s\n",
			result.Picture.W, result.Picture.H, result.Noise, opened.Sub(started).Seconds(), time.Since(opened).Seconds())
	}
	return o.write(result)
}

// stepCount is Request.Steps, which -times replaces.
func (o *options) stepCount() int {
	if o.times != nil {
		return 0
	}
	return o.steps
}

// noiseLevel is Request.Noise: 8-bit levels, negative to estimate them.
func (o *options) noiseLevel() float64 {
	if o.noise.auto {
		return -1
	}
	return o.noise.levels
}

// read loads the picture and the mask and makes sure that the outputs can hold what will come of them.
func (o *options) read() (in *picture.Picture, missing []bool, err error) {
	in, err = picture.DecodeFile(o.in, picture.Limits{})
	if err != nil {
		return nil, nil, err
	}
	if o.task.Masked() {
		if missing, err = picture.DecodeMaskFile(o.mask, in.W, in.H, picture.Limits{}); err != nil {
			return nil, nil, err
		}
		if all(missing) {
			return nil, nil, fmt.Errorf("%s: the mask is white everywhere, so nothing of the picture is left (white means missing)", o.mask)
		}
	}
	w, h := in.W*o.task.Scale(), in.H*o.task.Scale()
	for _, out := range []output{o.out, o.mean, {path: o.samplesDir, format: o.out.format}} {
		if out.path == "" {
			continue
		}
		err := picture.CanHold(out.format, in)
		if err == nil {
			err = picture.FitsSize(out.format, w, h)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", out.path, err)
		}
	}
	if o.std.path != "" {
		if err := picture.FitsSize(o.std.format, w, h); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", o.std.path, err)
		}
	}
	return in, missing, nil
}

func all(v []bool) bool {
	for _, b := range v {
		if !b {
			return false
		}
	}
	return true
}

// write stages every file before the first becomes visible, so that a full disk leaves none of them.
func (o *options) write(r *restore.Result) error {
	s := &staging{quality: o.quality}
	defer s.abort()
	if o.samplesDir != "" {
		if err := s.directory(o.samplesDir); err != nil {
			return err
		}
		for i, p := range r.Samples {
			if err := s.add(output{path: numbered(o.samplesDir, "sample", i, filepath.Ext(o.out.path)), format: o.out.format}, p); err != nil {
				return err
			}
		}
	}
	if o.explain != "" {
		if err := o.writeExplanation(s, r); err != nil {
			return err
		}
	}
	if o.mean.path != "" {
		if err := s.add(o.mean, r.Mean); err != nil {
			return err
		}
	}
	if o.std.path != "" {
		if err := s.add(o.std, picture.FromStd(r.Std, r.Picture.W, r.Picture.H)); err != nil {
			return err
		}
	}
	if err := s.add(o.out, r.Picture); err != nil {
		return err
	}
	return s.commit()
}
