package defocus

import (
	"math"
	"slices"

	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/planar"
)

// plane is the brightness of a part of a picture, from 0 to 1.
type plane struct {
	w, h       int
	pix        []float32
	unknown    []bool // may be nil
	ownW, ownH int    // columns and rows that are not reflections
}

// cut takes w×h pixels at (x0, y0). If a side is shorter than a window, it is continued by
// reflection.
func cut(y *blind.Plane, unknown []bool, x0, y0, w, h int) *plane {
	p := &plane{w: max(w, window), h: max(h, window), ownW: w, ownH: h}
	p.pix = make([]float32, p.w*p.h)
	if unknown != nil {
		p.unknown = make([]bool, len(p.pix))
	}
	for i := range p.h {
		row := (y0 + planar.Mirror(i, h)) * y.W
		for j := range p.w {
			from := row + x0 + planar.Mirror(j, w)
			p.pix[i*p.w+j] = float32(min(max(y.Pix[from], -1), 2))
			if unknown != nil {
				p.unknown[i*p.w+j] = unknown[from]
			}
		}
	}
	return p
}

// energy is the sum of the squared differences of neighbours in a square, as a measure of detail.
// The squares are clamped, so that single differences do not decide.
func (p *plane) energy(x0, y0, side int) (sum float64) {
	const clamp = 0.01
	for y := y0; y < y0+side-1; y += 2 {
		row, below := p.pix[y*p.w:], p.pix[(y+1)*p.w:]
		for x := x0; x < x0+side-1; x += 2 {
			a, b := row[x+1]-row[x], below[x]-row[x]
			sum += min(float64(a*a+b*b), clamp)
		}
	}
	return sum
}

// nearUnknown says whether a pixel, or one of the four at distance reach along the axes, is
// unknown.
func (p *plane) nearUnknown(x, y, reach int) bool {
	if p.unknown == nil {
		return false
	}
	for _, d := range [5][2]int{{0, 0}, {reach, 0}, {-reach, 0}, {0, reach}, {0, -reach}} {
		u, v := x+d[0], y+d[1]
		if u >= 0 && v >= 0 && u < p.w && v < p.h && p.unknown[v*p.w+u] {
			return true
		}
	}
	return false
}

// gradient is the magnitude of the central differences at every pixel, times a factor. It is 0 at
// the edges.
func (p *plane) gradient(factor float32) []float32 {
	out := make([]float32, len(p.pix))
	factor /= 2
	for y := 1; y < p.h-1; y++ {
		above, row, below, to := p.pix[(y-1)*p.w:][:p.w], p.pix[y*p.w:][:p.w], p.pix[(y+1)*p.w:][:p.w], out[y*p.w:][:p.w]
		for x := 1; x < len(row)-1; x++ {
			a, b := row[x+1]-row[x-1], below[x]-above[x]
			to[x] = float32(math.Sqrt(float64(a*a+b*b))) * factor
		}
	}
	return out
}

// halved is every second pixel of every second row.
func (p *plane) halved() *plane {
	out := &plane{w: p.w / 2, h: p.h / 2}
	out.pix = make([]float32, out.w*out.h)
	for y := range out.h {
		row, to := p.pix[2*y*p.w:], out.pix[y*out.w:][:out.w]
		for x := range to {
			to[x] = row[2*x]
		}
	}
	return out
}

// blurred is the plane, continued by reflection, after a Gaussian blur of deviation t.
func (p *plane) blurred(t float64) *plane {
	half := max(1, int(math.Ceil(3*t)))
	taps := make([]float32, half+1)
	sum := float32(0)
	for i := range taps {
		taps[i] = float32(math.Exp(-float64(i*i) / (2 * t * t)))
		sum += taps[i]
		if i > 0 {
			sum += taps[i]
		}
	}
	for i := range taps {
		taps[i] /= sum
	}
	out := &plane{w: p.w, h: p.h, pix: make([]float32, len(p.pix))}
	line := make([]float32, p.w+2*half)
	for y := range p.h {
		row := p.pix[y*p.w:][:p.w]
		copy(line[half:], row)
		for i := 1; i <= half; i++ {
			line[half-i], line[half+p.w-1+i] = row[planar.Mirror(-i, p.w)], row[planar.Mirror(p.w-1+i, p.w)]
		}
		to := out.pix[y*p.w:][:p.w]
		for x := range to {
			to[x] = taps[0] * line[x+half]
		}
		for k := 1; k <= half; k++ {
			a, b, w := line[half-k:][:p.w], line[half+k:][:p.w], taps[k]
			for x := range to {
				to[x] += w * (a[x] + b[x])
			}
		}
	}
	rows := slices.Clone(out.pix)
	for y := range p.h {
		to := out.pix[y*p.w:][:p.w]
		for x := range to {
			to[x] *= taps[0]
		}
		for k := 1; k <= half; k++ {
			a, b := rows[planar.Mirror(y-k, p.h)*p.w:][:p.w], rows[planar.Mirror(y+k, p.h)*p.w:][:p.w]
			w := taps[k]
			for x := range to {
				to[x] += w * (a[x] + b[x])
			}
		}
	}
	return out
}

// noise is the standard deviation of white noise, from the finest diagonal differences. A blurred
// picture has hardly any detail at that scale.
func (p *plane) noise() float64 {
	d := make([]float32, 0, len(p.pix)/4)
	for y := 0; y+1 < p.h; y += 2 {
		row, below := p.pix[y*p.w:], p.pix[(y+1)*p.w:]
		for x := 0; x+1 < p.w; x += 2 {
			d = append(d, float32(math.Abs(float64(row[x]-row[x+1]-below[x]+below[x+1]))/2))
		}
	}
	slices.Sort(d)
	return float64(d[len(d)/2]) / 0.6745
}
