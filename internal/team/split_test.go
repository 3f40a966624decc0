package team

import (
	"sync/atomic"
	"testing"
)

// Every index is in one part, whatever the numbers are.
func TestSplit(t *testing.T) {
	for n := range 20 {
		for most := -1; most < 9; most++ {
			seen := make([]atomic.Int32, n)
			var calls atomic.Int32
			Split(n, most, func(from, to int) {
				calls.Add(1)
				for i := from; i < to; i++ {
					seen[i].Add(1)
				}
			})
			for i := range seen {
				if seen[i].Load() != 1 {
					t.Fatalf("%d in at most %d parts: %d is in %d", n, most, i, seen[i].Load())
				}
			}
			if c := int(calls.Load()); c < 1 || c > max(1, most) {
				t.Errorf("%d in at most %d parts: %d calls", n, most, c)
			}
		}
	}
}
