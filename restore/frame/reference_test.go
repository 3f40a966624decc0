package frame

import (
	"math"
)

// coding holds the numbers of ITU-R BT.601, 709 and 2020 for a format.
type coding struct{ kr, kg, kb, yOff, yMul, cOff, cMul, low, high float64 }

func codingOf(f Format) (c coding) {
	c.kr, c.kb = 0.299, 0.114
	if chromaOf(f) {
		c.kr = map[Matrix]float64{BT601: 0.299, BT709: 0.2126, BT2020: 0.2627}[f.Matrix]
		c.kb = map[Matrix]float64{BT601: 0.114, BT709: 0.0722, BT2020: 0.0593}[f.Matrix]
	}
	c.kg = 1 - c.kr - c.kb
	unit, top := math.Pow(2, float64(f.Bits-8)), math.Pow(2, float64(f.Bits))-1
	c.cOff = 128 * unit
	if f.Full {
		c.yMul, c.cMul, c.high = top, top, 1
		return c
	}
	c.yOff, c.yMul, c.cMul = 16*unit, 219*unit, 224*unit
	c.low, c.high = -16*unit/c.yMul, (top-16*unit)/c.yMul
	return c
}

// sited gives the position of chroma sample j on luma's axis.
func sited(j int, half, co bool) float64 {
	switch {
	case !half:
		return float64(j)
	case co:
		return float64(2 * j)
	}
	return float64(2*j) + 0.5
}

// tent gives the weights of samples 0 … n−1 in the linearly interpolated value at position at.
// Beyond the ends the last sample is repeated.
func tent(n int, at float64, place func(j int) float64) map[int]float64 {
	ws := map[int]float64{}
	if at <= place(0) {
		ws[0] = 1
		return ws
	}
	if at >= place(n-1) {
		ws[n-1] = 1
		return ws
	}
	for j := range n - 1 {
		if a, b := place(j), place(j+1); at >= a && at <= b {
			ws[j] = (b - at) / (b - a)
			ws[j+1] = (at - a) / (b - a)
			return ws
		}
	}
	panic("no interval")
}

// reference reads a pixel in float64.
func reference(f Format, ps *Planes, w, h, x, y int) (v [3]float64) {
	if isFloat(f) {
		for k := range v {
			v[k] = sampleOf(f, ps, k, x, y)
		}
		return v
	}
	if isRGB(f) {
		for k := range v {
			v[k] = sampleOf(f, ps, k, x, y)/127.5 - 1
		}
		return v
	}
	c := codingOf(f)
	luma := (sampleOf(f, ps, 0, x, y) - c.yOff) / c.yMul
	if f.Kind == Gray {
		return [3]float64{2*luma - 1, 2*luma - 1, 2*luma - 1}
	}
	cw, ch := w, h
	if f.HalfX {
		cw = (w + 1) / 2
	}
	if f.HalfY {
		ch = (h + 1) / 2
	}
	var chroma [2]float64
	for j, wy := range tent(ch, float64(y),
		func(j int) float64 { return sited(j, f.HalfY, f.CositedY) }) {
		for i, wx := range tent(cw, float64(x),
			func(i int) float64 { return sited(i, f.HalfX, f.CositedX) }) {
			for k := range chroma {
				chroma[k] += wx * wy * (sampleOf(f, ps, 1+k, i, j) - c.cOff) / c.cMul
			}
		}
	}
	r, b := luma+2*(1-c.kr)*chroma[1], luma+2*(1-c.kb)*chroma[0]
	return [3]float64{2*r - 1, 2*(luma-c.kr*r-c.kb*b)/c.kg - 1, 2*b - 1}
}

// clamp is Write's limit in float64.
func clamp(v float32, c coding) float64 { return min(max((float64(v)+1)/2, c.low), c.high) }

// near is the weight of luma's position u in chroma's sample j: a half for each of two neighbours,
// or a quarter, a half and a quarter for three. Beyond the ends the last position is repeated.
func near(j, u, n int, half, co bool) float64 {
	if !half {
		if u == j {
			return 1
		}
		return 0
	}
	weight := 0.0
	at := map[int]float64{2 * j: 0.5, 2*j + 1: 0.5}
	if co {
		at = map[int]float64{2*j - 1: 0.25, 2 * j: 0.5, 2*j + 1: 0.25}
	}
	for p, w := range at {
		if min(max(p, 0), n-1) == u {
			weight += w
		}
	}
	return weight
}
