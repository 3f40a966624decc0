package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// Prepare is PrepareFor of a picture of which no more is known than that it has w×h pixels, or of
// the frames of a Stream. For motion-deblur it always builds the network with the second view, as
// streams use it.
func (m *Model) Prepare(ctx context.Context, w, h int, req Request) error {
	j, err := m.jobFor(&picture.Picture{W: w, H: h}, req)
	return m.prepare(ctx, j, err)
}

// PrepareFor builds the networks' programs that Restore will need for a picture and a request like
// this one, while the picture is still being read, say (picture.Limits.Header), or before the first
// frame comes: until then a first picture takes longer than later ones. Of p only what stands in
// headers is looked at. It is never needed, and does nothing for tasks with a mask, for
// gaussian-deblur of another blur than TrainedBlur and for motion-deblur of a picture whose noise
// is not told, as the picture decides how they are done, and for an Ensemble, which turns pictures.
// Errors: as Restore's.
func (m *Model) PrepareFor(ctx context.Context, p *picture.Picture, req Request) error {
	j, err := m.pictureJob(p, req)
	return m.prepare(ctx, j, err)
}

// prepare builds the programs of a job, if there is one.
func (m *Model) prepare(ctx context.Context, j *job, err error) error {
	if err != nil {
		return err
	}
	if j == nil {
		return m.alive(ctx)
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

// OpenFor is Open and then PrepareFor, but reads the weights that the picture needs while the
// device is opened. Errors are Open's. Those of PrepareFor are not returned: Restore tries again,
// and returns them if they last.
func OpenFor(ctx context.Context, cfg Config, p *picture.Picture, req Request) (*Model, error) {
	m, err := newModel(cfg)
	if err != nil {
		return nil, err
	}
	if j, err := m.pictureJob(p, req); err == nil && j != nil {
		j.net.readAhead()
	}
	if err := m.openDevice(); err != nil {
		return nil, err
	}
	_ = m.PrepareFor(ctx, p, req)
	return m, nil
}

// pictureJob is jobFor of a single picture, which also decides how motion-deblur is done.
func (m *Model) pictureJob(p *picture.Picture, req Request) (*job, error) {
	j, err := m.jobFor(p, req)
	if j != nil && j.task == task.MotionDeblur && !m.deblursByNetwork(req) {
		return nil, err
	}
	return j, err
}

// jobFor returns what is known of a job before its pixels. It is nil if the picture decides.
func (m *Model) jobFor(p *picture.Picture, req Request) (*job, error) {
	if !req.Task.Valid() {
		return nil, &task.UnknownTaskError{Name: req.Task.String()}
	}
	if p == nil {
		return nil, badRequest("picture", "is missing")
	}
	w, h := p.W, p.H
	if w < 1 || h < 1 {
		return nil, badRequest("picture", "has %d×%d pixels", w, h)
	}
	req.compressed = mostlyCompressed(p, req)
	if req.Task.Masked() || req.Ensemble > 1 {
		return nil, nil
	}
	if err := checkTimes(req.Steps, req.Times); err != nil {
		return nil, err
	}
	if req.Task == task.GaussianDeblur && !m.asTrained(req) { // the picture decides
		return nil, nil
	}
	return m.newJob(req, req.Task, w, h)
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
