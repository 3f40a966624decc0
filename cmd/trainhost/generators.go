package main

import (
	"context"

	"github.com/vfmrestore/restore/trainhost/experiment"
)

// generators compares one-step generators of the checkerboard at equal numbers of operations.
func generators(ctx context.Context, args []string) error {
	cmd := newExperiment("generators", "methods", experiment.Generators(), func(g experiment.Generator) string { return g.Name },
		"folder for the CSV file and the figures", "generators to train")
	fs := cmd.flags
	size := fs.String("preset", "small", "small (less than 20 minutes in all on two cores), paper (networks and batch of the paper, for a GPU) or tiny (seconds; only to see that it runs)")
	tflop := fs.Float64("tflop", 0, "operations of one training in TFLOP, instead of the preset's")
	seeds := fs.Int("seeds", 0, "number of trainings of each generator, instead of the preset's")
	seed := fs.Uint64("seed", 1, "seed of the first training; the others have the next seeds")
	methods, listed, err := cmd.parse(args)
	if listed || err != nil {
		return err
	}
	cfg, err := preset("generators", *size, "small, paper or tiny", map[string]func() experiment.GeneratorsConfig{
		"small": experiment.SmallGenerators, "paper": experiment.PaperGenerators, "tiny": experiment.TinyGenerators})
	if err != nil {
		return err
	}
	if *tflop != 0 {
		cfg.TFLOP = *tflop
	}
	if *seeds != 0 {
		cfg.Seeds = *seeds
	}
	if err := cfg.Validate(); err != nil {
		return err
	}
	dev, err := cmd.open()
	if err != nil {
		return err
	}
	defer dev.Close()
	if err := experiment.CompareGenerators(ctx, dev, stdout, *cmd.out, cfg, methods, *seed); err != nil {
		return err
	}
	cmd.wrote("generators.csv and figures")
	return nil
}
