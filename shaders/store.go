package shaders

import "github.com/vfmrestore/restore/shaders/spirv"

// StoreBlock writes v[j] of lane l to element i + l·len(v) + j. The index must be a multiple of
// len(v) (1, 2 or 4).
func (e *E) StoreBlock(op int, i U, v []F) {
	n := len(v)
	m := e.m
	x, elem := v[0], m.F32()
	if n > 1 {
		elem = m.Vec(elem, n)
		x = e.val(spirv.OpCompositeConstruct, elem, v...)
	}
	if e.T.Mode == GPU {
		b, elem := e.buffer(op, n)
		if e.mod.Half.Has(op) {
			x = e.val(spirv.OpFConvert, elem, x)
		}
		e.storeAt(b, elem, e.val(spirv.OpIAdd, m.U32(), e.uid(e.div(i, n)), e.lane), x)
		return
	}
	// The driver stores lane by lane and component by component. A 64-bit integer takes two floats
	// at once.
	if n%2 == 0 {
		words := make([]F, n/2)
		for j := range words {
			pair := e.val(spirv.OpCompositeConstruct, m.Vec(m.F32(), 2), v[2*j], v[2*j+1])
			words[j] = e.val(spirv.OpBitcast, m.U64(), pair)
		}
		elem, x = m.U64(), words[0]
		if n > 2 {
			elem = m.Vec(elem, n/2)
			x = e.val(spirv.OpCompositeConstruct, elem, words...)
		}
	}
	if !e.mod.Bound(op) {
		e.storeByAddress(op, i, elem, 4*n, x)
		return
	}
	at := e.div(i, n)
	first := e.memo(keyOf("to", int(at.id)), func() spirv.ID { return e.val(spirv.OpIAdd, m.U32(), e.uid(U{id: at.id}), e.lane) })
	if at.k != 0 {
		first = e.val(spirv.OpIAdd, m.U32(), first, m.ConstU32(uint32(int32(at.k))))
	}
	e.storeAt(e.binding(op, elem, 4*n), elem, first, x)
}

// interleaves reports whether StoreVectors puts its values into the order of channels.
func (t Target) interleaves() bool { return t.Mode == CPU && t.Shuffle }

// StoreVectors stores values as Packed returns them for unpacked data, or Vec at distances of
// Lanes. v[j] of lane l is element j·Lanes + l in the CPU lowering, and l·len(v) + j in the GPU
// lowering. The elements are written in their order, unless the CPU lowering has no shuffles: then
// they are in the order of PackIndex.
func (e *E) StoreVectors(op int, i U, v []F) {
	if e.T.interleaves() && len(v) > 1 {
		v = e.interleaveVectors(v)
	}
	e.StoreBlock(op, i, v)
}

// storeAt writes x to element i of a binding.
func (e *E) storeAt(binding, elem spirv.ID, i I, x spirv.ID) {
	p := e.val(spirv.OpAccessChain, e.m.Pointer(spirv.ClassStorageBuffer, elem), binding, e.m.ConstU32(0), i)
	e.f.Do(spirv.OpStore, uint32(p), uint32(x))
}

// storeByAddress writes x, of the given number of bytes per lane, to consecutive addresses from
// element i on (CPU lowering).
func (e *E) storeByAddress(op int, i U, elem spirv.ID, bytes int, x spirv.ID) {
	m := e.m
	if i.k < 0 {
		i = U{id: e.uid(i)}
	}
	a := e.memo(keyOf("far", op, int(i.id), bytes), func() spirv.ID {
		lanes := e.val(spirv.OpIMul, m.U64(), e.lane64, m.ConstU64(uint64(bytes)))
		return e.val(spirv.OpIAdd, m.U64(), e.address(op, U{id: i.id}), lanes)
	})
	if i.k > 0 {
		a = e.val(spirv.OpIAdd, m.U64(), a, m.ConstU64(uint64(4*i.k)))
	}
	p := e.val(spirv.OpConvertUToPtr, m.Pointer(spirv.ClassPhysicalStorageBuffer, elem), a)
	e.f.Do(spirv.OpStore, uint32(p), uint32(x), spirv.MemAligned, 4)
}

// StoreOne writes the value of lane 0 to element i.
func (e *E) StoreOne(op int, i U, v F) {
	e.If(e.laneEq(0), func() { e.StoreBlock(op, i, []F{v}) })
}
