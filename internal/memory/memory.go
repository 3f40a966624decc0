// Package memory tells how much memory this process may still use, so that work that cannot fit is
// refused before it starts.
package memory

import (
	"fmt"
	"math"
	"math/bits"
)

// Error says that work needs more memory than is available.
type Error struct {
	What string // the work, in words: "a stream of 8192×8192 pixels"
	Need int64  // approximate bytes
	Have int64  // bytes
}

func (e *Error) Error() string {
	return fmt.Sprintf("not enough memory: %s needs about %s, and there is room for %s", e.What,
		size(e.Need), size(e.Have))
}

// size formats a number of bytes.
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

// small is an amount for which available memory is not looked up.
const small = 64 << 20

// Check gives an *Error if need bytes do not fit into available memory. what names the work.
func Check(what string, need int64) error {
	if need < small {
		return nil
	}
	if have := Available(); need > have {
		return &Error{what, need, have}
	}
	return nil
}

// Available is the number of bytes that this process may still use: memory that the system has free
// or can free, within the limits of its address space and its control group. It is math.MaxInt64 if
// the system does not tell.
func Available() int64 { return available() }

// Bytes is the product of counts, or math.MaxInt64 if the product is larger.
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

// Sum is the sum of parts, or math.MaxInt64 if the sum is larger.
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
