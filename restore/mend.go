package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// Mend inspects a picture and does what Diagnosis.Steps say, each with the settings of the request
// (whose Task is ignored). It returns the result of the last step. If there are no steps, the
// result is a copy of the picture. Errors are those of Inspect and Restore.
func (m *Model) Mend(ctx context.Context, pic *picture.Picture, req Request) (*Result, *Diagnosis, error) {
	d, err := Inspect(ctx, pic)
	if err != nil {
		return nil, nil, err
	}
	if len(d.Steps) == 0 {
		copied := *pic
		result := &Result{Picture: &copied, Profile: d.Noise, Task: task.Denoise}
		result.Noise = task.Std8(d.Noise.Sigma())
		return result, d, nil
	}
	found := map[task.Task]*Blur{}
	_, given := requestedNoise(req.Noise)
	if !given && req.Profile == nil && req.Kernel == nil && req.Blur == nil && req.Ensemble <= 1 {
		// Restore would find the same again.
		found[task.MotionDeblur], found[task.GaussianDeblur] = d.Motion, d.Defocus
	}
	var r *Result
	for i, t := range d.Steps {
		step := req
		step.Task = t
		if i == 0 {
			step.foundBlur = found[t]
		}
		if t != task.Denoise {
			step.Grain = [2]float64{}
		}
		if i+1 < len(d.Steps) {
			step.Rows = nil
		}
		if r, err = m.Restore(ctx, pic, step); err != nil {
			return nil, d, err
		}
		pic = r.Picture
	}
	return r, d, nil
}
