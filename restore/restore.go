package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// Restore repairs a picture, which is not changed. It may take long: cancel ctx to stop it after
// the current tile.
//
// Grey pictures go through the network as three equal channels; the result is the mean of its
// three. Alpha is kept as it is, or enlarged with the picture. Colours of pixels whose alpha is 0
// are not used, and are the same in the result.
//
// Errors: *RequestError, *UnsupportedTaskError, *task.UnknownTaskError, *MemoryError, ErrClosed,
// ctx.Err(), *OutputError, and those of the device: *gpu.OutOfMemoryError if not even the smallest
// tiles fit, *gpu.DeviceLostError, *gpu.CallError.
func (m *Model) Restore(ctx context.Context, pic *picture.Picture, req Request) (*Result, error) {
	if err := m.checkAlive(ctx); err != nil {
		return nil, err
	}
	if pic != nil && req.Task.Valid() {
		if err := req.checkMemory(pic.W, pic.H, pic.Levels != nil); err != nil {
			return nil, err
		}
	}
	if req.Ensemble > 1 {
		return m.ensemble(ctx, pic, req)
	}
	j, err := m.newCheckedJob(pic, req)
	if err != nil {
		return nil, err
	}
	switch j.task {
	case task.MotionDeblur:
		if result, err := m.deblurMotion(ctx, pic, req, j); result != nil || err != nil {
			return result, err
		}
	case task.GaussianDeblur:
		if result, err := m.deblurGaussian(ctx, pic, req, j); result != nil || err != nil {
			return result, err
		}
	}
	return m.restoreByNetwork(ctx, j)
}

// restoreByNetwork does a job with the networks alone.
func (m *Model) restoreByNetwork(ctx context.Context, j *job) (*Result, error) {
	if err := m.prepareViews(ctx, j); err != nil {
		return nil, err
	}
	defer m.releaseViews(j)
	r := m.newRun(ctx, j, j.req.Progress)
	result := &Result{Noise: j.noise, Profile: j.profile, Task: j.task, Blur: j.blur}
	mu, logvar, err := r.restoreMean(j, result)
	if err != nil {
		return nil, err
	}
	if j.holes != nil && !j.req.skipFinish {
		if err := j.fillHoles(ctx, result.Picture, 0); err != nil {
			return nil, err
		}
		if j.req.Rows != nil {
			j.req.Rows(result.Picture, result.Picture.H)
		}
	}
	if j.req.Explain {
		result.Latent = newLatent(j, mu, logvar)
	}
	return result, r.samples(j, mu, logvar, result)
}

// negligibleNoise is the noise, in 8-bit levels, up to which a picture without blur is not even
// denoised.
const negligibleNoise = 0.75

// restoreWithoutDeblurring does motion-deblur or gaussian-deblur of a picture without a blur that
// deconvolution could undo. If something moved, the network that knows movement restores it.
// Otherwise the picture is denoised, unless its noise is negligible.
func (m *Model) restoreWithoutDeblurring(ctx context.Context, pic *picture.Picture, req Request, j *job) (*Result, error) {
	moved := false
	if j.task == task.MotionDeblur && (j.blur.Verdict == blind.Untold || j.blur.halved != nil || j.blur.probable()) {
		_, _, moved = m.networkFor(movement)
	}
	if !moved && j.noise <= negligibleNoise && !j.needsLatent() {
		return &Result{
			Picture: j.pictureOf(j.values(j.input())), Noise: j.noise, Profile: j.profile, Task: j.task, Blur: j.blur,
		}, nil
	}
	req.Task, req.Kernel, req.Blur, req.byMovementNetwork = task.Denoise, nil, nil, moved
	if _, given := requestedNoise(req.Noise); !given {
		req.Profile = &j.profile
	}
	result, err := m.Restore(ctx, pic, req)
	if err != nil {
		return nil, err
	}
	result.Task, result.Blur = j.task, j.blur
	return result, nil
}
