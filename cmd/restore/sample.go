package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/picture"
)

const maxSampleSide = 16384

// sample draws pictures from the prior.
func (a *app) sample(args []string) error {
	fs := flagSet("sample")
	req := restore.SampleRequest{W: 256, H: 256}
	fs.Func("size", "", func(s string) error {
		if n, err := fmt.Sscanf(s, "%dx%d", &req.W, &req.H); n != 2 || err != nil || s != fmt.Sprintf("%dx%d", req.W, req.H) ||
			req.W < 1 || req.H < 1 || req.W > maxSampleSide || req.H > maxSampleSide {
			return fmt.Errorf("give width and height as 256x256, each from 1 to %d", maxSampleSide)
		}
		return nil
	})
	fs.IntVar(&req.Samples, "n", 1, "")
	fs.IntVar(&req.Steps, "steps", 1, "")
	fs.Func("times", "", func(s string) (err error) { req.Times, err = parseTimes(s); return err })
	fs.Float64Var(&req.Temperature, "temperature", 1, "")
	fs.Uint64Var(&req.Seed, "seed", 0, "")
	quality := fs.Int("quality", picture.DefaultQuality, "")
	device, weights := fs.String("device", "", ""), fs.String("weights", "", "")
	names, err := a.parse(fs, args, sampleHelp)
	if err != nil {
		return err
	}
	switch {
	case len(names) != 1:
		return usagef("give sample one picture to write, not %d names", len(names))
	case req.Samples < 1 || req.Samples > restore.MaxSamples:
		return usagef("-n %d is not from 1 to %d", req.Samples, restore.MaxSamples)
	case req.Steps < 1 || req.Steps > maxSteps:
		return usagef("-steps %d is not from 1 to %d", req.Steps, maxSteps)
	case isSet(fs, "steps") && req.Times != nil:
		return usagef("-steps and -times exclude each other; give one")
	case math.IsNaN(req.Temperature) || req.Temperature < 0 || req.Temperature > 10:
		return usagef("-temperature %g is not from 0 to 10", req.Temperature)
	case *quality < 1 || *quality > 100:
		return usagef("-quality %d is not from 1 to 100", *quality)
	}
	req.Temperature = max(req.Temperature, restore.NoSpread) // 0 of the flag means none
	if req.Times != nil {
		req.Steps = 0
	}
	outs := make([]output, req.Samples)
	for i := range outs {
		outs[i] = output{flag: "the output", path: names[0]}
		if ext := filepath.Ext(names[0]); len(outs) > 1 {
			outs[i].path = fmt.Sprintf("%s-%03d%s", strings.TrimSuffix(names[0], ext), i+1, ext)
		}
		if err := outputs(&outs[i]); err != nil {
			return err
		}
		if err := picture.CheckSize(outs[i].format, req.W, req.H); err != nil {
			return fmt.Errorf("%s: %w", outs[i].path, err)
		}
	}
	files := &fileUses{}
	files.read("-weights", *weights)
	for _, o := range outs {
		files.write("the output", o.path)
	}
	if err := files.check(false); err != nil {
		return err
	}
	model, err := restore.Open(restore.Config{Device: *device, Weights: *weights})
	if err != nil {
		return err
	}
	defer model.Close()
	show := progress{w: a.err, on: a.terminal}
	req.Progress = show.update
	pics, err := model.Sample(a.ctx, req)
	show.clear()
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	if err != nil {
		return err
	}
	return writePictures(*quality, outs, pics)
}
