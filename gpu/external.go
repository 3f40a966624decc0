package gpu

// #include "shim.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// HandleType says what a file descriptor of shared memory is. The values are Vulkan's.
type HandleType uint32

// The types of file descriptors.
const (
	OpaqueFD HandleType = 1     // memory of another Vulkan device of the same driver and GPU
	DMABuf   HandleType = 0x200 // a dma-buf of Linux, from any driver
)

func (t HandleType) String() string {
	switch t {
	case OpaqueFD:
		return "opaque file descriptor"
	case DMABuf:
		return "dma-buf"
	}
	return fmt.Sprintf("HandleType(%#x)", uint32(t))
}

// External says how a device shares memory with others.
type External struct {
	ImportOpaqueFD, ExportOpaqueFD bool // VK_KHR_external_memory_fd
	ImportDMABuf, ExportDMABuf     bool // VK_EXT_external_memory_dma_buf
	ImportHost                     bool // VK_EXT_external_memory_host
	// HostAlign is a power of two: ImportHost takes memory that begins and ends at its multiples.
	HostAlign int64
}

const (
	externalDedicated = 1 // VkExternalMemoryFeatureFlagBits
	externalExport    = 2
	externalImport    = 4
)

// External describes what the device can share.
func (d *Device) External() External {
	q := &d.cand.c
	return External{
		ImportOpaqueFD: q.opaque&externalImport != 0, ExportOpaqueFD: q.opaque&externalExport != 0,
		ImportDMABuf: q.dmaBuf&externalImport != 0, ExportDMABuf: q.dmaBuf&externalExport != 0,
		ImportHost: q.host&externalImport != 0, HostAlign: max(1, int64(q.hostAlign)),
	}
}

// features returns the VkExternalMemoryFeatureFlagBits of a type of handles.
func (d *Device) features(t HandleType) C.uint32_t {
	switch t {
	case OpaqueFD:
		return d.cand.c.opaque
	case DMABuf:
		return d.cand.c.dmaBuf
	}
	return 0
}

func (d *Device) lacks(what, need string) error {
	return &LimitError{What: what, Need: need, Device: d.info.Name}
}

func (t HandleType) extension() string {
	if t == DMABuf {
		return "VK_EXT_external_memory_dma_buf"
	}
	return "VK_KHR_external_memory_fd"
}

// Shared describes memory behind a file descriptor.
type Shared struct {
	Type HandleType
	FD   int
	Size int64 // in bytes, of the whole memory
	// MemoryType is, of an OpaqueFD, the index of the Vulkan memory type that it was allocated
	// with.
	MemoryType int
}

// ImportFD makes a buffer of memory that somebody else has allocated. The file descriptor remains
// the caller's, who may close it. The buffer is mapped if the host can reach the memory at full
// speed; who else uses the memory must not do so at the same time. Before and after work of the
// device on it, record Commands.Acquire and Release. Free gives up this device's part in the
// memory. Errors: *LimitError if the device cannot import such memory, *CallError if it cannot
// import this one, *DeviceLostError, ErrClosed.
func (d *Device) ImportFD(s Shared) (*Buffer, error) {
	if err := d.enter("ImportFD"); err != nil {
		return nil, err
	}
	defer d.leave()
	features := d.features(s.Type)
	switch {
	case features&externalImport == 0:
		return nil, d.lacks("import by "+s.Type.String(), s.Type.extension())
	case s.Size <= 0:
		return nil, fmt.Errorf("gpu: ImportFD: size %d is not positive", s.Size)
	case s.Type == OpaqueFD && (s.MemoryType < 0 || s.MemoryType >= len(d.cand.mem.types)):
		return nil, fmt.Errorf("gpu: ImportFD: %s has no memory type %d", d.info.Name, s.MemoryType)
	}
	if have := fileSize(s.FD); have >= 0 && have < s.Size { // software drivers trust the size
		return nil, fmt.Errorf("gpu: ImportFD: file descriptor %d has %d bytes, not %d", s.FD, have, s.Size)
	}
	bits := C.uint32_t(1) << uint(s.MemoryType)
	if s.Type != OpaqueFD {
		if r := C.vfm_fd_types(d.c, C.uint32_t(s.Type), C.int(s.FD), &bits); r < 0 {
			return nil, d.fail(int(r), "vkGetMemoryFdPropertiesKHR", "import by "+s.Type.String())
		}
	}
	fd, err := duplicate(s.FD)
	if err != nil {
		return nil, fmt.Errorf("gpu: ImportFD: file descriptor %d: %w", s.FD, err)
	}
	b, err := d.external(s.Size, Local, uint32(bits), C.vfm_external{handle: C.uint32_t(s.Type), _import: 1, fd: C.int(fd)}, features)
	if err != nil {
		closeFD(fd) // after a success it is the driver's
	}
	return b, err
}

// ImportHost makes a buffer of size bytes of the process's memory at p, which is not Go's and stays
// where it is until Free. Both are multiples of External.HostAlign. The buffer is mapped: Bytes is
// that memory. Errors: *LimitError if the device cannot, *CallError, *DeviceLostError, ErrClosed.
func (d *Device) ImportHost(p unsafe.Pointer, size int64) (*Buffer, error) {
	if err := d.enter("ImportHost"); err != nil {
		return nil, err
	}
	defer d.leave()
	align := uintptr(d.External().HostAlign)
	switch {
	case d.cand.c.host&externalImport == 0:
		return nil, d.lacks("import of host memory", "VK_EXT_external_memory_host")
	case p == nil || size <= 0 || uintptr(p)%align != 0 || uintptr(size)%align != 0:
		return nil, fmt.Errorf("gpu: ImportHost: %d bytes at %p; both must be multiples of %d", size, p, align)
	}
	var bits C.uint32_t
	if r := C.vfm_host_types(d.c, p, &bits); r < 0 {
		return nil, d.fail(int(r), "vkGetMemoryHostPointerPropertiesEXT", "import of host memory")
	}
	return d.external(size, Readback, uint32(bits), C.vfm_external{handle: C.HANDLE_HOST, _import: 1, host: p}, d.cand.c.host)
}

// NewExportable is NewBuffer with memory that Export can share with others. Errors: those of
// NewBuffer, and *LimitError if the device cannot export such memory.
func (d *Device) NewExportable(size int64, k Kind, t HandleType) (*Buffer, error) {
	if err := d.enter("NewExportable"); err != nil {
		return nil, err
	}
	defer d.leave()
	features := d.features(t)
	switch {
	case features&externalExport == 0:
		return nil, d.lacks("export by "+t.String(), t.extension())
	case size <= 0 || k < Local || k > Readback:
		return nil, fmt.Errorf("gpu: NewExportable: %d bytes of kind %v", size, k)
	case size > d.info.Caps.MaxAlloc:
		return nil, &OutOfMemoryError{Size: size, Available: d.info.Caps.MaxAlloc, Device: d.info.Name}
	}
	return d.external(size, k, ^uint32(0), C.vfm_external{handle: C.uint32_t(t)}, features)
}

// Export returns a new file descriptor of the buffer's memory, which the caller closes. The memory
// lives until the buffer is freed and all such descriptors and imports are closed. Errors: one for
// a buffer that NewExportable has not made, *CallError, *DeviceLostError, ErrClosed, ErrFreed.
func (b *Buffer) Export() (Shared, error) {
	d := b.res.d
	if err := d.enter("Export"); err != nil {
		return Shared{}, err
	}
	defer d.leave()
	if b.exports == 0 {
		return Shared{}, fmt.Errorf("gpu: Export: the %s was not made by NewExportable", b.res.what)
	}
	if err := d.pin(&b.res); err != nil {
		return Shared{}, err
	}
	defer d.unpin(&b.res)
	fd := C.int(-1)
	if r := C.vfm_memory_fd(d.c, raw(b.mem.b.mem), C.uint32_t(b.exports), &fd); r < 0 {
		return Shared{}, d.fail(int(r), "vkGetMemoryFdKHR", "export")
	}
	return Shared{Type: b.exports, FD: int(fd), Size: b.mem.b.size, MemoryType: b.mem.b.kind.typ}, nil
}

// external makes a buffer with an allocation of its own, in one of the memory types in bits.
func (d *Device) external(size int64, k Kind, bits uint32, x C.vfm_external, features C.uint32_t) (*Buffer, error) {
	usage := C.uint32_t(bufferUsage)
	if d.info.Caps.BufferDeviceAddress {
		usage |= bufferUsageAddress
		x.address = 1
	}
	var h C.uint64_t
	if r := C.vfm_external_buffer_create(d.c, C.uint64_t(size), usage, x.handle, &h); r < 0 {
		return nil, d.withSize(d.fail(int(r), "vkCreateBuffer", bytesText(size)), size)
	}
	b := &Buffer{size: size, kind: k, handle: typed[vkBuffer](h)}
	if err := d.placeExternal(b, bits, x, features); err != nil {
		vkDestroyBuffer(d.handle, b.handle, nil)
		return nil, d.withSize(err, size)
	}
	b.addr = uint64(C.vfm_buffer_address(d.c, h))
	b.res = resource{d: d, what: fmt.Sprintf("shared buffer of %s", bytesText(size)), destroy: b.destroy}
	d.adopt(&b.res)
	return b, nil
}

// placeExternal imports or allocates the memory of a buffer.
func (d *Device) placeExternal(b *Buffer, bits uint32, x C.vfm_external, features C.uint32_t) error {
	var req vkMemoryRequirements
	vkGetBufferRequirements(d.handle, b.handle, &req)
	req.Deref()
	req.Free()
	x.size = C.uint64_t(req.Size)
	if x._import != 0 {
		x.size = C.uint64_t(b.size)
		if int64(req.Size) > b.size {
			return fmt.Errorf("gpu: the memory has %d bytes, and a buffer of it needs %d", b.size, req.Size)
		}
	}
	if features&externalDedicated != 0 {
		x.dedicated = raw(b.handle)
	}
	pick := d.cand.mem.pick
	if x._import != 0 && x.host == nil {
		pick = d.cand.mem.pickImport
	}
	typ, mapped := pick(bits&req.MemoryTypeBits, b.kind, d.info.Caps.Unified)
	if typ < 0 {
		return d.lacks("the memory", "a memory type that buffers can have and the memory too")
	}
	x._type = C.uint32_t(typ)
	m := &block{kind: blockKind{typ, mapped}, size: int64(x.size), imported: x._import != 0}
	if err := d.memory.allocateExternal(m, &x); err != nil {
		return err
	}
	b.mem, b.foreign = piece{m, 0, m.size}, x.handle != C.HANDLE_OPAQUE_FD
	if x._import == 0 {
		b.exports = HandleType(x.handle)
	}
	err := d.bindExternal(b, x.host)
	if err != nil {
		d.memory.release(b.mem)
	}
	return err
}

// pickImport is pick for memory that others have allocated. The host would be slow to read a card's
// own memory: that is not mapped.
func (m memoryTypes) pickImport(bits uint32, k Kind, unified bool) (typ int, mapped bool) {
	if unified {
		return m.pick(bits, k, unified)
	}
	const host = memHostVisible | memCoherent
	for _, have := range []uint32{host | memCached, host} {
		for t, mt := range m.types {
			if bits>>t&1 == 1 && mt.flags&have == have && mt.flags&(memLocal|memUnwanted) == 0 {
				return t, true
			}
		}
	}
	return m.pick(bits, k, unified)
}

// Remote reports whether a dma-buf is a card's own memory, which the host would be slow to read if
// the system mapped it. It is false if the device cannot tell.
func (d *Device) Remote(s Shared) bool {
	if s.Type != DMABuf || d.info.Caps.Unified || d.cand.c.dmaBuf&externalImport == 0 || d.enter("Remote") != nil {
		return false
	}
	defer d.leave()
	var bits C.uint32_t
	if C.vfm_fd_types(d.c, C.uint32_t(s.Type), C.int(s.FD), &bits) < 0 {
		return false
	}
	typ, mapped := d.cand.mem.pickImport(uint32(bits), Local, false)
	return typ >= 0 && !mapped
}

// bindExternal binds the memory of a buffer and maps it, unless it is the host's.
func (d *Device) bindExternal(b *Buffer, host unsafe.Pointer) error {
	m := b.mem.b
	if r := vkBindBufferMemory(d.handle, b.handle, m.mem, 0); r < 0 {
		return d.fail(int(r), "vkBindBufferMemory", "shared memory")
	}
	p := host
	if p == nil && m.kind.mapped {
		if r := vkMapMemory(d.handle, m.mem, 0, vkDeviceSize(m.size), 0, &p); r < 0 {
			return d.fail(int(r), "vkMapMemory", "shared memory")
		}
	}
	if p != nil {
		b.bytes = unsafe.Slice((*byte)(p), b.size)
	}
	return nil
}

// allocateExternal imports a block, or allocates one that can be exported.
func (a *allocator) allocateExternal(m *block, x *C.vfm_external) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	heap := a.d.cand.mem.types[m.kind.typ].heap
	if most := int64(a.d.cand.c.allocations); int64(a.count) >= most {
		return &LimitError{What: "memory allocations", Got: int64(a.count) + 1, Max: most, Device: a.d.info.Name}
	}
	if !m.imported {
		if left := a.available(heap); m.size > left {
			return &OutOfMemoryError{Size: m.size, Available: left, Device: a.d.info.Name, Host: !a.d.cand.mem.heaps[heap].local}
		}
	}
	var mem C.uint64_t
	if r := C.vfm_external_allocate(a.d.c, x, &mem); r < 0 {
		return a.d.fail(int(r), "vkAllocateMemory", "shared memory")
	}
	m.mem = typed[vkDeviceMemory](mem)
	a.count++
	if !m.imported {
		a.used[heap] += m.size
	}
	return nil
}

// Acquire records that the device takes over a buffer with shared memory from others who have used
// it. Record it before the first use in the list.
func (c *Commands) Acquire(b *Buffer) { c.transfer("Acquire", b, 1) }

// Release records that the device gives a buffer with shared memory to others. Record it after the
// last use in the list.
func (c *Commands) Release(b *Buffer) { c.transfer("Release", b, 0) }

func (c *Commands) transfer(call string, b *Buffer, take C.int) {
	c.record(call, func() error {
		r := Range{Buf: b}
		if err := c.resolve(call, &r); err != nil {
			return err
		}
		foreign := C.int(0)
		if b.foreign && c.d.cand.c.extForeign != 0 {
			foreign = 1
		}
		C.vfm_transfer_ownership(c.d.c, c.cvk(), raw(b.handle), foreign, take)
		return nil
	})
}
