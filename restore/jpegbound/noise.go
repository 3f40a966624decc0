package jpegbound

import (
	"cmp"
	"math"
	"slices"
)

const (
	maxStrips = 64   // strips of blocks that are examined, at most
	minFlat   = 48   // smallest number of flat blocks
	flatShare = 0.06 // share of the blocks that count as flat
)

// Noise estimates an upper bound of the noise before compression: the standard deviation of
// luminance's coefficients, in levels of 255, if the noise is white. It uses the blocks that are
// flattest in the lowest frequencies. For each other frequency the share of these blocks whose
// coefficient is not 0 limits the noise, because noise must exceed half a step there. The smallest
// limit counts. Fine texture and large steps make it larger than the noise. It is +Inf if there are
// too few blocks.
//
// The picture has w×h pixels. read gives 8 rows of its planes R, G and B from row y on, w values in
// [−1, 1] per row. It may use dst, which has 24·w values.
func Noise(g Grid, w, h int, read func(dst []float32, y int) [3][]float32) float64 {
	type stats struct {
		low  float32
		some uint64 // bit i is set if coefficient i is not 0
	}
	var all []stats
	buffer := make([]float32, 3*side*w)
	b := Bound{grid: g}
	strips := (h - g.Y) / side
	every := max(1, (strips+maxStrips-1)/maxStrips)
	for i := 0; i < strips; i += every {
		rows := read(buffer, g.Y+i*side)
		for x0 := g.X; x0+side <= w; x0 += side {
			if clips(rows, w, x0) { // clipping reduces noise there
				continue
			}
			var y block
			y.load(rows, w, x0)
			y.transform()
			if !b.onGrid(&y) {
				continue
			}
			s := stats{low: y[1]*y[1] + y[side]*y[side] + y[side+1]*y[side+1]}
			for i, q := range g.Steps {
				if round(y[i]/float32(q)) != 0 {
					s.some |= 1 << i
				}
			}
			all = append(all, s)
		}
	}
	slices.SortStableFunc(all, func(a, b stats) int { return cmp.Compare(a.low, b.low) })
	n := max(minFlat, int(flatShare*float64(len(all))))
	if n > len(all) {
		return math.Inf(1)
	}
	least := math.Inf(1)
	for i, q := range g.Steps {
		if i == 0 || i == 1 || i == side || i == side+1 { // these select the flat blocks
			continue
		}
		count := 0.5 // if none of n blocks has one, assume half a block
		for _, s := range all[:n] {
			count += float64(s.some >> i & 1)
		}
		// The probability of N(0, sd²) beyond half a step is erfc(q/2/(sd·√2)).
		share := min(count/float64(n), 0.9)
		least = min(least, float64(q)/2/(math.Sqrt2*math.Erfcinv(share)))
	}
	return least
}
