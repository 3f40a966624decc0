package camera

import (
	"math"
	"math/rand/v2"
)

// Draw draws a camera from the distribution that training uses: a sensor with a mosaic, of any film
// speed from ISO 50 to 30,000 (log-uniform), and the processing of cameras, telephones and
// scanners. Every stage except the sensor is left out in a share of the draws.
func Draw(rng *rand.Rand) Camera {
	uniform := func(lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }
	c := Camera{Raw: true, Round: true}
	c.Curve = uniform(0, 1)
	c.Matrix = rng.IntN(len(matrices))
	c.RedGain, c.BlueGain = uniform(1.4, 2.5), uniform(1.2, 2.2)
	c.Exposure = math.Exp(uniform(math.Log(0.35), math.Log(1.15)))
	c.Shot = math.Exp(uniform(math.Log(2e-5), math.Log(1.2e-2)))
	_, c.Read = ISO(c.Shot / 4e-7)
	c.Read *= math.Exp(0.26 * 2 * rng.NormFloat64())
	c.PhaseX, c.PhaseY = rng.IntN(2), rng.IntN(2)
	c.Lens = DrawLens(rng, 0.7)
	switch u := rng.Float64(); {
	case u < 0.6:
		c.Demosaic = EdgeDirected
	case u < 0.9:
		c.Demosaic = Bilinear
	}
	if rng.Float64() < 0.4 {
		return c.drawHighISO(rng)
	}
	// The noise that a middle grey of 0.2 has on the display, where the tone curve has a slope of
	// about 1.2.
	c.drawProcessing(rng, 2*1.2*math.Sqrt(0.2*c.Shot+c.Read)/c.Exposure)
	if c.Coarse > 0 {
		c.boostNoise(rng)
	}
	if rng.Float64() < 0.25 {
		c.Reduce = uniform(1, 2)
	}
	switch u := rng.Float64(); {
	case u < 0.4: // as from the camera
		c.drawJPEG(rng, 90, 100)
	case u < 0.75: // as sent on by programs
		c.drawJPEG(rng, 70, 95)
		c.drawSecondJPEG(rng, 0.4)
	case u < 0.82:
		c.Subsampling = Sub422 + Subsampling(rng.IntN(2))
	}
	return c
}

// drawHighISO draws the file of a camera with a large sensor at high film speed: much noise, most
// of it removed in colour and in fine detail, no reduction of size and little compression.
func (c Camera) drawHighISO(rng *rand.Rand) Camera {
	c.ChromaRadius, c.ChromaShare = 2+rng.IntN(8), 1-0.1*rng.Float64()
	c.Coarse = 0.5 + 1.5*rng.Float64()
	c.boostNoise(rng)
	if rng.Float64() < 0.3 {
		c.Sharpen = rng.Float64()
	}
	switch u := rng.Float64(); {
	case u < 0.4:
		c.drawJPEG(rng, 90, 100)
	case u < 0.7: // a crop that was written again
		c.drawJPEG(rng, 93, 100)
		c.SecondQuality, c.SecondX, c.SecondY = 93+rng.IntN(8), rng.IntN(8), rng.IntN(8)
	}
	return c
}

// boostNoise draws more noise for a camera whose Coarse removes most of it: cameras reduce noise
// when there is much of it.
func (c *Camera) boostNoise(rng *rand.Rand) {
	gain := math.Exp2(3 * c.Coarse * rng.Float64())
	c.Shot, c.Read = min(c.Shot*gain, 0.1), min(c.Read*gain, 0.1)
}

// drawProcessing draws noise reduction and sharpening for noise of standard deviation sigma:
// cameras smooth more if there is more noise. Chroma is nearly always smoothed, luminance mostly.
// What is left is noise that is weak at the finest scale.
func (c *Camera) drawProcessing(rng *rand.Rand, sigma float64) {
	if rng.Float64() < 0.9 {
		c.ChromaRadius, c.ChromaShare = 1+rng.IntN(8), 1-0.5*math.Pow(rng.Float64(), 3)
	}
	switch u := rng.Float64(); {
	case u < 0.6:
		c.Coarse = 0.3 + 1.7*rng.Float64()
	case u < 0.8:
		c.LumaShare, c.LumaRange, c.LumaPasses = 0.5+0.5*rng.Float64(), sigma*(1+4*rng.Float64()),
			1+rng.IntN(2)
	}
	if rng.Float64() < 0.5 {
		c.Sharpen = 1.5 * rng.Float64()
	}
}

// drawJPEG draws a quality from lo to hi and a subsampling: mostly 4:2:0, like telephones and the
// web.
func (c *Camera) drawJPEG(rng *rand.Rand, lo, hi int) {
	c.Quality = lo + rng.IntN(hi-lo+1)
	switch u := rng.Float64(); {
	case u < 0.75:
		c.Subsampling = Sub420
	case u < 0.85:
		c.Subsampling = Sub422
	}
}

// drawSecondJPEG adds a second compression with probability share.
func (c *Camera) drawSecondJPEG(rng *rand.Rand, share float64) {
	if rng.Float64() < share {
		c.SecondQuality, c.SecondX, c.SecondY = 60+rng.IntN(36), rng.IntN(8), rng.IntN(8)
	}
}

// DrawLens draws the blur of a lens with probability share, else none. The training photographs
// were reduced in size and are sharp to the pixel; the full-size pictures of cameras are not. Their
// finest diagonal detail is 0.16 to 0.27 times as strong as the next coarser one, in photographs it
// is 0.4 times. A standard deviation of 0.6 to 1.6 pixels gives that; it is log-uniform from 0.4 to
// 2.
func DrawLens(rng *rand.Rand, share float64) float64 {
	if rng.Float64() >= share {
		return 0
	}
	return 0.4 * math.Pow(5, rng.Float64())
}

// DrawJPEG draws a camera that only compresses, with qualities from 5 to 95.
func DrawJPEG(rng *rand.Rand) Camera {
	var c Camera
	c.drawJPEG(rng, 5, 95)
	c.drawSecondJPEG(rng, 0.15)
	c.Lens = DrawLens(rng, 0.3)
	return c
}

// DrawWhite draws a camera that adds white noise of standard deviation sigma (units of
// planar.Image) and one more step: video's chroma subsampling, JPEG of high quality, a mosaic, or
// noise reduction.
func DrawWhite(rng *rand.Rand, sigma float64) Camera {
	c := Camera{White: sigma, Round: true, Lens: DrawLens(rng, 0.3)}
	switch rng.IntN(4) {
	case 0:
		c.Subsampling = Sub422 + Subsampling(rng.IntN(2))
	case 1:
		c.drawJPEG(rng, 70, 100)
	case 2:
		c.WhiteMosaic, c.PhaseX, c.PhaseY = true, rng.IntN(2), rng.IntN(2)
	default:
		c.drawProcessing(rng, sigma)
	}
	return c
}
