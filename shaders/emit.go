package shaders

import "github.com/vfmrestore/restore/shaders/spirv"

// F is a float32 with one value per lane.
type F = spirv.ID

// I is a uint32 with one value per lane.
type I = spirv.ID

// B is a boolean that is the same for all lanes of a work item.
type B = spirv.ID

// U is a uint32 that is the same for all lanes of a work item: the sum of a run-time part and a
// constant. The constant is kept apart so that thousands of unrolled loads can share one base
// address. The run-time part must never go below zero.
type U struct {
	id spirv.ID
	k  int
}

// E emits the code of one kernel.
type E struct {
	T     Target
	m     *spirv.Module
	f     *spirv.Func
	mod   *Module
	iface []spirv.ID

	scopes []map[memoKey]spirv.ID // ids of values that exist already, per nested block

	push         spirv.ID
	lane, lane64 spirv.ID
	local        spirv.ID
	eq           []spirv.ID // CPU: whether this lane is lane i
	addr         []spirv.ID // CPU: addresses of the operands
	bufs         map[string]spirv.ID
	shared       spirv.ID
	items        U
	item         U
	valid        B
}

func newE(mod *Module) *E {
	e := &E{T: mod.Target, mod: mod, bufs: map[string]spirv.ID{}, scopes: []map[memoKey]spirv.ID{{}}}
	m := spirv.NewModule(1, 3)
	e.m = m
	m.Capability(spirv.CapShader)
	if e.T.Mode == CPU {
		m.Capability(spirv.CapInt64)
		m.Capability(spirv.CapPhysicalStorageBufferAddresses)
		m.Capability(spirv.CapGroupNonUniform)
		m.Extension("SPV_KHR_physical_storage_buffer")
		m.MemoryModel(spirv.AddressingPhysicalStorageBuffer64, spirv.MemoryGLSL450)
	} else {
		m.MemoryModel(spirv.AddressingLogical, spirv.MemoryGLSL450)
	}
	e.declarePush()
	e.f = m.NewFunc()
	e.entry()
	return e
}

// declarePush declares the push-constant block with the layout that Module.Push writes.
func (e *E) declarePush() {
	m := e.m
	var members []spirv.ID
	var offs []int
	off := 0
	if e.T.Mode == CPU {
		n := 1 << e.mod.tabBits
		members = append(members, m.Array(m.U32(), n, 4))
		offs = append(offs, 0)
		off = 4 * n
		for range e.mod.count(e.mod.addressed) {
			members = append(members, m.Vec(m.U32(), 2))
			offs = append(offs, off)
			off += 8
		}
	}
	for i := 0; i < 2+e.mod.Scalars; i++ {
		members = append(members, m.U32())
		offs = append(offs, off)
		off += 4
	}
	st := m.Struct(members...)
	m.Decorate(st, spirv.DecoBlock)
	for i, o := range offs {
		m.MemberDecorate(st, i, spirv.DecoOffset, uint32(o))
	}
	e.push = m.GlobalVar(m.Pointer(spirv.ClassPushConstant, st), spirv.ClassPushConstant, 0)
}

func (e *E) builtin(b uint32, t spirv.ID) spirv.ID {
	v := e.m.GlobalVar(e.m.Pointer(spirv.ClassInput, t), spirv.ClassInput, 0)
	e.m.Decorate(v, spirv.DecoBuiltIn, b)
	e.iface = append(e.iface, v)
	return e.val(spirv.OpLoad, t, v)
}

func (e *E) val(op spirv.Op, t spirv.ID, a ...spirv.ID) spirv.ID {
	w := make([]uint32, len(a))
	for i, x := range a {
		w[i] = uint32(x)
	}
	return e.f.Val(op, t, w...)
}

func (e *E) pushMember(i int, t spirv.ID, index ...spirv.ID) spirv.ID {
	a := append([]spirv.ID{e.push, e.m.ConstU32(uint32(i))}, index...)
	p := e.val(spirv.OpAccessChain, e.m.Pointer(spirv.ClassPushConstant, t), a...)
	return e.val(spirv.OpLoad, t, p)
}

// makeUniform returns v in a form that a software driver can prove uniform. v must be the same for
// all lanes and at most bound. It is looked up digit by digit in a table in the push constants,
// tab[i] = i: the driver knows push constants to be uniform.
func (e *E) makeUniform(v spirv.ID, bound int) spirv.ID {
	bits := e.mod.tabBits
	var out spirv.ID
	for s := 0; bound > 0; s += bits {
		d := v
		if s > 0 {
			d = e.val(spirv.OpShiftRightLogical, e.m.U32(), v, e.m.ConstU32(uint32(s)))
		}
		d = e.val(spirv.OpBitwiseAnd, e.m.U32(), d, e.m.ConstU32(1<<bits-1))
		d = e.pushMember(0, e.m.U32(), d)
		if s > 0 {
			d = e.val(spirv.OpShiftLeftLogical, e.m.U32(), d, e.m.ConstU32(uint32(s)))
			out = e.val(spirv.OpBitwiseOr, e.m.U32(), out, d)
		} else {
			out = d
		}
		bound >>= bits
	}
	return out
}

// entry emits what every kernel needs: the lane, the index of the work item and whether it is
// valid.
func (e *E) entry() {
	m := e.m
	u32 := m.U32()
	wgv := e.builtin(spirv.BuiltInWorkgroupID, m.Vec(u32, 3))
	wx := e.f.Val(spirv.OpCompositeExtract, u32, uint32(wgv), 0)
	wy := e.f.Val(spirv.OpCompositeExtract, u32, uint32(wgv), 1)
	first := 0
	per := e.T.Group / e.T.Lanes
	var sub spirv.ID
	if e.T.Mode == CPU {
		first = 1
		e.lane = e.builtin(spirv.BuiltInSubgroupLocalInvocationID, u32)
		sub = e.builtin(spirv.BuiltInSubgroupID, u32)
		sub = e.makeUniform(sub, per-1)
		bound := 65535
		most := max(e.mod.Items, e.mod.Most)
		if most > 0 {
			bound = min(bound, (most+per-1)/per)
		}
		wx = e.makeUniform(wx, bound)
		if most == 0 || most > 65535*per {
			wy = e.makeUniform(wy, 4095)
		} else {
			wy = 0
		}
		for i := 0; i < e.T.Lanes; i++ {
			e.eq = append(e.eq, e.val(spirv.OpIEqual, m.Bool(), e.lane, m.ConstU32(uint32(i))))
		}
		e.lane64 = e.val(spirv.OpUConvert, m.U64(), e.lane)
		e.addr = make([]spirv.ID, len(e.mod.Operands))
		for op := range e.addr {
			if e.mod.addressed(op) {
				e.addr[op] = e.val(spirv.OpBitcast, m.U64(), e.pushMember(first, m.Vec(u32, 2)))
				first++
			}
		}
	} else {
		e.local = e.builtin(spirv.BuiltInLocalInvocationIndex, u32)
		e.lane = e.val(spirv.OpBitwiseAnd, u32, e.local, m.ConstU32(uint32(e.T.Lanes-1)))
		sub = e.val(spirv.OpUDiv, u32, e.local, m.ConstU32(uint32(e.T.Lanes)))
	}
	group := U{id: wx}
	if wy != 0 {
		gx := e.pushMember(first+1, u32)
		group = U{id: e.val(spirv.OpIAdd, u32, e.val(spirv.OpIMul, u32, wy, gx), wx)}
	}
	raw := e.AddU(e.MulU(group, per), U{id: sub})
	if e.mod.Whole {
		e.item = raw
		return
	}
	if e.mod.Items > 0 {
		e.items = e.C(e.mod.Items)
	} else {
		e.items = U{id: e.pushMember(first, u32)}
	}
	if e.mod.Items > 0 && e.mod.Items%per == 0 && e.mod.Items/per <= 65535 {
		e.item = raw
		return
	}
	e.valid = e.LtU(raw, e.items)
	last := e.uid(e.AddU(e.items, e.C(-1)))
	e.item = U{id: e.ext(spirv.GLSLUMin, u32, e.uid(raw), last)}
}

func (e *E) finish() {
	e.f.End()
	e.m.EntryPoint(e.f.ID, "main", e.iface, e.T.Group, 1, 1)
}

func (e *E) ext(inst uint32, t spirv.ID, a ...spirv.ID) spirv.ID {
	w := []uint32{uint32(e.m.GLSL()), inst}
	for _, x := range a {
		w = append(w, uint32(x))
	}
	return e.f.Val(spirv.OpExtInst, t, w...)
}

// memoKey identifies a value by the kind of operation and its arguments.
type memoKey struct {
	op   string
	args [4]int
}

func keyOf(op string, args ...int) (k memoKey) {
	k.op = op
	copy(k.args[:], args)
	return k
}

// memo returns the id stored under key in this block or one around it. If there is none, it calls
// make and stores its result.
func (e *E) memo(key memoKey, make func() spirv.ID) spirv.ID {
	for i := len(e.scopes) - 1; i >= 0; i-- {
		if id, ok := e.scopes[i][key]; ok {
			return id
		}
	}
	id := make()
	e.scopes[len(e.scopes)-1][key] = id
	return id
}

func (e *E) enter() { e.scopes = append(e.scopes, map[memoKey]spirv.ID{}) }
func (e *E) leave() { e.scopes = e.scopes[:len(e.scopes)-1] }

// Item is the index of this work item. Work items beyond the last one get the last one's index:
// they compute the same and their stores are dropped.
func (e *E) Item() U { return e.item }

// Scalar is the i-th scalar of the push constants.
func (e *E) Scalar(i int) U {
	first := 2
	if e.T.Mode == CPU {
		first += 1 + e.mod.count(e.mod.addressed)
	}
	return U{id: e.memo(keyOf("scalar", i), func() spirv.ID { return e.pushMember(first+i, e.m.U32()) })}
}

// If runs body for the work items for which cond holds. It should contain stores only: in the CPU
// lowering a load inside a branch is slow.
func (e *E) If(cond B, body func()) {
	then, merge := e.m.NewID(), e.m.NewID()
	e.f.Do(spirv.OpSelectionMerge, uint32(merge), 0)
	e.f.Do(spirv.OpBranchConditional, uint32(cond), uint32(then), uint32(merge))
	e.f.Label(then)
	e.enter()
	body()
	e.leave()
	e.f.Do(spirv.OpBranch, uint32(merge))
	e.f.Label(merge)
}

// Stores runs body, which contains the stores of the work item, unless the item is beyond the last
// one.
func (e *E) Stores(body func()) {
	if e.valid == 0 {
		body()
		return
	}
	e.If(e.valid, body)
}

// Loop runs body for i = 0 to n-1. The CPU lowering unrolls it, the GPU lowering makes a real loop.
// Values that iterations pass on must be in Vars.
func (e *E) Loop(n int, body func(i U)) {
	if e.T.Mode == CPU || n <= 1 {
		for i := 0; i < n; i++ {
			body(e.C(i))
		}
		return
	}
	m, u32 := e.m, e.m.U32()
	v := e.f.Var(m.Pointer(spirv.ClassFunction, u32))
	e.f.Do(spirv.OpStore, uint32(v), uint32(m.ConstU32(0)))
	header, cond, blk, cont, merge := m.NewID(), m.NewID(), m.NewID(), m.NewID(), m.NewID()
	e.f.Do(spirv.OpBranch, uint32(header))
	e.f.Label(header)
	e.f.Do(spirv.OpLoopMerge, uint32(merge), uint32(cont), 0)
	e.f.Do(spirv.OpBranch, uint32(cond))
	e.f.Label(cond)
	i := e.val(spirv.OpLoad, u32, v)
	lt := e.val(spirv.OpULessThan, m.Bool(), i, m.ConstU32(uint32(n)))
	e.f.Do(spirv.OpBranchConditional, uint32(lt), uint32(blk), uint32(merge))
	e.f.Label(blk)
	e.enter()
	body(U{id: i})
	e.leave()
	e.f.Do(spirv.OpBranch, uint32(cont))
	e.f.Label(cont)
	e.f.Do(spirv.OpStore, uint32(v), uint32(e.val(spirv.OpIAdd, u32, i, m.ConstU32(1))))
	e.f.Do(spirv.OpBranch, uint32(header))
	e.f.Label(merge)
}

// Var is a float32 per lane that loops may change.
type Var struct {
	e   *E
	cur F        // CPU: the current value
	v   spirv.ID // GPU: a function variable
}

// NewVar declares a Var with an initial value.
func (e *E) NewVar(init F) *Var {
	v := &Var{e: e, cur: init}
	if e.T.Mode == GPU {
		v.v = e.f.Var(e.m.Pointer(spirv.ClassFunction, e.m.F32()))
		e.f.Do(spirv.OpStore, uint32(v.v), uint32(init))
	}
	return v
}

// Get reads the variable.
func (v *Var) Get() F {
	if v.v == 0 {
		return v.cur
	}
	return v.e.val(spirv.OpLoad, v.e.m.F32(), v.v)
}

// Set writes the variable.
func (v *Var) Set(x F) {
	if v.v == 0 {
		v.cur = x
		return
	}
	v.e.f.Do(spirv.OpStore, uint32(v.v), uint32(x))
}
