package task

import (
	"image"
	"math"
	"slices"

	"github.com/vfmrestore/restore/restore/planar"
)

// Std8 converts a noise standard deviation from units of planar.Image to 8-bit levels; Sigma
// converts back.
func Std8(sigma float64) float64 { return sigma * 127.5 }

// Sigma converts a noise standard deviation from 8-bit levels to units of planar.Image.
func Sigma(std8 float64) float64 { return std8 / 127.5 }

const (
	patchSide     = 16   // side of a patch, in 2×2 blocks
	patchMin      = 128  // blocks that a patch needs to count
	patchLimit    = 4096 // most patches used of a large picture
	patchQuantile = 0.1
	madToStd      = 1 / 0.6744897501960817
	madSpread     = 1.166 // standard deviation of a Gaussian sample's MAD estimate × √(sample size)
	clipped       = 1 - 1.0/510
)

// EstimateSigma estimates the standard deviation of white noise in a picture, per colour channel,
// in units of planar.Image (Std8 gives 8-bit levels). Only pixels with mask ≥ 0.5 are used; nil
// means all.
//
// The finest diagonal Haar coefficient (a − b − c + d)/2 of a 2×2 block has the full variance of
// white noise, and is 0 for smooth content. Its median absolute deviation is computed in patches of
// 16×16 blocks, separately in three orthonormal colour axes. Noise is everywhere and texture is
// not, so the 10 % quantile of the patches is used, corrected for being a low quantile of noisy
// numbers. The variances of the three axes are averaged. Blocks with a black or white pixel are
// left out, as clipped noise looks weaker than it is. Measured on photographs of 256×256 pixels:
// the estimate for noise of 6.4 levels is 11 % too high in the median (50 % in one of ten: busy
// foliage), for 13 levels 3 % (18 %), for 26 levels 0 % (4 %). For clean photographs it is 1.4
// levels (6 in one of ten), because the finest texture looks like noise. It is 0 for a picture
// without a usable block.
func EstimateSigma(img *planar.Image, mask []float32) float64 {
	if img.Check() != nil || mask != nil && len(mask) != img.W*img.H {
		return 0
	}
	known := func(int) bool { return true }
	if mask != nil {
		known = func(i int) bool { return mask[i] >= 0.5 }
	}
	return EstimateSigmaOf(img.W, img.H, func(x, y, w, h int) *planar.Image {
		m, err := img.Crop(image.Rect(x, y, x+w, y+h))
		if err != nil {
			panic("task: " + err.Error()) // patches lie in the picture
		}
		return m
	}, known)
}

// EstimateSigmaOf is EstimateSigma of a picture of w×h pixels. crop copies a rectangle of it; known
// tells which pixels to use.
func EstimateSigmaOf(w, h int, crop func(x, y, w, h int) *planar.Image, known func(i int) bool) float64 {
	if w < 2 || h < 2 {
		return 0
	}
	// In strips, as the whole picture may be one patch if little is known.
	patch := func(x, y, nx, ny int) (bands [3][]float64) {
		for end := y + ny; y < end; y += patchSide {
			gather(&bands, crop(2*x, 2*y, 2*nx, 2*min(patchSide, end-y)), func(i int) bool {
				return known((2*y+i/(2*nx))*w + 2*x + i%(2*nx))
			})
		}
		return bands
	}
	// Patches grow until at least half of them hold enough blocks, as a mask may leave few. In the
	// end the whole picture is one patch.
	for side := patchSide; ; side *= 2 {
		nx, ny := w/2/side, h/2/side
		if nx*ny == 0 {
			bands := patch(0, 0, w/2, h/2)
			return combine([][3][]float64{bands}, 1)
		}
		step := 1
		for ((nx+step-1)/step)*((ny+step-1)/step) > patchLimit {
			step++
		}
		var patches [][3][]float64
		seen := 0
		for y := 0; y < ny; y += step {
			for x := 0; x < nx; x += step {
				seen++
				if b := patch(x*side, y*side, side, side); len(b[0]) >= patchMin {
					patches = append(patches, b)
				}
			}
		}
		if 2*len(patches) >= seen {
			return combine(patches, patchMin)
		}
	}
}

// gather adds the magnitudes of the diagonal coefficients of a patch's blocks, in three colour
// axes. known tells which pixels count.
func gather(bands *[3][]float64, img *planar.Image, known func(i int) bool) {
	r, g, b := img.Plane(0), img.Plane(1), img.Plane(2)
	for y := range img.H / 2 {
	block:
		for x := range img.W / 2 {
			i := 2*y*img.W + 2*x
			at := [4]int{i, i + 1, i + img.W, i + img.W + 1}
			for _, k := range at {
				if !known(k) {
					continue block
				}
				// false for NaN too
				if !(abs32(r[k]) < clipped && abs32(g[k]) < clipped && abs32(b[k]) < clipped) {
					continue block
				}
			}
			diagonal := func(p []float32) float64 {
				return float64(p[at[0]]-p[at[1]]-p[at[2]]+p[at[3]]) / 2
			}
			dr, dg, db := diagonal(r), diagonal(g), diagonal(b)
			bands[0] = append(bands[0], math.Abs(dr+dg+db)/math.Sqrt(3))
			bands[1] = append(bands[1], math.Abs(dr-db)/math.Sqrt2)
			bands[2] = append(bands[2], math.Abs(dr-2*dg+db)/math.Sqrt(6))
		}
	}
}

// combine turns patches into one standard deviation. It ignores patches of fewer than least blocks.
func combine(patches [][3][]float64, least int) float64 {
	variance := 0.0
	for axis := 0; axis < 3; axis++ {
		var stds []float64
		blocks := 0
		for _, p := range patches {
			if n := len(p[axis]); n >= least {
				stds = append(stds, median(p[axis])*madToStd)
				blocks += n
			}
		}
		if len(stds) == 0 {
			return 0
		}
		slices.Sort(stds)
		n := len(stds)
		k := int(patchQuantile * float64(n-1))
		// the k-th of n Gaussian numbers is −z standard deviations from their mean (Blom's plotting
		// position)
		z := -normalQuantile((float64(k) + 0.625) / (float64(n) + 0.25))
		s := stds[k] / (1 - z*madSpread/math.Sqrt(float64(blocks)/float64(n)))
		variance += s * s / 3
	}
	return math.Sqrt(variance)
}

func abs32(v float32) float32 { return max(v, -v) }

// median sorts v and returns its median.
func median(v []float64) float64 {
	slices.Sort(v)
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}

func normalQuantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }
