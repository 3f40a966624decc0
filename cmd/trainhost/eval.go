package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/trainhost"
)

func eval(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("trainhost eval", flag.ContinueOnError)
	cfg := trainhost.EvalConfig{}
	fs.StringVar(&cfg.Folder, "data", "", "folder of clean pictures (PNG, JPEG)")
	path := fs.String("weights", "", ".vfm file or checkpoint (default: the embedded weights)")
	device := fs.String("device", "", "device index or part of its name")
	tasks := fs.String("tasks", "", "tasks, separated by commas (default: all that the weights were trained for)")
	fs.Float64Var(&cfg.Sigma, "sigma", 0.05, "noise standard deviation for pictures in [-1,1]")
	fs.IntVar(&cfg.Samples, "samples", 0, "posterior samples per picture; 10 for the whole table, 0 for z = μ alone")
	fs.IntVar(&cfg.Limit, "limit", 0, "use only so many pictures (0: all)")
	fs.Uint64Var(&cfg.Seed, "seed", 1, "seed of operators, noise and samples")
	fs.IntVar(&cfg.Steps, "steps", 1, "steps K of the flow map")
	fs.IntVar(&cfg.Draws, "draws", 1, "operators and noises drawn per picture, with the seeds -seed, -seed + 1, …")
	fs.IntVar(&cfg.Ensemble, "ensemble", 1, "restore in so many orientations, 1, 2, 4 or 8, and take the mean")
	fs.BoolVar(&cfg.Auto, "auto-noise", false, "let the model estimate the noise level")
	portable := fs.Bool("portable", false, "use only kernels that run on every device")
	var precision restore.Precision
	fs.Func("precision", "of the network's numbers in the device's memory: auto, fp32 or fp16 (default auto)", func(s string) (err error) {
		precision, err = restore.ParsePrecision(s)
		return err
	})
	asJSON := fs.Bool("json", false, "print JSON instead of a table")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if cfg.Folder == "" {
		return errors.New("eval: -data is needed")
	}
	if *tasks != "" {
		for _, s := range strings.Split(*tasks, ",") {
			t, err := task.Parse(strings.TrimSpace(s))
			if err != nil {
				return err
			}
			cfg.Tasks = append(cfg.Tasks, t)
		}
	}
	if cfg.Draws < 1 || cfg.Samples < 0 || cfg.Limit < 0 {
		return fmt.Errorf("eval: -draws %d, -samples %d, -limit %d: must be at least 1, 0 and 0", cfg.Draws, cfg.Samples, cfg.Limit)
	}
	open := restore.Config{Device: *device, Portable: *portable, Precision: precision}
	if *path != "" {
		var err error
		if open.Network, err = openNetwork(*path); err != nil {
			return err
		}
	}
	m, err := restore.Open(open)
	if err != nil {
		return err
	}
	defer m.Close()
	began := time.Now()
	cfg.Progress = func(t task.Task, done, total int) {
		if done%10 == 0 || done == total {
			fmt.Fprintf(os.Stderr, "%s %d/%d  %.0f s\n", t, done, total, time.Since(began).Seconds())
		}
	}
	scores, err := trainhost.Evaluate(ctx, m, cfg)
	if err != nil {
		return err
	}
	if *asJSON {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(scores)
	}
	fmt.Print(trainhost.Table(scores))
	return nil
}
