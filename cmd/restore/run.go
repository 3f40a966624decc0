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

	"github.com/vfmrestore/restore/internal/memory"
	"github.com/vfmrestore/restore/internal/threads"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/raw"
	"github.com/vfmrestore/restore/restore/report"
	"github.com/vfmrestore/restore/restore/task"
)

// restore is the command without a name: read, restore, write. A file whose header is in order has the device opened beside it while its pixels are read.
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
		return usagef("the picture would go to the terminal; send stdout to a file or a program")
	}
	ctx, cancel := context.WithCancel(a.ctx)
	defer cancel()
	started := time.Now()
	opening := &opening{a: a, o: o, ctx: ctx}
	in, err := o.read(ctx, a.in, opening.begin)
	if err != nil {
		cancel()
		opening.abandon()
		if a.ctx.Err() != nil {
			return errors.New("interrupted")
		}
		return err
	}
	tidy(in.pic)
	model, err := opening.end()
	if err != nil {
		return err
	}
	defer model.Close()
	opened := time.Now()
	show := progress{w: a.err, on: a.terminal}
	req := o.requestOf(in)
	req.Progress = show.update
	files := &staging{quality: o.quality}
	defer files.abort()
	var early *beside
	if in.pic.EncodesByRow(o.out.format) && o.out.path != "-" && !o.auto && !o.raw.linear {
		early = newBeside(files, o.out, cancel)
		req.Rows = early.tell
	}
	result, steps, err := o.mend(ctx, model, in.pic, req)
	took := time.Since(opened)
	if early != nil {
		err = early.end(err)
	}
	show.clear()
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	if err != nil {
		return err
	}
	if steps != nil {
		a.saySteps(o.in, steps)
	}
	if o.verbose {
		fmt.Fprintf(a.err, "%d×%d pixels, noise %.2f of 255, read and device opened in %.2f s, restored in %.2f s\n",
			result.Picture.W, result.Picture.H, result.Noise, opened.Sub(started).Seconds(), took.Seconds())
		fmt.Fprintf(a.err, "noise: %v\n", result.Profile)
		if text := defocusText(result); text != "" {
			fmt.Fprintf(a.err, "blur: %s\n", text)
		}
		if b := blurOf(result); b != nil {
			fmt.Fprintf(a.err, "motion blur: %v\n", b)
		}
	}
	var page *report.Report
	if o.report != "" {
		page = o.page(in.pic, result, model.Info(), took)
	}
	model.Close()
	in = nil
	if a.ctx.Err() != nil { // while the last tile was on the device
		return errors.New("interrupted")
	}
	if early != nil {
		if err = o.writeKernel(files, result); err == nil {
			err = files.commit()
		}
	} else {
		tidy(result.Picture)
		err = o.write(a.out, result, page)
	}
	if err != nil {
		return err
	}
	a.sayNoKernel(o, result)
	a.sayDropped(o.in, result.Picture, o.out.format)
	l := line{In: name(o.in), Out: name(o.out.path), Status: "done", Width: result.Picture.W, Height: result.Picture.H, Noise: result.Noise, Shape: shapeOf(result), Defocus: defocusOf(result), Blur: blurOf(result), Seconds: time.Since(started).Seconds()}
	if s := result.Picture.Salvaged; s != nil {
		err = &salvagedError{o.in, s}
		l.Status, l.Error = "salvaged", name(err.Error())
	}
	if o.json {
		a.print(l)
	}
	return err
}

// mend restores a picture: by the task of the flags, or by those that the picture needs.
func (o *options) mend(ctx context.Context, m *restore.Model, in *picture.Picture, req restore.Request) (r *restore.Result, steps *restore.Diagnosis, err error) {
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

// open opens the model that the flags ask for, and with -v says which it is. once is restore.Config.Once.
func (a *app) open(o *options, once bool) (*restore.Model, error) {
	if o.task == task.MotionDeblur {
		motionblur.Warm("") // while the device is opened
	}
	cfg := o.config()
	cfg.Once = once
	model, err := restore.Open(cfg)
	if err == nil && o.verbose {
		fmt.Fprintln(a.err, oneLine(model.Info()))
	}
	return model, err
}

// config is what the flags say of the model.
func (o *options) config() restore.Config {
	return restore.Config{Device: o.device, Weights: o.weights, Tile: o.tile, Precision: o.precision, Validation: o.validation, Pace: o.pace}
}

// request is what the flags say of the picture.
func (o *options) request(missing []bool) restore.Request {
	return restore.Request{
		Task: o.task, Mask: missing, Noise: o.noiseLevel(), Grain: [2]float64{1 - o.strength[0], 1 - o.strength[1]}, Blur: o.blur, Kernel: o.kernel,
		Expected: o.expected, Samples: o.samples, Steps: o.stepCount(), Times: o.times, Ensemble: o.ensemble, Project: o.project, Explain: o.explain != "" || o.report != "", Seed: o.seed, Temperature: max(o.temperature, restore.NoSpread),
		StatisticsOnly: o.samplesDir == "" && o.explain == "" && o.report == "",
	}
}

// smallWork is the work, in pixels, up to which kernels that are built quickly save more time than those that run fast.
const smallWork = 4 << 20

// work is how many pixels go through the networks for a picture of w×h.
func (o *options) work(w, h int) int {
	side := o.task.Scale()
	return w * side * h * side * (max(1, o.ensemble) + o.samples) * max(1, o.steps, len(o.times)-1)
}

// extension is the ending of pictures in the format of the output.
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

// noiseLevel is Request.Noise: of the flag, 0 means that there is none.
func (o *options) noiseLevel() float64 {
	if o.noise.auto {
		return 0
	}
	return max(o.noise.levels, restore.NoNoise)
}

// largePixels is the size from which on pictures are held as levels where floats are not needed, and memory is given back between the parts of the work.
var largePixels int64 = 4 << 20

// limits is how pictures are read.
func (o *options) limits() picture.Limits {
	l := picture.Limits{MaxPixels: int64(o.maxMegapixels) * 1e6}
	if req := o.request(nil); req.Packs() {
		l.Pack = max(1, largePixels/int64(o.task.Scale()*o.task.Scale())) // of the result
	}
	return l
}

// largeGarbage is how much garbage may lie about before it is collected, in per cent of what is in use. Beside a large picture that is in few and large pieces,
// in which there is little to search, so that often costs nothing; the usual 100 would hold another large picture's memory in garbage.
const largeGarbage = 10

// tidy gives memory back to the system between reading, restoring and writing a large picture, each of which needs another kind.
func tidy(p *picture.Picture) {
	if p.Levels != nil {
		debug.SetGCPercent(largeGarbage)
		debug.FreeOSMemory()
	}
}

// read loads the picture (from stdin for -) and the mask and makes sure that the outputs can hold what will come of them. header is picture.Limits.Header. It
// ends with ctx, whatever a pipe or a decoder does.
func (o *options) read(ctx context.Context, stdin io.Reader, header func(p *picture.Picture)) (*given, error) {
	return heed(ctx, func() (*given, error) { return o.load(stdin, header) })
}

// decode is picture.DecodeFile, from stdin for -, which ends when the program is asked to.
func (a *app) decode(path string, limits picture.Limits) (*picture.Picture, error) {
	limits.Raw = (&raw.Reader{Options: new(rawFlags).options()}).Open
	p, err := heed(a.ctx, func() (*picture.Picture, error) {
		if path == "-" {
			return picture.Decode(a.in, limits)
		}
		return picture.DecodeFile(path, limits)
	})
	if a.ctx.Err() != nil {
		return nil, errors.New("interrupted")
	}
	return p, err
}

// heed waits for f or for the end of ctx, which f does not hear: it is left behind then, as the program ends, or the folder.
func heed[T any](ctx context.Context, f func() (T, error)) (T, error) {
	type outcome struct {
		v   T
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		v, err := f()
		done <- outcome{v, err}
	}()
	select {
	case o := <-done:
		return o.v, o.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// fits refuses a picture of w×h pixels for whose restoration there is no memory.
func (o *options) fits(w, h int) error {
	req := o.request(nil)
	limits := o.limits()
	levels := limits.Pack > 0 && memory.Bytes(w, h) >= limits.Pack
	given := 3 * 4 // bytes per pixel
	if levels {
		given = 3
	}
	return memory.Check(fmt.Sprintf("%v of %d×%d pixels", o.task, w, h), memory.Sum(memory.Bytes(w, h, given), req.Memory(w, h, levels)))
}

func (o *options) load(stdin io.Reader, header func(p *picture.Picture)) (_ *given, err error) {
	limits := o.limits()
	limits.Header, limits.Salvage = header, o.salvage
	var noMask error
	limits.Check, limits.Regular = func(w, h int) error {
		if err := o.fits(w, h); err != nil || !o.task.Masked() {
			return err
		}
		noMask = picture.CheckMaskFile(o.mask, w, h, o.limits()) // before a device is opened beside
		return noMask
	}, o.folder
	in, file, err := o.decode(stdin, limits)
	if noMask != nil { // which names the mask; the picture is in order
		return nil, noMask
	}
	var large *picture.SizeError
	if errors.As(err, &large) {
		err = fmt.Errorf("%w; -max-megapixels allows more", err)
	}
	if bad := (*picture.DecodeError)(nil); large == nil && errors.As(err, &bad) {
		err = fmt.Errorf("%w%s", err, o.hintSalvage(bad))
	}
	if err != nil {
		return nil, err
	}
	g := &given{pic: in, raw: file}
	if err := o.checkGiven(g); err != nil {
		return nil, err
	}
	if o.task.Masked() {
		if g.missing, err = picture.DecodeMaskFile(o.mask, in.W, in.H, o.limits()); err != nil {
			return nil, err
		}
		if all(g.missing) {
			return nil, fmt.Errorf("%s: the mask is white everywhere, so nothing of the picture is left (white means missing)", o.mask)
		}
	}
	w, h := in.W*o.task.Scale(), in.H*o.task.Scale()
	for _, out := range []output{o.out, o.mean, {path: o.samplesDir, format: o.out.format}} {
		if out.path == "" {
			continue
		}
		err := picture.CheckFormat(out.format, in)
		if err == nil {
			err = picture.CheckSize(out.format, w, h)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", out.path, err)
		}
	}
	if o.std.path != "" {
		if err := picture.CheckSize(o.std.format, w, h); err != nil {
			return nil, fmt.Errorf("%s: %w", o.std.path, err)
		}
	}
	return g, nil
}

func all(v []bool) bool {
	for _, b := range v {
		if !b {
			return false
		}
	}
	return true
}

// write stages every file before the first becomes visible, so that a full disk leaves none of them. The picture for stdout goes there last.
func (o *options) write(stdout io.Writer, r *restore.Result, page *report.Report) error {
	s := &staging{quality: o.quality}
	defer s.abort()
	if o.samplesDir != "" {
		if err := s.directory(o.samplesDir); err != nil {
			return err
		}
		for i, p := range r.Samples {
			if err := s.add(output{path: numbered(o.samplesDir, "sample", i, o.extension()), format: o.out.format}, p); err != nil {
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
