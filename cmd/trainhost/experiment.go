package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/trainhost/experiment"
)

// experiments runs the paper's small experiments.
func experiments(ctx context.Context, args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "linear-gaussian":
			return linear(ctx, args[1:])
		case "checkerboard":
			return checkerboard(ctx, args[1:])
		case "photographs":
			return photographs(ctx, args[1:])
		case "generators":
			return generators(ctx, args[1:])
		}
	}
	return errors.New("experiment: which one? checkerboard, generators, linear-gaussian or photographs")
}

func linear(ctx context.Context, args []string) error {
	cfg := experiment.DefaultLinear()
	fs := flag.NewFlagSet("trainhost experiment linear-gaussian", flag.ContinueOnError)
	device := fs.String("device", "", "device index or part of its name")
	fs.IntVar(&cfg.Problems, "problems", cfg.Problems, "random problems")
	fs.IntVar(&cfg.Observed, "observed", cfg.Observed, "observed components of 8")
	fs.Float64Var(&cfg.Sigma, "sigma", cfg.Sigma, "standard deviation of the observation's noise")
	fs.Float64Var(&cfg.Tau, "tau", cfg.Tau, "tolerance τ of the data misfit")
	fs.IntVar(&cfg.Steps, "steps", cfg.Steps, "training steps")
	fs.IntVar(&cfg.Batch, "batch", cfg.Batch, "draws per step")
	fs.Float64Var(&cfg.LR, "lr", cfg.LR, "learning rate at its peak")
	fs.Uint64Var(&cfg.Seed, "seed", cfg.Seed, "seed of problems and training")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := noNames(fs); err != nil {
		return err
	}
	dev, err := gpu.Open(gpu.Options{Device: *device})
	if err != nil {
		return err
	}
	defer dev.Close()
	_, err = experiment.Linear(ctx, dev, stdout, cfg)
	return err
}

func checkerboard(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("trainhost experiment checkerboard", flag.ContinueOnError)
	device := fs.String("device", "", "device index or part of its name")
	preset := fs.String("preset", "small", "small (minutes a variant on two cores) or paper (the paper's size, for a GPU)")
	out := fs.String("out", "", "folder for the CSV file and the figures; made if need be")
	only := fs.String("variants", "", "names of the variants to run, with commas; \"list\" lists them (default: all)")
	steps := fs.Int("steps", 0, "training steps instead of the preset's")
	pretrain := fs.Int("pretrain", -1, "flow-matching steps before, instead of the preset's")
	seed := fs.Uint64("seed", 1, "seed of data and training")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := noNames(fs); err != nil {
		return err
	}
	variants, listed, err := choose("checkerboard", "variants", *only, experiment.Variants(), func(v experiment.Variant) string { return v.Name })
	if listed || err != nil {
		return err
	}
	cfg := experiment.SmallChecker()
	switch *preset {
	case "small":
	case "paper":
		cfg = experiment.PaperChecker()
	default:
		return fmt.Errorf("checkerboard: preset %q: must be small or paper", *preset)
	}
	cfg.Seed = *seed
	if *steps > 0 {
		cfg.Steps = *steps
	}
	if *pretrain >= 0 {
		cfg.Pretrain = *pretrain
	}
	if *out == "" {
		return errors.New("checkerboard: -out is needed")
	}
	if err := os.MkdirAll(*out, 0o777); err != nil {
		return err
	}
	dev, err := gpu.Open(gpu.Options{Device: *device})
	if err != nil {
		return err
	}
	defer dev.Close()
	began := time.Now()
	start, err := experiment.PretrainChecker(ctx, dev, cfg)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "flow matching: %d steps in %.0f s\n", cfg.Pretrain, time.Since(began).Seconds())
	fmt.Fprintln(stdout, "| variant | K | NLPD | CRPS | support posterior | support prior | MMD posterior | MMD prior | s |\n|---|---|---|---|---|---|---|---|---|")
	var scores []experiment.CheckerScore
	for _, v := range variants {
		ss, err := experiment.RunChecker(ctx, dev, cfg, v, start, 1, 4)
		if err != nil {
			return fmt.Errorf("%s: %w", v.Name, err)
		}
		for _, s := range ss {
			fmt.Fprintf(stdout, "| %s | %d | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f | %.0f |\n", v.Name, s.K, s.NLPD, s.CRPS, s.SupportPosterior, s.SupportPrior, s.MMDPosterior, s.MMDPrior, s.Seconds)
		}
		scores = append(scores, ss...)
		if err := experiment.WriteChecker(*out, scores); err != nil {
			return err
		}
	}
	fmt.Fprintln(stdout, "figures and checkerboard.csv:", filepath.Clean(*out))
	return nil
}

// choose picks what a flag of a command names, with commas in only; "" is all. "list" prints the names instead: listed.
func choose[V any](command, flag, only string, all []V, name func(V) string) (chosen []V, listed bool, err error) {
	switch only {
	case "":
		return all, false, nil
	case "list":
		for _, v := range all {
			fmt.Fprintln(stdout, name(v))
		}
		return nil, true, nil
	}
	for _, want := range strings.Split(only, ",") {
		i := slices.IndexFunc(all, func(v V) bool { return name(v) == strings.TrimSpace(want) })
		if i < 0 {
			return nil, false, fmt.Errorf("%s: there is no %q; -%s list lists them", command, want, flag)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, false, nil
}
