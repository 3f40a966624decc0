package gpu

// #include "shim.h"
import "C"

import "unsafe"

// The binding declares non-dispatchable handles as opaque pointer types, but drivers and layers put
// small numbers into them. Such a number must never be in an unsafe.Pointer, which the garbage
// collector inspects. Hence raw and typed reinterpret the eight bytes in memory.

// raw converts a handle of the binding to one of the shim.
func raw[T any](h T) C.uint64_t {
	return *(*C.uint64_t)(unsafe.Pointer(&h))
}

// typed converts a handle of the shim to one of the binding.
func typed[T any](h C.uint64_t) T {
	return *(*T)(unsafe.Pointer(&h))
}

// null reports whether a handle is VK_NULL_HANDLE.
func null[T any](h T) bool { return raw(h) == 0 }
