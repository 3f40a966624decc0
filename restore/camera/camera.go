// Package camera simulates how cameras make pictures: it takes a clean picture back to linear
// light, adds the noise of a sensor, and develops it again.
//
// The same model degrades pictures for training, for `restore degrade -camera` and for tests. Every
// stage is optional; the order is
//
//	blur by the lens → inverse tone curve → inverse colour matrix and white balance → exposure
//	→ mosaic of the sensor, photon and read noise, clipping → white balance → demosaicing
//	→ colour matrix → tone curve → white noise → noise reduction → sharpening
//	→ reduction of size → chroma subsampling or JPEG → a second JPEG → 8 bits.
//
// Sources: the inverse of a camera's processing and the distributions of gains, matrices and noise
// levels are those of Brooks et al., "Unprocessing Images for Learned Raw Denoising" (CVPR 2019,
// §3); Poisson–Gaussian noise is Foi et al., "Practical Poissonian-Gaussian Noise Modeling and
// Fitting for Single-Image Raw-Data" (2008); edge-directed demosaicing is Hamilton and Adams, US
// patent 5,629,734 (expired); the colour matrices are those that Adobe's DNG converter gives four
// cameras.
package camera

import (
	"math"
	"math/rand/v2"

	"github.com/vfmrestore/restore/restore/planar"
)

// Demosaicing is a method that interpolates three colours at every pixel of a mosaic.
type Demosaicing int

const (
	NoMosaic     Demosaicing = iota // a sensor with three colours at every pixel
	Bilinear                        // means of the nearest neighbours of each colour
	EdgeDirected                    // Hamilton and Adams, see demosaicEdges
)

// Camera holds the parameters of a simulation. The zero value only clamps to [-1,1].
type Camera struct {
	// Lens is the standard deviation, in pixels, of the blur by lens and sensor: a Gaussian in
	// linear light, before the noise. The camera's picture without noise has it too, so a denoiser
	// does not learn to remove it. 0 for none.
	Lens float64
	// Raw simulates the sensor. Without it the fields up to Demosaic are not used.
	Raw bool
	// Curve is the share, 0 to 1, of the S-curve 3v²−2v³ that the tone curve applies after sRGB's.
	Curve float64
	// Matrix is one of matrices, and RedGain and BlueGain are the white balance, 1 for none.
	Matrix            int
	RedGain, BlueGain float64
	// Exposure multiplies the light before the sensor clips. Its inverse is applied afterwards, so
	// it changes only noise and clipped highlights. 1 for none.
	Exposure float64
	// Shot and Read set the noise: a sensor value v in [0,1] has variance Shot·v + Read.
	Shot, Read float64
	Demosaic   Demosaicing
	// PhaseX and PhaseY (0 or 1) shift the mosaic: pixel (x, y) is red if x+PhaseX and y+PhaseY are
	// even.
	PhaseX, PhaseY int

	// White is the standard deviation of white noise on the displayed picture, in units of
	// planar.Image.
	White float64
	// WhiteMosaic adds that noise to a mosaic of the displayed picture, which is then demosaiced
	// bilinearly.
	WhiteMosaic bool

	// ChromaRadius (pixels) and ChromaShare (0 to 1) set the smoothing of chroma: a box filter,
	// applied twice, mixed in with this share.
	ChromaRadius int
	ChromaShare  float64
	// LumaShare (0 to 1) is the share of smoothed luminance: a mean over the 5×5 neighbours that
	// differ by less than LumaRange (in units of planar.Image), repeated LumaPasses times (0 means
	// once).
	LumaShare, LumaRange float64
	LumaPasses           int
	// Coarse is noise reduction of luminance that keeps every edge, and leaves more of the coarse
	// noise than of the fine. The noise, but not the picture, is multiplied by
	// 2^(−Coarse·n·(n+1)/4) in band 3−n of an undecimated binomial pyramid, n = 3 (finest), 2, 1.
	// Coarser bands stay as they are. So the factor falls from band to band by 2 to the power of
	// 1.5, 1 and 0.5 times Coarse. 0 for none.
	Coarse float64
	// Sharpen is the strength of unsharp masking: the share that is added of the difference between
	// luminance and its 3×3 binomial mean.
	Sharpen float64
	// Reduce is the factor by which the picture is made smaller, 1 for none. The result has
	// ⌊W/Reduce⌋ × ⌊H/Reduce⌋ pixels.
	Reduce float64

	// Quality is the quality of JPEG, 1 to 100; 0 for no JPEG. Subsampling is the subsampling of
	// its chroma. Without JPEG chroma is subsampled as in video.
	Quality     int
	Subsampling Subsampling
	// SecondQuality is the quality of a second JPEG with 4:2:0, as programs that share pictures
	// make it; 0 for none. The blocks of the first JPEG then begin SecondX and SecondY (0 to 7)
	// pixels left of and above the picture, as if it had been cropped in between.
	SecondQuality, SecondX, SecondY int
	// Round rounds to 8 bits.
	Round bool
}

// Degrade makes two pictures of a clean one: clean, which is what the camera would show without
// noise and compression, and noisy. The first has gone through demosaicing, tone curve, sharpening
// and reduction too, so the difference of the two is what a denoiser should remove. x is not
// changed. Both results have the same size, which is the size of x if Reduce is at most 1. Errors:
// only those of the JPEG codec.
func (c Camera) Degrade(rng *rand.Rand, x *planar.Image) (clean, noisy *planar.Image, err error) {
	if c.Lens > 0 {
		x = x.Clone()
		soften(x, c.Lens)
	}
	clean, noisy = c.capture(nil, x), c.capture(rng, x)
	c.coarsen(clean, noisy)
	clean, noisy = c.finish(clean), c.finish(noisy)
	if noisy, err = c.compress(noisy); err != nil {
		return nil, nil, err
	}
	return clean.Clamp(), noisy, nil
}

// capture takes a copy of the picture to the sensor and back to the display. If rng is nil, it adds
// no noise.
func (c Camera) capture(rng *rand.Rand, x *planar.Image) *planar.Image {
	out := x.Clone()
	if c.Raw {
		c.simulateSensor(rng, out)
	}
	if c.White > 0 && rng != nil {
		for i := range out.Pix {
			out.Pix[i] += float32(c.White * rng.NormFloat64())
		}
	}
	if c.WhiteMosaic {
		demosaicBilinear(out, c.PhaseX, c.PhaseY)
	}
	return out
}

// finish applies the camera's processing after development. It may change its argument.
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

// ISO gives the noise of an ordinary camera at a film speed: Shot = 4·10⁻⁷·iso, which is a full
// well of 25,000 electrons at ISO 100, and log Read = 2.18·log Shot + 1.2 (Brooks et al.).
func ISO(iso float64) (shot, read float64) {
	shot = 4e-7 * iso
	return shot, math.Exp(2.18*math.Log(shot) + 1.2)
}
