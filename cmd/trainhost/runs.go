package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/atomicfile"
	"github.com/vfmrestore/restore/internal/plain"
	"github.com/vfmrestore/restore/internal/threads"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/trainhost"
	"github.com/vfmrestore/restore/trainhost/optim"
	"github.com/vfmrestore/restore/weights"
)

// runFlags are the flags of every training run.
type runFlags struct {
	data, out, from, device *string
	resume, replace, strict *bool
	limit, interval         *time.Duration
	every                   *uint64
	threads                 *int
}

// newRunFlags defines the flags; every is the default number of steps between log lines.
func newRunFlags(fs *flag.FlagSet, every uint64) runFlags {
	return runFlags{
		data:     fs.String("data", "", "folder of training pictures (JPEG, PNG, TIFF, WebP), with the folders in it"),
		out:      fs.String("out", "", "checkpoint to write"),
		from:     fs.String("from", "", "checkpoint from whose averaged weights this run starts"),
		resume:   fs.Bool("resume", false, "continue the run in -out exactly where it stopped"),
		replace:  fs.Bool("overwrite", false, "replace the file -out if it exists; without, that is an error"),
		strict:   fs.Bool("strict", false, "stop if a picture cannot be read; without, it is left out"),
		device:   fs.String("device", "", "device index or part of its name"),
		threads:  fs.Int("threads", 0, "threads of this program and of software drivers (0: one per core)"),
		limit:    fs.Duration("time", 0, "stop after this time, with a checkpoint (0: no limit)"),
		every:    fs.Uint64("log", every, "steps between log lines"),
		interval: fs.Duration("checkpoint", 3*time.Minute, "time between checkpoints"),
	}
}

// check finds mistakes that would make a run fail after hours.
func (r runFlags) check(fs *flag.FlagSet) error {
	if err := noNames(fs); err != nil {
		return err
	}
	if *r.data == "" || *r.out == "" {
		return fmt.Errorf("%s: -data and -out are needed", fs.Name())
	}
	if *r.threads < 0 {
		return fmt.Errorf("%s: -threads %d: must be 1 or more, or 0 for one per core", fs.Name(), *r.threads)
	}
	if _, err := os.Stat(*r.out); err == nil && !*r.resume && !*r.replace {
		return fmt.Errorf("%s: -out %s is there already: -resume continues it, -overwrite replaces it", fs.Name(), *r.out)
	}
	return writable(*r.out)
}

// checkOut fails before any work if a command other than a training run cannot write a file. It
// also fails if the file is a checkpoint, which may be the work of days.
func checkOut(command, path string) error {
	if f, err := weights.Load(path); err == nil && (trainhost.IsCheckpoint(f) || trainhost.IsKernelCheckpoint(f)) {
		return fmt.Errorf("%s: -out %s is a checkpoint, which would be lost: give another name, or remove it", command, path)
	}
	return writable(path)
}

// noNames fails if there are arguments that are not flags.
func noNames(fs *flag.FlagSet) error {
	if fs.NArg() > 0 {
		return fmt.Errorf("%s: unexpected %q", fs.Name(), fs.Arg(0))
	}
	return nil
}

// writable fails if no file can be made at path. It leaves none.
func writable(path string) error {
	f, err := atomicfile.Create(path)
	if err == nil {
		f.Abort()
	}
	return err
}

// open reads the training pictures, compares them with those of a run that is resumed, and opens
// the device. origin is that of the run so far, or nil; next is its continuation.
func (r runFlags) open(fs *flag.FlagSet, command string, minSide int, origin *trainhost.Origin) (pics *trainhost.Pictures, dev *gpu.Device, next *trainhost.Origin, err error) {
	if pics, err = r.load(minSide); err != nil {
		return nil, nil, nil, err
	}
	if *r.resume {
		if err := r.sameRun(fs, command, origin, pics.Print()); err != nil {
			return nil, nil, nil, err
		}
	}
	if err := threads.Limit(*r.threads); err != nil {
		return nil, nil, nil, err
	}
	if dev, err = gpu.Open(gpu.Options{Device: *r.device}); err != nil {
		return nil, nil, nil, err
	}
	return pics, dev, origin.Began(command, pics.Print(), trainhost.HostOf(versionText(), dev)), nil
}

// load reads the training pictures, and prints how many cannot be read.
func (r runFlags) load(minSide int) (*trainhost.Pictures, error) {
	pics, err := trainhost.LoadPictures(*r.data, minSide)
	if err != nil {
		return nil, err
	}
	if n := len(pics.Skipped); n > 0 {
		if *r.strict {
			return nil, pics.Skipped[0]
		}
		fmt.Fprintf(os.Stderr, "trainhost: %d of %d pictures cannot be read and are left out; the first: %s\n", n, n+pics.Len(), plain.Line(pics.Skipped[0].Error()))
	}
	return pics, nil
}

// schedule is that of a run that begins now; save writes a checkpoint.
func (r runFlags) schedule(save func() error) optim.Schedule {
	s := optim.Schedule{Every: *r.every, Checkpoint: save, Interval: *r.interval}
	if *r.limit > 0 {
		s.Deadline = time.Now().Add(*r.limit)
	}
	return s
}

// finish saves a checkpoint after a run that ended with err, and prints how far it came. A run that
// was interrupted is no error.
func (r runFlags) finish(err error, save func() error, step, steps uint64, complete bool) error {
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if err := save(); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "step %d of %d, checkpoint %s; complete: %v\n", step, steps, *r.out, complete)
	return nil
}

// trainer is trainhost.Trainer or trainhost.KernelTrainer.
type trainer interface {
	Store() *compile.Store
	Program() *compile.Program
}

// describeRun prints the size of a run and the time since it began to be built.
func describeRun(pics *trainhost.Pictures, t trainer, dev *gpu.Device, began time.Time) {
	store, step := t.Store(), t.Program()
	fmt.Fprintf(stdout, "%d pictures, %d parameters, %d dispatches and %.1f GFLOP a step, %.0f MB, on %s; built in %.1f s\n",
		pics.Len(), store.Count(), step.Dispatches(), step.Flops()/1e9, float64(step.WorkBytes())/1e6, dev.Info().Name, time.Since(began).Seconds())
}
