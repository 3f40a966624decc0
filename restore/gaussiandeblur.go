package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/defocus"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// A blur that is the same in all directions is undone in one of three ways:
//
//   - If it is given, and about the one that gaussian-deblur's network was trained for, the network
//     undoes it. So it does if that blur is estimated in a picture with much noise.
//   - If another one is given, or if one is estimated (package defocus), the picture is denoised and
//     deconvolved with its kernel.
//   - If the picture is sharp, or no blur can be estimated, it is only denoised.

// TrainedBlur is the blur that gaussian-deblur's network was trained for, that of the paper.
var TrainedBlur = defocus.Blur{Shape: defocus.Gaussian, Width: 3}

// The Gaussians that the network undoes better than deconvolution of values does. On six training
// photographs with noise of 1 level the network gains 2.20 dB at 2.85 pixels and 2.00 dB at 3.3,
// deconvolution 1.95 and 1.89. At 2.7 pixels they gain 1.68 and 1.97.
const minTrainedWidth, maxTrainedWidth = 2.8, 3.3

// isTrainedBlur reports whether gaussian-deblur's network undoes a blur.
func isTrainedBlur(b defocus.Blur) bool {
	return b.Shape == defocus.Gaussian && b.Width >= minTrainedWidth && b.Width <= maxTrainedWidth
}

// An estimated blur must be this certain for that network. On another blur it makes the picture
// worse by decibels, which deconvolution does not. The limits are for defocus.Certainty's Disc and
// Spread.
const (
	maxDisc        = 0.05
	maxWidthSpread = 0.14
)

// leastTrainedNoise is the noise, in 8-bit levels, from which on that network undoes an estimated
// blur. It was trained with 6.4 levels, and on blur of values instead of light. On 24 training
// photographs blurred in light by 3 pixels, with JPEG of quality 95, it gains 1.55, 1.62 and 2.21 dB
// at noise of 1, 3 and 4.5 levels, deconvolution 3.06, 2.88 and 2.63. At 5.5 and 6.4 levels both
// gain the same, and if values were blurred, the network gains 2 dB more.
const leastTrainedNoise = 5

// networkApplies reports whether an estimated blur of a picture with that noise is certainly one for
// gaussian-deblur's network.
func (b *Blur) networkApplies(level float64) bool {
	return level >= leastTrainedNoise && isTrainedBlur(b.Defocus) &&
		b.Certainty.Disc <= maxDisc && b.Certainty.Spread <= maxWidthSpread
}

// skipsBlurSearch reports whether gaussian-deblur's network does the task without a search for the
// blur: the request says so, or no network can denoise.
func (m *Model) skipsBlurSearch(req Request) bool {
	switch {
	case req.Blur != nil:
		return isTrainedBlur(*req.Blur)
	case req.Project: // possible for that network's blur only
		return true
	}
	_, _, ok := m.networkFor(task.Denoise)
	return !ok
}

// deblurGaussian does gaussian-deblur. It returns nil if the network is to do it.
func (m *Model) deblurGaussian(ctx context.Context, pic *picture.Picture, req Request, j *job) (*Result, error) {
	if !m.skipsBlurSearch(req) {
		return m.deblurDefocus(ctx, pic, req, j)
	}
	j.blur = &Blur{Verdict: blind.Blurred, Defocus: TrainedBlur, Given: req.Blur != nil}
	if req.Blur != nil {
		j.blur.Defocus = *req.Blur
	}
	return nil, nil
}

// deblurDefocus does gaussian-deblur of a blur that the network was not trained for, or that must
// be estimated.
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
	if b.networkApplies(j.noise) && !pic.Gray { // that network was not trained on grey noise
		req.Profile, req.Blur = &j.profile, &b.Defocus
		result, err = m.Restore(ctx, pic, req)
	} else {
		b.Kernel = b.Defocus.Kernel()
		b.Field = blind.UniformField(pic.W, pic.H, b.Kernel)
		if err := j.deblurInput().SetLight(ctx, b.Field); err != nil {
			return nil, err
		}
		result, err = m.denoiseAndDeconvolve(ctx, pic, req, j)
	}
	if err != nil {
		return nil, err
	}
	result.Task, result.Blur, result.Noise, result.Profile = j.task, b, j.noise, j.profile
	return result, nil
}

// findDefocus returns the width and the shape of the picture's blur.
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
