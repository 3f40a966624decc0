package blind

import "math"

// reduced returns the plane at a scale ≤ 1. Each new pixel is a weighted mean of the old ones, by
// cubic interpolation stretched by 1/scale. The centres of both pixel grids coincide.
func (p *Plane) reduced(scale float64) *Plane {
	if scale >= 1 {
		return p
	}
	w, h := max(1, int(math.Round(float64(p.W)*scale))), max(1, int(math.Round(float64(p.H)*scale)))
	mid := NewPlane(w, p.H)
	tw := newTaps(p.W, w, scale)
	for y := range p.H {
		row := p.Pix[y*p.W:][:p.W]
		for x, t := range tw {
			s := 0.0
			for i, v := range t.w {
				s += v * row[min(max(t.first+i, 0), p.W-1)]
			}
			mid.Pix[y*w+x] = s
		}
	}
	out := NewPlane(w, h)
	for y, t := range newTaps(p.H, h, scale) {
		to := out.Pix[y*w:][:w]
		for i, v := range t.w {
			from := mid.Pix[min(max(t.first+i, 0), p.H-1)*w:][:w]
			for x, u := range from {
				to[x] += v * u
			}
		}
	}
	return out
}

// taps are the weights of a new pixel's old ones, the first of which is first.
type taps struct {
	first int
	w     []float64
}

func newTaps(from, to int, scale float64) []taps {
	out := make([]taps, to)
	for i := range out {
		at := (float64(i)-float64(to-1)/2)/scale + float64(from-1)/2
		lo, hi := int(math.Ceil(at-2/scale)), int(math.Floor(at+2/scale))
		sum := 0.0
		t := taps{first: lo}
		for j := lo; j <= hi; j++ {
			v := keys((float64(j) - at) * scale)
			t.w = append(t.w, v)
			sum += v
		}
		for j := range t.w {
			t.w[j] /= sum
		}
		out[i] = t
	}
	return out
}
