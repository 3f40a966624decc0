// Package noise describes the noise of a picture, and finds it.
//
// The noise of a camera's picture is not white. After demosaicing, noise reduction and compression
// it is weak at the finest scale and strong at the next ones, differs between luminance and chroma,
// and depends on the brightness. A Profile holds what the denoising network reads about this.
package noise

import (
	"fmt"
	"math"
	"slices"
)

// Band is a part of the spectrum: one or more bands of the orthonormal Haar transform. White noise
// has the same standard deviation in all of them.
type Band int

// The bands, from fine to coarse.
const (
	Diagonal Band = iota // diagonal detail of 2×2 blocks
	Fine                 // horizontal and vertical detail of 2×2 blocks
	Middle               // detail of 4×4 blocks
	Coarse               // detail of 8×8 blocks; it also stands for all that is coarser
	Bands    = 4
)

// bandVariance is the part of white noise's variance that is in each band. What is coarser than 8×8
// blocks belongs to the last.
var bandVariance = [Bands]float64{1. / 4, 1. / 2, 3. / 16, 1. / 16}

// Tones is the number of brightness ranges: dark, middle and bright.
const Tones = 3

// toneEdges are the limits of the ranges in units of planar.Image: 30 % and 65 % of the way from
// black to white.
var toneEdges = [Tones - 1]float64{-0.4, 0.3}

// Tone is the brightness range of a luminance in [-1, 1].
func Tone(luma float64) int {
	for i, e := range toneEdges {
		if luma < e {
			return i
		}
	}
	return Tones - 1
}

// Profile is the noise of a picture. All levels are standard deviations in units of planar.Image (1
// is 127.5 levels of 8 bits).
type Profile struct {
	// Luma is the level per band along the colour axis (1,1,1)/√3. Chroma is that along (1,-1,0)/√2
	// and (1,1,-2)/√6, the root mean square of both.
	Luma, Chroma [Bands]float64
	// Tone is the noise of luminance in dark, middle and bright parts, relative to that of the
	// whole picture.
	Tone [Tones]float64
	// Blocks is how visible the 8×8 blocks of JPEG are, from 0 (not at all) to about 3: the
	// logarithm of the ratio of steps between blocks to steps within blocks.
	Blocks float64
	// Found says that the profile was estimated, not given.
	Found bool
}

// White is the profile of white noise of a known standard deviation.
func White(sigma float64) Profile {
	p := Profile{}
	for b := range Bands {
		p.Luma[b], p.Chroma[b] = sigma, sigma
	}
	for t := range p.Tone {
		p.Tone[t] = 1
	}
	return p
}

// Grey is the profile of white noise of a known standard deviation in a grey picture, whose three
// channels are the same. All of it is luminance, √3 times as strong as in each channel.
func Grey(sigma float64) Profile {
	p := White(math.Sqrt(3) * sigma)
	p.Chroma = [Bands]float64{}
	return p
}

// Sigma is the standard deviation of the noise of a colour channel, over all bands.
func (p Profile) Sigma() float64 {
	v := 0.0
	for b, part := range bandVariance {
		v += part * (p.Luma[b]*p.Luma[b] + 2*p.Chroma[b]*p.Chroma[b]) / 3
	}
	return math.Sqrt(v)
}

// Valid says whether all numbers are finite and at least 0.
func (p Profile) Valid() bool {
	for _, v := range slices.Concat(p.Luma[:], p.Chroma[:], p.Tone[:], []float64{p.Blocks}) {
		if !(v >= 0) || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}

// Limit scales the levels so that Sigma is at most bound.
func (p Profile) Limit(bound float64) Profile {
	if s := p.Sigma(); s > bound {
		return p.scale(bound / s)
	}
	return p
}

func (p Profile) scale(f float64) Profile {
	for b := range Bands {
		p.Luma[b] *= f
		p.Chroma[b] *= f
	}
	return p
}

// Halved is the profile of the noise that is left when a picture is made half as large: means of 2×2
// pixels. The bands that get finer have half the level there. Blocks are not visible any more.
func (p Profile) Halved() Profile {
	for _, levels := range []*[Bands]float64{&p.Luma, &p.Chroma} {
		middle, coarse := levels[Middle]/2, levels[Coarse]/2
		*levels = [Bands]float64{Diagonal: middle, Fine: middle, Middle: coarse, Coarse: coarse}
	}
	p.Blocks = 0
	return p
}

// Toward is the profile moved by fraction of the way to another one, for smoothing from frame to
// frame.
func (p Profile) Toward(q Profile, fraction float64) Profile {
	move := func(v *float64, to float64) { *v += fraction * (to - *v) }
	for b := range Bands {
		move(&p.Luma[b], q.Luma[b])
		move(&p.Chroma[b], q.Chroma[b])
	}
	for t := range Tones {
		move(&p.Tone[t], q.Tone[t])
	}
	move(&p.Blocks, q.Blocks)
	p.Found = q.Found
	return p
}

// Numbers is the length of Vector.
const Numbers = 16

// Indices in the vector.
const (
	VectorLuma   = 0                    // ln(level/Sigma) of luminance per band
	VectorChroma = VectorLuma + Bands   // and of chroma
	VectorTone   = VectorChroma + Bands // ln of the relative level per tone
	VectorBlocks = VectorTone + Tones
	VectorFound  = VectorBlocks + 1
)

// maxLog bounds the logarithms of the vector: a factor of 20.
const maxLog = 3

// leastLevel is the smallest level that counts, an eighth of a step of 8-bit pictures
// (nets.MinSigma).
const leastLevel = 1e-3

// Vector writes the shape of the noise, without its strength Sigma, to dst as the denoising network
// reads it: Numbers values. They are all 0 for white noise that was given (Found is false).
func (p Profile) Vector(dst []float32) {
	clear(dst[:Numbers])
	sigma := max(p.Sigma(), leastLevel)
	ratio := func(level, to float64) float32 {
		return float32(min(max(math.Log(max(level, leastLevel/4)/to), -maxLog), maxLog))
	}
	for b := range Bands {
		dst[VectorLuma+b], dst[VectorChroma+b] = ratio(p.Luma[b], sigma), ratio(p.Chroma[b], sigma)
	}
	for t, v := range p.Tone {
		dst[VectorTone+t] = ratio(v, 1)
	}
	dst[VectorBlocks] = float32(p.Blocks)
	if p.Found {
		dst[VectorFound] = 1
	}
}

// String is the levels in steps of 8 bits, for people.
func (p Profile) String() string {
	levels := func(v [Bands]float64) string {
		return fmt.Sprintf("%.1f %.1f %.1f %.1f", 127.5*v[0], 127.5*v[1], 127.5*v[2], 127.5*v[3])
	}
	return fmt.Sprintf("luminance %s, chroma %s (fine to coarse, levels of 255); dark, middle, bright ×%.2f ×%.2f ×%.2f; blocks %.2f",
		levels(p.Luma), levels(p.Chroma), p.Tone[0], p.Tone[1], p.Tone[2], p.Blocks)
}
