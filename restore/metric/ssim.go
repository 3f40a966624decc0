package metric

import (
	"math"
	"sync"

	"github.com/vfmrestore/restore/restore/planar"
)

const (
	ssimWindow = 11
	ssimStd    = 1.5
	ssimK1     = 0.01
	ssimK2     = 0.03
)

// SSIM returns the structural similarity of two pictures whose values span dataRange (Range for
// [-1, 1]), by Wang et al. 2004: Gaussian window of 11×11 with standard deviation 1.5, K1 = 0.01,
// K2 = 0.03, weighted (biased) variances. It is the mean over all positions of the window inside
// the picture, and over the three channels: 1 for equal pictures.
//
// If the shorter side is below 11, the window shrinks to the largest odd size that fits. Such
// values are not comparable with those of larger pictures. With a window of one pixel only SSIM's
// luminance term is left.
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
	var planes [3]float64
	var wg sync.WaitGroup
	for c := range planes {
		wg.Add(1)
		go func() {
			defer wg.Done()
			planes[c] = ssimPlane(a.Plane(c), b.Plane(c), a.W, a.H, window, dataRange)
		}()
	}
	wg.Wait()
	return (planes[0] + planes[1] + planes[2]) / 3, nil
}

// moments is the number of local averages that SSIM needs: of a, b, a², b², ab.
const moments = 5

// ssimPlane processes row by row, and keeps the horizontally averaged moments of the last
// len(window) rows.
func ssimPlane(a, b []float32, w, h int, window []float64, dataRange float64) float64 {
	n := len(window)
	ow := w - n + 1
	c1, c2 := ssimK1*dataRange*ssimK1*dataRange, ssimK2*dataRange*ssimK2*dataRange
	row, sum := newRows(w), newRows(ow)
	ring := make([][moments][]float64, n)
	for i := range ring {
		ring[i] = newRows(ow)
	}
	total := 0.0
	for y := 0; y < h; y++ {
		for x := 0; x < w; x++ {
			u, v := float64(a[y*w+x]), float64(b[y*w+x])
			row[0][x], row[1][x], row[2][x], row[3][x], row[4][x] = u, v, u*u, v*v, u*v
		}
		for m, r := range ring[y%n] {
			clear(r)
			for k, g := range window {
				accumulate(r, g, row[m][k:])
			}
		}
		if y < n-1 {
			continue
		}
		for m, r := range sum {
			clear(r)
			for k, g := range window {
				accumulate(r, g, ring[(y-n+1+k)%n][m])
			}
		}
		for x := 0; x < ow; x++ {
			ma, mb := sum[0][x], sum[1][x]
			va, vb, cov := sum[2][x]-ma*ma, sum[3][x]-mb*mb, sum[4][x]-ma*mb
			total += (2*ma*mb + c1) * (2*cov + c2) / ((ma*ma + mb*mb + c1) * (va + vb + c2))
		}
	}
	return total / float64(ow*(h-n+1))
}

func newRows(n int) (r [moments][]float64) {
	for i := range r {
		r[i] = make([]float64, n)
	}
	return r
}

// accumulate adds g·x to sum; x is at least as long as sum.
func accumulate(sum []float64, g float64, x []float64) {
	x = x[:len(sum)]
	for i, v := range x {
		sum[i] += g * v
	}
}
