package gpu

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"fmt"
	"os"
	"sync"
	"unsafe"
)

// instance is a VkInstance. Every open Device has its own, so that validation can be switched on
// per device, unless it is borrowed.
type instance struct {
	c         *C.vfm_instance
	handle    vkInstance
	validate  bool
	borrowed  bool // the handle is the program's
	onMessage func(string)
	msgMu     sync.Mutex // keeps messages in order, with one call of onMessage at a time
}

// driverMu allows one creation or destruction of an instance at a time: some loaders and drivers
// crash on concurrent ones.
var driverMu sync.Mutex

func newInstance(validate bool, onMessage func(string)) (*instance, error) {
	proc, err := openLoader()
	if err != nil {
		return nil, err
	}
	driverMu.Lock()
	defer driverMu.Unlock()
	v := C.int(0)
	if validate {
		v = 1
	}
	if onMessage == nil {
		onMessage = func(s string) { fmt.Fprintln(os.Stderr, "vulkan validation:", s) }
	}
	i := &instance{validate: validate, onMessage: onMessage}
	switch r := C.vfm_instance_create(proc, v, &i.c); r {
	case resultSuccess:
	case C.VFM_NO_LAYER:
		return nil, fmt.Errorf("%w; on Debian or Ubuntu `apt-get install vulkan-validationlayers`, elsewhere the Vulkan SDK, or run without validation", ErrNoValidation)
	case C.VFM_OLD_LOADER:
		return nil, &NoDriverError{Reason: "the Vulkan loader is older than 1.1"}
	case C.VFM_BROKEN_LOADER:
		return nil, &NoLoaderError{Tried: loaderNames, Reason: "the library has no vkCreateInstance"}
	case resultNoDriver, resultInitFailed:
		return nil, &NoDriverError{Reason: "vkCreateInstance: " + resultName(int(r))}
	default:
		return nil, &CallError{Call: "vkCreateInstance", Code: int(r)}
	}
	i.handle = vkInstance(unsafe.Pointer(i.c.handle))
	if err := bindInstance(i.handle); err != nil {
		i.closeLocked()
		return nil, err
	}
	return i, nil
}

// close destroys the instance. Messages caused by the destruction are still delivered.
func (i *instance) close() {
	driverMu.Lock()
	defer driverMu.Unlock()
	i.closeLocked()
}

func (i *instance) closeLocked() {
	if i.borrowed {
		C.vfm_instance_free(i.c)
		i.c = nil
		return
	}
	C.vfm_instance_close(i.c)
	vkDestroyInstance(i.handle, nil)
	i.deliver()
	C.vfm_instance_free(i.c)
	i.c = nil
}

// deliver hands the validation layer's queued messages to onMessage.
func (i *instance) deliver() {
	if !i.validate {
		return
	}
	i.msgMu.Lock()
	defer i.msgMu.Unlock()
	for m := C.vfm_messages_take(&i.c.messages); m != nil; {
		i.onMessage(C.GoString(C.vfm_message_text(m)))
		next := m.next
		C.free(unsafe.Pointer(m))
		m = next
	}
}

// physical lists the physical devices.
func (i *instance) physical() ([]vkPhysicalDevice, error) {
	var n uint32
	if r := vkEnumeratePhysical(i.handle, &n, nil); r < 0 {
		if r == resultInitFailed || r == resultNoDriver {
			return nil, &NoDriverError{Reason: "vkEnumeratePhysicalDevices: " + resultName(int(r))}
		}
		return nil, &CallError{Call: "vkEnumeratePhysicalDevices", Code: int(r)}
	}
	if n == 0 {
		return nil, &NoDriverError{Reason: "the loader lists no device"}
	}
	p := make([]vkPhysicalDevice, n)
	if r := vkEnumeratePhysical(i.handle, &n, p); r < 0 {
		return nil, &CallError{Call: "vkEnumeratePhysicalDevices", Code: int(r)}
	}
	return p[:n], nil
}
