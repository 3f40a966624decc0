package main

import (
	"bufio"
	"fmt"
	"strconv"
	"time"

	"github.com/vfmrestore/restore/internal/atomicfile"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/report"
)

// page returns the report of a restoration.
func (o *options) page(in *picture.Picture, r *restore.Result, device string, took time.Duration) *report.Report {
	p := &report.Report{Title: fmt.Sprintf("%s of %s", r.Task, displayName(o.in, "a picture")), Before: in, Result: r}
	add := func(name, value string) { p.Settings = append(p.Settings, report.Setting{Name: name, Value: value}) }
	add("Task", r.Task.String())
	add("Picture", fmt.Sprintf("%d×%d pixels, restored %d×%d", in.W, in.H, r.Picture.W, r.Picture.H))
	estimated := ""
	if o.noise.auto {
		estimated = ", estimated"
	}
	add("Noise level", fmt.Sprintf("%.2f of 255%s", r.Noise, estimated))
	add("Shape of the noise", r.Profile.String())
	if text := defocusText(r); text != "" {
		add("Blur", text)
	}
	if b := motionInfoOf(r); b != nil {
		add("Motion blur", b.String())
	}
	add("Result", "from z = μ, the most probable value of the proposal")
	if o.times != nil {
		add("Times", fmt.Sprint(o.times))
	} else {
		add("Steps", strconv.Itoa(o.steps))
	}
	if o.ensemble > 1 {
		add("Ensemble", fmt.Sprintf("mean of %d orientations", o.ensemble))
	}
	if o.samples > 0 {
		add("Samples", fmt.Sprintf("%d, seed %d, temperature %g", o.samples, o.seed, o.temperature))
	}
	if o.project {
		add("Projection", "on")
	}
	add("Time", fmt.Sprintf("%.2f s", took.Seconds()))
	add("Device and weights", oneLine(device))
	add("Program", "restore "+versionText())
	return p
}

// page adds a report to the files.
func (s *staging) page(path string, p *report.Report) error {
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	s.files = append(s.files, f)
	w := bufio.NewWriterSize(f, 1<<18)
	if err := p.Write(w); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Sync()
}
