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
}

// Device is an open device. All methods are safe for concurrent use.
type Device struct {
	inst    *instance
	cand    *candidate
	info    Info
	c       *C.vfm_device
	handle  vkDevice
	queue   vkQueue
	timeout time.Duration
	faults  *Faults

	// life is held for reading by every call that uses the device, and for writing by Close.
	life   sync.RWMutex
	closed bool

	queueMu sync.Mutex // vkQueueSubmit must not be called by two threads at a time

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
	sharesInstance bool // the instance belongs to another Device, which will close it
}

// Open opens a device. Errors: *NoLoaderError, *NoDriverError, *NoDeviceError, ErrNoValidation,
// *OutOfMemoryError, *CallError.
func Open(o Options) (*Device, error) {
	if err := checkStartMemory(); err != nil {
		return nil, err
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

// start makes a logical device.
func start(inst *instance, cand *candidate, o Options) (*Device, error) {
	d := &Device{
		inst: inst, cand: cand, info: cand.info, timeout: o.Timeout, faults: o.Faults,
		resources: map[*resource]struct{}{}, layouts: map[layoutKey]*layout{}, setLayout: map[int]vkDescriptorSetLayout{},
		programs: map[programKey]*program{},
	}
	if o.SeparateMemory {
		d.info.Caps.Unified = false
	}
	if r := C.vfm_device_create(inst.c, C.VfPhysical(unsafe.Pointer(cand.phys)), &cand.c, &d.c); r < 0 {
		return nil, d.fail(int(r), "vkCreateDevice", d.info.Name)
	}
	d.handle = vkDevice(unsafe.Pointer(d.c.handle))
	var q vkQueue
	vkGetDeviceQueue(d.handle, uint32(cand.c.family), 0, &q)
	d.queue = q
	d.memory.init(d)
	if err := d.cache.open(d, o.CacheDir); err != nil {
		vkDestroyDevice(d.handle, nil)
		C.free(unsafe.Pointer(d.c))
		return nil, err
	}
	d.primed.open(d)
	return d, nil
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
// the device. Later calls fail with ErrClosed; closing again does nothing. Slices from Buffer.Bytes
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
	vkDeviceWaitIdle(d.handle)
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
	vkDestroyDevice(d.handle, nil)
	C.free(unsafe.Pointer(d.c))
	d.c = nil
	C.vfm_trim()
	if !d.sharesInstance {
		d.inst.close()
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
