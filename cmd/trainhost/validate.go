package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/vfmrestore/restore/internal/plain"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/task"
	"github.com/vfmrestore/restore/trainhost"
)

// validation scores a run's averaged weights on pictures that it is not trained on.
type validation struct {
	folder string
	every  uint64 // steps
	limit  int    // pictures
	device string
}

// due tells whether to score after a step.
func (v validation) due(step uint64) bool { return v.folder != "" && step > 0 && step%v.every == 0 }

// after scores what save writes to a path, if it is time for that, and prints the result. What
// fails is told on stderr: the run goes on, and the next time may be better.
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

// score evaluates the checkpoint at a path, which was just written, and describes the result in a line: PSNR at z = μ of every task,
// and for networks that know the noise of cameras also that of pictures as cameras make them, with the noise to be found.
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
