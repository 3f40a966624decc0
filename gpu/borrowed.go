package gpu

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"fmt"
	"slices"
	"unsafe"
)

// Borrowed is a Vulkan device that the program has made itself, for Options.Borrowed. The program
// keeps it until the Device is closed, and destroys it afterwards; Device.Close does not.
//
// The Device makes objects of its own (memory, buffers, pipelines, command pools, fences) and
// submits to Queue. It uses only the features below, and makes no second device. It never waits for
// the whole queue or device, only for its own work.
type Borrowed struct {
	// API is the version of Vulkan that Instance was created for (VkApplicationInfo.apiVersion), at
	// least 1.1.
	API                              Version
	Instance, PhysicalDevice, Device unsafe.Pointer // VkInstance, VkPhysicalDevice, VkDevice
	Queue                            unsafe.Pointer // VkQueue of Device
	QueueFamily                      uint32         // of Queue, which must be able to compute
	// GetInstanceProcAddr is the function of the Vulkan loader that made Instance; nil: that of the
	// loader which package gpu opens. A process can have one loader.
	GetInstanceProcAddr unsafe.Pointer
	Extensions          []string // the extensions of Device that are switched on
	Features            Features // the features of Device that are switched on
	// Lock and Unlock surround every submission to Queue, on one thread. They let others submit to
	// it too, as Vulkan allows one thread at a time. Nil: nobody else submits while the Device is
	// in use. Several Devices on one queue take turns by themselves. Neither may call package gpu.
	Lock, Unlock func()
}

// Features are the features of a Vulkan device that package gpu uses. All of them are optional.
type Features struct {
	Int64, Int16, Int8, Float16 bool // of shaders: shaderInt64, shaderInt16, shaderInt8, shaderFloat16
	Storage16                   bool // storageBuffer16BitAccess
	BufferDeviceAddress         bool // bufferDeviceAddress
	SubgroupSizeControl         bool // subgroupSizeControl
	ComputeFullSubgroups        bool // computeFullSubgroups
	CooperativeMatrix           bool // cooperativeMatrix of VK_KHR_cooperative_matrix
}

// ReadFeatures returns the features that a chain of C structures switches on: a
// VkPhysicalDeviceFeatures2 with what its pNext points to, as in VkDeviceCreateInfo.pNext.
// Structures of other types are skipped. The chain of nil switches nothing on.
func ReadFeatures(chain unsafe.Pointer) Features {
	var f C.vfm_features
	C.vfm_features_read(chain, &f)
	return Features{
		Int64: f.int64 != 0, Int16: f.int16 != 0, Int8: f.int8 != 0, Float16: f.float16 != 0, Storage16: f.storage16 != 0, BufferDeviceAddress: f.bda != 0,
		SubgroupSizeControl: f.sizes != 0, ComputeFullSubgroups: f.full != 0, CooperativeMatrix: f.matrix != 0,
	}
}

// limit switches off what a query found but the program did not switch on.
func (f Features) limit(q *C.vfm_info) {
	for _, x := range []struct {
		on    bool
		found *C.uint32_t
	}{
		{f.Int64, &q.int64}, {f.Int16, &q.int16}, {f.Int8, &q.int8}, {f.Float16, &q.float16}, {f.Storage16, &q.storage16}, {f.BufferDeviceAddress, &q.bda},
		{f.SubgroupSizeControl && f.ComputeFullSubgroups, &q.subgroupControl},
	} {
		if !x.on {
			*x.found = 0
		}
	}
	if !f.CooperativeMatrix || q.float16 == 0 || q.subgroupControl == 0 {
		q.matrix = [3]C.uint32_t{}
	}
}

// switches returns which of the extensions are on that Borrowed.Extensions may name.
func switches(q *C.vfm_info) map[string]*C.uint32_t {
	return map[string]*C.uint32_t{
		"VK_KHR_external_memory_fd": &q.extFd, "VK_EXT_external_memory_dma_buf": &q.extDmaBuf,
		"VK_EXT_external_memory_host": &q.extHost, "VK_EXT_queue_family_foreign": &q.extForeign,
	}
}

// limitExtensions switches off the extensions that the program did not switch on.
func (b *Borrowed) limitExtensions(q *C.vfm_info) {
	for name, on := range switches(q) {
		if !slices.Contains(b.Extensions, name) {
			*on = 0
		}
	}
	if q.extFd == 0 {
		q.extDmaBuf = 0
	}
}

// BorrowedError says why a device of the program (Options.Borrowed) cannot be used.
type BorrowedError struct {
	Reason string
}

func (e *BorrowedError) Error() string {
	return "the program's Vulkan device cannot be used: " + e.Reason
}

// openBorrowed opens o.Borrowed.
func openBorrowed(o Options) (*Device, error) {
	b := o.Borrowed
	if err := b.check(o); err != nil {
		return nil, err
	}
	inst, err := b.instance()
	if err != nil {
		return nil, err
	}
	d, err := b.open(inst, o)
	if err != nil {
		inst.close()
	}
	return d, err
}

func (b *Borrowed) check(o Options) error {
	switch {
	case o.Device != "":
		return &BorrowedError{"Options.Device chooses another one; leave it empty"}
	case o.Validation:
		return &BorrowedError{"Options.Validation is for devices that package gpu makes; switch the layer on in your instance"}
	case b.API < MakeVersion(1, 1, 0):
		return &BorrowedError{fmt.Sprintf("its instance was created for Vulkan %v (API, apiVersion), and at least 1.1 is needed", b.API)}
	case (b.Lock == nil) != (b.Unlock == nil):
		return &BorrowedError{"of Lock and Unlock one is missing"}
	}
	for _, h := range []struct {
		name   string
		handle unsafe.Pointer
	}{{"Instance", b.Instance}, {"PhysicalDevice", b.PhysicalDevice}, {"Device", b.Device}, {"Queue", b.Queue}} {
		if h.handle == nil {
			return &BorrowedError{"no " + h.name + " is given"}
		}
	}
	return nil
}

// instance makes an instance that leaves b.Instance alone when it is closed.
func (b *Borrowed) instance() (*instance, error) {
	proc, err := useLoader(b.GetInstanceProcAddr)
	if err != nil {
		return nil, err
	}
	i := &instance{handle: vkInstance(b.Instance), borrowed: true}
	switch r := C.vfm_instance_borrow(proc, C.VfInstance(b.Instance), C.uint32_t(b.API), &i.c); r {
	case resultSuccess:
	case C.VFM_OLD_LOADER:
		return nil, &BorrowedError{"functions of Vulkan 1.1 are missing; create the instance with apiVersion 1.1 or later"}
	default:
		return nil, &CallError{Call: "vkGetInstanceProcAddr", Code: int(r)}
	}
	if err := bindInstance(i.handle); err != nil {
		i.close()
		return nil, err
	}
	return i, nil
}

func (b *Borrowed) open(inst *instance, o Options) (*Device, error) {
	cand, err := b.candidate(inst)
	if err != nil {
		return nil, err
	}
	d := newDevice(inst, cand, o)
	d.borrowed = b
	if r := C.vfm_device_borrow(inst.c, C.VfDevice(b.Device), &cand.c, &d.c); r < 0 {
		return nil, d.fail(int(r), "vkGetDeviceProcAddr", d.info.Name)
	}
	d.handle, d.queue = vkDevice(b.Device), borrowQueue(vkQueue(b.Queue))
	if err := d.finishOpen(o); err != nil {
		d.destroyHandle()
		return nil, err
	}
	return d, nil
}

// candidate is b's physical device with what is switched on.
func (b *Borrowed) candidate(inst *instance) (*candidate, error) {
	ps, err := inst.physical()
	if err != nil {
		return nil, err
	}
	for k, p := range ps {
		if p != vkPhysicalDevice(b.PhysicalDevice) {
			continue
		}
		c, err := inst.queryWith(k, p, func(q *C.vfm_info) {
			C.vfm_query_family(inst.c, C.VfPhysical(b.PhysicalDevice), C.uint32_t(b.QueueFamily), q)
			b.Features.limit(q)
			b.limitExtensions(q)
		})
		switch {
		case err != nil:
			return nil, err
		case c.c.hasCompute == 0:
			return nil, &BorrowedError{fmt.Sprintf("queue family %d of %s does not exist or cannot compute", b.QueueFamily, c.info.Name)}
		case c.info.Unusable != "":
			return nil, &BorrowedError{c.info.Name + ": " + c.info.Unusable}
		}
		return c, nil
	}
	return nil, &BorrowedError{"PhysicalDevice is not one of Instance"}
}

// Lend returns the handles of the device, for programs that use Vulkan beside package gpu. They are
// valid until Close. Lock and Unlock must surround each use of the queue.
func (d *Device) Lend() *Borrowed {
	q := &d.cand.c
	var extensions []string
	for name, on := range switches(q) {
		if *on != 0 {
			extensions = append(extensions, name)
		}
	}
	return &Borrowed{
		API: min(Version(d.inst.c.api), MakeVersion(1, 2, 0)), Instance: unsafe.Pointer(d.inst.handle), PhysicalDevice: unsafe.Pointer(d.cand.phys), Device: unsafe.Pointer(d.handle),
		Queue: unsafe.Pointer(d.queue.handle), QueueFamily: uint32(q.family),
		Features: Features{
			Int64: q.int64 != 0, Int16: q.int16 != 0, Int8: q.int8 != 0, Float16: q.float16 != 0, Storage16: q.storage16 != 0, BufferDeviceAddress: q.bda != 0,
			SubgroupSizeControl: q.subgroupControl != 0, ComputeFullSubgroups: q.subgroupControl != 0, CooperativeMatrix: q.matrix[0] != 0,
		},
		Extensions: extensions, Lock: d.lockQueue, Unlock: d.unlockQueue,
	}
}
