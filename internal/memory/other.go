//go:build !linux && !darwin && !windows

package memory

import "math"

func available() int64 { return math.MaxInt64 }

// AddressSpace is not known on this system.
func AddressSpace() int64 { return math.MaxInt64 }
