package blind

import (
	"math"
	"sync"
)

// shrinkage finds argmin over w of |w|^p + ½(w − v)². It is 0 below a least v. Above, it is v minus
// a number that is interpolated in a table with 32 entries per octave of v.
type shrinkage struct {
	least float32
	table [1024]float32
}

const (
	// shrinkBits are the bits of a mantissa's 23 that are between two entries of the table.
	shrinkBits = 18
	shrinkBase = 127 << (23 - shrinkBits) // v = 1
)

// shrink is made when a picture first needs it: the table takes some milliseconds.
var shrink = sync.OnceValue(func() *shrinkage { return newShrinkage(exponent) })

func newShrinkage(p float64) *shrinkage {
	// At the least v the minimum jumps from 0 to the w that costs the same.
	jump := math.Pow(2*(1-p), 1/(2-p))
	s := &shrinkage{least: float32(jump + p*math.Pow(jump, p-1))}
	for i := range s.table {
		v := float64(math.Float32frombits(uint32(i+shrinkBase) << shrinkBits))
		w := v
		for range 100 { // solves w + p·w^(p−1) = v from above, if there is such a w
			next := max(v-p*math.Pow(w, p-1), jump/2)
			if next == w {
				break // all further ones are equal
			}
			w = next
		}
		s.table[i] = float32(v - w)
	}
	return s
}

// row replaces each v by argmin over w of scale^(2−p)·|w|^p + ½(w − v)².
func (s *shrinkage) row(row []float32, scale float32) {
	inverse := 1 / scale
	least, sign := math.Float32bits(s.least), uint32(1<<31)
	for i, v := range row { // without branches, as no processor could predict them
		bits := math.Float32bits(v * inverse)
		a := bits &^ sign
		at := min(max(a, least)>>shrinkBits-shrinkBase, uint32(len(s.table)-2))
		low := s.table[at]
		t := float32(a&(1<<shrinkBits-1)) * (1.0 / (1 << shrinkBits))
		off := scale * (low + t*(s.table[at+1]-low))
		off = math.Float32frombits(math.Float32bits(off) | bits&sign)
		shrunk := math.Float32bits(v - off)
		if a < least {
			shrunk = 0
		}
		row[i] = math.Float32frombits(shrunk)
	}
}
