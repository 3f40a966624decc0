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
