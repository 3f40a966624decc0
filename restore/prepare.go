package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// Prepare is PrepareFor for a picture of which only the size is known, w×h pixels, or for the
// frames of a Stream. For motion-deblur it always builds the network with the second view, as
// streams use it.
func (m *Model) Prepare(ctx context.Context, w, h int, req Request) error {
	j, err := m.jobFor(&picture.Picture{W: w, H: h}, req)
	return m.prepare(ctx, j, err)
}

// PrepareFor builds the programs that Restore will need for such a picture and request. It saves
// time while the picture is still being read (picture.Limits.Header), or before the first frame
// comes. Of p only what file headers tell is used. It is never necessary. It does nothing if the
// picture decides which programs are needed: for tasks with a mask, for gaussian-deblur of another
// blur than TrainedBlur, for motion-deblur of a picture whose noise is not given, and for an
// Ensemble, which turns pictures. Errors: as Restore's.
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
		return m.checkAlive(ctx)
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

// OpenFor is Open and then PrepareFor, but reads the weights that the picture needs while the
// device opens. Errors are Open's. Those of PrepareFor are not returned: Restore tries again, and
// returns them if they last.
func OpenFor(ctx context.Context, cfg Config, p *picture.Picture, req Request) (*Model, error) {
	m, err := newModel(cfg)
	if err != nil {
		return nil, err
	}
	j, jobErr := m.pictureJob(p, req)
	if j != nil {
		j.loaded.readAhead()
	}
	if err := m.openDevice(); err != nil {
		return nil, err
	}
	_ = m.prepare(ctx, j, jobErr)
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
	req.byCompressionNetwork = isStronglyCompressed(p, req)
	if req.Task.Masked() || req.Ensemble > 1 {
		return nil, nil
	}
	if err := checkTimes(req.Steps, req.Times); err != nil {
		return nil, err
	}
	if req.Task == task.GaussianDeblur && !m.skipsBlurSearch(req) { // the picture decides
		return nil, nil
	}
	return m.newJob(req, req.Task, w, h)
}

// deblursByNetwork reports whether motion-deblur is sure to be done by the network with its second
// view; see Restore.
func (m *Model) deblursByNetwork(req Request) bool {
	if _, _, cleans := m.networkFor(task.Denoise); !cleans || req.byNetwork {
		return true
	}
	level, given := requestedNoise(req.Noise)
	return given && level > maxBlindNoise && req.Kernel == nil && req.Profile == nil
}
