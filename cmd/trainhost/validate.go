package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/vfmrestore/restore/internal/plain"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/trainhost"
)

// validation scores the averaged weights of a run on pictures that it is not trained on.
type validation struct {
	folder string
	every  uint64 // steps
	limit  int    // pictures
	device string
}

func (v *validation) defineFlags(fs *flag.FlagSet) {
	fs.StringVar(&v.folder, "val", "", "folder of pictures, none of them in -data, on which the averaged weights are scored during training")
	fs.Uint64Var(&v.every, "val-every", 500, "steps between scores")
	fs.IntVar(&v.limit, "val-limit", 24, "number of pictures to score, at equal distances in the folder")
}

// check reports flags that are out of range, and a folder without readable pictures.
func (v validation) check() error {
	if v.every < 1 || v.limit < 1 {
		return errors.New("-val-every and -val-limit must be at least 1")
	}
	if v.folder == "" {
		return nil
	}
	if st, err := os.Stat(v.folder); err != nil || !st.IsDir() {
		return fmt.Errorf("-val %s is not a folder", v.folder)
	}
	if err := trainhost.CheckPictures(v.folder, v.limit, true); err != nil {
		return fmt.Errorf("-val: %w", err)
	}
	return nil
}

// due reports whether to score after a step.
func (v validation) due(step uint64) bool { return v.folder != "" && step > 0 && step%v.every == 0 }

// after scores the checkpoint that save writes to path, if the step is due, and prints the result.
// An error is printed on stderr and the run goes on: the next score may succeed.
func (v validation) after(ctx context.Context, save func() error, path string, step uint64) {
	if !v.due(step) {
		return
	}
	line, err := "", save()
	if err == nil {
		line, err = v.score(ctx, path, step)
	}
	switch {
	case err == nil:
		fmt.Fprintln(stdout, line)
	case ctx.Err() == nil:
		fmt.Fprintln(os.Stderr, "trainhost: no score at step", step, "-", plain.Line(err.Error()))
	}
}

// score evaluates the checkpoint at path and describes the result in a line: the PSNR at z = μ of
// every task. For networks that are told the shape of noise it adds the PSNR on pictures of
// simulated cameras, whose noise is estimated.
func (v validation) score(ctx context.Context, path string, step uint64) (string, error) {
	began := time.Now()
	n, err := openNetwork(path)
	if err != nil {
		return "", err
	}
	m, err := restore.Open(restore.Config{Device: v.device, Network: n})
	if err != nil {
		return "", err
	}
	defer m.Close()
	cfg := trainhost.EvalConfig{Folder: v.folder, Sigma: 0.05, Limit: v.limit, Spread: true, Seed: 1}
	scores, err := trainhost.Evaluate(ctx, m, cfg)
	if err != nil {
		return "", err
	}
	var parts []string
	for _, s := range scores {
		parts = append(parts, fmt.Sprintf("%s %.3f", s.Task, s.Mode))
	}
	if n.Config.Traits().Noise {
		cfg.Tasks, cfg.Auto, cfg.Camera = []task.Task{task.Denoise}, true, "random=1"
		if scores, err = trainhost.Evaluate(ctx, m, cfg); err != nil {
			return "", err
		}
		parts = append(parts, fmt.Sprintf("camera %.3f (input %.3f)", scores[0].Mode, scores[0].Input))
	}
	return fmt.Sprintf("validation at step %d: %s dB, %d pictures, %.0f s", step, strings.Join(parts, ", "), scores[0].Pictures, time.Since(began).Seconds()), nil
}
