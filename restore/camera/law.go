package camera

import (
	"math"
	"math/rand/v2"
)

// Draw draws a camera by the law of training: a sensor with a mosaic, of any film speed from ISO 50 to 30,000 (log-uniform), and the
// processing of cameras, telephones and scanners. Every stage but the sensor is left out in a share of the draws.
func Draw(rng *rand.Rand) Camera {
	uniform := func(lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }
	c := Camera{Raw: true, Round: true}
	c.Curve = uniform(0, 1)
	c.Matrix = rng.IntN(len(Matrices))
	c.RedGain, c.BlueGain = uniform(1.4, 2.5), uniform(1.2, 2.2)
	c.Exposure = math.Exp(uniform(math.Log(0.35), math.Log(1.15)))
	c.Shot = math.Exp(uniform(math.Log(2e-5), math.Log(1.2e-2)))
	_, c.Read = ISO(c.Shot / 4e-7)
	c.Read *= math.Exp(0.26 * 2 * rng.NormFloat64())
	c.PhaseX, c.PhaseY = rng.IntN(2), rng.IntN(2)
	switch u := rng.Float64(); {
	case u < 0.6:
		c.Demosaic = EdgeDirected
	case u < 0.9:
		c.Demosaic = Bilinear
	}
	if rng.Float64() < 0.4 {
		return c.developed(rng)
	}
	// What noise a middle grey of 0.2 has on the display, whose curve has a slope of about 1.2 there.
	c.drawProcessing(rng, 2*1.2*math.Sqrt(0.2*c.Shot+c.Read)/c.Exposure)
	if c.Coarse > 0 {
		c.strengthen(rng)
	}
	if rng.Float64() < 0.25 {
		c.Reduce = uniform(1, 2)
	}
	switch u := rng.Float64(); {
	case u < 0.4: // as cameras write it
		c.drawJPEG(rng, 90, 100)
	case u < 0.75: // as it is passed on
		c.drawJPEG(rng, 70, 95)
		c.drawAgain(rng, 0.4)
	case u < 0.82:
		c.Subsampling = Sub422 + Subsampling(rng.IntN(2))
	}
	return c
}

// developed draws what a camera with a large sensor writes at high film speed: much noise, most of it taken away in colour and in fine
// detail, no reduction of size and little compression.
func (c Camera) developed(rng *rand.Rand) Camera {
	c.ChromaRadius, c.ChromaShare = 2+rng.IntN(8), 1-0.1*rng.Float64()
	c.Coarse = 0.5 + 1.5*rng.Float64()
	c.strengthen(rng)
	if rng.Float64() < 0.3 {
		c.Sharpen = rng.Float64()
	}
	switch u := rng.Float64(); {
	case u < 0.4:
		c.drawJPEG(rng, 90, 100)
	case u < 0.7: // a crop that was written again
		c.drawJPEG(rng, 93, 100)
		c.Again, c.AgainX, c.AgainY = 93+rng.IntN(8), rng.IntN(8), rng.IntN(8)
	}
	return c
}

// strengthen draws more noise for a camera whose Coarse takes most of it away: cameras do so where there is much.
func (c *Camera) strengthen(rng *rand.Rand) {
	gain := math.Exp2(3 * c.Coarse * rng.Float64())
	c.Shot, c.Read = min(c.Shot*gain, 0.1), min(c.Read*gain, 0.1)
}

// drawProcessing draws noise reduction and sharpening, for noise of a standard deviation: cameras smooth more where there is more. Chroma
// is nearly always smoothed, luminance mostly, which leaves noise that is weak at the finest scale.
func (c *Camera) drawProcessing(rng *rand.Rand, sigma float64) {
	if rng.Float64() < 0.9 {
		c.ChromaRadius, c.ChromaShare = 1+rng.IntN(8), 1-0.5*math.Pow(rng.Float64(), 3)
	}
	switch u := rng.Float64(); {
	case u < 0.6:
		c.Coarse = 0.3 + 1.7*rng.Float64()
	case u < 0.8:
		c.LumaShare, c.LumaReach, c.LumaPasses = 0.5+0.5*rng.Float64(), sigma*(1+4*rng.Float64()), 1+rng.IntN(2)
	}
	if rng.Float64() < 0.5 {
		c.Sharpen = 1.5 * rng.Float64()
	}
}

// drawJPEG draws a quality and a subsampling: 4:2:0 mostly, as telephones and the web have it.
func (c *Camera) drawJPEG(rng *rand.Rand, lo, hi int) {
	c.Quality = lo + rng.IntN(hi-lo+1)
	switch u := rng.Float64(); {
	case u < 0.75:
		c.Subsampling = Sub420
	case u < 0.85:
		c.Subsampling = Sub422
	}
}

// drawAgain draws a second compression in a share of the pictures that have been compressed.
func (c *Camera) drawAgain(rng *rand.Rand, share float64) {
	if rng.Float64() < share {
		c.Again, c.AgainX, c.AgainY = 60+rng.IntN(36), rng.IntN(8), rng.IntN(8)
	}
}

// DrawJPEG draws a picture that was compressed and nothing else: qualities from 5 to 95.
func DrawJPEG(rng *rand.Rand) Camera {
	var c Camera
	c.drawJPEG(rng, 5, 95)
	c.drawAgain(rng, 0.15)
	return c
}

// DrawWhite draws white noise of a standard deviation (units of planar.Image) that went through one more thing: video's chroma
// subsampling, JPEG of high quality, a mosaic, or noise reduction.
func DrawWhite(rng *rand.Rand, sigma float64) Camera {
	c := Camera{White: sigma, Round: true}
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
