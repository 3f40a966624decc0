package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/vfmrestore/restore/internal/threads"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/raw"
	"github.com/vfmrestore/restore/restore/report"
	"github.com/vfmrestore/restore/restore/task"
)

// restore is the command without a name: read, restore, write. If the header of the file is in
// order, the device is opened while the pixels are read.
func (a *app) restore(args []string) error {
	o, err := a.parseOptions(args)
	if err != nil {
		return err
	}
	if err := threads.Limit(o.threads); err != nil {
		return err
	}
	if o.folder {
		return a.folder(o)
	}
	if o.out.path == "-" && a.outTerminal {
		return usagef("the picture would be printed on the terminal; redirect stdout to a file or a program")
	}
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	started := time.Now()
	opener := &modelOpener{a: a, o: o, ctx: ctx}
	in, err := o.read(ctx, a.in, opener.start)
	if err != nil {
		cancel()
		opener.discard()
		if a.ctx.Err() != nil {
			return errors.New("interrupted")
		}
		return err
	}
	releaseMemory(in.pic)
	model, err := opener.wait()
	if err != nil {
		return err
	}
	defer model.Close()
	opened := time.Now()
	show := progress{w: a.err, on: a.terminal}
	req := o.requestFor(in)
	req.Progress = show.update
	files := &staging{quality: o.quality}
	defer files.abort()
	var early *rowWriter
	if in.pic.EncodesByRow(o.out.format) && o.out.path != "-" && !o.auto && !o.raw.linear {
		early = newRowWriter(files, o.out, cancel)
		req.Rows = early.rowsReady
	}
	result, steps, err := o.restorePicture(ctx, model, in.pic, req)
	took := time.Since(opened)
	if early != nil {
		err = early.finish(err)
	}
	show.clear()
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	if err != nil {
		return err
	}
	if steps != nil {
		a.reportSteps(o.in, steps)
	}
	if o.verbose {
		fmt.Fprintf(a.err, "%d×%d pixels, noise %.2f of 255, read and device opened in %.2f s, restored in %.2f s\n",
			result.Picture.W, result.Picture.H, result.Noise, opened.Sub(started).Seconds(), took.Seconds())
		fmt.Fprintf(a.err, "noise: %v\n", result.Profile)
		if text := defocusText(result); text != "" {
			fmt.Fprintf(a.err, "blur: %s\n", text)
		}
		if b := motionInfoOf(result); b != nil {
			fmt.Fprintf(a.err, "motion blur: %v\n", b)
		}
	}
	var page *report.Report
	if o.report != "" {
		page = o.page(in.pic, result, model.Info(), took)
	}
	if int64(result.Picture.W)*int64(result.Picture.H) > largePixels {
		model.Close() // its memory may be needed for writing
	} else {
		go model.Close() // takes 10 ms; the deferred call waits for its end
	}
	in = nil
	if a.ctx.Err() != nil { // while the last tile was on the device
		return errors.New("interrupted")
	}
	if early != nil {
		if err = o.writeKernel(files, result); err == nil {
			err = files.commit()
		}
	} else {
		releaseMemory(result.Picture)
		err = o.write(a.out, result, page)
	}
	if err != nil {
		return err
	}
	a.reportNoKernel(o, result)
	a.reportDropped(o.in, result.Picture, o.out.format)
	l := resultLine{In: name(o.in), Out: name(o.out.path), Status: "done", Width: result.Picture.W, Height: result.Picture.H, Noise: result.Noise, Shape: noiseInfoOf(result), Defocus: defocusOf(result), Blur: motionInfoOf(result), Seconds: time.Since(started).Seconds()}
	if s := result.Picture.Salvaged; s != nil {
		err = &salvagedError{o.in, s}
		l.Status, l.Error = "salvaged", name(err.Error())
	}
	if o.json {
		a.print(l)
	}
	return err
}

// restorePicture restores a picture by the task of the flags, or by the tasks that the picture
// needs.
func (o *options) restorePicture(ctx context.Context, m *restore.Model, in *picture.Picture, req restore.Request) (r *restore.Result, steps *restore.Diagnosis, err error) {
	if o.auto {
		r, steps, err = m.Mend(ctx, in, req)
	} else {
		r, err = m.Restore(ctx, in, req)
	}
	if err == nil && o.raw.linear {
		raw.DefaultRendering.ToLinear(r.Picture)
	}
	return r, steps, err
}

// open opens the model that the flags ask for. With -v it prints which it is. once is
// restore.Config.Once.
func (a *app) open(o *options, once bool) (*restore.Model, error) {
	return a.openBy(o, once, restore.Open)
}

func (a *app) openBy(o *options, once bool, open func(restore.Config) (*restore.Model, error)) (*restore.Model, error) {
	if o.task.Takes(task.OptionKernel) {
		motionblur.CacheLibrary("")
	}
	cfg := o.config()
	cfg.Once = once
	model, err := open(cfg)
	if err == nil && o.verbose {
		fmt.Fprintln(a.err, oneLine(model.Info()))
	}
	return model, err
}

// config returns what the flags say about the model.
func (o *options) config() restore.Config {
	return restore.Config{Device: o.device, Weights: o.weights, Tile: o.tile, Precision: o.precision, Validation: o.validation, Pace: o.pace}
}

// request returns what the flags say about the picture.
func (o *options) request(missing []bool) restore.Request {
	return restore.Request{
		Task: o.task, Mask: missing, Noise: o.noiseLevel(), Grain: [2]float64{1 - o.strength[0], 1 - o.strength[1]}, Blur: o.blur, Kernel: o.kernel,
		Expected: o.expected, Samples: o.samples, Steps: o.stepCount(), Times: o.times, Ensemble: o.ensemble, Project: o.project, Explain: o.explain != "" || o.report != "", Seed: o.seed, Temperature: max(o.temperature, restore.NoSpread),
		StatisticsOnly: o.samplesDir == "" && o.explain == "" && o.report == "",
	}
}

// fastBuildPixels is the amount of work, in pixels, up to which kernels that are built quickly save
// more time than kernels that run fast.
const fastBuildPixels = 4 << 20

// work returns how many pixels go through the networks for a picture of w×h pixels.
func (o *options) work(w, h int) int {
	side := o.task.Scale()
	return w * side * h * side * (max(1, o.ensemble) + o.samples) * max(1, o.steps, len(o.times)-1)
}

// extension returns the ending of file names in the output's format.
func (o *options) extension() string {
	if o.out.path != "-" {
		return filepath.Ext(o.out.path)
	}
	if o.format != "" {
		return "." + o.format
	}
	return ".png"
}

// stepCount is Request.Steps, which -times replaces.
func (o *options) stepCount() int {
	if o.times != nil {
		return 0
	}
	return o.steps
}

// noiseLevel is Request.Noise. 0 of the flag means that there is no noise.
func (o *options) noiseLevel() float64 {
	if o.noise.auto {
		return 0
	}
	return max(o.noise.levels, restore.NoNoise)
}

// largePixels is the number of pixels from which a picture is held as 8 or 16 bits where floats are
// not needed, and memory is released between reading, restoring and writing.
var largePixels int64 = 4 << 20

// limits returns the limits for reading pictures.
func (o *options) limits() picture.Limits {
	l := picture.Limits{MaxPixels: int64(o.maxMegapixels) * 1e6}
	if req := o.request(nil); req.KeepsLevels() {
		l.Pack = max(1, largePixels/int64(o.task.Scale()*o.task.Scale())) // of the result
	}
	return l
}

// largeGCPercent replaces GOGC for large pictures. Their memory is in few large pieces, which cost
// nothing to scan, so collection may be frequent. With the usual 100 as much memory as a large
// picture's could be garbage.
const largeGCPercent = 10

// releaseMemory returns memory to the system between reading, restoring and writing a large
// picture, as each step needs other memory.
func releaseMemory(p *picture.Picture) {
	if p.Levels != nil {
		debug.SetGCPercent(largeGCPercent)
		debug.FreeOSMemory()
	}
}

// write writes every file to a temporary one before the first gets its name, so that a full disk
// leaves no file. A picture for stdout is written last.
func (o *options) write(stdout io.Writer, r *restore.Result, page *report.Report) error {
	s := &staging{quality: o.quality}
	defer s.abort()
	if o.samplesDir != "" {
		if err := s.directory(o.samplesDir); err != nil {
			return err
		}
		for i, p := range r.Samples {
			if err := s.add(output{path: seriesPath(o.samplesDir, "sample", i, o.extension()), format: o.out.format}, p); err != nil {
				return err
			}
		}
	}
	if o.explain != "" {
		if err := o.writeExplanation(s, r); err != nil {
			return err
		}
	}
	if page != nil {
		if err := s.page(o.report, page); err != nil {
			return err
		}
	}
	if err := o.writeKernel(s, r); err != nil {
		return err
	}
	if o.mean.path != "" {
		if err := s.add(o.mean, r.Mean); err != nil {
			return err
		}
	}
	if o.std.path != "" {
		if err := s.add(o.std, picture.FromStd(r.Std, r.Picture.W, r.Picture.H)); err != nil {
			return err
		}
	}
	if o.out.path != "-" {
		if err := s.add(o.out, r.Picture); err != nil {
			return err
		}
		return s.commit()
	}
	var b bytes.Buffer
	if err := picture.Encode(&b, r.Picture, o.out.format, o.quality); err != nil {
		return err
	}
	if err := s.commit(); err != nil {
		return err
	}
	if _, err := stdout.Write(b.Bytes()); err != nil {
		return fmt.Errorf("stdout: %w", err)
	}
	return nil
}
