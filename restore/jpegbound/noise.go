package jpegbound

import (
	"cmp"
	"math"
	"slices"
)

const (
	mostStrips = 64   // strips of blocks that are looked at
	fewBlocks  = 48   // flat blocks, at least
	flatShare  = 0.06 // of the blocks count as flat
)

// Noise finds how much noise a picture may have had before it was compressed: the standard deviation
// of luminance's coefficients, in levels of 255, as if the noise was white. It looks at the blocks
// that are flattest by their lowest frequencies. How many of them have a coefficient that is not 0
// tells, for each of the other frequencies, how far noise can reach beyond half a step; the least
// counts. So it is a bound: fine texture and large steps make it larger than the noise. Where nothing
// can be told it is +Inf.
//
// The picture has w×h pixels; read gives 8 rows of its planes R, G and B from row y on, w values in
// [−1, 1] to a row; it may put them into dst, of 24·w values.
func Noise(g Grid, w, h int, read func(dst []float32, y int) [3][]float32) float64 {
	type seen struct {
		low  float32
		some uint64 // coefficients that are not 0
	}
	var all []seen
	buffer := make([]float32, 3*side*w)
	b := Bound{grid: g}
	strips := (h - g.Y) / side
	every := max(1, (strips+mostStrips-1)/mostStrips)
	for i := 0; i < strips; i += every {
		rows := read(buffer, g.Y+i*side)
		for x0 := g.X; x0+side <= w; x0 += side {
			if clips(rows, w, x0) { // noise is cut off there
				continue
			}
			var y block
			y.load(rows, w, x0)
			y.transform()
			if !b.multiples(&y) {
				continue
			}
			s := seen{low: y[1]*y[1] + y[side]*y[side] + y[side+1]*y[side+1]}
			for i, q := range g.Steps {
				if round(y[i]/float32(q)) != 0 {
					s.some |= 1 << i
				}
			}
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b seen) int { return cmp.Compare(a.low, b.low) })
	n := max(fewBlocks, int(flatShare*float64(len(all))))
	if n > len(all) {
		return math.Inf(1)
	}
	least := math.Inf(1)
	for i, q := range g.Steps {
		if i == 0 || i == 1 || i == side || i == side+1 { // by which blocks are found flat, and the mean
			continue
		}
		count := 0.5 // none of n blocks is less than one of 2n
		for _, s := range all[:n] {
			count += float64(s.some >> i & 1)
		}
		// The share of N(0, sd²) beyond half a step is erfc(q/2/(sd·√2)).
		share := min(count/float64(n), 0.9)
		least = min(least, float64(q)/2/(math.Sqrt2*math.Erfcinv(share)))
	}
	return least
}
