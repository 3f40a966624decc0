//go:build !linux

package gpu

// hostFree returns the bytes of memory that the system could still give this process, -1 if unknown.
func hostFree() int64 { return -1 }
