//go:build darwin

package memory

import (
	"math"

	"golang.org/x/sys/unix"
)

// available is all memory: what is free means little where the system compresses.
func available() int64 {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil || n > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(n)
}

// AddressSpace has no limit that is kept here.
func AddressSpace() int64 { return math.MaxInt64 }
