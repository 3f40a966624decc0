package metric

import (
	"math"

	"github.com/vfmrestore/restore/restore/planar"
)

const (
	ssimWindow = 11
	ssimStd    = 1.5
	ssimK1     = 0.01
	ssimK2     = 0.03
)

// SSIM returns the structural similarity of two pictures whose values span dataRange (Range for [-1, 1]): Wang et al. 2004, Gaussian
// window of 11×11 and standard deviation 1.5, K1 = 0.01, K2 = 0.03, weighted (biased) variances, the mean over all positions where the
// window lies inside the picture, and over the three channels. 1 for equal pictures.
//
// If the shorter side is below 11 the window shrinks to the largest odd size that fits (at one pixel, only luminance is compared), so
// that every size has a value; it is then not comparable to those of larger pictures.
func SSIM(a, b *planar.Image, dataRange float64) (float64, error) {
	if err := sameImages(a, b); err != nil {
		return 0, err
	}
	if !(dataRange > 0) {
		return 0, shapef("data range %v: must be above 0", dataRange)
	}
	size := min(ssimWindow, a.W, a.H)
	size -= 1 - size%2
	window := make([]float64, size)
	sum := 0.0
	for i := range window {
		d := float64(i - size/2)
		window[i] = math.Exp(-d * d / (2 * ssimStd * ssimStd))
		sum += window[i]
	}
	for i := range window {
		window[i] /= sum
	}
	total := 0.0
	for c := 0; c < 3; c++ {
		total += ssimPlane(a.Plane(c), b.Plane(c), a.W, a.H, window, dataRange)
	}
	return total / 3, nil
}

// ssimPlane runs down the rows, keeping the horizontally filtered first and second moments of the last len(window) rows.
func ssimPlane(a, b []float32, w, h int, window []float64, dataRange float64) float64 {
	n := len(window)
	ow := w - n + 1
	c1, c2 := ssimK1*dataRange*ssimK1*dataRange, ssimK2*dataRange*ssimK2*dataRange
	const moments = 5 // a, b, a², b², ab
	ring := make([][moments][]float64, n)
	for i := range ring {
		for k := range ring[i] {
			ring[i][k] = make([]float64, ow)
		}
	}
	total := 0.0
	for y := 0; y < h; y++ {
		row := &ring[y%n]
		for x := 0; x < ow; x++ {
			var m [moments]float64
			for k, g := range window {
				u, v := float64(a[y*w+x+k]), float64(b[y*w+x+k])
				m[0] += g * u
				m[1] += g * v
				m[2] += g * u * u
				m[3] += g * v * v
				m[4] += g * u * v
			}
			for k, v := range m {
				row[k][x] = v
			}
		}
		if y < n-1 {
			continue
		}
		for x := 0; x < ow; x++ {
			var m [moments]float64
			for k, g := range window {
				r := &ring[(y-n+1+k)%n]
				for j := range m {
					m[j] += g * r[j][x]
				}
			}
			va, vb, cov := m[2]-m[0]*m[0], m[3]-m[1]*m[1], m[4]-m[0]*m[1]
			total += (2*m[0]*m[1] + c1) * (2*cov + c2) / ((m[0]*m[0] + m[1]*m[1] + c1) * (va + vb + c2))
		}
	}
	return total / float64(ow*(h-n+1))
}
