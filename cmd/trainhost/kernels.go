package main

import (
	"context"
	"flag"
	"time"

	"github.com/vfmrestore/restore/trainhost"
)

// kernels trains the network that estimates the kernels of motion blur.
func kernels(ctx context.Context, args []string) error {
	cfg := trainhost.DefaultKernelConfig()
	fs := flag.NewFlagSet("trainhost kernels", flag.ContinueOnError)
	r := newRunFlags(fs, 50)
	fs.IntVar(&cfg.Batch, "batch", cfg.Batch, "pictures in a step")
	fs.IntVar(&cfg.Fresh, "fresh", cfg.Fresh, "new blurred pictures per step")
	fs.IntVar(&cfg.Pool, "pool", cfg.Pool, "blurred pictures in memory, from which steps are drawn; 144 kB each")
	fs.Uint64Var(&cfg.Steps, "steps", cfg.Steps, "steps of this run")
	fs.Uint64Var(&cfg.Warmup, "warmup", cfg.Warmup, "steps of linear warm-up")
	fs.Float64Var(&cfg.LR, "lr", cfg.LR, "learning rate at its peak")
	fs.Float64Var(&cfg.EMA, "ema", cfg.EMA, "decay per step of the averaged weights")
	fs.Uint64Var(&cfg.Seed, "seed", cfg.Seed, "seed of the weights, the pictures and the noise")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := r.check(fs); err != nil {
		return err
	}
	asked, steps := flagsGiven(fs), cfg.Steps
	var start *trainhost.KernelCheckpoint
	var err error
	if *r.resume {
		if err := asked.refuseStarts(fs, "from"); err != nil {
			return err
		}
		*r.from = *r.out
	}
	if *r.from != "" {
		if start, err = trainhost.LoadKernelCheckpoint(*r.from); err != nil {
			return err
		}
	}
	if *r.resume {
		cfg = start.State.Config // which contains the variables of the flags
		if err := asked.compare(fs, *r.out); err != nil {
			return err
		}
		if _, ok := asked["steps"]; ok {
			cfg.Steps, start.State.Config.Steps = steps, steps
		}
	}
	var origin *trainhost.Origin
	if *r.resume {
		origin = start.State.Origin
	}
	pics, dev, origin, err := r.open(fs, "kernels", trainhost.KernelSides[len(trainhost.KernelSides)-1], origin)
	if err != nil {
		return err
	}
	defer dev.Close()
	began, built := time.Now(), watchKernels(dev)
	t, err := trainhost.NewKernelTrainer(dev, pics, cfg, start, *r.resume)
	built()
	if err != nil {
		return err
	}
	defer t.Close()
	t.State.Origin = origin
	describeRun(pics, t, dev, began)
	save := func() error { return trainhost.SaveKernelCheckpoint(*r.out, t.Store(), t.State) }
	complete, err := t.Run(ctx, r.schedule(save), func(r trainhost.KernelReport) { r.Log(stdout) })
	return r.finish(err, save, t.State.Step, t.State.Config.Steps, complete)
}
