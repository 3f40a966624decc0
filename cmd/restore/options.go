package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/vfmrestore/restore/internal/atomicfile"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/defocus"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// options are the flags and names of `restore` itself, checked.
type options struct {
	task          task.Task
	auto          bool // the picture decides what is to be done; task is then Denoise
	in            string
	mask          string
	noise         noise
	strength      strength
	raw           rawFlags
	blur          *defocus.Blur // of -blur; nil: estimated
	kernelFile    string
	kernel        *task.Kernel // of kernelFile
	kernelOut     output
	samples       int
	steps         int
	ensemble      int
	seed          uint64
	temperature   float64
	device        string
	weights       string
	tile          int
	precision     restore.Precision
	quality       int
	maxMegapixels int // larger pictures are refused
	out           output
	mean, std     output
	samplesDir    string
	explain       string
	report        string
	times         []float64
	project       bool
	expected      bool
	format        string // of the output, if its name does not say it
	json          bool
	recursive     bool
	overwrite     bool
	noLinks       bool
	salvage       bool
	jobs          int
	shard         shard
	folder        bool // in is a folder
	validation    bool
	verbose       bool
	threads       int     // of the CPU; 0: one per core
	pace          float64 // share of the device's time
}

// loadFlags defines the flags that limit the load on the machine.
func (o *options) loadFlags(fs *flag.FlagSet) {
	fs.IntVar(&o.threads, "threads", 0, "")
	fs.Float64Var(&o.pace, "pace", 1, "")
}

func (o *options) checkLoad() error {
	switch {
	case o.threads < 0 || o.threads > maxThreads:
		return usagef("-threads %d is not from 1 to %d, or 0 for one per core", o.threads, maxThreads)
	case !(o.pace > 0 && o.pace <= 1):
		return usagef("-pace %g is not a share above 0 and up to 1", o.pace)
	}
	return nil
}

const (
	maxThreads = 1024
	maxSteps   = 1000
	minTile    = 16
	maxTile    = 16384
)

// parseOptions reads the command line. It refuses everything that is wrong and can be found without
// opening a picture or a device.
func (a *app) parseOptions(args []string) (*options, error) {
	o := &options{noise: noise{auto: true}, strength: strength{1, 1}}
	var t taskFlag
	fs := flagSet("restore")
	fs.Var(&t, "task", "")
	fs.StringVar(&o.mask, "mask", "", "")
	fs.Var(&o.noise, "noise", "")
	fs.Var(&o.strength, "strength", "")
	o.raw.define(fs)
	fs.Func("blur", "", func(s string) (err error) { o.blur, err = parseBlur(s); return err })
	fs.StringVar(&o.kernelFile, "kernel", "", "")
	fs.StringVar(&o.kernelOut.path, "kernel-out", "", "")
	fs.IntVar(&o.samples, "samples", 0, "")
	fs.IntVar(&o.steps, "steps", 1, "")
	fs.IntVar(&o.ensemble, "ensemble", 1, "")
	fs.Func("times", "", func(s string) (err error) { o.times, err = parseTimes(s); return err })
	fs.BoolVar(&o.project, "project", false, "")
	fs.BoolVar(&o.expected, "expected", false, "")
	fs.Uint64Var(&o.seed, "seed", 0, "")
	fs.Float64Var(&o.temperature, "temperature", 1, "")
	fs.StringVar(&o.device, "device", "", "")
	fs.StringVar(&o.weights, "weights", "", "")
	fs.IntVar(&o.tile, "tile", 0, "")
	fs.Func("precision", "", func(s string) (err error) { o.precision, err = restore.ParsePrecision(s); return err })
	o.loadFlags(fs)
	fs.IntVar(&o.quality, "quality", picture.DefaultQuality, "")
	fs.IntVar(&o.maxMegapixels, "max-megapixels", 1000, "")
	fs.BoolVar(&o.salvage, "salvage", false, "")
	fs.StringVar(&o.mean.path, "mean", "", "")
	fs.StringVar(&o.std.path, "std", "", "")
	fs.StringVar(&o.samplesDir, "samples-dir", "", "")
	fs.StringVar(&o.explain, "explain", "", "")
	fs.StringVar(&o.report, "report", "", "")
	fs.BoolVar(&o.validation, "validation", false, "")
	fs.BoolVar(&o.verbose, "v", false, "")
	fs.StringVar(&o.format, "format", "", "")
	fs.BoolVar(&o.json, "json", false, "")
	fs.BoolVar(&o.recursive, "r", false, "")
	fs.BoolVar(&o.overwrite, "overwrite", false, "")
	fs.BoolVar(&o.noLinks, "no-links", false, "")
	fs.IntVar(&o.jobs, "jobs", 2, "")
	fs.Var(&o.shard, "shard", "")
	names, err := a.parse(fs, args, mainHelp())
	if err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return nil, usagef("nothing to do; usage: restore -task T in.png out.png (see `restore help`)")
	}
	if len(names) == 1 && fs.NFlag() == 0 {
		return nil, usagef("there is no command %q; to restore a picture give -task and two file names (see `restore help`)", names[0])
	}
	if err := t.require(); err != nil {
		return nil, err
	}
	o.task, o.auto = t.task, t.auto
	if len(names) != 2 {
		return nil, usagef("give one picture to read and one to write, not %d names", len(names))
	}
	o.in, o.out.path = names[0], names[1]
	if st, err := os.Stat(o.in); err == nil && st.IsDir() {
		o.folder = true
	}
	for _, name := range []string{"r", "jobs", "shard"} {
		if isSet(fs, name) && !o.folder {
			return nil, usagef("-%s is for folders, and %s is not a folder", name, o.in)
		}
	}
	if err := o.check(isSet(fs, "temperature"), isSet(fs, "steps")); err != nil {
		return nil, err
	}
	if o.kernelFile != "" {
		if o.kernel, err = a.readKernel(o.kernelFile); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// check applies the rules between flags.
func (o *options) check(temperatureSet, stepsSet bool) error {
	if o.auto {
		if err := o.checkAuto(); err != nil {
			return err
		}
	}
	switch {
	case o.in == "" || o.out.path == "":
		return usagef("a file name is empty")
	case o.json && o.out.path == "-":
		return usagef("-json lines and the picture cannot both go to stdout")
	case o.format != "" && !o.folder && o.out.path != "-":
		return usagef("-format is for folders and for stdout; the ending of %s sets the format", o.out.path)
	case o.task.Takes(task.OptionMask) && o.mask == "":
		return usagef("task %v needs -mask, a picture that is white where pixels are missing", o.task)
	case checkTaskOptions(o.task, o.taskOptions()) != nil:
		return checkTaskOptions(o.task, o.taskOptions())
	case stepsSet && o.times != nil:
		return usagef("-steps and -times exclude each other; give one")
	case o.project && o.blur != nil && *o.blur != restore.TrainedBlur:
		return usagef("-project is possible for -blur %v only", restore.TrainedBlur)
	case o.samples < 0 || o.samples > restore.MaxSamples:
		return usagef("-samples %d is not from 0 to %d", o.samples, restore.MaxSamples)
	case o.steps < 1 || o.steps > maxSteps:
		return usagef("-steps %d is not from 1 to %d", o.steps, maxSteps)
	case !slices.Contains([]int{1, 2, 4, 8}, o.ensemble):
		return usagef("-ensemble %d is not 1, 2, 4 or 8", o.ensemble)
	case math.IsNaN(o.temperature) || o.temperature < 0 || o.temperature > 10:
		return usagef("-temperature %g is not from 0 to 10", o.temperature)
	case o.tile != 0 && (o.tile < minTile || o.tile > maxTile):
		return usagef("-tile %d is not 0 (chosen by memory) or from %d to %d", o.tile, minTile, maxTile)
	case o.checkLoad() != nil:
		return o.checkLoad()
	case o.maxMegapixels < 1 || o.maxMegapixels > 1<<30:
		return usagef("-max-megapixels %d is not from 1 to %d", o.maxMegapixels, 1<<30)
	case o.quality < 1 || o.quality > 100:
		return usagef("-quality %d is not from 1 to 100", o.quality)
	}
	if err := o.checkFormat(); err != nil {
		return err
	}
	if o.noLinks {
		for _, name := range []string{o.in, o.mask, o.kernelFile} {
			if err := checkLink(name); err != nil {
				return err
			}
		}
	}
	if o.folder {
		if err := o.checkRawOptions(); err != nil {
			return err
		}
		return o.checkFolder()
	}
	wantsSamples := map[string]string{"-mean": o.mean.path, "-std": o.std.path, "-samples-dir": o.samplesDir}
	for _, name := range []string{"-mean", "-std", "-samples-dir"} {
		if wantsSamples[name] != "" && o.samples == 0 {
			return usagef("%s needs -samples N", name)
		}
	}
	switch {
	case o.std.path != "" && o.samples < 2:
		return usagef("-std needs at least -samples 2")
	case o.samples > 0 && o.mean.path == "" && o.std.path == "" && o.samplesDir == "" && o.explain == "" && o.report == "":
		return usagef("-samples %d would draw pictures and write none; add -mean, -std, -samples-dir, -explain or -report", o.samples)
	case temperatureSet && o.samples == 0:
		return usagef("-temperature only affects samples; add -samples N")
	}
	o.out.flag, o.mean.flag, o.std.flag, o.kernelOut.flag = "the output", "-mean", "-std", "-kernel-out"
	list := []*output{&o.out, &o.mean, &o.std, &o.kernelOut}
	if o.out.path == "-" {
		list = list[1:]
		if o.format != "" {
			o.out.format, _ = picture.FormatOf("." + o.format) // checkFormat has accepted it
		}
	}
	if err := outputs(list...); err != nil {
		return err
	}
	if err := o.checkRawOptions(); err != nil {
		return err
	}
	if o.report != "" {
		if err := atomicfile.Check(o.report); err != nil {
			return err
		}
	}
	for name, path := range map[string]string{"-samples-dir": o.samplesDir, "-explain": o.explain} {
		if err := checkDirectory(name, path); err != nil {
			return err
		}
	}
	if o.explain != "" && o.samplesDir != "" && locationOf(o.explain).same(locationOf(o.samplesDir)) {
		return usagef("-samples-dir and -explain both name %s", o.explain)
	}
	return o.fileUses().check(o.overwrite)
}

// checkAuto refuses flags that -task auto cannot obey, because it may find nothing to do.
func (o *options) checkAuto() error {
	for _, f := range []struct {
		name string
		set  bool
	}{
		{"-samples", o.samples != 0}, {"-explain", o.explain != ""}, {"-report", o.report != ""}, {"-project", o.project},
	} {
		if f.set {
			return usagef("%s needs a task: -task auto may find that nothing needs to be done", f.name)
		}
	}
	return nil
}

// checkDirectory accepts a directory, or a new one in a directory that exists.
func checkDirectory(name, path string) error {
	if path == "" {
		return nil
	}
	st, err := os.Stat(path)
	switch {
	case err == nil && !st.IsDir():
		return fmt.Errorf("%s %s: it is not a directory", name, path)
	case err == nil:
		return nil
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w", name, err)
	}
	return atomicfile.Check(path)
}

// parseTimes reads the numbers of -times, which the library checks.
func parseTimes(s string) (times []float64, err error) {
	for _, part := range strings.Split(s, ",") {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil {
			return nil, errors.New("give falling numbers from 1 to 0, separated by commas")
		}
		times = append(times, v)
	}
	return times, restore.CheckTimes(times)
}

// seriesPath is the path of picture i (from 0) of a series in a directory.
func seriesPath(dir, name string, i int, ext string) string {
	return filepath.Join(dir, fmt.Sprintf("%s-%03d%s", name, i+1, ext))
}
