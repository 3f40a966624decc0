package gpu

// #include "shim.h"
import "C"

import (
	"slices"
	"sync"
	"unsafe"
)

// Small buffers share blocks of memory, because drivers limit the number of allocations (often to
// 4096). Larger buffers get an allocation of their own.
const (
	smallBuffer = 256 << 10
	blockSize   = 4 << 20
)

// allocator allocates device memory.
type allocator struct {
	d      *Device
	mu     sync.Mutex
	blocks map[blockKind][]*block // the shared blocks
	most   []int64                // bytes free in each heap when the device was opened
	used   []int64                // bytes allocated from each heap
	count  int                    // current number of allocations
}

type blockKind struct {
	typ    int
	mapped bool
}

// block is one VkDeviceMemory.
type block struct {
	kind   blockKind
	mem    vkDeviceMemory
	size   int64
	base   unsafe.Pointer // the mapped memory, nil if not mapped
	shared bool
	free   []gap // of shared blocks: the free ranges in ascending order, never adjacent
}

type gap struct{ off, size int64 }

// piece is the part of a block that holds one buffer.
type piece struct {
	b         *block
	off, size int64
}

func (a *allocator) init(d *Device) {
	a.d = d
	a.blocks = map[blockKind][]*block{}
	a.most = d.inst.freeBytes(d.cand)
	a.used = make([]int64, len(a.most))
}

// pick returns the index of the memory type for a kind of buffer among the types in bits, and
// whether to map it. The index is -1 if no type fits. Only coherent memory is mapped, so that no
// flush is needed; every Vulkan device has some. For each kind the wishes are tried in order; have
// are the flags a type needs, not the flags it must not have.
func (m memoryTypes) pick(bits uint32, k Kind, unified bool) (typ int, mapped bool) {
	const host = memHostVisible | memCoherent
	type wish struct{ have, not uint32 }
	var wishes []wish
	switch {
	case k == Upload:
		wishes = []wish{{host, memLocal | memCached}, {host, memLocal}, {host, 0}}
	case k == Readback:
		wishes = []wish{{host | memCached, 0}, {host, 0}}
	case unified:
		wishes = []wish{{memLocal | host | memCached, 0}, {memLocal | host, 0}, {memLocal, 0}, {0, 0}}
	default:
		wishes = []wish{{memLocal, memHostVisible}, {memLocal, 0}, {0, 0}}
	}
	for _, w := range wishes {
		for t, mt := range m.types {
			if bits>>t&1 == 1 && mt.flags&w.have == w.have && mt.flags&(w.not|memUnwanted) == 0 {
				return t, mt.flags&host == host && (k != Local || unified)
			}
		}
	}
	return -1, false
}

// alloc allocates size bytes with the alignment (a power of two) in one of the memory types in
// bits.
func (a *allocator) alloc(size, align int64, bits uint32, k Kind) (piece, error) {
	typ, mapped := a.d.cand.mem.pick(bits, k, a.d.info.Caps.Unified)
	if typ < 0 {
		return piece{}, &LimitError{What: "a buffer", Need: "a memory type for storage buffers", Device: a.d.info.Name}
	}
	kind := blockKind{typ, mapped}
	a.mu.Lock()
	defer a.mu.Unlock()
	if size > smallBuffer {
		b, err := a.newBlock(kind, size)
		if err != nil {
			return piece{}, err
		}
		return piece{b, 0, size}, nil
	}
	for _, b := range a.blocks[kind] {
		if off, ok := b.take(size, align); ok {
			return piece{b, off, size}, nil
		}
	}
	b, err := a.newBlock(kind, blockSize)
	if err != nil { // a block of the needed size may still fit
		if b, err = a.newBlock(kind, size); err != nil {
			return piece{}, err
		}
		return piece{b, 0, size}, nil
	}
	b.shared = true
	b.free = []gap{{0, blockSize}}
	a.blocks[kind] = append(a.blocks[kind], b)
	off, _ := b.take(size, align)
	return piece{b, off, size}, nil
}

// available returns how many bytes the heap can still give, as far as is known.
func (a *allocator) available(heap int) int64 {
	left := a.d.inst.freeBytes(a.d.cand)[heap]
	if a.d.cand.c.hasBudget == 0 || a.d.info.Type == CPU {
		// The driver or system does not count memory that is allocated but not yet touched. We do.
		left = min(left, a.most[heap]-a.used[heap])
	}
	return max(0, left)
}

// newBlock allocates memory and maps it if needed. It checks the budget first: some drivers grant
// more memory than there is, and the system kills the process when the memory is touched.
func (a *allocator) newBlock(kind blockKind, size int64) (*block, error) {
	d := a.d
	heap := d.cand.mem.types[kind.typ].heap
	oom := &OutOfMemoryError{Size: size, Available: a.available(heap), Device: d.info.Name, Host: !d.cand.mem.heaps[heap].local}
	if size > oom.Available {
		return nil, oom
	}
	if most := int64(d.cand.c.allocations); int64(a.count) >= most {
		return nil, &LimitError{What: "memory allocations", Got: int64(a.count) + 1, Max: most, Device: d.info.Name}
	}
	address := C.int(0)
	if d.info.Caps.BufferDeviceAddress {
		address = 1
	}
	var mem C.uint64_t
	if r := C.vfm_memory_allocate(d.c, C.uint64_t(size), C.uint32_t(kind.typ), address, &mem); r < 0 {
		if r == resultOutOfDevice || r == resultOutOfHost {
			return nil, oom
		}
		return nil, d.fail(int(r), "vkAllocateMemory", "")
	}
	b := &block{kind: kind, mem: typed[vkDeviceMemory](mem), size: size}
	if kind.mapped {
		var p unsafe.Pointer
		if r := vkMapMemory(d.handle, b.mem, 0, vkDeviceSize(size), 0, &p); r < 0 {
			vkFreeMemory(d.handle, b.mem, nil)
			return nil, d.fail(int(r), "vkMapMemory", "")
		}
		b.base = p
	}
	a.used[heap] += size
	a.count++
	return b, nil
}

// release frees a piece.
func (a *allocator) release(p piece) {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := p.b
	if b.shared {
		b.put(p.off, p.size)
		if len(b.free) != 1 || b.free[0].size != b.size {
			return
		}
		list := a.blocks[b.kind]
		if len(list) == 1 {
			return // keep the last empty block for the next small buffer
		}
		a.blocks[b.kind] = slices.DeleteFunc(list, func(x *block) bool { return x == b })
	}
	a.drop(b)
}

func (a *allocator) drop(b *block) {
	vkFreeMemory(a.d.handle, b.mem, nil) // this also unmaps it
	a.used[a.d.cand.mem.types[b.kind.typ].heap] -= b.size
	a.count--
}

// close frees the shared blocks. The others were freed with their buffers.
func (a *allocator) close() {
	for _, list := range a.blocks {
		for _, b := range list {
			a.drop(b)
		}
	}
	a.blocks = nil
}

// take allocates size bytes with the alignment from the first gap that is large enough.
func (b *block) take(size, align int64) (int64, bool) {
	for k, g := range b.free {
		off := (g.off + align - 1) &^ (align - 1)
		if off+size > g.off+g.size {
			continue
		}
		var rest []gap
		if off > g.off {
			rest = append(rest, gap{g.off, off - g.off})
		}
		if end := g.off + g.size; off+size < end {
			rest = append(rest, gap{off + size, end - off - size})
		}
		b.free = slices.Replace(b.free, k, k+1, rest...)
		return off, true
	}
	return 0, false
}

// put frees a range and joins it with adjacent gaps.
func (b *block) put(off, size int64) {
	k, _ := slices.BinarySearchFunc(b.free, off, func(g gap, o int64) int { return int(g.off - o) })
	b.free = slices.Insert(b.free, k, gap{off, size})
	if k+1 < len(b.free) && off+size == b.free[k+1].off {
		b.free[k].size += b.free[k+1].size
		b.free = slices.Delete(b.free, k+1, k+2)
	}
	if k > 0 && b.free[k-1].off+b.free[k-1].size == off {
		b.free[k-1].size += b.free[k].size
		b.free = slices.Delete(b.free, k, k+1)
	}
}
