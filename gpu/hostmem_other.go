//go:build !linux

package gpu

// hostFree returns the bytes of memory that the system could still give this process, or -1 if
// unknown, which it always is on these systems.
func hostFree() int64 { return -1 }
