package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

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
