package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/trainhost/experiment"
)

// generators compares one-step generators of the checkerboard at equal arithmetic.
func generators(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("trainhost experiment generators", flag.ContinueOnError)
	device := fs.String("device", "", "device index or part of its name")
	preset := fs.String("preset", "small", "small (all of it in less than 20 minutes on two cores), paper (networks and batch of the paper, for a GPU) or tiny (seconds; only to see that it runs)")
	out := fs.String("out", "", "folder for the CSV file and the figure; made if need be")
	only := fs.String("methods", "", "names of the generators to train, with commas; \"list\" lists them (default: all)")
	tflop := fs.Float64("tflop", 0, "arithmetic of one training in TFLOP, instead of the preset's")
	seeds := fs.Int("seeds", 0, "trainings of each generator, instead of the preset's")
	seed := fs.Uint64("seed", 1, "seed of the first training; the others have those that follow")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := noNames(fs); err != nil {
		return err
	}
	methods, listed, err := choose("generators", "methods", *only, experiment.Generators(), func(g experiment.Generator) string { return g.Name })
	if listed || err != nil {
		return err
	}
	presets := map[string]func() experiment.GeneratorsConfig{"small": experiment.SmallGenerators, "paper": experiment.PaperGenerators, "tiny": experiment.TinyGenerators}
	if presets[*preset] == nil {
		return fmt.Errorf("generators: preset %q: must be small, paper or tiny", *preset)
	}
	cfg := presets[*preset]()
	if *tflop != 0 {
		cfg.TFLOP = *tflop
	}
	if *seeds != 0 {
		cfg.Seeds = *seeds
	}
	if err := cfg.Validate(); err != nil {
		return err
	}
	if *out == "" {
		return errors.New("generators: -out is needed")
	}
	if err := os.MkdirAll(*out, 0o777); err != nil {
		return err
	}
	dev, err := gpu.Open(gpu.Options{Device: *device})
	if err != nil {
		return err
	}
	defer dev.Close()
	if err := experiment.CompareGenerators(ctx, dev, stdout, *out, cfg, methods, *seed); err != nil {
		return err
	}
	fmt.Fprintln(stdout, "generators.csv and figures:", filepath.Clean(*out))
	return nil
}
