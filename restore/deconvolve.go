package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/deblur"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

const (
	// maxCoarseNoise limits the noise of a blurred picture's coarser bands, relative to its finest
	// band. What an estimate finds there beyond this is texture that the blur has left.
	maxCoarseNoise = 1.5
	// residualNoise is the share of the finest band's noise that deconvolution assumes is left
	// after denoising.
	residualNoise = 0.25
)

// denoiseBlurred denoises a blurred picture. It is done once for a job.
func (m *Model) denoiseBlurred(ctx context.Context, pic *picture.Picture, req Request, j *job) (*picture.Picture, error) {
	if j.denoised != nil {
		return j.denoised, nil
	}
	level := j.blurredNoise()
	clean, err := m.Restore(ctx, pic, Request{
		Task: task.Denoise, Profile: &level, Progress: req.Progress,
		Below: req.Below, Above: req.Above,
	})
	if err != nil {
		return nil, err
	}
	j.denoised = clean.Picture
	return j.denoised, nil
}

// blurredNoise is the noise of the job's picture, if that is blurred.
func (j *job) blurredNoise() noise.Profile {
	level := j.profile
	if level.Found {
		for b := range level.Luma {
			level.Luma[b] = min(level.Luma[b], maxCoarseNoise*level.Luma[noise.Diagonal])
			level.Chroma[b] = min(level.Chroma[b], maxCoarseNoise*level.Chroma[noise.Diagonal])
		}
	}
	return level
}

// deconvolveBlurred denoises the picture and deconvolves it with the kernels of j.blur.
func (m *Model) deconvolveBlurred(ctx context.Context, pic *picture.Picture, req Request, j *job) ([]float32, error) {
	clean, err := m.denoiseBlurred(ctx, pic, req, j)
	if err != nil {
		return nil, err
	}
	denoised := j.deblurInput()
	denoised.Row = tile.PlanesOf(clean).Row
	residual := noise.White(residualNoise * j.blurredNoise().Luma[noise.Diagonal])
	given := j.task != task.MotionDeblur || j.blur.Given
	return deblur.Deconvolve(ctx, denoised, j.blur.Field, residual, given)
}

// denoiseAndDeconvolve denoises the picture and deconvolves it with the kernels of j.blur. Samples
// and the latent, if asked for, come from motion-deblur's network with that kernel.
func (m *Model) denoiseAndDeconvolve(ctx context.Context, pic *picture.Picture, req Request, j *job) (*Result, error) {
	pix, err := m.deconvolveBlurred(ctx, pic, req, j)
	if err != nil {
		return nil, err
	}
	result := &Result{Noise: j.noise, Profile: j.profile, Task: j.task}
	if j.needsLatent() {
		level := j.blurredNoise()
		draw := req
		draw.Task, draw.Kernel, draw.Blur = task.MotionDeblur, j.blur.Kernel, nil
		draw.Profile, draw.Rows = &level, nil
		draw.byNetwork, draw.foundBlur = true, nil
		if result, err = m.Restore(ctx, pic, draw); err != nil {
			return nil, err
		}
	}
	result.Picture, result.Blur = j.pictureOf(pix), j.blur
	return result, nil
}

// deblurProbable undoes a blur whose kernel is only probably right. The result is the mean of the
// deconvolution and of what the network for movement makes of the picture. Samples come from that.
func (m *Model) deblurProbable(ctx context.Context, pic *picture.Picture, req Request, j *job) (*Result, error) {
	moved := req
	moved.Rows = nil
	result, err := m.restoreWithoutDeblurring(ctx, pic, moved, j)
	if err != nil {
		return nil, err
	}
	pix, err := m.deconvolveBlurred(ctx, pic, req, j)
	if err != nil {
		return nil, err
	}
	j.average(pix, result.Picture)
	result.Picture, result.Blur = j.pictureOf(pix), j.blur
	return result, nil
}
