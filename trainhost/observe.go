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

// The law of noise that denoising is trained on, as shares of the draws. What remains is clean.
const (
	shareWhite     = 0.35 // white noise
	shareCamera    = 0.33 // a camera's
	shareJPEG      = 0.17 // compression alone
	shareTold      = 0.6  // of white noise, told to the network
	shareProcessed = 0.08 // white noise that went through one more thing
	shareDrawing   = 0.07 // of all draws: the picture is a drawing or a page of text instead of a photograph
	roundShare     = 0.5  // of white noise, rounded to 8 bits and clipped
)

// observed is a noisy picture with what the network is told of its noise.
type observed struct {
	clean, noisy *planar.Image
	profile      noise.Profile
}

// observer makes noisy pictures; it keeps buffers.
type observer struct{ estimator noise.Estimator }

// observe is what shoot makes, with what the network is told: the noise that was drawn, or what the
// estimator finds.
func (o *observer) observe(shoot func() (observed, error)) (observed, error) {
	ob, err := shoot()
	if err == nil && ob.profile.Found {
		ob.profile = o.estimator.Estimate(noise.Of(ob.noisy, nil))
	}
	return ob, err
}

// shooting is a law of degraded pictures: it draws a square one of a side.
type shooting func(rng *rand.Rand, p *Pictures, side int) (observed, error)

// shootNoisy is the law of noise. A picture's profile is that of white noise that was told, or only
// says that it is to be found.
func shootNoisy(rng *rand.Rand, p *Pictures, side int) (observed, error) {
	return shootBy(rng, p.source(rng, noiseShares), side)
}

// shootBy is shootNoisy of pictures of which source gives clean ones of a side, nil where it has
// none so large.
func shootBy(rng *rand.Rand, source func(side int) *planar.Image, side int) (observed, error) {
	c, told := drawCamera(rng)
	// A quarter of the pictures was cut after compression, so that the blocks may begin anywhere.
	shift := [2]int{}
	if c.Quality > 0 && rng.Float64() < 0.25 {
		shift = [2]int{rng.IntN(8), rng.IntN(8)}
	}
	return develop(rng, c, told, shift, source, side)
}

// develop degrades a picture of source by a camera, and cuts a square from it that begins at shift.
func develop(rng *rand.Rand, c camera.Camera, told bool, shift [2]int, source func(side int) *planar.Image, side int) (observed, error) {
	need := side + max(shift[0], shift[1])
	if c.Reduce > 1 {
		need = int(float64(need+1)*c.Reduce) + 1
	}
	var x *planar.Image
	if rng.Float64() < shareDrawing {
		x = planar.FromNRGBA(synth.Drawing(rng, need, need))
	} else if x = source(need); x == nil {
		// No picture is so large: without reduction, and cut where it begins.
		c.Reduce, shift = 0, [2]int{}
		if x = source(side); x == nil {
			return observed{}, fmt.Errorf("training pictures: none has %d pixels a side", side)
		}
	}
	clean, noisy, err := c.Degrade(rng, x)
	if err != nil {
		return observed{}, err
	}
	if clean.W != side || clean.H != side {
		part := image.Rect(shift[0], shift[1], shift[0]+side, shift[1]+side)
		if clean, err = clean.Crop(part); err == nil {
			noisy, err = noisy.Crop(part)
		}
		if err != nil {
			return observed{}, err
		}
	}
	ob := observed{clean: clean, noisy: noisy}
	if ob.profile.Found = !told; told {
		ob.profile = noise.White(c.White)
	}
	return ob, nil
}

// drawCamera draws what is done to a picture, and whether its noise is told.
func drawCamera(rng *rand.Rand) (c camera.Camera, told bool) {
	switch u := rng.Float64(); {
	case u < shareWhite:
		c = camera.Camera{White: drawSigma(rng, clsDenoise), Round: rng.Float64() < roundShare}
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
