// Package memory knows how much memory this process may still ask for, so that what cannot fit is refused before it is tried.
package memory

import (
	"fmt"
	"math"
	"math/bits"
)

// Error says that work needs more memory than there is.
type Error struct {
	What string // the work, in words: "a stream of 8192×8192 pixels"
	Need int64  // bytes, about
	Have int64  // bytes
}

func (e *Error) Error() string {
	return fmt.Sprintf("not enough memory: %s needs about %s, and there is room for %s", e.What, size(e.Need), size(e.Have))
}

// size is a number of bytes for people.
func size(n int64) string {
	const mega, giga = 1 << 20, 1 << 30
	switch {
	case n >= math.MaxInt64:
		return "more than can be counted"
	case n >= 10*giga:
		return fmt.Sprintf("%d GB", n/giga)
	case n >= giga:
		return fmt.Sprintf("%.1f GB", float64(n)/giga)
	}
	return fmt.Sprintf("%d MB", max(n/mega, 1))
}

// small is what is not worth looking up how much there is.
const small = 64 << 20

// Check is nil if so many more bytes fit, else an *Error. The work is told in words.
func Check(what string, need int64) error {
	if need < small {
		return nil
	}
	if have := Available(); need > have {
		return &Error{what, need, have}
	}
	return nil
}

// Available is how many bytes this process may still use: what the system says is free or can be freed, what the limits on its address space and on its
// group of processes leave; math.MaxInt64 where the system does not tell.
func Available() int64 { return available() }

// Bytes is the product of counts, math.MaxInt64 where that is larger than a number can be.
func Bytes(counts ...int) int64 {
	n := uint64(1)
	for _, c := range counts {
		high, low := bits.Mul64(n, uint64(max(c, 0)))
		if high != 0 || low > math.MaxInt64 {
			return math.MaxInt64
		}
		n = low
	}
	return int64(n)
}

// Sum adds numbers of bytes, likewise.
func Sum(parts ...int64) int64 {
	n := int64(0)
	for _, p := range parts {
		if p > math.MaxInt64-n {
			return math.MaxInt64
		}
		n += p
	}
	return n
}
