package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// Prepare is PrepareFor of a picture of which no more is known than that it has w×h pixels.
func (m *Model) Prepare(ctx context.Context, w, h int, req Request) error {
	return m.PrepareFor(ctx, &picture.Picture{W: w, H: h}, req)
}

// PrepareFor builds the networks' programs that Restore will need for a picture and a request like
// this one, while the picture is still being read, say (picture.Limits.Header), or before the first
// frame comes: until then a first picture takes longer than later ones. Of p only what stands in
// headers is looked at. It is never needed, and does nothing for tasks with a mask, for
// gaussian-deblur of another blur than TrainedBlur and for motion-deblur of a picture whose noise
// is not told, as the picture decides how they are done, and for an Ensemble, which turns pictures.
// Errors: as Restore's.
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
	req.compressed = mostlyCompressed(p, req)
	if req.Task.Masked() || req.Ensemble > 1 {
		return m.alive(ctx)
	}
	if err := checkTimes(req.Steps, req.Times); err != nil {
		return err
	}
	if req.Task == task.GaussianDeblur && !m.asTrained(req) { // the picture decides
		return m.alive(ctx)
	}
	if req.Task == task.MotionDeblur && !m.deblursByNetwork(req) { // the picture decides
		return m.alive(ctx)
	}
	j, err := m.newJob(req, req.Task, w, h)
	if err != nil {
		return err
	}
	r := m.newRun(ctx, j, nil)
	ts, _ := r.tiles(j.net.halo)
	for _, k := range j.kinds(j.inOne(ts)) {
		err := m.engine.Prepare(ctx, &j.session, recipe{m: m, kind: k, of: j.of, w: ts[0].at.w, h: ts[0].at.h})
		if err != nil {
			return err
		}
	}
	return nil
}

// deblursByNetwork reports whether motion-deblur is sure to be done by the network with its second
// view, see Restore.
func (m *Model) deblursByNetwork(req Request) bool {
	if _, _, cleans := m.memberFor(task.Denoise); !cleans || req.network {
		return true
	}
	level, told := toldNoise(req.Noise)
	return told && level > mostBlindNoise && req.Kernel == nil && req.Profile == nil
}
