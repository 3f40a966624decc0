package gpu

// #include "shim.h"
import "C"

import "unsafe"

// The binding's non-dispatchable handles are opaque pointer types, and drivers and layers put small numbers into them.
// They must never pass through an unsafe.Pointer, which the garbage collector inspects; raw and typed reinterpret the
// eight bytes in memory instead.

// raw returns a binding handle as the shim takes it.
func raw[T any](h T) C.uint64_t {
	return *(*C.uint64_t)(unsafe.Pointer(&h))
}

// typed returns a shim handle as the binding takes it.
func typed[T any](h C.uint64_t) T {
	return *(*T)(unsafe.Pointer(&h))
}

// null tells whether a handle is VK_NULL_HANDLE.
func null[T any](h T) bool { return raw(h) == 0 }
