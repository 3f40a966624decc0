package restore

import (
	"slices"

	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

const (
	// maxKeptNoise is the noise, in 8-bit levels, up to which inpainting leaves known pixels alone.
	// It is less than rounding hides.
	maxKeptNoise = 0.5
	// maxTextureNoise is the noise, in 8-bit levels, that is estimated in clean pictures too.
	maxTextureNoise = 1.5
	// minNoiseWindows is the number of complete windows that the shape of noise needs.
	minNoiseWindows = 4
)

// findNoise returns the noise that the request gives, or that is estimated in the picture.
func (j *job) findNoise() noise.Profile {
	if j.req.Profile != nil {
		return *j.req.Profile
	}
	if level, given := requestedNoise(j.req.Noise); given {
		return whiteNoise(j.pic, level)
	}
	src := noise.Source{W: j.pic.W, H: j.pic.H, Crop: j.pic.Crop}
	switch {
	case j.original != nil:
		src.Known = func(i int) bool { return j.req.isKnown(i) && visible(j.original, i) }
	case j.req.Mask != nil:
		src.Known = j.req.isKnown
	}
	return estimateNoise(new(noise.Estimator), src, j.task)
}

// whiteNoise returns white noise of a level, in 8-bit levels, as it is in this picture.
func whiteNoise(p *picture.Picture, level float64) noise.Profile {
	if isGray(p) {
		return noise.Grey(task.Sigma(level))
	}
	return noise.White(task.Sigma(level))
}

// isGray reports whether the three channels of a picture are the same everywhere.
func isGray(p *picture.Picture) bool {
	if p.Gray {
		return true
	}
	if n := p.W * p.H; p.Levels == nil {
		return slices.Equal(p.Pix[:n], p.Pix[n:2*n]) && slices.Equal(p.Pix[:n], p.Pix[2*n:3*n])
	}
	const rows = 16
	for y := 0; y < p.H; y += rows {
		part := p.Crop(0, y, p.W, min(rows, p.H-y))
		if !slices.Equal(part.Plane(0), part.Plane(1)) || !slices.Equal(part.Plane(0), part.Plane(2)) {
			return false
		}
	}
	return true
}

// estimateNoise estimates the noise of a picture for a task.
func estimateNoise(e *noise.Estimator, src noise.Source, t task.Task) noise.Profile {
	p := e.Estimate(src)
	if src.Known != nil && e.Windows() < minNoiseWindows {
		// Single missing pixels leave no complete window. White noise is assumed and estimated in
		// 2×2 blocks.
		p = noise.White(task.EstimateSigmaOf(src.W, src.H, src.Crop, src.Known))
	}
	if t.Masked() && task.Std8(p.Sigma()) < maxTextureNoise {
		p = noise.White(0)
	}
	return p
}

// setNoise sets the noise that the job assumes. A level above MaxNoise counts as MaxNoise.
func (j *job) setNoise(p noise.Profile) {
	j.profile, j.noise = p.Limit(task.Sigma(MaxNoise)), min(task.Std8(p.Sigma()), MaxNoise)
	j.keepKnownPixels = j.task.Masked() && j.noise <= maxKeptNoise
}

// noiseVector is the shape of the noise as the adapter reads it, noise.Numbers values.
func (j *job) noiseVector() []float32 {
	v := make([]float32, noise.Numbers)
	j.profile.Vector(v)
	return v
}
