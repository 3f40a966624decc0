package noise

import (
	"math"
	"slices"

	"github.com/vfmrestore/restore/restore/planar"
)

const (
	side        = 32          // of a window, in pixels
	mostWindows = 1024        // that are measured
	smallStride = 16          // between windows of small pictures
	clipLevel   = 1 - 1.0/510 // pixels count as clipped from there on
	mostClipped = 0.9         // a window with a larger part of clipped pixels says nothing about noise
	axes        = 3           // orthonormal colour axes
)

// Two order statistics of the magnitudes of a window's coefficients. Edges and letters, which leave
// most coefficients at 0, do not change the median. The upper one also shows noise that JPEG has
// made sparse.
const (
	median = iota
	upper
	orders
)

// orderQuantiles are the quantiles. orderScale is the standard deviation of a Gaussian for which
// the quantile of the magnitude is 1.
var (
	orderQuantiles = [orders]float64{0.5, 0.8}
	orderScale     = [orders]float64{1 / 0.6744897501960817, 1 / 1.2815515655446004}
)

// window is what is measured in a window: its brightness range and its levels of luminance (0) and
// chroma (1).
type window struct {
	tone  int
	level [2][Bands][orders]float32
}

// Source reads a picture.
type Source struct {
	W, H int
	// Crop returns a rectangle within the picture. The next call may overwrite the image.
	Crop func(x, y, w, h int) *planar.Image
	// Known says which pixels, counted along the rows, are used. nil means all.
	Known func(i int) bool
}

// ImageSource reads a picture in memory. mask has W·H values, 1 for known pixels and 0 for missing
// ones. nil means that all are known.
func ImageSource(img *planar.Image, mask []float32) Source {
	buf := &planar.Image{}
	s := Source{W: img.W, H: img.H, Crop: func(x, y, w, h int) *planar.Image {
		buf.W, buf.H, buf.Pix = w, h, slices.Grow(buf.Pix[:0], 3*w*h)[:3*w*h]
		for c := range 3 {
			from, to := img.Plane(c), buf.Plane(c)
			for row := range h {
				copy(to[row*w:(row+1)*w], from[(y+row)*img.W+x:])
			}
		}
		return buf
	}}
	if mask != nil {
		s.Known = func(i int) bool { return mask[i] >= 0.5 }
	}
	return s
}

// measureWindows measures the windows of a picture.
func (e *Estimator) measureWindows(src Source) {
	e.windows, e.clipped, e.black, e.white = e.windows[:0], 0, 0, 0
	if src.W < side || src.H < side {
		return
	}
	stride := smallStride
	for ((src.W-side)/stride+1)*((src.H-side)/stride+1) > mostWindows {
		stride += 8
	}
	for y := 0; y+side <= src.H; y += stride {
		for x := 0; x+side <= src.W; x += stride {
			if src.Known == nil || allKnown(src, x, y) {
				e.measure(src.Crop(x, y, side, side))
			}
		}
	}
}

func allKnown(src Source, x, y int) bool {
	for v := y; v < y+side; v++ {
		for u := x; u < x+side; u++ {
			if !src.Known(v*src.W + u) {
				return false
			}
		}
	}
	return true
}

// measure measures one window.
func (e *Estimator) measure(img *planar.Image) {
	r, g, b := img.Plane(0), img.Plane(1), img.Plane(2)
	const third, root2, root6 = 0.57735027, 0.70710678, 0.40824829
	black, white, sum := 0, 0, float32(0)
	for i := range r {
		x, y, z := r[i], g[i], b[i]
		// The conditions are negated so that NaN counts as clipped.
		if lo, hi := min(x, y, z), max(x, y, z); !(lo > -clipLevel) {
			black++
		} else if !(hi < clipLevel) {
			white++
		}
		e.plane[0][i], e.plane[1][i], e.plane[2][i] = (x+y+z)*third, (x-y)*root2, (x+y-2*z)*root6
		sum += x + y + z
	}
	const all = side * side
	e.black += float64(black) / all
	e.white += float64(white) / all
	if float64(black+white) > mostClipped*all {
		e.clipped++
		return
	}
	w := window{tone: Tone(float64(sum) / (3 * all))}
	var chroma [Bands][orders]float32
	for a := range axes {
		level := e.levels(&e.plane[a])
		if a == 0 {
			w.level[0] = level
			continue
		}
		for b := range Bands {
			for o := range orders {
				chroma[b][o] += level[b][o] * level[b][o] / 2
			}
		}
	}
	for b := range Bands {
		for o := range orders {
			w.level[1][b][o] = float32(math.Sqrt(float64(chroma[b][o])))
		}
	}
	e.windows = append(e.windows, w)
}

// levels transforms a window in place by an orthonormal Haar transform of three levels, and returns
// the levels of each band.
func (e *Estimator) levels(p *[side * side]float32) (level [Bands][orders]float32) {
	var d, hv magnitudes
	for scale := range 3 {
		step := 1 << scale
		d.clear()
		hv.clear()
		for y := 0; y < side; y += 2 * step {
			for x := 0; x < side; x += 2 * step {
				// The low-pass of each scale is stored in the first pixel of each block.
				i := y*side + x
				a, b, c, f := p[i], p[i+step], p[i+step*side], p[i+step*side+step]
				p[i] = (a + b + c + f) / 2
				diagonal := &d
				if scale > 0 {
					diagonal = &hv
				}
				diagonal.add((a - b - c + f) / 2)
				hv.add((a - b + c - f) / 2)
				hv.add((a + b - c - f) / 2)
			}
		}
		for o, q := range orderQuantiles {
			if scale == 0 {
				level[Diagonal][o] = d.quantile(q) * float32(orderScale[o])
			}
			level[int(Fine)+scale][o] = hv.quantile(q) * float32(orderScale[o])
		}
	}
	return level
}

// magnitudes is a histogram of magnitudes with eight bins per octave, from 2⁻¹⁴ to 4. It gives
// quantiles without sorting, to 2 %.
type magnitudes struct {
	bins [binCount]uint16
	n    int
}

const (
	binBits  = 20                // lowest bits of a float32, which do not change the bin
	firstBin = (127 - 14) << 3   // of 2⁻¹⁴
	binCount = (14+2)<<3 + 1 + 1 // the first is for smaller values, the last for larger ones
)

func (m *magnitudes) clear() { *m = magnitudes{} }

func (m *magnitudes) add(v float32) {
	b := int(math.Float32bits(v)&^(1<<31)>>binBits) - firstBin + 1
	m.bins[min(max(b, 0), binCount-1)]++
	m.n++
}

// quantile interpolates within a bin. Magnitudes below the first bin count as 0.
func (m *magnitudes) quantile(q float64) float32 {
	rest := q * float64(m.n)
	for b, n := range m.bins {
		if rest > float64(n) {
			rest -= float64(n)
			continue
		}
		if b == 0 {
			return 0
		}
		edge := func(b int) float32 { return math.Float32frombits(uint32(b-1+firstBin) << binBits) }
		return edge(b) + (edge(b+1)-edge(b))*float32(rest/float64(n))
	}
	return 4
}
