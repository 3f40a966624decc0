package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// Prepare is PrepareFor for a picture of which only the size is known, w×h pixels.
func (m *Model) Prepare(ctx context.Context, w, h int, req Request) error {
	return m.PrepareFor(ctx, &picture.Picture{W: w, H: h}, req)
}

// PrepareFor builds the programs that Restore will need for such a picture and request. It saves
// time while the picture is still being read (picture.Limits.Header), or before the first frame
// comes. Of p only what file headers tell is used. It is never necessary. It does nothing if the
// picture decides which programs are needed: for tasks with a mask, for gaussian-deblur of another
// blur than TrainedBlur, and for an Ensemble, which turns pictures. Errors: as Restore's.
func (m *Model) PrepareFor(ctx context.Context, p *picture.Picture, req Request) error {
	if !req.Task.Valid() {
		return &task.UnknownTaskError{Name: req.Task.String()}
	}
	if p == nil {
		return badRequest("picture", "is missing")
	}
	w, h := p.W, p.H
	if w < 1 || h < 1 {
		return badRequest("picture", "has %d×%d pixels", w, h)
	}
	req.byCompressionNetwork = isStronglyCompressed(p, req)
	if req.Task.Masked() || req.Ensemble > 1 {
		return m.checkAlive(ctx)
	}
	if err := checkTimes(req.Steps, req.Times); err != nil {
		return err
	}
	if req.Task == task.GaussianDeblur && !m.skipsBlurSearch(req) { // the picture decides
		return m.checkAlive(ctx)
	}
	j, err := m.newJob(req, req.Task, w, h)
	if err != nil {
		return err
	}
	r := m.newRun(ctx, j, nil)
	ts, _ := r.tiles(j.loaded.halo)
	for _, program := range j.programs(j.inSingleTile(ts)) {
		r := recipe{m: m, program: program, network: j.network, w: ts[0].At.W, h: ts[0].At.H}
		if err := m.engine.Prepare(ctx, &j.session, r); err != nil {
			return err
		}
	}
	return nil
}
