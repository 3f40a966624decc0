package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/threads"
	"github.com/vfmrestore/restore/trainhost"
)

// kernels trains the network that reads motion blur's kernels.
func kernels(ctx context.Context, args []string) error {
	cfg := trainhost.DefaultKernelConfig()
	fs := flag.NewFlagSet("trainhost kernels", flag.ContinueOnError)
	r := newRunFlags(fs, 50)
	fs.IntVar(&cfg.Batch, "batch", cfg.Batch, "pictures in a step")
	fs.IntVar(&cfg.Fresh, "fresh", cfg.Fresh, "pictures that are blurred anew per step")
	fs.IntVar(&cfg.Pool, "pool", cfg.Pool, "blurred pictures that are drawn from, 144 kB of memory each")
	fs.Uint64Var(&cfg.Steps, "steps", cfg.Steps, "steps of this run")
	fs.Uint64Var(&cfg.Warmup, "warmup", cfg.Warmup, "steps of linear warm-up")
	fs.Float64Var(&cfg.LR, "lr", cfg.LR, "learning rate at its peak")
	fs.Float64Var(&cfg.EMA, "ema", cfg.EMA, "decay of the averaged weights")
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
		if err := asked.beginnings(fs, "from"); err != nil {
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
		cfg = start.State.Config // which the flags' variables are in
		if err := asked.compare(fs, *r.out); err != nil {
			return err
		}
		if _, ok := asked["steps"]; ok {
			cfg.Steps, start.State.Config.Steps = steps, steps
		}
	}
	pics, err := r.load(trainhost.KernelSides[len(trainhost.KernelSides)-1])
	if err != nil {
		return err
	}
	var origin *trainhost.Origin
	if *r.resume {
		origin = start.State.Origin
		if err := r.sameRun(fs, "kernels", origin, pics.Print()); err != nil {
			return err
		}
	}
	if err := threads.Limit(*r.threads); err != nil {
		return err
	}
	dev, err := gpu.Open(gpu.Options{Device: *r.device})
	if err != nil {
		return err
	}
	defer dev.Close()
	began, told := time.Now(), watchKernels(dev)
	t, err := trainhost.NewKernelTrainer(dev, pics, cfg, start, *r.resume)
	told()
	if err != nil {
		return err
	}
	defer t.Close()
	t.State.Origin = origin.Began("kernels", pics.Print(), trainhost.HostOf(versionText(), dev))
	begun(pics, t.Store(), t.Program(), dev, began)
	save := func() error { return trainhost.SaveKernelCheckpoint(*r.out, t.Store(), t.State) }
	deadline, run := r.deadline(), t.State.Config
	report := func(step uint64, loss, seconds float64) {
		fmt.Fprintf(stdout, "step %6d of %d  left %.3f dB  %.2f s/step  %.3g pictures/s  %s to go\n", step, run.Steps, loss, seconds,
			float64(run.Batch)/seconds, trainhost.Clock(trainhost.Left(run.Steps-step, seconds, deadline)))
	}
	done, err := t.Run(ctx, deadline, *r.every, report, save, *r.interval)
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if err := save(); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "step %d of %d, checkpoint %s; complete: %v\n", t.State.Step, t.State.Config.Steps, *r.out, done)
	return nil
}
