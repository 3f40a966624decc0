package camera

import (
	"math"

	"github.com/vfmrestore/restore/restore/planar"
)

// process applies noise reduction and sharpening to the developed picture, in place.
func (c Camera) process(img *planar.Image) {
	if c.ChromaShare > 0 && c.ChromaRadius > 0 || c.LumaShare > 0 || c.Sharpen > 0 {
		toYCbCr(img)
		if c.ChromaShare > 0 && c.ChromaRadius > 0 {
			for ch := 1; ch < 3; ch++ {
				mix(img.Plane(ch), box(box(img.Plane(ch), img.W, img.H, c.ChromaRadius), img.W,
					img.H, c.ChromaRadius), c.ChromaShare)
			}
		}
		luma := img.Plane(0)
		if c.LumaShare > 0 {
			smooth := luma
			for range max(1, c.LumaPasses) {
				smooth = sigmaFilter(smooth, img.W, img.H, float32(c.LumaRange))
			}
			mix(luma, smooth, c.LumaShare)
		}
		if c.Sharpen > 0 {
			mix(luma, binomial(luma, img.W, img.H, 1), -c.Sharpen)
		}
		fromYCbCr(img)
		img.Clamp()
	}
}

// coarseBands is the number of bands of noise that Coarse weakens. The coarsest holds structures of
// about eight pixels.
const coarseBands = 3

// coarsen weakens the fine bands of the noise, which is the difference of two pictures of the same
// size, in the second picture. A band is the difference between one level of the pyramid and the
// next, whose filter is twice as wide.
func (c Camera) coarsen(clean, noisy *planar.Image) {
	if c.Coarse == 0 {
		return
	}
	w, h := clean.W, clean.H
	noise := make([]float32, w*h)
	for ch := range 3 {
		p, q := clean.Plane(ch), noisy.Plane(ch)
		for i := range noise {
			noise[i] += lumaWeights[ch] * (q[i] - p[i])
		}
	}
	change := make([]float32, w*h)
	for b := range coarseBands {
		next := binomial(noise, w, h, 1<<b)
		n := float64(coarseBands - b)
		less := float32(math.Exp2(-c.Coarse*n*(n+1)/4)) - 1
		for i := range change {
			change[i] += less * (noise[i] - next[i])
		}
		noise = next
	}
	for ch := range 3 {
		q := noisy.Plane(ch)
		for i, v := range change {
			q[i] += v
		}
	}
}

// lumaWeights are the weights of red, green and blue in JPEG's luminance (BT.601).
var lumaWeights = [3]float32{0.299, 0.587, 0.114}

// toYCbCr turns red, green and blue into JPEG's luminance and colour differences, in place.
func toYCbCr(img *planar.Image) {
	r, g, b := img.Plane(0), img.Plane(1), img.Plane(2)
	for i := range r {
		y := 0.299*r[i] + 0.587*g[i] + 0.114*b[i]
		r[i], g[i], b[i] = y, (b[i]-y)/1.772, (r[i]-y)/1.402
	}
}

// fromYCbCr is the inverse of toYCbCr.
func fromYCbCr(img *planar.Image) {
	y, cb, cr := img.Plane(0), img.Plane(1), img.Plane(2)
	for i := range y {
		r, b := y[i]+1.402*cr[i], y[i]+1.772*cb[i]
		y[i], cb[i], cr[i] = r, (y[i]-0.299*r-0.114*b)/0.587, b
	}
}

// mix replaces p by (1−share)·p + share·q.
func mix(p, q []float32, share float64) {
	s := float32(share)
	for i, v := range q {
		p[i] += s * (v - p[i])
	}
}

// box averages over a square with sides of 2·radius+1 pixels. At the border the square is smaller.
func box(p []float32, w, h, radius int) []float32 {
	across, out := make([]float32, w*h), make([]float32, w*h)
	line := func(dst, src []float32, n, stride int) {
		sum, count := float32(0), 0
		for i := range min(radius, n) {
			sum, count = sum+src[i*stride], count+1
		}
		for i := range n {
			if j := i + radius; j < n {
				sum, count = sum+src[j*stride], count+1
			}
			if j := i - radius - 1; j >= 0 {
				sum, count = sum-src[j*stride], count-1
			}
			dst[i*stride] = sum / float32(count)
		}
	}
	for y := range h {
		line(across[y*w:], p[y*w:], w, 1)
	}
	for x := range w {
		line(out[x:], across[x:], h, w)
	}
	return out
}

// sigmaFilter is the mean of the 5×5 neighbours that differ by less than limit (Lee's sigma filter,
// 1983). Cameras reduce the noise of luminance like this. It leaves the coarse part of the noise.
func sigmaFilter(p []float32, w, h int, limit float32) []float32 {
	out := make([]float32, w*h)
	for y := range h {
		for x := range w {
			here := p[y*w+x]
			sum, n := float32(0), float32(0)
			for v := max(0, y-2); v <= min(h-1, y+2); v++ {
				for _, q := range p[v*w+max(0, x-2) : v*w+min(w, x+3)] {
					if d := q - here; d < limit && d > -limit {
						sum, n = sum+q, n+1
					}
				}
			}
			if n > 0 {
				here = sum / n
			}
			out[y*w+x] = here
		}
	}
	return out
}

// binomial smooths by (1 2 1)/4 in both directions. The taps are step pixels apart.
func binomial(p []float32, w, h, step int) []float32 {
	return smooth(p, w, h, []float32{0.25, 0.5, 0.25}, step)
}

// smooth filters a plane by an odd number of weights, the same along rows and columns. The taps are
// step pixels apart, and pixels beyond the border mirror those inside.
func smooth(p []float32, w, h int, weights []float32, step int) []float32 {
	across, out := make([]float32, w*h), make([]float32, w*h)
	middle := len(weights) / 2
	for k, weight := range weights {
		shift := (k - middle) * step
		for y := range h {
			src, dst := p[y*w:][:w], across[y*w:][:w]
			inside := min(max(0, w-max(0, shift)), w)
			first := min(max(0, -shift), inside)
			for x := range first {
				dst[x] += weight * src[planar.Mirror(x+shift, w)]
			}
			for x := first; x < inside; x++ {
				dst[x] += weight * src[x+shift]
			}
			for x := inside; x < w; x++ {
				dst[x] += weight * src[planar.Mirror(x+shift, w)]
			}
		}
	}
	for k, weight := range weights {
		for y := range h {
			src, dst := across[planar.Mirror(y+(k-middle)*step, h)*w:][:w], out[y*w:][:w]
			for x, v := range src {
				dst[x] += weight * v
			}
		}
	}
	return out
}

// reduce makes a picture smaller by a factor of at least 1, with a triangle filter of the width of
// two pixels of the result.
func reduce(img *planar.Image, factor float64) *planar.Image {
	w, h := max(1, int(float64(img.W)/factor)), max(1, int(float64(img.H)/factor))
	cols, rows := triangle(img.W, w), triangle(img.H, h)
	out := planar.New(w, h)
	across := make([]float32, w*img.H)
	for ch := range 3 {
		src, dst := img.Plane(ch), out.Plane(ch)
		for y := range img.H {
			for x, t := range cols {
				across[y*w+x] = t.sum(src[y*img.W:], 1)
			}
		}
		for y, t := range rows {
			for x := range w {
				dst[y*w+x] = t.sum(across[x:], w)
			}
		}
	}
	return out
}

// taps are the weights of neighbouring source values in one value of the result. The first weight
// is for the value with index first.
type taps struct {
	first   int
	weights []float32
}

func (t taps) sum(p []float32, stride int) (s float32) {
	for k, w := range t.weights {
		s += w * p[(t.first+k)*stride]
	}
	return s
}

// triangle gives the weights that reduce n values to m.
func triangle(n, m int) []taps {
	list := make([]taps, m)
	scale := float64(n) / float64(m)
	for i := range list {
		centre := (float64(i)+0.5)*scale - 0.5
		from, to := max(0, int(math.Ceil(centre-scale))), min(n-1, int(math.Floor(centre+scale)))
		t := taps{first: from}
		sum := 0.0
		for j := from; j <= to; j++ {
			w := max(0, 1-math.Abs(float64(j)-centre)/scale)
			sum += w
			t.weights = append(t.weights, float32(w))
		}
		for k := range t.weights {
			t.weights[k] /= float32(sum)
		}
		list[i] = t
	}
	return list
}
