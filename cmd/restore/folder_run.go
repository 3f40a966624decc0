package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/raw"
	"github.com/vfmrestore/restore/restore/task"
)

// partlyError says that some pictures of a folder failed. Each was reported in its own line.
type partlyError struct{ failed, salvaged, all int }

func (e *partlyError) Error() string {
	if e.salvaged > 0 {
		return fmt.Sprintf("of %d pictures %d failed and %d were restored in part; see above", e.all, e.failed, e.salvaged)
	}
	return fmt.Sprintf("%d of %d pictures failed; see above", e.failed, e.all)
}

// resultLine is what -json prints for a picture.
type resultLine struct {
	In      name         `json:"in"`
	Out     name         `json:"out"`
	Status  string       `json:"status"` // "done", "failed" or "salvaged"
	Error   name         `json:"error,omitempty"`
	Width   int          `json:"width,omitempty"` // of the result
	Height  int          `json:"height,omitempty"`
	Noise   float64      `json:"noise,omitempty"` // in 8-bit levels
	Shape   *noiseInfo   `json:"noise_shape,omitempty"`
	Defocus *defocusInfo `json:"blur,omitempty"` // of gaussian-deblur
	Blur    *motionInfo  `json:"motion_blur,omitempty"`
	Seconds float64      `json:"seconds"`
}

// noiseInfo is the noise of a picture in 8-bit levels; see noise.Profile.
type noiseInfo struct {
	Luma   []float64 `json:"luma"` // from fine to coarse
	Chroma []float64 `json:"chroma"`
	Tone   []float64 `json:"tone"`   // in dark, middle and bright parts, relative to the whole
	Blocks float64   `json:"blocks"` // visibility of JPEG's blocks
	Found  bool      `json:"found"`  // estimated, not given
}

func noiseInfoOf(r *restore.Result) *noiseInfo {
	p := r.Profile
	s := &noiseInfo{Tone: p.Tone[:], Blocks: p.Blocks, Found: p.Found}
	for b := range p.Luma {
		s.Luma, s.Chroma = append(s.Luma, task.Std8(p.Luma[b])), append(s.Chroma, task.Std8(p.Chroma[b]))
	}
	return s
}

// folder restores all pictures of a folder. Several jobs take turns on the device, so that reading
// and writing files overlap with its work. A picture that fails does not stop the others; a lost
// device does.
func (a *app) folder(o *options) error {
	p, err := o.plan()
	if err != nil {
		return err
	}
	jobs, skipped := p.jobs, p.skipped
	if text := otherFilesText(p.others, o.verbose); text != "" {
		fmt.Fprintln(a.err, oneLine(text))
	}
	if len(jobs) == 0 {
		if o.verbose {
			fmt.Fprintf(a.err, "nothing to do: all %d outputs exist already (-overwrite restores again)\n", skipped)
		}
		return nil
	}
	var model *restore.Model
	if slices.ContainsFunc(jobs, func(j job) bool { return j.err == nil }) {
		if model, err = a.open(o, false); err != nil {
			return err
		}
		defer model.Close()
	}
	ctx, cancel := context.WithCancelCause(a.ctx)
	defer cancel(nil)
	b := &batch{app: a, model: model, total: len(jobs), began: time.Now(), fatal: cancel}
	queue := make(chan job)
	var wg sync.WaitGroup
	for range min(o.jobs, len(jobs)) {
		wg.Go(func() {
			for j := range queue {
				b.do(ctx, o, j)
			}
		})
	}
	for _, j := range jobs {
		select {
		case queue <- j:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
	}
	close(queue)
	wg.Wait()
	b.clear()
	if a.ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if o.verbose {
		fmt.Fprintf(a.err, "%d restored, %d skipped, %d failed in %.1f s\n", b.done-b.failed-b.unsupported, skipped+b.unsupported, b.failed, time.Since(b.began).Seconds())
	}
	if b.failed > 0 || b.salvaged > 0 {
		return &partlyError{b.failed, b.salvaged, len(jobs)}
	}
	return nil
}

// batch counts and reports the pictures of a folder.
type batch struct {
	app   *app
	model *restore.Model
	total int
	began time.Time
	fatal context.CancelCauseFunc

	mu                     sync.Mutex
	done, failed, salvaged int
	unsupported            int // raw files
	shown                  bool
}

// do restores one picture of the folder.
func (b *batch) do(ctx context.Context, o *options, j job) {
	began := time.Now()
	l := resultLine{In: name(j.in), Out: name(j.out), Status: "done"}
	result, err := b.restore(ctx, o, j)
	if ctx.Err() != nil {
		return // interrupted: nothing was written
	}
	var lost *gpu.DeviceLostError
	if errors.As(err, &lost) {
		b.fatal(err)
		return
	}
	if err == nil {
		l.Width, l.Height, l.Noise = result.Picture.W, result.Picture.H, result.Noise
		l.Shape, l.Blur = noiseInfoOf(result), motionInfoOf(result)
		l.Defocus = defocusOf(result)
	} else {
		l.Status, l.Error = "failed", name(err.Error())
	}
	// Raw files of other kinds are left out like other files that are no pictures.
	var rawFile *raw.Error
	unsupported := errors.As(err, &rawFile) && rawFile.Unsupported
	if unsupported {
		l.Status = "skipped"
	}
	l.Seconds = time.Since(began).Seconds()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done++
	b.clear()
	switch {
	case unsupported:
		b.unsupported++
		fmt.Fprintf(b.app.err, "restore: passed over: %s\n", oneLine(err.Error()))
	case err != nil:
		b.failed++
		fmt.Fprintf(b.app.err, "restore: %s\n", oneLine(err.Error()))
	default:
		f, _ := picture.FormatOf(j.out)
		b.app.reportDropped(j.in, result.Picture, f)
		if s := result.Picture.Salvaged; s != nil {
			b.salvaged++
			l.Status, l.Error = "salvaged", name((&salvagedError{j.in, s}).Error())
			fmt.Fprintf(b.app.err, "restore: %s\n", oneLine(string(l.Error)))
		}
	}
	if o.json {
		b.app.print(l)
	}
	if b.app.terminal && b.done < b.total {
		rate := float64(b.done) / time.Since(b.began).Seconds()
		left := time.Duration(float64(b.total-b.done)/rate) * time.Second
		fmt.Fprintf(b.app.err, "\r%d of %d pictures, %.2f/s, %v left\x1b[K", b.done, b.total, rate, left)
		b.shown = true
	}
}

func (b *batch) restore(ctx context.Context, o *options, j job) (*restore.Result, error) {
	if j.err != nil {
		return nil, j.err
	}
	one, err := o.forPicture(j)
	if err != nil {
		return nil, err
	}
	in, err := one.read(ctx, nil, nil)
	if err != nil {
		return nil, err
	}
	result, steps, err := o.restorePicture(ctx, b.model, in.pic, one.requestFor(in))
	if steps != nil && o.verbose {
		b.app.reportSteps(j.in, steps)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", j.in, err)
	}
	if err := os.MkdirAll(filepath.Dir(j.out), 0o777); err != nil {
		return nil, pathError(filepath.Dir(j.out), err)
	}
	return result, one.write(nil, result, nil)
}

// clear erases the progress line.
func (b *batch) clear() {
	if b.shown {
		fmt.Fprint(b.app.err, "\r\x1b[K")
		b.shown = false
	}
}

// print writes a -json line.
func (a *app) print(l any) {
	if text, err := appendJSON(l); err == nil {
		a.out.Write(text) // main reports whether it failed
	}
}
