package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/atomicfile"
	"github.com/vfmrestore/restore/internal/plain"
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

// newRunFlags defines them; every is the number of steps between log lines if nothing else is said.
func newRunFlags(fs *flag.FlagSet, every uint64) runFlags {
	return runFlags{
		data:     fs.String("data", "", "folder of training pictures (JPEG, PNG, TIFF, WebP; searched recursively)"),
		out:      fs.String("out", "", "checkpoint to write"),
		from:     fs.String("from", "", "checkpoint whose averaged weights this run starts from"),
		resume:   fs.Bool("resume", false, "go on with the run in -out, exactly where it stopped"),
		replace:  fs.Bool("overwrite", false, "replace what is at -out; otherwise that is refused"),
		strict:   fs.Bool("strict", false, "stop if a picture cannot be read, instead of leaving it out"),
		device:   fs.String("device", "", "device index or part of its name"),
		threads:  fs.Int("threads", 0, "threads of this program and of software drivers (0: one per core)"),
		limit:    fs.Duration("time", 0, "stop after this time, with a checkpoint (0: no limit)"),
		every:    fs.Uint64("log", every, "steps between log lines"),
		interval: fs.Duration("checkpoint", 3*time.Minute, "time between checkpoints"),
	}
}

// check finds what would fail after hours, before anything is built.
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
		return fmt.Errorf("%s: -out %s is there already: -resume goes on with it, -overwrite replaces it", fs.Name(), *r.out)
	}
	return writable(*r.out)
}

// checkOut finds before any work whether a file can be written by a command that is no training
// run. One that is a checkpoint is refused: it may be the work of days.
func checkOut(command, path string) error {
	if f, err := weights.Load(path); err == nil && (trainhost.IsCheckpoint(f) || trainhost.IsKernelCheckpoint(f)) {
		return fmt.Errorf("%s: -out %s is a checkpoint, which would be lost: give another name, or remove it", command, path)
	}
	return writable(path)
}

// noNames refuses arguments that are no flags.
func noNames(fs *flag.FlagSet) error {
	if fs.NArg() > 0 {
		return fmt.Errorf("%s: unexpected %q", fs.Name(), fs.Arg(0))
	}
	return nil
}

// writable tries whether a file can be made at path, and leaves none.
func writable(path string) error {
	f, err := atomicfile.Create(path)
	if err == nil {
		f.Abort()
	}
	return err
}

// load reads the training pictures, and tells which cannot be read.
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

// begun says what a run works with.
func begun(pics *trainhost.Pictures, store *compile.Store, step *compile.Program, dev *gpu.Device, began time.Time) {
	fmt.Fprintf(stdout, "%d pictures, %d parameters, %d dispatches and %.1f GFLOP a step, %.0f MB, on %s; built in %.1f s\n",
		len(pics.Names), store.Count(), step.Dispatches(), step.Flops()/1e9, float64(step.WorkBytes())/1e6, dev.Info().Name, time.Since(began).Seconds())
}
