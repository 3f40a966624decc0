package gpu

// #include <stdlib.h>
// #include "shim.h"
import "C"

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// Options say which device to open and how.
type Options struct {
	Device     string        // index or part of a name; "": $VFM_DEVICE, else the best device
	Validation bool          // switch on the Khronos validation layer, with synchronisation checks
	OnMessage  func(string)  // gets the validation messages, one at a time; nil: standard error
	CacheDir   string        // of the pipeline cache; "": the user's cache directory, "-": no cache
	Timeout    time.Duration // longest time a Run may take before the device counts as lost; 0: any
	Faults     *Faults       // failures made on purpose, for tests; nil: none
	// SeparateMemory treats host and device as if they shared no memory, so that machines on which
	// they do can test what happens on others. $VFM_SEPARATE_MEMORY=1 does the same.
	SeparateMemory bool
	// Borrowed is a device of the program's own to use; nil: Open makes one. Device and Validation
	// must be empty.
	Borrowed *Borrowed
}

// Device is an open device. All methods are safe for concurrent use.
type Device struct {
	inst    *instance
	cand    *candidate
	info    Info
	c       *C.vfm_device
	handle  vkDevice
	queue   *queue
	timeout time.Duration
	faults  *Faults

	// life is held for reading by every call that uses the device, and for writing by Close.
	life   sync.RWMutex
	closed bool

	mu        sync.Mutex // guards what follows, and the pins of all resources
	lost      *DeviceLostError
	resources map[*resource]struct{}
	layouts   map[layoutKey]*layout
	setLayout map[int]vkDescriptorSetLayout
	programs  map[programKey]*program

	submits, waits atomic.Int64 // see Activity

	garbage atomic.Bool // pipelines were destroyed since the last call of vfm_trim

	memory         allocator
	cache          pipelineCache
	primed         primed
	watch          func(done, total int) // see Watch; guarded by mu
	stage          staging
	sharesInstance bool      // the instance belongs to another Device, which will close it
	borrowed       *Borrowed // handle and queue are the program's; nil: they are this Device's own
}

// Open opens a device. Errors: *NoLoaderError, *NoDriverError, *NoDeviceError, ErrNoValidation,
// *OutOfMemoryError, *CallError, *BorrowedError.
func Open(o Options) (*Device, error) {
	if err := checkStartMemory(); err != nil {
		return nil, err
	}
	if o.Borrowed != nil {
		return openBorrowed(o)
	}
	inst, err := newInstance(o.Validation, o.OnMessage)
	if err != nil {
		return nil, err
	}
	d, err := open(inst, o)
	if err != nil {
		inst.close()
		return nil, err
	}
	inst.deliver()
	return d, nil
}

func open(inst *instance, o Options) (*Device, error) {
	cs, err := inst.candidates()
	if err != nil {
		return nil, err
	}
	k, err := choose(infos(cs), o.Device)
	if err != nil {
		return nil, err
	}
	return start(inst, cs[k], o)
}

// newDevice makes a Device without its handles.
func newDevice(inst *instance, cand *candidate, o Options) *Device {
	d := &Device{
		inst: inst, cand: cand, info: cand.info, timeout: o.Timeout, faults: o.Faults,
		resources: map[*resource]struct{}{}, layouts: map[layoutKey]*layout{}, setLayout: map[int]vkDescriptorSetLayout{},
		programs: map[programKey]*program{},
	}
	if o.SeparateMemory {
		d.info.Caps.Unified = false
	}
	return d
}

// start makes a logical device.
func start(inst *instance, cand *candidate, o Options) (*Device, error) {
	d := newDevice(inst, cand, o)
	if r := C.vfm_device_create(inst.c, C.VfPhysical(unsafe.Pointer(cand.phys)), &cand.c, &d.c); r < 0 {
		return nil, d.fail(int(r), "vkCreateDevice", d.info.Name)
	}
	d.handle = vkDevice(unsafe.Pointer(d.c.handle))
	var q vkQueue
	vkGetDeviceQueue(d.handle, uint32(cand.c.family), 0, &q)
	d.queue = &queue{handle: q}
	if err := d.finishOpen(o); err != nil {
		d.destroyHandle()
		return nil, err
	}
	d.primed.open(d)
	return d, nil
}

// finishOpen opens what every Device has, once its handles are there.
func (d *Device) finishOpen(o Options) error {
	d.memory.init(d)
	return d.cache.open(d, o.CacheDir)
}

// destroyHandle destroys the device, or gives it back to the program.
func (d *Device) destroyHandle() {
	if d.borrowed == nil {
		vkDestroyDevice(d.handle, nil)
	} else {
		d.queue.giveBack()
	}
	C.free(unsafe.Pointer(d.c))
	d.c = nil
}

// Info describes the device, as List does.
func (d *Device) Info() Info { return d.info }

// enter begins a call that uses the device. After every success leave must be called.
func (d *Device) enter(what string) error {
	d.life.RLock()
	if d.closed {
		d.life.RUnlock()
		return fmt.Errorf("gpu: %s: %w", what, ErrClosed)
	}
	d.mu.Lock()
	lost := d.lost
	d.mu.Unlock()
	if lost != nil {
		d.life.RUnlock()
		return lost
	}
	return nil
}

func (d *Device) leave() {
	d.inst.deliver()
	d.life.RUnlock()
}

// Close waits for running work, saves the pipeline cache and frees everything that was made from
// the device, but for a borrowed device itself. Later calls fail with ErrClosed; closing again does nothing. Slices from Buffer.Bytes
// must no longer be used.
func (d *Device) Close() {
	d.primed.mu.Lock() // prime may be using a second device of the same instance
	defer d.primed.mu.Unlock()
	d.life.Lock()
	defer d.life.Unlock()
	if d.closed {
		return
	}
	d.closed = true
	if d.hung() {
		// The device is still busy: waiting could last for ever, and freeing what it uses is
		// undefined behaviour.
		return
	}
	d.waitIdle()
	d.cache.close()
	for r := range d.resources {
		r.destroy()
	}
	d.resources = nil
	for _, l := range d.layouts {
		vkDestroyPipelineLayout(d.handle, l.handle, nil)
	}
	for _, l := range d.setLayout {
		vkDestroyDescriptorSetLayout(d.handle, l, nil)
	}
	d.memory.close()
	d.destroyHandle()
	C.vfm_trim()
	if !d.sharesInstance {
		d.inst.close()
	}
}

// waitIdle waits for the end of what was submitted. Of a borrowed device it waits for each list in
// flight, as the program may use the queues meanwhile. The caller holds d.life.
func (d *Device) waitIdle() {
	if d.borrowed == nil {
		vkDeviceWaitIdle(d.handle)
		return
	}
	for r := range d.resources {
		if r.list != nil && r.list.flying {
			vkWaitForFences(d.handle, 1, r.list.fences, 1, ^uint64(0))
		}
	}
}

const reasonTimeout = "it did not finish in the time allowed"

// fail turns a VkResult below zero into an error. It remembers that the device is lost.
func (d *Device) fail(code int, call, what string) error {
	switch code {
	case resultDeviceLost:
		return d.lose(what, "")
	case resultOutOfHost, resultOutOfDevice:
		return &OutOfMemoryError{Available: -1, Device: d.info.Name, Host: code == resultOutOfHost}
	}
	return &CallError{Call: call, What: what, Code: code}
}

func (d *Device) lose(during, reason string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lost == nil {
		d.lost = &DeviceLostError{Device: d.info.Name, During: during, Reason: reason}
	}
	return d.lost
}
