package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/trainhost"
)

// eval evaluates weights on a folder of pictures, on pairs, or on Levin's set.
func eval(ctx context.Context, args []string) error {
	fs := flag.NewFlagSet("trainhost eval", flag.ContinueOnError)
	cfg := trainhost.EvalConfig{}
	fs.StringVar(&cfg.Folder, "data", "", "folder of clean pictures (PNG, JPEG)")
	path := fs.String("weights", "", ".vfm file or checkpoint (default: the embedded weights)")
	device := fs.String("device", "", "device index or part of its name")
	tasks := fs.String("tasks", "", "tasks, separated by commas (default: all for which the weights were trained)")
	fs.Float64Var(&cfg.Sigma, "sigma", 0.05, "standard deviation of the noise for pictures in [-1,1]")
	fs.IntVar(&cfg.Samples, "samples", 0, "posterior samples per picture; 10 for the full table, 0 for z = μ alone")
	fs.IntVar(&cfg.Limit, "limit", 0, "use at most this many pictures (0: all)")
	fs.Uint64Var(&cfg.Seed, "seed", 1, "seed of operators, noise and samples")
	fs.IntVar(&cfg.Steps, "steps", 1, "steps K of the flow map")
	fs.IntVar(&cfg.Draws, "draws", 1, "random operators and noises per picture, with the seeds -seed, -seed + 1, …")
	fs.IntVar(&cfg.Ensemble, "ensemble", 1, "restore in 1, 2, 4 or 8 orientations and take the mean")
	fs.BoolVar(&cfg.Auto, "auto-noise", false, "let the model estimate the noise level")
	fs.BoolVar(&cfg.Scales, "scales", false, "with -samples: also compare the spread of the samples with the error for the means of blocks of 1 to 32 pixels")
	portable := fs.Bool("portable", false, "use only kernels that run on every device")
	var precision restore.Precision
	fs.Func("precision", "numbers of the network in the memory of the device: auto, fp32 or fp16 (default auto)", func(s string) (err error) {
		precision, err = restore.ParsePrecision(s)
		return err
	})
	pairs := fs.String("pairs", "", "folder of pairs of pictures, instead of -data: names that end in _real and _mean, _noisy and _clean, _blur and _sharp, or in nothing and _gt")
	names := fs.String("pair-names", "", "other endings of the names: of the degraded picture and of the reference, separated by a comma")
	mats := fs.String("levin", "", "folder of Levin's captured camera shake (MATLAB files with x, y and f), instead of -data: motion-deblur, blind and with the true kernel")
	noise := fs.Float64("noise", -1, "with -pairs and -levin: noise level in 8-bit levels; negative: the model estimates it")
	fs.IntVar(&cfg.Crop, "crop", 0, "use at most this many pixels a side, from the middle (0: all)")
	fs.StringVar(&cfg.Camera, "camera", "", "degrade pictures for denoise by a camera instead of white noise, such as iso=3200,jpeg=85; see restore help degrade")
	asJSON := fs.Bool("json", false, "print JSON instead of a table")
	if err := fs.Parse(args); err != nil {
		return err
	}
	if err := noNames(fs); err != nil {
		return err
	}
	if given := len(slices.DeleteFunc([]string{cfg.Folder, *pairs, *mats}, func(s string) bool { return s == "" })); given != 1 {
		return errors.New("eval: one of -data, -pairs and -levin is needed")
	}
	var err error
	if cfg.Tasks, err = tasksOf(*tasks); err != nil {
		return err
	}
	if cfg.Draws < 1 || cfg.Samples < 0 || cfg.Limit < 0 {
		return fmt.Errorf("eval: -draws %d, -samples %d, -limit %d: must be at least 1, 0 and 0", cfg.Draws, cfg.Samples, cfg.Limit)
	}
	if cfg.Scales && (cfg.Samples < 2 || cfg.Folder == "") {
		return errors.New("eval: -scales needs -data, and -samples of at least 2")
	}
	open := restore.Config{Device: *device, Portable: *portable, Precision: precision}
	if *path != "" {
		if open.Network, err = openNetwork(*path); err != nil {
			return err
		}
	}
	m, err := restore.Open(open)
	if err != nil {
		return err
	}
	defer m.Close()
	level := *noise // for Request.Noise; 0 of the flag means that there is none
	if level >= 0 {
		level = max(level, restore.NoNoise)
	}
	began := time.Now()
	cfg.Progress = func(t task.Task, done, total int) {
		if done%10 == 0 || done == total {
			fmt.Fprintf(os.Stderr, "%s %d/%d  %.0f s\n", t, done, total, time.Since(began).Seconds())
		}
	}
	if *mats != "" {
		list, err := trainhost.EvaluateLevin(ctx, m, *mats, level, func(done, total int) { cfg.Progress(task.MotionDeblur, done, total) })
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(list)
		}
		fmt.Fprint(stdout, trainhost.LevinTable(list))
		return nil
	}
	var scores []trainhost.Score
	if *pairs != "" {
		if len(cfg.Tasks) != 1 {
			return errors.New("eval: -pairs needs one task: -tasks denoise, for example")
		}
		var endings [2]string
		if *names != "" {
			a, b, ok := strings.Cut(*names, ",")
			if !ok {
				return fmt.Errorf("eval: -pair-names %q: must be two endings, separated by a comma", *names)
			}
			endings = [2]string{a, b}
		}
		cfg.Folder = *pairs
		s, list, err := trainhost.EvaluatePairs(ctx, m, cfg.Tasks[0], endings, level, cfg)
		if err != nil {
			return err
		}
		if scores = []trainhost.Score{s}; !*asJSON {
			fmt.Fprintln(stdout, trainhost.PairTable(list))
		}
	} else if scores, err = trainhost.Evaluate(ctx, m, cfg); err != nil {
		return err
	}
	if *asJSON {
		return printJSON(scores)
	}
	fmt.Fprint(stdout, trainhost.Table(scores))
	if cfg.Scales {
		fmt.Fprint(stdout, "\n", trainhost.ScaleTable(scores, cfg.Samples))
	}
	return nil
}

// tasksOf reads a list of tasks separated by commas; nil if it is empty.
func tasksOf(text string) (list []task.Task, err error) {
	if text == "" {
		return nil, nil
	}
	for _, s := range strings.Split(text, ",") {
		t, err := task.Parse(strings.TrimSpace(s))
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

func printJSON(v any) error {
	e := json.NewEncoder(stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
