package main

import (
	"flag"
	"fmt"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/trainhost"
)

// runFlags are the flags of every training run.
type runFlags struct {
	data, out, from, device *string
	resume                  *bool
	limit, interval         *time.Duration
	every                   *uint64
}

// newRunFlags defines them; every is the number of steps between log lines if nothing else is said.
func newRunFlags(fs *flag.FlagSet, every uint64) runFlags {
	return runFlags{
		data:     fs.String("data", "", "folder of training pictures (JPEG, PNG; searched recursively)"),
		out:      fs.String("out", "", "checkpoint to write"),
		from:     fs.String("from", "", "checkpoint whose averaged weights this run starts from"),
		resume:   fs.Bool("resume", false, "go on with the run in -out, exactly where it stopped"),
		device:   fs.String("device", "", "device index or part of its name"),
		limit:    fs.Duration("time", 0, "stop after this time, with a checkpoint (0: no limit)"),
		every:    fs.Uint64("log", every, "steps between log lines"),
		interval: fs.Duration("checkpoint", 3*time.Minute, "time between checkpoints"),
	}
}

// deadline is when a run that begins now is to stop, or the zero time.
func (r runFlags) deadline() time.Time {
	if *r.limit <= 0 {
		return time.Time{}
	}
	return time.Now().Add(*r.limit)
}

// begun says what a run works with.
func begun(pics *trainhost.Pictures, store *compile.Store, step *compile.Program, dev *gpu.Device, began time.Time) {
	fmt.Printf("%d pictures, %d parameters, %d dispatches and %.1f GFLOP a step, %.0f MB, on %s; built in %.1f s\n",
		len(pics.Names), store.Count(), step.Dispatches(), step.Flops()/1e9, float64(step.WorkBytes())/1e6, dev.Info().Name, time.Since(began).Seconds())
}
