package restore

import (
	"math"

	"github.com/vfmrestore/restore/internal/finite"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

const maxSteps = 1000

// check returns a *RequestError or a *task.UnknownTaskError if a request does not suit the picture,
// as far as that does not depend on the Model.
func check(pic *picture.Picture, req Request) error {
	if pic == nil {
		return badRequest("picture", "is missing")
	}
	if err := pic.Check(); err != nil {
		return badRequest("picture", "cannot be used: %v", err)
	}
	if i := finite.FirstNot(pic.Pix); i >= 0 {
		return badRequest("picture", "has a value that is not a finite number (%v at index %d)", pic.Pix[i], i)
	}
	switch {
	case !req.Task.Valid():
		return &task.UnknownTaskError{Name: req.Task.String()}
	case req.Task.Masked() && req.Mask == nil:
		return badRequest("mask", "is missing; task %v needs one", req.Task)
	case !req.Task.Masked() && req.Mask != nil:
		return badRequest("mask", "has no meaning for task %v", req.Task)
	case req.Mask != nil && len(req.Mask) != pic.W*pic.H:
		return badRequest("mask", "has %d values, the picture has %d×%d pixels", len(req.Mask), pic.W, pic.H)
	case req.Mask != nil && !anyKnown(req.Mask):
		return badRequest("mask", "leaves nothing of the picture: every pixel is missing")
	case checkNoise(req.Noise) != nil:
		return checkNoise(req.Noise)
	case !(req.Below >= 0 && req.Below <= 10) || !(req.Above >= 0 && req.Above <= 10):
		return badRequest("range", "goes by %v below -1 and by %v above 1, must be 0 to 10", req.Below, req.Above)
	case req.Profile != nil && !req.Profile.Valid():
		return badRequest("profile", "has a level that is negative or not a finite number")
	case !inUnit(req.Grain[0]) || !inUnit(req.Grain[1]):
		return badRequest("grain", "is %v, must be two shares from 0 to 1", req.Grain)
	case req.Grain != [2]float64{} && !req.Task.Takes(task.OptionStrength):
		return badRequest("grain", "has no meaning for task %v, only for denoise", req.Task)
	case req.checkBlur() != nil:
		return req.checkBlur()
	case req.Kernel != nil && !req.Task.Takes(task.OptionKernel):
		return badRequest("kernel", "has no meaning for task %v, only for motion-deblur", req.Task)
	case req.Kernel != nil && req.Kernel.Check() != nil:
		return badRequest("kernel", "cannot be used: %v", req.Kernel.Check())
	case req.Samples < 0 || req.Samples > MaxSamples:
		return badRequest("samples", "are %d, must be 0 to %d", req.Samples, MaxSamples)
	case req.Steps < 0 || req.Steps > maxSteps:
		return badRequest("steps", "are %d, must be 1 to %d", req.Steps, maxSteps)
	case req.Ensemble < 0 || req.Ensemble > orientations || req.Ensemble&(req.Ensemble-1) != 0:
		return badRequest("ensemble", "is %d, must be 1, 2, 4 or 8", req.Ensemble)
	case req.Project && !canProject(req.Task):
		return badRequest("project", "has no meaning for task %v, only for inpainting and gaussian-deblur", req.Task)
	case !(req.Temperature >= 0) || math.IsInf(req.Temperature, 0):
		return badRequest("temperature", "is %v, must be 0 or more", req.Temperature)
	}
	return checkTimes(req.Steps, req.Times)
}

func inUnit(v float64) bool { return v >= 0 && v <= 1 }

// anyKnown reports whether a mask leaves any pixel.
func anyKnown(mask []bool) bool {
	for _, missing := range mask {
		if !missing {
			return true
		}
	}
	return false
}

// checkNoise checks a Noise field.
func checkNoise(noise float64) error {
	if math.IsNaN(noise) || math.IsInf(noise, 0) {
		return badRequest("noise", "is %v, must be a level above 0, NoNoise, or 0 to estimate it", noise)
	}
	return nil
}

// checkBlur checks Request.Blur.
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

// CheckTimes returns a *RequestError if times cannot be Request.Times.
func CheckTimes(times []float64) error { return checkTimes(0, append([]float64{}, times...)) }

// checkTimes checks Request.Steps and Request.Times.
func checkTimes(steps int, times []float64) error {
	if steps < 0 || steps > maxSteps {
		return badRequest("steps", "are %d, must be 1 to %d", steps, maxSteps)
	}
	if times == nil {
		return nil
	}
	n := len(times) - 1
	switch {
	case n < 1 || n > maxSteps:
		return badRequest("times", "are %d numbers, must be 2 to %d", len(times), maxSteps+1)
	case steps > 0 && steps != n:
		return badRequest("times", "are for %d steps, but %d are asked for", n, steps)
	case times[0] != 1 || times[n] != 0:
		return badRequest("times", "go from %g to %g, must go from 1 to 0", times[0], times[n])
	}
	for k := 1; k <= n; k++ {
		if !(times[k] < times[k-1]) {
			return badRequest("times", "must fall, but %g follows %g", times[k], times[k-1])
		}
	}
	return nil
}
