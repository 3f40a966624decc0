package main

/*
#include "vfm.h"

static inline void vfm_call(void (*f)(uint64_t), uint64_t cookie) { f(cookie); }
*/
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/vfmrestore/restore/gpu"
)

// mostExtensions is more than any device has.
const mostExtensions = 1 << 12

// borrowed copies a device of the program. Go calls the program's functions in pairs on one thread.
func borrowed(p *C.vfm_vulkan) (*gpu.Borrowed, error) {
	v, err := copyIn(p, "vulkan")
	if err != nil {
		return nil, err
	}
	switch {
	case v.extension_count > mostExtensions:
		return nil, badArgument(fmt.Sprintf("vulkan.extension_count is %d", uint32(v.extension_count)))
	case v.extension_count > 0 && v.extensions == nil:
		return nil, badArgument("vulkan.extensions is NULL")
	case (v.lock_queue == nil) != (v.unlock_queue == nil):
		return nil, badArgument("of vulkan.lock_queue and vulkan.unlock_queue one is NULL")
	}
	b := &gpu.Borrowed{
		API: gpu.Version(v.api_version), Instance: v.instance, PhysicalDevice: v.physical_device, Device: v.device, Queue: v.queue, QueueFamily: uint32(v.queue_family),
		GetInstanceProcAddr: unsafe.Pointer(v.get_instance_proc_addr), Features: gpu.ReadFeatures(unsafe.Pointer(v.features)),
	}
	for i, name := range unsafe.Slice(v.extensions, int(v.extension_count)) {
		if name == nil {
			return nil, badArgument(fmt.Sprintf("vulkan.extensions[%d] is NULL", i))
		}
		b.Extensions = append(b.Extensions, C.GoString(name))
	}
	if v.lock_queue != nil {
		b.Lock = func() { C.vfm_call(v.lock_queue, v.cookie) }
		b.Unlock = func() { C.vfm_call(v.unlock_queue, v.cookie) }
	}
	return b, nil
}
