//go:build darwin

package memory

import (
	"math"

	"golang.org/x/sys/unix"
)

// available is all memory. The amount of free memory means little on a system that compresses
// memory.
func available() int64 {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil || n > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(n)
}

// AddressSpace is not limited on this system.
func AddressSpace() int64 { return math.MaxInt64 }
