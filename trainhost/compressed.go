package trainhost

import (
	"math/rand/v2"

	"github.com/vfmrestore/restore/restore/camera"
)

// The distribution of compressed pictures, as shares of the draws. The rest was compressed so
// little that nothing is visible, or not at all.
const (
	shareStrong      = 0.72 // JPEG alone, of qualities from 5 to 80
	shareNoisyBefore = 0.10 // weak white noise, then JPEG
	shareCameraJPEG  = 0.10 // noise of a camera, then JPEG of qualities from 30 to 90
)

// drawCompressed draws from the distribution of compressed pictures. The blocks of JPEG begin at
// the corner of the square. The network can learn where they meet, as the strides of its levels
// divide 8.
func drawCompressed(rng *rand.Rand, p *Pictures, side int) (degraded, error) {
	return shot{camera: drawCompression(rng)}.take(rng, p.crops(rng, noiseShares), side)
}

// drawCompression draws the camera and the compression.
func drawCompression(rng *rand.Rand) (c camera.Camera) {
	u := rng.Float64()
	c = camera.DrawJPEG(rng)
	switch {
	case u < shareStrong:
		c.Quality = 5 + rng.IntN(76)
	case u < shareStrong+shareNoisyBefore:
		c.White = 0.08 * rng.Float64()
		c.Quality = 10 + rng.IntN(81)
	case u < shareStrong+shareNoisyBefore+shareCameraJPEG:
		j := c
		c = camera.Draw(rng)
		c.Quality, c.Subsampling = 30+rng.IntN(61), j.Subsampling
		c.SecondQuality, c.SecondX, c.SecondY = 0, 0, 0
	case u < 0.96:
		c.Quality, c.SecondQuality, c.SecondX, c.SecondY = 90+rng.IntN(11), 0, 0, 0
	default:
		c = camera.Camera{}
	}
	return c
}
