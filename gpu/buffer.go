package gpu

// #include "shim.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// Kind says how a buffer is used, which decides the memory type it gets.
type Kind int

// The kinds of buffers. All of them can be bound, addressed, copied and filled.
const (
	Local    Kind = iota // used by the device; also mapped where host and device share memory
	Upload               // mapped; the host writes, the device reads
	Readback             // mapped and cached; the device writes, the host reads
)

func (k Kind) String() string {
	switch k {
	case Local:
		return "local"
	case Upload:
		return "upload"
	case Readback:
		return "readback"
	}
	return fmt.Sprintf("Kind(%d)", int(k))
}

// Buffer is a range of device memory. Its contents are undefined at first.
type Buffer struct {
	res    resource
	size   int64
	kind   Kind
	handle vkBuffer
	addr   uint64
	mem    piece
	bytes  []byte // the mapped memory (not Go's), nil if not mapped
}

// Every buffer has all usages: transfer source (1), transfer destination (2), storage buffer
// (0x20).
const (
	bufferUsage        = 1 | 2 | 0x20
	bufferUsageAddress = 0x20000
)

// NewBuffer makes a buffer of size bytes, at least 1. Errors: *OutOfMemoryError, *DeviceLostError,
// ErrClosed. A size beyond the heap's budget or the largest allocation gives *OutOfMemoryError
// before anything is allocated.
func (d *Device) NewBuffer(size int64, k Kind) (*Buffer, error) {
	if err := d.enter("NewBuffer"); err != nil {
		return nil, err
	}
	defer d.leave()
	return d.newBuffer(size, k)
}

func (d *Device) newBuffer(size int64, k Kind) (*Buffer, error) {
	if size <= 0 {
		return nil, fmt.Errorf("gpu: NewBuffer: size %d is not positive", size)
	}
	if k < Local || k > Readback {
		return nil, fmt.Errorf("gpu: NewBuffer: unknown kind %d", int(k))
	}
	if size > d.info.Caps.MaxAlloc || d.faults != nil && countDown(&d.faults.Memory) {
		return nil, &OutOfMemoryError{Size: size, Available: d.info.Caps.MaxAlloc, Device: d.info.Name}
	}
	usage := C.uint32_t(bufferUsage)
	if d.info.Caps.BufferDeviceAddress {
		usage |= bufferUsageAddress
	}
	var h C.uint64_t
	// Padded to a multiple of 16, so that a fill (multiples of 4) or a vector load may reach the
	// last byte.
	if r := C.vfm_buffer_create(d.c, C.uint64_t((size+15)&^15), usage, &h); r < 0 {
		return nil, d.withSize(d.fail(int(r), "vkCreateBuffer", bytesText(size)), size)
	}
	b := &Buffer{size: size, kind: k, handle: typed[vkBuffer](h)}
	var req vkMemoryRequirements
	vkGetBufferRequirements(d.handle, b.handle, &req)
	req.Deref()
	req.Free()
	mem, err := d.memory.alloc(int64(req.Size), max(1, int64(req.Alignment)), req.MemoryTypeBits, k)
	if err != nil {
		vkDestroyBuffer(d.handle, b.handle, nil)
		return nil, d.withSize(err, size)
	}
	b.mem = mem
	if r := vkBindBufferMemory(d.handle, b.handle, mem.b.mem, vkDeviceSize(mem.off)); r < 0 {
		vkDestroyBuffer(d.handle, b.handle, nil)
		d.memory.release(mem)
		return nil, d.withSize(d.fail(int(r), "vkBindBufferMemory", ""), size)
	}
	if mem.b.base != nil {
		b.bytes = unsafe.Slice((*byte)(unsafe.Add(mem.b.base, mem.off)), size)
	}
	b.addr = uint64(C.vfm_buffer_address(d.c, h))
	b.res = resource{d: d, what: fmt.Sprintf("%v buffer of %s", k, bytesText(size)), destroy: func() {
		b.bytes = nil
		vkDestroyBuffer(d.handle, b.handle, nil)
		d.memory.release(b.mem)
	}}
	d.adopt(&b.res)
	return b, nil
}

// withSize puts the size that the caller asked for into an out-of-memory error.
func (d *Device) withSize(err error, size int64) error {
	if oom, ok := err.(*OutOfMemoryError); ok {
		oom.Size = size
	}
	return err
}

// Size returns the size in bytes that NewBuffer was asked for.
func (b *Buffer) Size() int64 { return b.size }

// Kind returns the kind given to NewBuffer.
func (b *Buffer) Kind() Kind { return b.kind }

// Address returns the device address of the first byte, or 0 if the device has no buffer addresses.
// A shader that follows a wrong address can crash the process.
func (b *Buffer) Address() uint64 { return b.addr }

// Bytes returns the buffer's memory if it is mapped, else nil. The memory belongs to the driver,
// not to Go: the slice is valid until Free or Device.Close, after which Bytes returns nil. What the
// device wrote can be read after Run returns; what the host writes before Run is seen by the
// device.
func (b *Buffer) Bytes() []byte { return b.bytes }

// Free frees the buffer once no run uses it. Freeing twice, or after Device.Close, does nothing.
func (b *Buffer) Free() {
	if b != nil {
		b.res.free()
	}
}

// check returns an error if the range lies outside of the buffer.
func (b *Buffer) check(call string, off, n int64) error {
	if off < 0 || n < 0 || off > b.size || n > b.size-off {
		return fmt.Errorf("gpu: %s: bytes %d to %d lie outside of a buffer of %d bytes", call, off, off+n, b.size)
	}
	return nil
}
