package shaders

import (
	"fmt"

	"github.com/vfmrestore/restore/shaders/spirv"
)

// Ref refers to an element of an operand. Indices count float32 elements.
type Ref struct {
	op   int
	base U
	ok   B        // 0: always valid; otherwise reads give 0 if it does not hold
	addr spirv.ID // CPU: the address, if ok is set
}

// At refers to element i of an operand.
func (e *E) At(op int, i U) Ref { return Ref{op: op, base: i} }

// AtIf refers to element i if ok holds, and to zeros if not. At most ZeroFloats elements may be
// read from it. The kernel must have Zero set.
func (e *E) AtIf(op int, i U, ok B) Ref {
	if ok == 0 {
		return e.At(op, i)
	}
	if !e.mod.Zero {
		fail("AtIf without Zero")
	}
	if e.T.Mode == GPU {
		return Ref{op: op, base: e.SelU(ok, i, e.C(0)), ok: ok}
	}
	a := e.address(op, U{id: e.uid(i)})
	z := e.addr[len(e.addr)-1]
	s := e.val(spirv.OpSelect, e.m.U64(), ok, a, z)
	return Ref{op: op, ok: ok, addr: s}
}

// Plus moves a Ref by n elements.
func (e *E) Plus(r Ref, n U) Ref {
	if r.addr != 0 && !n.IsConst() {
		fail("run-time offset on a conditional reference")
	}
	r.base = e.AddU(r.base, n)
	return r
}

// address returns the 64-bit address of the element whose index is the run-time part of i.
func (e *E) address(op int, i U) spirv.ID {
	if i.id == 0 {
		return e.addr[op]
	}
	return e.memo(keyOf("addr", op, int(i.id)), func() spirv.ID {
		o := e.val(spirv.OpUConvert, e.m.U64(), i.id)
		o = e.val(spirv.OpIMul, e.m.U64(), o, e.m.ConstU64(4))
		return e.val(spirv.OpIAdd, e.m.U64(), e.addr[op], o)
	})
}

// buffer returns operand op as an array of n-vectors, and the type of these (GPU lowering).
func (e *E) buffer(op, n int) (v, elem spirv.ID) {
	// Read-only operands get a block type of their own, because NonWritable decorates its member.
	elem, size := e.m.F32(), 4
	if e.mod.Half.Has(op) {
		e.m.Capability(spirv.CapStorageBuffer16BitAccess)
		elem, size = e.m.F16(), 2
	}
	if n > 1 {
		elem = e.m.Vec(elem, n)
	}
	return e.binding(op, elem, size*n), elem
}

// binding returns operand op as an array of elements of the given type and size in bytes.
func (e *E) binding(op int, elem spirv.ID, size int) spirv.ID {
	write := e.mod.Operands[op]&Write != 0
	tkey := fmt.Sprint("type", elem, write)
	st := e.bufs[tkey]
	if st == 0 {
		st = e.m.Struct(e.m.RuntimeArray(elem, size))
		e.m.Decorate(st, spirv.DecoBlock)
		e.m.MemberDecorate(st, 0, spirv.DecoOffset, 0)
		if !write {
			e.m.MemberDecorate(st, 0, spirv.DecoNonWritable)
		}
		e.bufs[tkey] = st
	}
	key := fmt.Sprint("buf", op, ",", elem)
	v := e.bufs[key]
	if v == 0 {
		v = e.m.GlobalVar(e.m.Pointer(spirv.ClassStorageBuffer, st), spirv.ClassStorageBuffer, 0)
		e.m.Decorate(v, spirv.DecoDescriptorSet, 0)
		e.m.Decorate(v, spirv.DecoBinding, uint32(e.mod.bindingOf(op)))
		e.m.Decorate(v, spirv.DecoAliased)
		e.bufs[key] = v
	}
	return v
}

// load1 reads one float at the uniform index r.base+off (CPU lowering).
func (e *E) load1(r Ref, off int) F { return e.loadAt(r, off, e.m.F32()) }

// load4 reads four neighbours from the uniform index r.base+off on (CPU lowering). No alignment is
// needed.
func (e *E) load4(r Ref, off int) []F {
	x := e.loadAt(r, off, e.m.Vec(e.m.F32(), 4))
	out := make([]F, 4)
	for j := range out {
		out[j] = e.f.Val(spirv.OpCompositeExtract, e.m.F32(), uint32(x), uint32(j))
	}
	return out
}

// loadAt reads a value of the given type at the uniform index r.base+off (CPU lowering). The driver
// makes fewer instructions of added addresses than of access chains, and the number of instructions
// decides how long a pipeline takes to build.
func (e *E) loadAt(r Ref, off int, elem spirv.ID) spirv.ID {
	m, i, a := e.m, r.base, r.addr
	if a == 0 {
		if i.k+off < 0 {
			i, off = U{id: e.uid(U{i.id, i.k + off})}, 0
		}
		a = e.address(r.op, i)
	}
	if k := i.k + off; k != 0 {
		a = e.val(spirv.OpIAdd, m.U64(), a, m.ConstU64(uint64(4*k)))
	}
	p := e.val(spirv.OpConvertUToPtr, m.Pointer(spirv.ClassPhysicalStorageBuffer, elem), a)
	return e.f.Val(spirv.OpLoad, elem, uint32(p), spirv.MemAligned, 4)
}

// floats returns the type of n float32 values.
func (e *E) floats(n int) spirv.ID {
	if n == 1 {
		return e.m.F32()
	}
	return e.m.Vec(e.m.F32(), n)
}

// loadN reads an n-vector at the per-lane index idx, counted in n-vectors, and splits it (GPU
// lowering).
func (e *E) loadN(r Ref, idx spirv.ID, n int) []F {
	m := e.m
	v, elem := e.buffer(r.op, n)
	c := e.val(spirv.OpAccessChain, m.Pointer(spirv.ClassStorageBuffer, elem), v, m.ConstU32(0), idx)
	x := e.val(spirv.OpLoad, elem, c)
	if e.mod.Half.Has(r.op) {
		x = e.val(spirv.OpFConvert, e.floats(n), x)
	}
	out := []F{x}
	if n > 1 {
		out = make([]F, n)
		for i := range out {
			out[i] = e.f.Val(spirv.OpCompositeExtract, m.F32(), uint32(x), uint32(i))
		}
	}
	if r.ok != 0 {
		for i := range out {
			out[i] = e.val(spirv.OpSelect, m.F32(), r.ok, out[i], e.Float(0))
		}
	}
	return out
}

// lanes returns v[l] in lane l (CPU lowering).
func (e *E) lanes(v []F) F {
	r := v[0]
	for i := 1; i < len(v); i++ {
		r = e.val(spirv.OpSelect, e.m.F32(), e.eq[i], v[i], r)
	}
	return r
}

// Broadcast reads element off: the same value for all lanes.
func (e *E) Broadcast(r Ref, off U) F {
	if !off.IsConst() {
		r = e.Plus(r, off)
		off = e.C(0)
	}
	if e.T.Mode == CPU {
		return e.load1(r, off.k)
	}
	return e.loadN(r, e.uid(e.AddU(r.base, off)), 1)[0]
}

// Broadcast4 reads the elements off to off+3, each the same for all lanes. The index must be a
// multiple of 4.
func (e *E) Broadcast4(r Ref, off U) [4]F {
	if e.T.Mode == CPU {
		var o [4]F
		for i := range o {
			o[i] = e.Broadcast(r, e.AddU(off, e.C(i)))
		}
		return o
	}
	return [4]F(e.loadN(r, e.uid(e.div(e.AddU(r.base, off), 4)), 4))
}

// div divides an index that is known to be a multiple of n.
func (e *E) div(u U, n int) U {
	if u.k%n == 0 && u.k >= 0 {
		return U{e.DivU(U{id: u.id}, n).id, u.k / n}
	}
	return e.DivU(U{id: e.uid(u)}, n)
}

// Vec reads element off+l into lane l.
func (e *E) Vec(r Ref, off U) F {
	if e.T.Mode == GPU {
		return e.Gather(r, off, func(l int) int { return l })
	}
	return e.lanes(e.run(r, off, e.T.Lanes))
}

// run reads n neighbours (a multiple of 4), each the same for all lanes (CPU lowering). It loads
// four at a time, which takes a quarter of the instructions; their number decides how long a
// pipeline takes to build.
func (e *E) run(r Ref, off U, n int) []F {
	if !off.IsConst() {
		r = e.Plus(r, off)
		off = e.C(0)
	}
	var v []F
	for i := 0; i < n; i += 4 {
		v = append(v, e.load4(r, off.k+i)...)
	}
	return v
}

// Gather reads element off+at(l) into lane l.
func (e *E) Gather(r Ref, off U, at func(lane int) int) F {
	if e.T.Mode == CPU {
		if !off.IsConst() {
			r = e.Plus(r, off)
			off = e.C(0)
		}
		v := make([]F, e.T.Lanes)
		for l := range v {
			v[l] = e.load1(r, off.k+at(l))
		}
		return e.lanes(v)
	}
	return e.loadN(r, e.val(spirv.OpIAdd, e.m.U32(), e.uid(e.AddU(r.base, off)), e.laneTable(at)), 1)[0]
}

// laneTable returns at(l) in lane l.
func (e *E) laneTable(at func(int) int) I {
	L := e.T.Lanes
	affine := true
	s := at(1) - at(0)
	for l := 0; l < L; l++ {
		affine = affine && at(l) == at(0)+s*l
	}
	u32 := e.m.U32()
	if affine {
		x := e.lane
		if s != 1 {
			x = e.memo(keyOf("lane*", s), func() spirv.ID { return e.val(spirv.OpIMul, u32, e.lane, e.m.ConstU32(uint32(int32(s)))) })
		}
		if at(0) != 0 {
			x = e.val(spirv.OpIAdd, u32, x, e.m.ConstU32(uint32(int32(at(0)))))
		}
		return x
	}
	r := e.m.ConstU32(uint32(int32(at(0))))
	for l := 1; l < L; l++ {
		r = e.val(spirv.OpSelect, u32, e.laneEq(l), e.m.ConstU32(uint32(int32(at(l)))), r)
	}
	return r
}

func (e *E) laneEq(l int) spirv.ID {
	if e.T.Mode == CPU {
		return e.eq[l]
	}
	return e.memo(keyOf("lane==", l), func() spirv.ID {
		return e.val(spirv.OpIEqual, e.m.Bool(), e.lane, e.m.ConstU32(uint32(l)))
	})
}

// Block reads Lanes·nj consecutive elements from off on. Lane l gets the elements l·nj to
// l·nj+nj-1, as StoreBlock writes them. The index must be a multiple of nj (1, 2 or 4).
func (e *E) Block(r Ref, off U, nj int) []F {
	if e.T.Mode == CPU {
		flat := e.run(r, off, e.T.Lanes*nj)
		if e.T.Shuffle && nj > 1 {
			return e.interleave(flat, nj)
		}
		out := make([]F, nj)
		for j := range out {
			v := make([]F, e.T.Lanes)
			for l := range v {
				v[l] = flat[l*nj+j]
			}
			out[j] = e.lanes(v)
		}
		return out
	}
	i := e.div(e.AddU(r.base, off), nj)
	return e.loadN(r, e.val(spirv.OpIAdd, e.m.U32(), e.uid(i), e.lane), nj)
}

// interleave returns in lane l the elements l·nj to l·nj+nj-1 of Lanes·nj neighbours. It makes
// whole vectors and lets every lane pick its elements from them by shuffles. The driver makes one
// load and a few shuffles of this, instead of one load per lane.
func (e *E) interleave(flat []F, nj int) []F {
	vec := make([]F, nj)
	for i := range vec {
		vec[i] = e.lanes(flat[i*e.T.Lanes : (i+1)*e.T.Lanes])
	}
	return e.interleaveVectors(vec)
}

// interleaveVectors is interleave for elements that are in consecutive vectors already.
func (e *E) interleaveVectors(vec []F) []F {
	m, L, nj := e.m, e.T.Lanes, len(vec)
	out := make([]F, nj)
	for j := range out {
		from := e.memo(keyOf("deal", nj, j), func() spirv.ID {
			return e.val(spirv.OpBitwiseAnd, m.U32(), e.laneTable(func(l int) int { return l*nj + j }), m.ConstU32(uint32(L-1)))
		})
		for i := range vec {
			x := e.shuffle(vec[i], from)
			if i == 0 {
				out[j] = x
				continue
			}
			before := e.memo(keyOf("lane<", i*L/nj), func() spirv.ID {
				return e.val(spirv.OpULessThan, m.Bool(), e.lane, m.ConstU32(uint32(i*L/nj)))
			})
			out[j] = e.val(spirv.OpSelect, m.F32(), before, out[j], x)
		}
	}
	return out
}

// Packed reads Lanes·nj weights in the order of PackIndex: consecutive vectors in the CPU lowering,
// where they are fast, the natural order in the GPU lowering. Lane l gets the values of channels
// l·nj to l·nj+nj-1.
func (e *E) Packed(r Ref, off U, nj int) []F {
	if e.T.Mode == GPU {
		return e.Block(r, off, nj)
	}
	out := make([]F, nj)
	for j := range out {
		out[j] = e.Vec(r, e.AddU(off, e.C(j*e.T.Lanes)))
	}
	return out
}

// PackIndex returns the channel at position p of a packed block of Lanes·nj channels.
func (t Target) PackIndex(p, nj int) int {
	if t.Mode == GPU {
		return p
	}
	j, l := p/t.Lanes, p%t.Lanes
	return l*nj + j
}
