package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/vfmrestore/restore/trainhost"
	"github.com/vfmrestore/restore/trainhost/experiment/guidance"
)

// guide compares samplers that guide a flow-matching backbone with one-step networks.
func guide(ctx context.Context, args []string) error {
	cmd := newExperiment("guidance", "methods", trainhost.GuidanceMethods(), func(n string) string { return n },
		"folder for the CSV files, pictures and checkpoints", "methods to run")
	fs := cmd.flags
	size := fs.String("preset", "small", "small (about two hours on two idle cores) or tiny (minutes; its networks know little)")
	linear := fs.Bool("linear", false, "compare the methods on linear-Gaussian problems with the exact velocity instead, two minutes of processor time; needs no device and no -out")
	data := fs.String("data", "", "folder of photographs for the trainings and the search (default: rendered scenes)")
	eval := fs.String("eval", "", "folder of other pictures for the evaluation (default: other rendered scenes)")
	backbone := fs.String("backbone", "", "checkpoint of a flow map trained by flow matching, such as backbone.ckpt of an earlier run, instead of a new one")
	pretrain := fs.Float64("pretrain", 0, "operations of the backbone's training in TFLOP, instead of the preset's")
	tflop := fs.Float64("tflop", 0, "operations of each training from it in TFLOP, instead of the preset's")
	steps := fs.Int("steps", 0, "network steps of the guidance methods, a multiple of 5, instead of the preset's")
	limit := fs.Int("limit", 0, "pictures of the evaluation, instead of the preset's")
	samples := fs.Int("samples", 0, "samples per picture, instead of the preset's")
	trials := fs.Int("trials", 0, "strengths that the search tries at most for each method, rule and task, instead of the preset's")
	seed := fs.Uint64("seed", 1, "seed of the weights, the data order and the noise")
	export := fs.Bool("export", false, "also write all samples (guidance.safetensors)")
	methods, listed, err := cmd.parse(args)
	if listed || err != nil {
		return err
	}
	if *linear {
		cfg := guidance.DefaultLinear()
		cfg.Seed = *seed
		return guidance.CompareLinear(ctx, stdout, cfg)
	}
	cfg, err := preset("guidance", *size, "small or tiny", map[string]func() trainhost.GuidanceConfig{"small": trainhost.SmallGuidance, "tiny": trainhost.TinyGuidance})
	if err != nil {
		return err
	}
	cfg.Run.Seed, cfg.Export, cfg.Out = *seed, *export, *cmd.out
	for _, f := range []struct {
		name  string
		value float64
		set   func(v float64)
	}{
		{"pretrain", *pretrain, func(v float64) { cfg.Pretrain = v }},
		{"tflop", *tflop, func(v float64) { cfg.Budget = v }},
		{"steps", float64(*steps), func(v float64) { cfg.Steps = int(v) }},
		{"limit", float64(*limit), func(v float64) { cfg.Pictures = int(v) }},
		{"samples", float64(*samples), func(v float64) { cfg.Samples = int(v) }},
		{"trials", float64(*trials), func(v float64) { cfg.Trials = int(v) }},
	} {
		if _, given := flagsGiven(fs)[f.name]; given {
			f.set(f.value)
		}
	}
	if err := cfg.Validate(); err != nil {
		return err
	}
	if *backbone != "" {
		if _, given := flagsGiven(fs)["pretrain"]; given {
			return errors.New("guidance: -backbone and -pretrain exclude each other")
		}
		if cfg.Backbone, err = trainhost.LoadCheckpoint(*backbone); err != nil {
			return err
		}
	}
	load := func(folder string) (*trainhost.Pictures, error) {
		if folder == "" {
			return nil, nil
		}
		p, err := trainhost.LoadPictures(folder, cfg.Run.Crop)
		if err != nil {
			return nil, fmt.Errorf("guidance: %w", err)
		}
		return p, nil
	}
	train, err := load(*data)
	if err != nil {
		return err
	}
	test, err := load(*eval)
	if err != nil {
		return err
	}
	dev, err := cmd.open()
	if err != nil {
		return err
	}
	defer dev.Close()
	if err := trainhost.CompareGuidance(ctx, dev, stdout, train, test, cfg, methods); err != nil {
		return err
	}
	cmd.wrote("guidance.csv, search.csv, pictures and checkpoints")
	return nil
}
