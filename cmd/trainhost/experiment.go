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

// experimentCommand is the beginning of a command that runs variants of an experiment and writes a
// folder.
type experimentCommand[V any] struct {
	name, flag   string // of the experiment, and of the flag that lists variants
	all          []V
	variant      func(V) string // name of a variant
	flags        *flag.FlagSet
	device, only *string
	out          *string
}

// newExperiment defines the flags that such commands share. out and what describe -out and the
// variants in the help.
func newExperiment[V any](name, flagName string, all []V, variant func(V) string, out, what string) *experimentCommand[V] {
	fs := flag.NewFlagSet("trainhost experiment "+name, flag.ContinueOnError)
	return &experimentCommand[V]{
		name: name, flag: flagName, all: all, variant: variant, flags: fs,
		device: fs.String("device", "", "device index or part of its name"),
		out:    fs.String("out", "", out+"; created if it does not exist"),
		only:   fs.String(flagName, "", "names of the "+what+", separated by commas; \"list\" prints all names (default: all)"),
	}
}

// parse parses the arguments and returns the chosen variants. listed is true if they were printed
// instead.
func (c *experimentCommand[V]) parse(args []string) (chosen []V, listed bool, err error) {
	if err := c.flags.Parse(args); err != nil {
		return nil, false, err
	}
	if err := noNames(c.flags); err != nil {
		return nil, false, err
	}
	switch *c.only {
	case "":
		return c.all, false, nil
	case "list":
		for _, v := range c.all {
			fmt.Fprintln(stdout, c.variant(v))
		}
		return nil, true, nil
	}
	for _, want := range strings.Split(*c.only, ",") {
		i := slices.IndexFunc(c.all, func(v V) bool { return c.variant(v) == strings.TrimSpace(want) })
		if i < 0 {
			return nil, false, fmt.Errorf("%s: there is no %q; -%s list prints all names", c.name, want, c.flag)
		}
		chosen = append(chosen, c.all[i])
	}
	return chosen, false, nil
}

// open makes the folder and opens the device.
func (c *experimentCommand[V]) open() (*gpu.Device, error) {
	if *c.out == "" {
		return nil, errors.New(c.name + ": -out is needed")
	}
	if err := os.MkdirAll(*c.out, 0o777); err != nil {
		return nil, err
	}
	return gpu.Open(gpu.Options{Device: *c.device})
}

// wrote prints where the results are.
func (c *experimentCommand[V]) wrote(files string) {
	fmt.Fprintln(stdout, files+":", filepath.Clean(*c.out))
}

// preset returns the configuration of a name. names lists the names for the error.
func preset[C any](command, name, names string, presets map[string]func() C) (c C, err error) {
	if presets[name] == nil {
		return c, fmt.Errorf("%s: preset %q: must be %s", command, name, names)
	}
	return presets[name](), nil
}

// linear compares trained adapters with the closed forms of the linear-Gaussian theory.
func linear(ctx context.Context, args []string) error {
	cfg := experiment.DefaultLinear()
	fs := flag.NewFlagSet("trainhost experiment linear-gaussian", flag.ContinueOnError)
	device := fs.String("device", "", "device index or part of its name")
	fs.IntVar(&cfg.Problems, "problems", cfg.Problems, "number of random problems")
	fs.IntVar(&cfg.Observed, "observed", cfg.Observed, "observed components of y, 1 to 8")
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
