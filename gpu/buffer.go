package gpu

// #include "shim.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// Kind says who uses a buffer most.
type Kind int

// The kinds of buffers. All of them can be bound, addressed, copied and filled.
const (
	Local    Kind = iota // for the device; mapped too where memory is unified
	Upload               // mapped, for the host to write and the device to read
	Readback             // mapped and cached, for the device to write and the host to read
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

// Buffer is a piece of memory that the device can use. Its contents are undefined at first.
type Buffer struct {
	res    resource
	size   int64
	kind   Kind
	handle vkBuffer
	addr   uint64
	mem    piece
	bytes  []byte // C memory
}

// Every buffer may be anything: transfer source 1, transfer destination 2, storage buffer 0x20.
const (
	bufferUsage        = 1 | 2 | 0x20
	bufferUsageAddress = 0x20000
)

// NewBuffer makes a buffer of size bytes, at least 1. Errors: *OutOfMemoryError (also before anything is allocated, if
// size is beyond the heap's budget or the largest allocation), *DeviceLostError, ErrClosed.
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
	if size > d.info.Caps.MaxAlloc || d.faults != nil && hit(&d.faults.Memory) {
		return nil, &OutOfMemoryError{Size: size, Available: d.info.Caps.MaxAlloc, Device: d.info.Name}
	}
	usage := C.uint32_t(bufferUsage)
	if d.info.Caps.BufferDeviceAddress {
		usage |= bufferUsageAddress
	}
	var h C.uint64_t
	// A multiple of 16, so that a fill (multiples of 4) or a vector load reaches the last byte.
	if r := C.vfm_buffer_create(d.c, C.uint64_t((size+15)&^15), usage, &h); r < 0 {
		return nil, d.sized(d.fail(int(r), "vkCreateBuffer", bytesText(size)), size)
	}
	b := &Buffer{size: size, kind: k, handle: typed[vkBuffer](h)}
	var req vkMemoryRequirements
	vkGetBufferRequirements(d.handle, b.handle, &req)
	req.Deref()
	req.Free()
	mem, err := d.memory.alloc(int64(req.Size), max(1, int64(req.Alignment)), req.MemoryTypeBits, k)
	if err != nil {
		vkDestroyBuffer(d.handle, b.handle, nil)
		return nil, d.sized(err, size)
	}
	b.mem = mem
	if r := vkBindBufferMemory(d.handle, b.handle, mem.b.mem, vkDeviceSize(mem.off)); r < 0 {
		vkDestroyBuffer(d.handle, b.handle, nil)
		d.memory.release(mem)
		return nil, d.sized(d.fail(int(r), "vkBindBufferMemory", ""), size)
	}
	if mem.b.base != nil {
		b.bytes = unsafe.Slice((*byte)(unsafe.Add(mem.b.base, mem.off)), size)
	}
	b.addr = uint64(C.vfm_buffer_address(d.c, h))
	b.res = resource{d: d, what: fmt.Sprintf("%v buffer of %s", k, bytesText(size)), destroy: func() {
		vkDestroyBuffer(d.handle, b.handle, nil)
		d.memory.release(b.mem)
	}}
	d.adopt(&b.res)
	return b, nil
}

// sized puts the size that the caller asked for into an out-of-memory error.
func (d *Device) sized(err error, size int64) error {
	if oom, ok := err.(*OutOfMemoryError); ok {
		oom.Size = size
	}
	return err
}

// Size returns the size in bytes that was asked for.
func (b *Buffer) Size() int64 { return b.size }

// Kind returns the kind.
func (b *Buffer) Kind() Kind { return b.kind }

// Address returns the address of the first byte on the device, 0 if the device has no buffer addresses. A shader that
// follows a wrong address can bring the process down.
func (b *Buffer) Address() uint64 { return b.addr }

// Bytes returns the buffer's memory if it is mapped, else nil. The slice is memory of the driver, not of Go: it ends with
// Free and with Device.Close. What the device writes is there after Run, what the host writes before Run the device sees.
func (b *Buffer) Bytes() []byte { return b.bytes }

// Free gives the buffer back, after the runs that use it. It is no error to free twice, or after Device.Close.
func (b *Buffer) Free() {
	if b != nil {
		b.res.free()
	}
}

// check reports a range that lies outside of the buffer.
func (b *Buffer) check(call string, off, n int64) error {
	if off < 0 || n < 0 || off > b.size || n > b.size-off {
		return fmt.Errorf("gpu: %s: bytes %d to %d lie outside of a buffer of %d bytes", call, off, off+n, b.size)
	}
	return nil
}
