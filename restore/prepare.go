package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/task"
)

// Prepare builds the networks' programs that Restore will need for a picture of w×h pixels and a request like this one, while the picture is still being read, say, or
// before the first frame comes: until then a first picture takes longer than later ones. It is never needed, and does nothing for tasks with a mask and for
// gaussian-deblur of another blur than TrainedBlur, as the picture decides how they are done, and for an Ensemble, which turns pictures. Errors: as Restore's.
func (m *Model) Prepare(ctx context.Context, w, h int, req Request) error {
	if !req.Task.Valid() {
		return &task.UnknownTaskError{Name: req.Task.String()}
	}
	if w < 1 || h < 1 {
		return badRequest("picture", "has %d×%d pixels", w, h)
	}
	if req.Task.Masked() || req.Ensemble > 1 {
		return m.alive(ctx)
	}
	if err := checkTimes(req.Steps, req.Times); err != nil {
		return err
	}
	if req.Task == task.GaussianDeblur && !m.asTrained(req) { // the picture decides
		return m.alive(ctx)
	}
	j, err := m.newJob(req, req.Task, w, h)
	if err != nil {
		return err
	}
	r := m.newRun(ctx, j, nil)
	ts, _ := r.tiles(j.net.halo)
	for _, k := range j.kinds(j.inOne(ts)) {
		err := m.onDevice(ctx, func() error {
			_, err := m.program(recipe{kind: k, of: j.of, w: ts[0].at.w, h: ts[0].at.h})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
