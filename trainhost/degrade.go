package trainhost

import (
	"fmt"
	"image"
	"math/rand/v2"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/planar"
)

// The distribution of noise that denoising is trained on, as shares of the draws. What remains is
// clean.
const (
	shareWhite     = 0.35 // white noise
	shareCamera    = 0.33 // noise of a camera
	shareJPEG      = 0.17 // compression alone
	shareTold      = 0.6  // of white noise: the network is told its level
	shareProcessed = 0.08 // white noise that went through one more operation
	shareDrawing   = 0.07 // of all draws: the picture is a drawing or a page of text instead of a photograph
	shareRounded   = 0.5  // of white noise: rounded to 8 bits and clipped
)

// degraded is a clean picture, the same degraded, and what the network is told of its noise.
type degraded struct {
	clean, noisy *planar.Image
	profile      noise.Profile
	estimate     bool // the profile is to be estimated from noisy
}

// estimateNoise sets the profile to the estimate if the network is not told the noise.
func (d *degraded) estimateNoise(e *noise.Estimator) {
	if d.estimate {
		d.profile = e.Estimate(noise.ImageSource(d.noisy, nil))
	}
}

// degradation draws a degraded square crop of a side in pixels.
type degradation func(rng *rand.Rand, p *Pictures, side int) (degraded, error)

// cropSource draws a square crop of a side in pixels. It returns nil if no picture is that large.
type cropSource func(side int) *planar.Image

// drawNoisy draws from the distribution of noise.
func drawNoisy(rng *rand.Rand, p *Pictures, side int) (degraded, error) {
	return degradeByCamera(rng, p.crops(rng, noiseShares), side)
}

// degradeByCamera is drawNoisy on crops of a source.
func degradeByCamera(rng *rand.Rand, source cropSource, side int) (degraded, error) {
	c, told := drawCamera(rng)
	s := shot{camera: c, told: told}
	// A quarter of the pictures is cropped after compression, so that the blocks begin anywhere.
	if c.Quality > 0 && rng.Float64() < 0.25 {
		s.shift = image.Pt(rng.IntN(8), rng.IntN(8))
	}
	return s.take(rng, source, side)
}

// shot says how a picture is degraded.
type shot struct {
	camera camera.Camera
	told   bool        // the network is told the level of the white noise
	shift  image.Point // where the crop begins in the camera's picture
}

// take degrades a crop of the source.
func (s shot) take(rng *rand.Rand, source cropSource, side int) (degraded, error) {
	need := side + max(s.shift.X, s.shift.Y)
	if s.camera.Reduce > 1 {
		need = sideBefore(need, s.camera.Reduce)
	}
	var x *planar.Image
	if rng.Float64() < shareDrawing {
		x = planar.FromNRGBA(synth.Drawing(rng, need, need))
	} else if x = source(need); x == nil {
		// No picture is large enough: leave out the reduction and the shift.
		s.camera.Reduce, s.shift = 0, image.Point{}
		if x = source(side); x == nil {
			return degraded{}, fmt.Errorf("training pictures: none has %d pixels a side", side)
		}
	}
	clean, noisy, err := s.camera.Degrade(rng, x)
	if err != nil {
		return degraded{}, err
	}
	d := degraded{clean: clean, noisy: noisy, estimate: !s.told}
	if s.told {
		d.profile = noise.White(s.camera.White)
	}
	err = d.crop(s.shift, side)
	return d, err
}

// sideBefore is the side that a picture needs so that it has side pixels after a reduction.
func sideBefore(side int, reduce float64) int { return int(float64(side+1)*reduce) + 1 }

// crop cuts both pictures to a square, if they are larger.
func (d *degraded) crop(at image.Point, side int) (err error) {
	if d.noisy.W == side && d.noisy.H == side {
		return nil
	}
	part := image.Rect(0, 0, side, side).Add(at)
	if d.clean, err = d.clean.Crop(part); err == nil {
		d.noisy, err = d.noisy.Crop(part)
	}
	return err
}

// drawCamera draws a degradation, and whether the network is told the level of the noise.
func drawCamera(rng *rand.Rand) (c camera.Camera, told bool) {
	switch u := rng.Float64(); {
	case u < shareWhite:
		c = camera.Camera{White: drawSigma(rng, clsDenoise), Round: rng.Float64() < shareRounded}
		c.Lens = camera.DrawLens(rng, 0.25)
		return c, rng.Float64() < shareTold
	case u < shareWhite+shareCamera:
		return camera.Draw(rng), false
	case u < shareWhite+shareCamera+shareJPEG:
		return camera.DrawJPEG(rng), false
	case u < shareWhite+shareCamera+shareJPEG+shareProcessed:
		return camera.DrawWhite(rng, drawSigma(rng, clsDenoise)), false
	}
	return camera.Camera{}, false
}
