package gpu

/*
#cgo linux LDFLAGS: -ldl
#include <stdlib.h>
#include "shim.h"
*/
import "C"

import (
	"os"
	"sync"
	"unsafe"
)

// loader is the process's one Vulkan loader library. It is never unloaded: drivers leave threads
// and thread-local state behind, so unloading them is not safe.
var loader struct {
	mu   sync.Mutex
	proc unsafe.Pointer // vkGetInstanceProcAddr
	// bound is set once the binding has fetched its function pointers from a first instance. They
	// point to the loader's trampolines, which serve every instance, so once is enough. Fetching
	// them again would race with callers.
	bound bool
}

// openLoader returns vkGetInstanceProcAddr of the system's Vulkan loader and passes it to the
// binding. The binding's own search would look for "libvulkan.so", which only development packages
// install.
func openLoader() (unsafe.Pointer, error) {
	loader.mu.Lock()
	defer loader.mu.Unlock()
	if loader.proc != nil {
		return loader.proc, nil
	}
	names := loaderNames
	if s := os.Getenv("VFM_VULKAN_LOADER"); s != "" {
		names = []string{s}
	}
	const whySize = 512
	why := (*C.char)(C.calloc(1, whySize))
	defer C.free(unsafe.Pointer(why))
	for _, n := range names {
		c := C.CString(n)
		p := C.vfm_loader_open(c, why, whySize)
		C.free(unsafe.Pointer(c))
		if p == nil {
			continue
		}
		vkSetGetInstanceProcAddr(p)
		if err := vkInit(); err != nil {
			return nil, &NoLoaderError{Tried: []string{n}, Reason: err.Error()}
		}
		loader.proc = p
		return p, nil
	}
	return nil, &NoLoaderError{Tried: names, Reason: C.GoString(why)}
}

// useLoader is openLoader for an instance that the loader with this vkGetInstanceProcAddr made; nil:
// the system's loader.
func useLoader(proc unsafe.Pointer) (unsafe.Pointer, error) {
	if proc == nil {
		return openLoader()
	}
	loader.mu.Lock()
	defer loader.mu.Unlock()
	if loader.proc == nil {
		vkSetGetInstanceProcAddr(proc)
		if err := vkInit(); err != nil {
			return nil, &BorrowedError{"its GetInstanceProcAddr: " + err.Error()}
		}
		loader.proc = proc
	}
	if loader.proc != proc {
		return nil, &BorrowedError{"its instance is of another Vulkan loader than the one that this process uses already"}
	}
	return proc, nil
}

// bindInstance lets the binding fetch its function pointers, once per process.
func bindInstance(i vkInstance) error {
	loader.mu.Lock()
	defer loader.mu.Unlock()
	if loader.bound {
		return nil
	}
	if err := vkInitInstance(i); err != nil {
		return err
	}
	loader.bound = true
	return nil
}

// ValidationAvailable reports whether the Khronos validation layer is installed, so that Open with
// Options.Validation can succeed.
func ValidationAvailable() bool {
	p, err := openLoader()
	return err == nil && C.vfm_validation_available(p) != 0
}
