package restore

import (
	"github.com/vfmrestore/restore/restore/defocus"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// MaxSamples is the largest number of pictures that a request draws. More would add little: the
// error of the mean falls with the root of their number, to a thirtieth of the spread at this one.
// The command and the C library have the same bound.
const MaxSamples = 1000

// MaxNoise is the highest noise level that the networks know, in 8-bit levels: 0.4 in [-1, 1].
// Higher levels count as this one.
const MaxNoise = 0.4 * 127.5

// The zero value of Request.Noise and of temperatures means a default, so these constants stand for
// zero. They are far below what a picture can show: max(v, NoNoise) is right for a computed level
// that may be 0.
const (
	// NoNoise as Request.Noise or StreamConfig.Noise says that there is no noise.
	NoNoise = 1e-9
	// NoSpread as a Temperature makes all samples equal to the picture of z = μ.
	NoSpread = 1e-9
)

// Request says what to do with a picture.
type Request struct {
	Task task.Task
	// Mask has a value for every pixel, true if the pixel is missing. The inpainting tasks need it;
	// other tasks must not have one.
	Mask []bool
	// Noise is the standard deviation of the picture's noise in 8-bit levels, for white noise.
	// Values above MaxNoise count as MaxNoise; NoNoise says that there is none. At 0 and below the
	// noise is estimated in the known pixels, with its shape (Result.Profile). For inpainting an
	// estimate below 1.5 levels counts as none.
	//
	// Inpainting at a noise of at most 0.5 leaves the known pixels as they are, bit for bit. At
	// more noise it denoises them.
	Noise float64

	// Profile, if not nil, describes the noise and replaces Noise.
	Profile *noise.Profile
	// Grain is the share of the removed noise that is put back, of luminance and of chroma, 0 to 1.
	// For Denoise only.
	Grain [2]float64

	// Kernel is the blur kernel for motion-deblur, if it is known by a calibration or a gyroscope.
	// The picture is deconvolved with it, in light (package deblur). Its weights have the sum 1. nil:
	// the kernel is estimated.
	Kernel *task.Kernel

	// Blur is the blur for gaussian-deblur, if it is known; defocus.Blur{} is no blur. nil: the
	// blur is estimated. That task's network undoes Gaussians of 2.8 to 3.3 pixels as it undoes
	// TrainedBlur; estimated ones only if there is noise of 5 levels or more. For another blur the
	// picture is denoised and deconvolved; samples and the latent are then those of motion-deblur,
	// and Steps, Times and Temperature affect only these.
	Blur *defocus.Blur

	// Expected leaves wide holes as the network fills them: the expected picture z = μ, a mean of
	// all that may be there. Otherwise inpainting fills holes of more than 12 pixels across with
	// the picture's own patches (package patch), which look like the rest. Each sample and each
	// Seed fills them in another way.
	Expected bool

	// Samples is the number of pictures to draw from the posterior, at most MaxSamples.
	Samples int
	// Temperature scales the spread of the samples. 1, which 0 means too, is the posterior. At
	// NoSpread all samples equal the picture of z = μ.
	Temperature float64
	// Seed makes samples reproducible: the same seed gives the same samples on any device, up to
	// rounding.
	Seed uint64
	// StatisticsOnly drops each sample as soon as mean and deviation contain it: Result.Samples
	// stays empty.
	StatisticsOnly bool

	// Steps is the number K of steps of the flow map, over the times 1, 1−1/K, …, 0. 0 means 1,
	// which the networks are trained for.
	Steps int
	// Times, if not nil, is any other partition of the time from noise to picture (Algorithm 1):
	// K+1 falling numbers from 1 to 0. Steps must then be 0 or K.
	Times []float64

	// Ensemble is the number of orientations, of the eight of a square, in which the picture is
	// restored: 1, 2, 4 or 8 (0 means 1). Result.Picture is the mean of these. That costs as many
	// times the work and is a little better. Samples and latent use the picture's own orientation.
	Ensemble int

	// Project replaces every restoration x by x + Aᵀ(y − A x) = Aᵀy + (I − AᵀA)x, the paper's
	// projection trick. The result then agrees better with the given picture, noise included. For
	// the inpainting tasks (the known pixels become the given ones) and gaussian-deblur; there the
	// blur is taken to be TrainedBlur.
	Project bool

	// Explain fills Result.Latent.
	Explain bool

	// Progress, if not nil, is called on the caller's goroutine after every tile. total may change
	// if memory runs short.
	Progress func(done, total int)

	// Rows, if not nil, is called on the caller's goroutine as rows of the result get final, from
	// the top. p will be Result.Picture. Its first rows rows do not change any more, and any
	// goroutine may read them; those below may still change. If Restore fails, it may not have
	// reported all rows. With Ensemble, Rows is called once, at the end. With Project, which needs
	// the whole picture, it is not called.
	Rows func(p *picture.Picture, rows int)

	// Below and Above are how far values of the result may go below -1 and above 1; 0 is not at
	// all. They are for video, whose codes reach there (frame.Format.RGBRange).
	Below, Above float32

	// The following fields are for requests that this package makes itself.

	// skipFinish leaves out of Result.Picture (but not out of samples) the filling of wide holes,
	// the grain and the bounds of a JPEG file. An ensemble adds them to its mean.
	skipFinish bool
	// byNetwork lets the network alone do motion-deblur, with Kernel for its second view.
	byNetwork bool
	// byMovementNetwork denoises with the network that also undoes movement.
	byMovementNetwork bool
	// byCompressionNetwork denoises with the network that undoes JPEG, if there is one. It is set for
	// files that need that.
	byCompressionNetwork bool
	// foundBlur, if not nil, is the blur that Inspect found for this task in this picture, with the
	// same noise that Restore would find.
	foundBlur *Blur
	// memory, if not nil, is used again for many pictures.
	memory *frameMemory
}

// KeepsLevels reports whether the restoration of a picture with Levels has Levels too. If a request
// makes more than one picture, these have floats.
func (r *Request) KeepsLevels() bool {
	return r.Samples == 0 && !r.Explain && !r.Project && r.Ensemble <= 1
}

// isKnown reports whether pixel i is not missing.
func (r *Request) isKnown(i int) bool { return r.Mask == nil || !r.Mask[i] }

// requestedNoise returns the level that a Noise field gives, in 8-bit levels, at most MaxNoise. ok
// is false if the level is to be estimated.
func requestedNoise(noise float64) (level float64, ok bool) {
	switch {
	case !(noise > 0):
		return 0, false
	case noise <= NoNoise:
		return 0, true
	}
	return min(noise, MaxNoise), true
}

// temperatureOf returns the temperature that a Temperature field gives.
func temperatureOf(temperature float64) float64 {
	switch {
	case temperature == 0:
		return 1
	case temperature <= NoSpread:
		return 0
	}
	return temperature
}

// partition returns the K+1 times from 1 to 0 that the Steps and Times of a request give.
func partition(steps int, times []float64) []float64 {
	if times != nil {
		return times
	}
	steps = max(steps, 1)
	times = make([]float64, steps+1)
	for k := range times {
		times[k] = 1 - float64(k)/float64(steps)
	}
	return times
}
