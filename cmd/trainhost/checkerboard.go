package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/trainhost/experiment"
)

// checkerboard runs the paper's experiment on the checkerboard.
func checkerboard(ctx context.Context, args []string) error {
	cmd := newExperiment("checkerboard", "variants", experiment.Variants(), func(v experiment.Variant) string { return v.Name },
		"folder for the CSV file and the figures", "variants to run")
	fs, out := cmd.flags, cmd.out
	size := fs.String("preset", "small", "small (minutes per variant on two cores) or paper (the paper's size, for a GPU)")
	steps := fs.Int("steps", 0, "training steps instead of the preset's")
	pretrain := fs.Int("pretrain", -1, "steps of flow matching before the training, instead of the preset's")
	seed := fs.Uint64("seed", 1, "seed of data and training")
	protocol := fs.String("protocol", "paper", "paper, or authors: train and evaluate as the authors' public code does (docs/METHOD-RESULTS.md lists the differences)")
	tau := fs.Float64("tau", 0, "run VFM with this tolerance τ, instead of -variants")
	alpha := fs.Float64("alpha", 1, "with -tau: the share of latents that come from the adapter, 0 to 1")
	sigma := fs.Float64("sigma", 0, "standard deviation of the observation's noise, instead of 0.1")
	y := fs.Float64("y", 0.5, "observation of the figures and of the posterior's MMD and support, -2 to 2")
	flow := fs.String("flow", "", "layers and width of the flow map, such as 6x512, instead of the preset's; the width must be a multiple of 8")
	adapter := fs.String("adapter", "", "layers and width of the adapter, in the same form")
	export := fs.Bool("export", false, "write each variant's samples, latents and weights (NAME.safetensors) and its losses (NAME-losses.csv)")
	variants, listed, err := cmd.parse(args)
	if listed || err != nil {
		return err
	}
	cfg, err := preset("checkerboard", *size, "small or paper",
		map[string]func() experiment.CheckerConfig{"small": experiment.SmallChecker, "paper": experiment.PaperChecker})
	if err != nil {
		return err
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
		if *cmd.only != "" {
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
	for _, s := range []struct {
		name, text string
		to         *nets.MLPConfig
	}{{"flow", *flow, &cfg.Flow}, {"adapter", *adapter, &cfg.Adapter}} {
		if s.text == "" {
			continue
		}
		if _, err := fmt.Sscanf(s.text+"\n", "%dx%d\n", &s.to.Layers, &s.to.Width); err != nil {
			return fmt.Errorf("checkerboard: -%s %q: must be layers and width, such as 6x512", s.name, s.text)
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
	dev, err := cmd.open()
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
	cmd.wrote("figures and checkerboard.csv")
	return nil
}
