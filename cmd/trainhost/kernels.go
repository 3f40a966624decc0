package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/trainhost"
)

// kernels trains the network that reads motion blur's kernels.
func kernels(ctx context.Context, args []string) error {
	cfg := trainhost.DefaultKernelConfig()
	fs := flag.NewFlagSet("trainhost kernels", flag.ContinueOnError)
	data := fs.String("data", "", "folder of training pictures (JPEG, PNG; searched recursively)")
	out := fs.String("out", "", "checkpoint to write")
	from := fs.String("from", "", "checkpoint whose averaged weights this run starts from")
	resume := fs.Bool("resume", false, "go on with the run in -out, exactly where it stopped")
	device := fs.String("device", "", "device index or part of its name")
	limit := fs.Duration("time", 0, "stop after this time, with a checkpoint (0: no limit)")
	every := fs.Uint64("log", 50, "steps between log lines")
	interval := fs.Duration("checkpoint", 3*time.Minute, "time between checkpoints")
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
	if *data == "" || *out == "" {
		return errors.New("kernels: -data and -out are needed")
	}
	var start *trainhost.KernelCheckpoint
	var err error
	if *resume {
		*from = *out
	}
	if *from != "" {
		if start, err = trainhost.LoadKernelCheckpoint(*from); err != nil {
			return err
		}
	}
	pics, err := trainhost.LoadPictures(*data, trainhost.KernelSides[len(trainhost.KernelSides)-1])
	if err != nil {
		return err
	}
	dev, err := gpu.Open(gpu.Options{Device: *device})
	if err != nil {
		return err
	}
	defer dev.Close()
	began := time.Now()
	t, err := trainhost.NewKernelTrainer(dev, pics, cfg, start, *resume)
	if err != nil {
		return err
	}
	defer t.Close()
	fmt.Printf("%d pictures, %d parameters, %d dispatches and %.1f GFLOP a step, %.0f MB, on %s; built in %.1f s\n",
		len(pics.Names), t.Store().Count(), t.Program().Dispatches(), t.Program().Flops()/1e9, float64(t.Program().WorkBytes())/1e6, dev.Info().Name, time.Since(began).Seconds())
	deadline := time.Time{}
	if *limit > 0 {
		deadline = time.Now().Add(*limit)
	}
	save := func() error { return trainhost.SaveKernelCheckpoint(*out, t.Store(), t.State) }
	report := func(step uint64, loss, seconds float64) {
		fmt.Printf("step %6d  left %.3f dB  %.2f s/step\n", step, loss, seconds)
	}
	done, err := t.Run(ctx, deadline, *every, report, save, *interval)
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if err := save(); err != nil {
		return err
	}
	fmt.Printf("step %d of %d, checkpoint %s; complete: %v\n", t.State.Step, t.State.Config.Steps, *out, done)
	return nil
}
