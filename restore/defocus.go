package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/deblur"
	"github.com/vfmrestore/restore/restore/defocus"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// A blur that looks the same in all directions is undone in one of three ways, whichever the picture allows:
//
//   - It is about the one that gaussian-deblur's network was trained for: the network undoes it.
//   - It is another one, which can be told (package defocus) or was given: the picture is denoised, and deconvolved with that kernel.
//   - The picture is sharp, or nothing tells the blur: it is denoised, and else left alone.

// TrainedBlur is the blur that gaussian-deblur's network was trained for, that of the paper.
var TrainedBlur = defocus.Blur{Shape: defocus.Gaussian, Width: 3}

// The Gaussians around it that the network undoes better than deconvolution does: on six training photographs with noise of 1 level it gains 2.20 dB of 2.85 pixels
// and 2.00 of 3.3, deconvolution 1.95 and 1.89; of 2.7 pixels 1.68 and 1.97.
const minTrainedWidth, maxTrainedWidth = 2.8, 3.3

// trainedFor tells whether gaussian-deblur's network undoes a blur.
func isTrainedBlur(b defocus.Blur) bool {
	return b.Shape == defocus.Gaussian && b.Width >= minTrainedWidth && b.Width <= maxTrainedWidth
}

// What a found blur must be sure of for that network: of another blur it makes the picture worse by decibels, which deconvolution does not.
const (
	maxDisc        = 0.05
	maxWidthSpread = 0.14
)

// surelyTrained tells whether a blur that was found is surely one for gaussian-deblur's network.
func (b *Blur) networkApplies() bool {
	return isTrainedBlur(b.Defocus) && b.Certainty.Disc <= maxDisc && b.Certainty.Spread <= maxWidthSpread
}

// checkBlur holds what Request.Blur must be.
func (r *Request) checkBlur() error {
	switch {
	case r.Blur == nil:
		return nil
	case !r.Task.Takes(task.OptionBlur):
		return badRequest("blur", "has no meaning for task %v, only for gaussian-deblur", r.Task)
	case r.Blur.Check() != nil:
		return badRequest("blur", "cannot be undone: %v", r.Blur.Check())
	case r.Project && *r.Blur != TrainedBlur:
		return badRequest("blur", "is %v, and projection is possible for %v only", *r.Blur, TrainedBlur)
	}
	return nil
}

// asTrained tells whether gaussian-deblur's network does the job without the blur being looked at: it is told so, or there is no other way.
func (m *Model) skipsBlurSearch(req Request) bool {
	switch {
	case req.Blur != nil:
		return isTrainedBlur(*req.Blur)
	case req.Project: // which is for that network's blur
		return true
	}
	_, _, ok := m.networkFor(task.Denoise)
	return !ok
}

// refocus answers a request for gaussian-deblur of another blur than the network's, or of one that is to be found.
func (m *Model) deblurDefocus(ctx context.Context, pic *picture.Picture, req Request, j *job) (*Result, error) {
	b, err := j.findDefocus(ctx)
	if err != nil {
		return nil, err
	}
	j.blur = b
	if b.Verdict != blind.Blurred {
		return m.restoreWithoutDeblurring(ctx, pic, req, j)
	}
	var result *Result
	if b.networkApplies() && !pic.Gray { // that network's noise is not grey
		req.Profile, req.Blur = &j.profile, &b.Defocus
		result, err = m.Restore(ctx, pic, req)
	} else {
		b.Kernel = b.Defocus.Kernel()
		b.Field = blind.UniformField(pic.W, pic.H, b.Kernel)
		result, err = m.denoiseAndDeconvolve(ctx, pic, req, j)
	}
	if err != nil {
		return nil, err
	}
	result.Task, result.Blur, result.Noise, result.Profile = j.task, b, j.noise, j.profile
	return result, nil
}

const (
	// coarseNoise is how much stronger than its finest band a blurred picture's noise counts in the others: what an estimate finds there is
	// texture that the blur has left.
	maxCoarseNoise = 1.5
	// leftNoise is the share of the noise, as the finest band has it, that deconvolution takes to be left after denoising.
	residualNoise = 0.25
)

// deconvolved denoises the picture and deconvolves it with the kernel of j.blur. Samples and the latent, if asked for, are those of
// motion-deblur's network with that kernel.
func (m *Model) denoiseAndDeconvolve(ctx context.Context, pic *picture.Picture, req Request, j *job) (*Result, error) {
	level := j.profile
	if level.Found {
		for b := range level.Luma {
			level.Luma[b] = min(level.Luma[b], maxCoarseNoise*level.Luma[noise.Diagonal])
			level.Chroma[b] = min(level.Chroma[b], maxCoarseNoise*level.Chroma[noise.Diagonal])
		}
	}
	clean, err := m.Restore(ctx, pic, Request{Task: task.Denoise, Profile: &level, Progress: req.Progress, Below: req.Below, Above: req.Above})
	if err != nil {
		return nil, err
	}
	seen := j.deblurInput()
	seen.Row = tile.Planes{W: pic.W, H: pic.H, Data: clean.Picture.Pix, Levels: clean.Picture.Levels}.Row
	pix, err := deblur.Deconvolve(ctx, seen, j.blur.Field, noise.White(residualNoise*level.Luma[noise.Diagonal]), j.task != task.MotionDeblur || j.blur.Given)
	if err != nil {
		return nil, err
	}
	result := &Result{Noise: j.noise, Profile: j.profile, Task: j.task}
	if j.needsLatent() {
		draw := req
		draw.Task, draw.Kernel, draw.Blur, draw.Profile, draw.Rows = task.MotionDeblur, j.blur.Kernel, nil, &level, nil
		draw.byNetwork, draw.foundBlur = true, nil
		if result, err = m.Restore(ctx, pic, draw); err != nil {
			return nil, err
		}
	}
	result.Picture, result.Blur = j.pictureOf(pix), j.blur
	return result, nil
}

// findDefocus tells the width and the shape of the picture's blur.
func (j *job) findDefocus(ctx context.Context) (*Blur, error) {
	if j.req.foundBlur != nil {
		return j.req.foundBlur, nil
	}
	if given := j.req.Blur; given != nil {
		b := &Blur{Verdict: blind.Blurred, Defocus: *given, Given: true}
		if given.Shape == defocus.None {
			b.Verdict = blind.Sharp
		}
		return b, nil
	}
	y, unknown := j.deblurInput().Brightness()
	r, err := defocus.Estimate(ctx, y, unknown)
	if err != nil {
		return nil, err
	}
	return &Blur{Verdict: r.Certainty.Verdict, Defocus: r.Blur, Certainty: r.Certainty}, nil
}
