package noise

import (
	"math"

	"github.com/vfmrestore/restore/restore/planar"
)

// Estimator finds the noise of pictures. It keeps its memory, so it allocates nothing for further
// pictures of the same size. It is for one goroutine at a time.
type Estimator struct {
	windows      []window
	clipped      int     // windows that are clipped
	black, white float64 // clipped pixels, in windows of pixels
	plane        [axes][side * side]float32
	list         []float32
	steps        [2][8]steps
}

// Estimate finds the noise of a picture with a new Estimator. Only pixels with mask ≥ 0.5 are used;
// a nil mask means all. The result is no noise if the picture is invalid (planar.Image.Check), the
// mask has another size, or the picture is smaller than a window.
func Estimate(img *planar.Image, mask []float32) Profile {
	if img.Check() != nil || mask != nil && len(mask) != img.W*img.H {
		return none
	}
	return new(Estimator).Estimate(ImageSource(img, mask))
}

// none is the profile of a picture without noise.
var none = Profile{Found: true, Tone: [Tones]float64{1, 1, 1}}

// Estimate finds the noise of a picture.
//
// Luminance and chroma of windows of 32×32 pixels go through an orthonormal Haar transform of three
// levels. Quantiles of the coefficients' magnitudes are the window's levels. A small network (see
// Network) reads low quantiles of these levels over all windows and over those of each brightness
// range, the number of clipped windows, and how visible JPEG's blocks are. It has learnt how noise
// differs from texture, lettering and drawings.
func (e *Estimator) Estimate(src Source) Profile {
	var x [Features]float32
	if !e.Describe(src, &x) {
		return none
	}
	p := fromOutputs(embeddedNetwork().Run(x[:]), x[blocksAt])
	if e.colourless() {
		p = e.correctGrey(src, p)
	}
	return p
}

// In grey pictures noise counts in full if its coarse band is at most whiteEnough times as strong
// as the finest, and not at all from likeTexture times on. Texture is stronger at coarse scales,
// and in grey pictures nothing else distinguishes it from noise.
const (
	whiteEnough = 1.3
	likeTexture = 2.2
)

// correctGrey corrects the noise p that is found in a picture without colour. The network has
// learned that noise is in luminance and chroma, and that what is in luminance alone is texture. So
// it runs again with the same levels in chroma as in luminance. The more the noise found then is
// like white noise, the more this second result counts.
func (e *Estimator) correctGrey(src Source, p Profile) Profile {
	for i := range e.windows {
		e.windows[i].level[1] = e.windows[i].level[0]
	}
	var x [Features]float32
	e.features(src, x[:])
	q := fromOutputs(embeddedNetwork().Run(x[:]), x[blocksAt])
	rise := q.Luma[Coarse] / max(q.Luma[Diagonal], leastLevel)
	p = p.Toward(q, min(max((likeTexture-rise)/(likeTexture-whiteEnough), 0), 1))
	p.Chroma = [Bands]float64{}
	return p
}

// Windows is the number of windows that the last Estimate used, clipped ones included.
func (e *Estimator) Windows() int { return len(e.windows) + e.clipped }

// varies says whether any window has any detail. Without detail there is no noise.
func (e *Estimator) varies() bool {
	for i := range e.windows {
		if e.windows[i].level != [2][Bands][orders]float32{} {
			return true
		}
	}
	return false
}

// colourless says whether no window has any colour.
func (e *Estimator) colourless() bool {
	for i := range e.windows {
		if e.windows[i].level[1] != [Bands][orders]float32{} {
			return false
		}
	}
	return len(e.windows) > 0
}

// Describe sets x to the network's inputs. It returns false if the picture is smaller than a window
// or has no detail.
func (e *Estimator) Describe(src Source, x *[Features]float32) bool {
	e.measureWindows(src)
	if len(e.windows)+e.clipped == 0 || !e.varies() {
		return false
	}
	e.features(src, x[:])
	return true
}

// blocksAt is the index of the blocks' visibility among the features.
const blocksAt = Features - 4

// fromOutputs makes a profile from the network's outputs.
func fromOutputs(y [Outputs]float32, blocks float32) Profile {
	p := Profile{Found: true, Blocks: float64(blocks)}
	level := func(v float32) float64 { return max(0, math.Exp(min(float64(v), 1))-floorLevel) }
	for b := range Bands {
		p.Luma[b], p.Chroma[b] = level(y[b]), level(y[Bands+b])
	}
	for t := range Tones {
		p.Tone[t] = math.Exp(min(max(float64(y[2*Bands+t]), -maxLog), maxLog))
	}
	return p
}

// Targets are the outputs that the network should give for a profile, for its training.
func (p Profile) Targets() (y [Outputs]float32) {
	for b := range Bands {
		y[b], y[Bands+b] = float32(logLevel(p.Luma[b])), float32(logLevel(p.Chroma[b]))
	}
	for t := range Tones {
		y[2*Bands+t] = float32(math.Log(max(p.Tone[t], 0.05)))
	}
	return y
}

// Measure returns the profile of the difference between a noisy picture and the clean one, which
// Estimate should find. Both must have the same size. Columns and rows beyond a multiple of 8 do
// not count.
func Measure(clean, noisy *planar.Image) Profile {
	p := Profile{Found: true}
	w, h := clean.W&^7, clean.H&^7
	var sum [2][Bands]float64
	var toneSum, toneCount [Tones]float64
	var d [axes][64]float64
	for y := 0; y < h; y += 8 {
		for x := 0; x < w; x += 8 {
			luma := 0.0
			for i := range 64 {
				at := (y+i/8)*clean.W + x + i%8
				var v [3]float64
				for c := range 3 {
					v[c] = float64(noisy.Plane(c)[at] - clean.Plane(c)[at])
					luma += float64(clean.Plane(c)[at]) / (3 * 64)
				}
				d[0][i] = (v[0] + v[1] + v[2]) / math.Sqrt(3)
				d[1][i] = (v[0] - v[1]) / math.Sqrt2
				d[2][i] = (v[0] + v[1] - 2*v[2]) / math.Sqrt(6)
			}
			t := Tone(luma)
			toneCount[t]++
			for a := range axes {
				e := energies(&d[a])
				for b := range Bands {
					sum[min(a, 1)][b] += e[b]
					if a == 0 && b < int(Coarse) {
						toneSum[t] += bandVariance[b] * e[b]
					}
				}
			}
		}
	}
	n := float64(max(1, w*h/64))
	total := 0.0
	for b := range Bands {
		p.Luma[b], p.Chroma[b] = math.Sqrt(sum[0][b]/n), math.Sqrt(sum[1][b]/(2*n))
		if b < int(Coarse) {
			total += bandVariance[b] * sum[0][b] / n
		}
	}
	for t := range p.Tone {
		p.Tone[t] = 1
		// With less than a twentieth of the picture it might be the noise of an edge.
		if toneCount[t] > n/20 && total > 0 {
			p.Tone[t] = max(math.Sqrt(toneSum[t]/toneCount[t]/total), 0.05)
		}
	}
	return p
}

// energies returns the mean squares of a block of 8×8 values per band, and overwrites the block.
// The block's mean does not count.
func energies(p *[64]float64) (e [Bands]float64) {
	for scale := range 3 {
		step := 1 << scale
		n := float64(int(1) << (2 * (2 - scale))) // blocks of this scale
		for y := 0; y < 8; y += 2 * step {
			for x := 0; x < 8; x += 2 * step {
				i := y*8 + x
				a, b, c, d := p[i], p[i+step], p[i+step*8], p[i+step*8+step]
				p[i] = (a + b + c + d) / 2
				h, v, f := (a-b+c-d)/2, (a+b-c-d)/2, (a-b-c+d)/2
				if scale == 0 {
					e[Diagonal] += f * f / n
					e[Fine] += (h*h + v*v) / (2 * n)
				} else {
					e[int(Fine)+scale] += (h*h + v*v + f*f) / (3 * n)
				}
			}
		}
	}
	return e
}
