package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/trainhost/experiment"
)

// checkerboard runs the paper's experiment in the plane.
func checkerboard(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("trainhost experiment checkerboard", flag.ContinueOnError)
	device := fs.String("device", "", "device index or part of its name")
	preset := fs.String("preset", "small", "small (minutes a variant on two cores) or paper (the paper's size, for a GPU)")
	out := fs.String("out", "", "folder for the CSV file and the figures; made if need be")
	only := fs.String("variants", "", "names of the variants to run, with commas; \"list\" lists them (default: all)")
	steps := fs.Int("steps", 0, "training steps instead of the preset's")
	pretrain := fs.Int("pretrain", -1, "flow-matching steps before, instead of the preset's")
	seed := fs.Uint64("seed", 1, "seed of data and training")
	protocol := fs.String("protocol", "paper", "paper, or authors: train and evaluate as the authors' public code does where that differs (docs/METHOD-RESULTS.md)")
	tau := fs.Float64("tau", 0, "run VFM with this tolerance τ, instead of -variants")
	alpha := fs.Float64("alpha", 1, "with -tau: the share of latents that come from the adapter, 0 to 1")
	sigma := fs.Float64("sigma", 0, "standard deviation of the observation's noise, instead of 0.1")
	y := fs.Float64("y", 0.5, "observation of the figures and of the posterior's MMD and support, -2 to 2")
	flow := fs.String("flow", "", "layers and width of the flow map, such as 6x512, instead of the preset's; widths are multiples of 8")
	adapter := fs.String("adapter", "", "layers and width of the adapter, likewise")
	export := fs.Bool("export", false, "write each variant's samples, latents and weights (NAME.safetensors) and its losses (NAME-losses.csv)")
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
	cfg.Seed, cfg.Y, cfg.Record = *seed, *y, *export
	switch *protocol {
	case "paper":
	case "authors":
		cfg.Authors = true
	default:
		return fmt.Errorf("checkerboard: protocol %q: must be paper or authors", *protocol)
	}
	given := func(name string) bool { _, ok := flagsGiven(fs)[name]; return ok }
	if given("tau") {
		if *only != "" {
			return errors.New("checkerboard: -tau and -variants exclude each other")
		}
		own, err := experiment.OwnVariant(*tau, *alpha)
		if err != nil {
			return err
		}
		variants = []experiment.Variant{own}
	} else if given("alpha") {
		return errors.New("checkerboard: -alpha needs -tau")
	}
	if given("sigma") {
		cfg.Sigma = *sigma
	}
	for _, size := range []struct {
		name, text string
		to         *nets.MLPConfig
	}{{"flow", *flow, &cfg.Flow}, {"adapter", *adapter, &cfg.Adapter}} {
		if size.text == "" {
			continue
		}
		if _, err := fmt.Sscanf(size.text+"\n", "%dx%d\n", &size.to.Layers, &size.to.Width); err != nil {
			return fmt.Errorf("checkerboard: -%s %q: must be layers and width, such as 6x512", size.name, size.text)
		}
	}
	if *steps > 0 {
		cfg.Steps = *steps
	}
	if *pretrain >= 0 {
		cfg.Pretrain = *pretrain
	}
	if err := cfg.Validate(); err != nil {
		return err
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
	fmt.Fprintln(stdout, "| variant | K | NLPD | CRPS | support posterior | support prior | MMD posterior | MMD prior | support, mean over y | MMD, mean over y | s |\n|---|---|---|---|---|---|---|---|---|---|---|")
	var scores []experiment.CheckerScore
	for _, v := range variants {
		ss, err := experiment.RunChecker(ctx, dev, cfg, v, start, 1, 4)
		if err != nil {
			return fmt.Errorf("%s: %w", v.Name, err)
		}
		for _, s := range ss {
			fmt.Fprintf(stdout, "| %s | %d | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f | %.0f |\n", v.Name, s.K, s.NLPD, s.CRPS, s.SupportPosterior, s.SupportPrior, s.MMDPosterior, s.MMDPrior, s.SupportAll, s.MMDAll, s.Seconds)
		}
		if *export {
			if err := experiment.ExportChecker(*out, ss); err != nil {
				return err
			}
		}
		scores = append(scores, ss...)
		if err := experiment.WriteChecker(*out, scores); err != nil {
			return err
		}
	}
	fmt.Fprintln(stdout, "figures and checkerboard.csv:", filepath.Clean(*out))
	return nil
}
