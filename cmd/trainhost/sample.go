package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/trainhost/latent"
	"github.com/vfmrestore/restore/weights"
)

// sampleCommand draws pictures with the paper's image networks.
func sampleCommand(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("trainhost sample", flag.ContinueOnError)
	flow := fs.String("flow", "", "weights of a sit or dmft (trainhost import)")
	decoder := fs.String("decoder", "", "weights of an sd-vae")
	adapter := fs.String("adapter", "", "weights of a latent-adapter, for samples of a posterior")
	in := fs.String("in", "", "observation, for -adapter: as large as the result, or for super-resolve a quarter of that")
	mask := fs.String("mask", "", "mask of the pixels that are missing in -in, for the inpainting tasks")
	taskName := fs.String("task", "", "inverse problem of the observation")
	out := fs.String("out", "", "picture to write; with -n a number is added to its name")
	width, height := fs.Int("width", 256, "width of the pictures in pixels"), fs.Int("height", 256, "height of the pictures in pixels")
	class := fs.Int("class", -1, "class label of the pictures, such as a class of ImageNet (default: none)")
	guidance := fs.Float64("guidance", 1, "scale of classifier-free guidance; 1 is none")
	steps := fs.Int("steps", 1, "steps of the flow map")
	seed := fs.Uint64("seed", 1, "seed of the first picture; the others have the numbers after it")
	count := fs.Int("n", 1, "number of pictures")
	device := fs.String("device", "", "device index or part of its name")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := noNames(fs); err != nil {
		return err
	}
	switch {
	case *flow == "" || *decoder == "" || *out == "":
		return errors.New("sample: -flow, -decoder and -out are needed")
	case (*adapter == "") != (*in == "") || (*adapter == "") != (*taskName == ""):
		return errors.New("sample: -adapter, -in and -task belong together: give all of them, or none for samples of the prior")
	case *mask != "" && *in == "":
		return errors.New("sample: -mask is for the observation -in")
	case *count < 1 || *count > 10000:
		return fmt.Errorf("sample: -n is %d, must be 1 to 10000", *count)
	}
	if err := checkOut("sample", *out); err != nil {
		return err
	}
	o := latent.Options{Width: *width, Height: *height, Class: *class, Guidance: *guidance, Steps: *steps}
	for _, f := range []struct {
		path string
		to   **weights.File
	}{{*flow, &o.Flow}, {*decoder, &o.Decoder}, {*adapter, &o.Adapter}} {
		if f.path == "" {
			continue
		}
		var err error
		if *f.to, err = weights.Load(f.path); err != nil {
			return err
		}
	}
	var y *latent.Observation
	if *in != "" {
		var err error
		if y, err = observation(*in, *mask, *taskName, *width, *height); err != nil {
			return err
		}
	}
	dev, err := gpu.Open(gpu.Options{Device: *device})
	if err != nil {
		return err
	}
	defer dev.Close()
	began, built := time.Now(), watchKernels(dev)
	s, err := latent.New(dev, o)
	built()
	if err != nil {
		return fmt.Errorf("sample: %w", err)
	}
	defer s.Close()
	fmt.Fprintf(stdout, "networks ready after %.1f s on %s\n", time.Since(began).Seconds(), dev.Info().Name)
	for i := range *count {
		began := time.Now()
		pix, err := s.Sample(ctx, *seed+uint64(i), y)
		if err != nil {
			return fmt.Errorf("sample: %w", err)
		}
		name := *out
		if *count > 1 {
			ext := filepath.Ext(name)
			name = fmt.Sprintf("%s-%04d%s", strings.TrimSuffix(name, ext), i, ext)
		}
		if err := picture.EncodeFile(name, picture.New(pix.W, pix.H, pix.Pix), picture.DefaultQuality); err != nil {
			return err
		}
		fmt.Fprintf(stdout, "%s: seed %d, %.1f s\n", name, *seed+uint64(i), time.Since(began).Seconds())
	}
	return nil
}

// observation reads what the adapter sees: missing pixels are 0, low resolution is enlarged by
// repeating pixels, as its authors do.
func observation(path, mask, name string, w, h int) (*latent.Observation, error) {
	t, err := task.Parse(name)
	if err != nil {
		return nil, err
	}
	p, err := picture.DecodeFile(path, picture.Limits{})
	if err != nil {
		return nil, err
	}
	y := p.Planar()
	if t == task.SuperResolve && 4*y.W == w && 4*y.H == h {
		wide := planar.New(w, h)
		for c := range 3 {
			for i := range w * h {
				wide.Plane(c)[i] = y.At(c, i%w/4, i/w/4)
			}
		}
		y = wide
	}
	if y.W != w || y.H != h {
		return nil, fmt.Errorf("%s is %d×%d, must be %d×%d as the result; crop or scale it", path, y.W, y.H, w, h)
	}
	if mask != "" {
		missing, err := picture.DecodeMaskFile(mask, w, h, picture.Limits{})
		if err != nil {
			return nil, err
		}
		for i, gone := range missing {
			for c := range 3 {
				if gone {
					y.Plane(c)[i] = 0
				}
			}
		}
	}
	return &latent.Observation{Picture: y, Problem: t.Class()}, nil
}
