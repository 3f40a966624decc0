package noise

import (
	"math"

	"github.com/vfmrestore/restore/restore/planar"
)

// Estimator finds the noise of pictures. It keeps its buffers, so that a stream of pictures of one size costs no allocation. It must
// not be used by two goroutines at once.
type Estimator struct {
	windows      []window
	flat         int     // windows that were clipped
	black, white float64 // clipped windows' worth of pixels
	plane        [axes][side * side]float32
	list         []float32
	steps        [2][8]steps
}

// Estimate finds the noise of a picture with a fresh Estimator. Only pixels with mask ≥ 0.5 are looked at; a nil mask means all. A
// picture that does not hold what its header says, or is smaller than a window, gives no noise.
func Estimate(img *planar.Image, mask []float32) Profile {
	if img.Check() != nil || mask != nil && len(mask) != img.W*img.H {
		return none
	}
	return new(Estimator).Estimate(Of(img, mask))
}

var none = Profile{Found: true, Tone: [Tones]float64{1, 1, 1}}

// Estimate finds the noise of a picture.
//
// In windows of 32×32 pixels the coefficients of an orthonormal Haar transform of three levels are taken along luminance and chroma,
// and order statistics of their magnitudes are the window's levels. Low quantiles of these over all windows, and over those of each
// brightness range, the share of clipped windows and the visibility of JPEG's blocks go to a small network (see Network) that has
// learnt how noise differs from texture, lettering and drawings.
func (e *Estimator) Estimate(src Source) Profile {
	var x [Features]float32
	if !e.Describe(src, &x) {
		return none
	}
	p := fromOutputs(shipped().Run(x[:]), x[blocksAt])
	if e.colourless() {
		p = e.inGrey(src, p)
	}
	return p
}

// In grey pictures noise whose coarse bands are so many times as strong as the finest is believed in
// full, and not at all: texture grows so, and nothing else tells them apart there.
const (
	whiteEnough  = 1.3
	likeTextures = 2.2
)

// inGrey corrects what is found in a picture without colour. The network has learned that noise is
// in all colours, and that what is not is texture. So it is asked again with as much in chroma as in
// luminance; the more the noise then found is like white noise, the more that answer counts.
func (e *Estimator) inGrey(src Source, p Profile) Profile {
	for i := range e.windows {
		e.windows[i].level[1] = e.windows[i].level[0]
	}
	var x [Features]float32
	e.features(src, x[:])
	q := fromOutputs(shipped().Run(x[:]), x[blocksAt])
	rise := q.Luma[Coarse] / max(q.Luma[Diagonal], least)
	p = p.Toward(q, min(max((likeTextures-rise)/(likeTextures-whiteEnough), 0), 1))
	p.Chroma = [Bands]float64{}
	return p
}

// Windows is the number of windows that the last Estimate could look at, clipped ones included.
func (e *Estimator) Windows() int { return len(e.windows) + e.flat }

// varies tells whether there is any detail in any window: where there is none, there is no noise.
func (e *Estimator) varies() bool {
	for i := range e.windows {
		if e.windows[i].level != [2][Bands][orders]float32{} {
			return true
		}
	}
	return false
}

// colourless tells whether no window has any colour.
func (e *Estimator) colourless() bool {
	for i := range e.windows {
		if e.windows[i].level[1] != [Bands][orders]float32{} {
			return false
		}
	}
	return len(e.windows) > 0
}

// Describe gives the network's inputs; false if the picture is too small to tell anything, or flat all over.
func (e *Estimator) Describe(src Source, x *[Features]float32) bool {
	e.gather(src)
	if len(e.windows)+e.flat == 0 || !e.varies() {
		return false
	}
	e.features(src, x[:])
	return true
}

// blocksAt is the place of the blocks' visibility among the features.
const blocksAt = Features - 4

// fromOutputs turns the network's outputs into a profile.
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

// Targets are what the network should answer for a profile.
func (p Profile) Targets() (y [Outputs]float32) {
	for b := range Bands {
		y[b], y[Bands+b] = float32(logLevel(p.Luma[b])), float32(logLevel(p.Chroma[b]))
	}
	for t := range Tones {
		y[2*Bands+t] = float32(math.Log(max(p.Tone[t], 0.05)))
	}
	return y
}

// Measure gives the profile of the difference between a noisy picture and the clean one: what Estimate should find. Both have the same
// size, of which multiples of 8 are looked at.
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
						toneSum[t] += bandShare[b] * e[b]
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
			total += bandShare[b] * sum[0][b] / n
		}
	}
	for t := range p.Tone {
		p.Tone[t] = 1
		// A twentieth of the picture, or it is the noise of some edge.
		if toneCount[t] > n/20 && total > 0 {
			p.Tone[t] = max(math.Sqrt(toneSum[t]/toneCount[t]/total), 0.05)
		}
	}
	return p
}

// energies gives the mean squares of a block of 8×8 values per band; in the last, what is coarser than 8×8 counts too.
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
