package trainhost

import (
	"math/rand/v2"

	"github.com/vfmrestore/restore/restore/camera"
)

// The law of compressed pictures, as shares of the draws. What remains was compressed so little that
// nothing is seen of it, or not at all.
const (
	shareStrong      = 0.72 // JPEG alone, of qualities from 5 to 80
	shareNoisyBefore = 0.10 // weak white noise, then JPEG
	shareCameraJPEG  = 0.10 // a camera's noise, then JPEG of qualities from 30 to 90
)

// shootCompressed is the law of compressed pictures. The blocks of JPEG begin at the corner of the
// square: the network can learn where they meet, as the steps of its levels divide 8.
func shootCompressed(rng *rand.Rand, p *Pictures, side int) (observed, error) {
	return develop(rng, drawCompressed(rng), false, [2]int{}, p.source(rng, noiseShares), side)
}

// drawCompressed draws what is done to a picture.
func drawCompressed(rng *rand.Rand) (c camera.Camera) {
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
