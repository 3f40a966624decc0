// Package camera is a model of how cameras make pictures: it takes a clean picture back to light, gives it the noise of a sensor, and
// develops it again.
//
// The same model degrades pictures for training, for `restore degrade -camera` and for tests. Every stage is optional; the order is
//
//	inverse tone curve → inverse colour matrix and white balance → exposure → mosaic of the sensor, photon and read noise, clipping
//	→ white balance → demosaicing → colour matrix → tone curve → white noise → noise reduction → sharpening → reduction of size
//	→ chroma subsampling or JPEG → a second JPEG → 8 bits.
//
// Sources: the inverse of a camera's processing and the laws of gains, matrices and noise levels are those of Brooks et al.,
// "Unprocessing Images for Learned Raw Denoising" (CVPR 2019, §3); Poisson–Gaussian noise is Foi et al., "Practical
// Poissonian-Gaussian Noise Modeling and Fitting for Single-Image Raw-Data" (2008); edge-directed demosaicing is Hamilton and Adams,
// US patent 5,629,734 (expired); the colour matrices are those that Adobe's DNG converter gives four cameras.
package camera

import (
	"math"
	"math/rand/v2"

	"github.com/vfmrestore/restore/restore/planar"
)

// Demosaicing names a method of making three colours of a mosaic.
type Demosaicing int

const (
	NoMosaic     Demosaicing = iota // a sensor with three colours at every pixel
	Bilinear                        // means of the nearest neighbours of each colour
	EdgeDirected                    // Hamilton and Adams: green along edges, differences of colours smoothed
)

// Camera says what is done to a picture. The zero value does nothing but clamping.
type Camera struct {
	// Raw tells whether the picture goes back to the sensor; the fields up to Demosaic have no meaning without it.
	Raw bool
	// Curve is how much of the S-curve 3v²−2v³ is in the tone curve beside sRGB's, 0 to 1.
	Curve float64
	// Matrix is one of Matrices, and RedGain and BlueGain are the white balance, 1 for none.
	Matrix            int
	RedGain, BlueGain float64
	// Exposure multiplies the light before the sensor clips; the inverse is applied afterwards, so that it moves noise and
	// clipped highlights only. 1 for none.
	Exposure float64
	// Shot and Read are the noise: a sensor value v in [0,1] has variance Shot·v + Read.
	Shot, Read float64
	Demosaic   Demosaicing
	// PhaseX and PhaseY (0 or 1) are where the mosaic's first red pixel lies.
	PhaseX, PhaseY int

	// White is the standard deviation of white noise of the displayed picture, in units of planar.Image.
	White float64
	// WhiteMosaic puts that noise on a mosaic of the displayed picture, which is then demosaiced bilinearly.
	WhiteMosaic bool

	// ChromaRadius (pixels) and ChromaShare (0 to 1) are the camera's smoothing of chroma by a box, twice.
	ChromaRadius int
	ChromaShare  float64
	// LumaShare (0 to 1) is how much of the camera's noise reduction of luminance is mixed in: a mean over the 5×5 neighbours that
	// differ by less than LumaReach (in units of planar.Image), LumaPasses times (0 counts as once).
	LumaShare, LumaReach float64
	LumaPasses           int
	// Coarse is noise reduction of luminance that keeps every edge, and leaves more noise the coarser it is. The noise, but not the
	// picture, is multiplied by 2^(−Coarse·n·(n+1)/4) in band 3−n of an undecimated binomial pyramid, n = 3 (finest), 2, 1, and left
	// alone beyond: from band to band by 2 to 1.5, 1 and 0.5 times Coarse. 0 for none.
	Coarse float64
	// Sharpen is how much of what a 3×3 binomial filter takes away is added again.
	Sharpen float64
	// Reduce is the factor by which the picture is made smaller, 1 for none; the result has ⌊W/Reduce⌋ × ⌊H/Reduce⌋ pixels.
	Reduce float64

	// Quality is JPEG's, 1 to 100; 0 for no JPEG. Subsampling is that of its chroma, and without JPEG that of video.
	Quality     int
	Subsampling Subsampling
	// Again is the quality of a second JPEG of 4:2:0, as programs that share pictures make it; 0 for none. The blocks of the first
	// then begin AgainX and AgainY (0 to 7) pixels left of and above the picture, which was cut in between.
	Again, AgainX, AgainY int
	// Round rounds to 8 bits.
	Round bool
}

// Shoot makes two pictures of a clean one: clean, as the camera would show it without noise and compression, and noisy. The first has
// gone through demosaicing, tone curve, sharpening and reduction too, so that the difference of the two is what a denoiser should
// take away. x is not changed; both results have the same size, which is x's unless Reduce says otherwise.
func (c Camera) Shoot(rng *rand.Rand, x *planar.Image) (clean, noisy *planar.Image, err error) {
	clean, noisy = c.expose(nil, x), c.expose(rng, x)
	c.coarsen(clean, noisy)
	clean, noisy = c.finish(clean), c.finish(noisy)
	if noisy, err = c.compress(noisy); err != nil {
		return nil, nil, err
	}
	return clean.Clamp(), noisy, nil
}

// expose takes the picture to the sensor and back to the display. Without rng there is no noise.
func (c Camera) expose(rng *rand.Rand, x *planar.Image) *planar.Image {
	out := x.Clone()
	if c.Raw {
		c.sense(rng, out)
	}
	if c.White > 0 && rng != nil {
		for i := range out.Pix {
			out.Pix[i] += float32(c.White * rng.NormFloat64())
		}
	}
	if c.WhiteMosaic {
		remosaic(out, c.PhaseX, c.PhaseY)
	}
	return out
}

// finish is what cameras do to the finished picture, which may be changed.
func (c Camera) finish(out *planar.Image) *planar.Image {
	if c.Raw || c.LumaShare > 0 || c.ChromaShare > 0 || c.Sharpen > 0 || c.Reduce > 1 {
		out.Clamp()
	}
	c.process(out)
	if c.Reduce > 1 {
		out = reduce(out, c.Reduce)
	}
	return out
}

// ISO gives the noise of an ordinary camera at a film speed: Shot = 4·10⁻⁷·iso, a full well of 25,000 electrons at 100, and Brooks's
// relation of the two, log Read = 2.18·log Shot + 1.2.
func ISO(iso float64) (shot, read float64) {
	shot = 4e-7 * iso
	return shot, math.Exp(2.18*math.Log(shot) + 1.2)
}
