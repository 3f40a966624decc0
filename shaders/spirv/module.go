// Package spirv assembles SPIR-V modules: types, constants, decorations and instructions, in the
// order that the format requires. It knows nothing of kernels; package shaders builds those.
package spirv

import (
	"encoding/binary"
	"fmt"
	"math"
)

// ID is a SPIR-V result id; 0 is never valid.
type ID uint32

// section is one of the logical parts of a module; SPIR-V fixes their order.
type section int

const (
	secCapability section = iota
	secExtension
	secImport
	secMemory
	secEntry
	secMode
	secName
	secDecorate
	secGlobal
	secFunction
	nSections
)

// Module is a SPIR-V module under construction. Types, constants and decorations are deduplicated;
// for types the specification requires it.
type Module struct {
	version  uint32
	next     ID
	sections [nSections][]uint32
	cache    map[string]ID
	seen     map[string]bool
	glsl     ID
}

// NewModule starts a module for the given SPIR-V version, major and minor.
func NewModule(major, minor int) *Module {
	return &Module{version: uint32(major)<<16 | uint32(minor)<<8, next: 1, cache: map[string]ID{}, seen: map[string]bool{}}
}

// NewID reserves a fresh result id.
func (m *Module) NewID() ID { id := m.next; m.next++; return id }

func words(op Op, ops []uint32) []uint32 {
	if len(ops)+1 > 0xffff {
		panic(fmt.Sprintf("spirv: instruction %d has %d words", op, len(ops)+1))
	}
	return append([]uint32{uint32(len(ops)+1)<<16 | uint32(op)}, ops...)
}

func (m *Module) put(s section, op Op, ops ...uint32) {
	m.sections[s] = append(m.sections[s], uint32(len(ops)+1)<<16|uint32(op))
	m.sections[s] = append(m.sections[s], ops...)
}

// key returns an instruction as bytes.
func key(op Op, ops []uint32) []byte {
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, 64), uint32(op))
	for _, x := range ops {
		b = binary.LittleEndian.AppendUint32(b, x)
	}
	return b
}

// once emits an instruction without a result, unless the same one was emitted before.
func (m *Module) once(s section, op Op, ops ...uint32) {
	k := key(Op(s)<<16|op, ops)
	if m.seen[string(k)] {
		return
	}
	m.seen[string(k)] = true
	m.put(s, op, ops...)
}

// cached emits a deduplicated global instruction. Its result id goes to operand index at.
func (m *Module) cached(op Op, at int, ops ...uint32) ID {
	k := key(op, ops)
	if id, ok := m.cache[string(k)]; ok {
		return id
	}
	id := m.NewID()
	m.cache[string(k)] = id
	full := append(append(append([]uint32{}, ops[:at]...), uint32(id)), ops[at:]...)
	m.put(secGlobal, op, full...)
	return id
}

// String packs a literal string: zero-terminated, little endian.
func String(s string) []uint32 {
	b := append([]byte(s), 0)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	w := make([]uint32, len(b)/4)
	for i := range b {
		w[i/4] |= uint32(b[i]) << (8 * (i % 4))
	}
	return w
}

// Capability declares that the module uses capability c.
func (m *Module) Capability(c uint32) { m.once(secCapability, OpCapability, c) }

// Extension declares a SPIR-V extension.
func (m *Module) Extension(name string) { m.once(secExtension, OpExtension, String(name)...) }

// MemoryModel sets addressing and memory model.
func (m *Module) MemoryModel(addressing, model uint32) {
	m.put(secMemory, OpMemoryModel, addressing, model)
}

// EntryPoint declares fn as the compute entry point, with its interface variables and the local
// size x, y, z.
func (m *Module) EntryPoint(fn ID, name string, iface []ID, x, y, z int) {
	ops := append([]uint32{ModelGLCompute, uint32(fn)}, String(name)...)
	for _, v := range iface {
		ops = append(ops, uint32(v))
	}
	m.put(secEntry, OpEntryPoint, ops...)
	m.put(secMode, OpExecutionMode, uint32(fn), ModeLocalSize, uint32(x), uint32(y), uint32(z))
}

// Name attaches a debug name.
func (m *Module) Name(id ID, s string) {
	m.put(secName, OpName, append([]uint32{uint32(id)}, String(s)...)...)
}

// Decorate adds a decoration to id.
func (m *Module) Decorate(id ID, deco uint32, args ...uint32) {
	m.once(secDecorate, OpDecorate, append([]uint32{uint32(id), deco}, args...)...)
}

// MemberDecorate adds a decoration to a struct member.
func (m *Module) MemberDecorate(id ID, member int, deco uint32, args ...uint32) {
	m.once(secDecorate, OpMemberDecorate, append([]uint32{uint32(id), uint32(member), deco}, args...)...)
}

// Types.

func (m *Module) Void() ID           { return m.cached(OpTypeVoid, 0) }
func (m *Module) Bool() ID           { return m.cached(OpTypeBool, 0) }
func (m *Module) F32() ID            { return m.cached(OpTypeFloat, 0, 32) }
func (m *Module) F16() ID            { return m.cached(OpTypeFloat, 0, 16) }
func (m *Module) U32() ID            { return m.cached(OpTypeInt, 0, 32, 0) }
func (m *Module) U64() ID            { m.Capability(CapInt64); return m.cached(OpTypeInt, 0, 64, 0) }
func (m *Module) Vec(t ID, n int) ID { return m.cached(OpTypeVector, 0, uint32(t), uint32(n)) }

// Array returns a sized array type. With stride 0 it has no layout decoration (arrays outside of
// buffers must not have one).
func (m *Module) Array(t ID, n, stride int) ID {
	id := m.cached(OpTypeArray, 0, uint32(t), uint32(m.ConstU32(uint32(n))))
	if stride > 0 {
		m.Decorate(id, DecoArrayStride, uint32(stride))
	}
	return id
}

// RuntimeArray returns an unsized array type with the given stride in bytes.
func (m *Module) RuntimeArray(t ID, stride int) ID {
	id := m.cached(OpTypeRuntimeArray, 0, uint32(t))
	m.Decorate(id, DecoArrayStride, uint32(stride))
	return id
}

// Struct returns a new struct type. It is never deduplicated, because decorations may differ.
func (m *Module) Struct(members ...ID) ID {
	id := m.NewID()
	ops := []uint32{uint32(id)}
	for _, x := range members {
		ops = append(ops, uint32(x))
	}
	m.put(secGlobal, OpTypeStruct, ops...)
	return id
}

func (m *Module) Pointer(class uint32, t ID) ID {
	return m.cached(OpTypePointer, 0, class, uint32(t))
}

// Matrix returns the type of a cooperative matrix of the subgroup. use is MatrixA, MatrixB or
// MatrixAccumulator.
func (m *Module) Matrix(elem ID, rows, cols int, use uint32) ID {
	return m.cached(OpTypeCooperativeMatrix, 0, uint32(elem), uint32(m.ConstU32(ScopeSubgroup)), uint32(m.ConstU32(uint32(rows))), uint32(m.ConstU32(uint32(cols))), uint32(m.ConstU32(use)))
}

func (m *Module) FuncType(ret ID) ID { return m.cached(OpTypeFunction, 0, uint32(ret)) }

// Constants.

func (m *Module) ConstU32(v uint32) ID { return m.cached(OpConstant, 1, uint32(m.U32()), v) }
func (m *Module) ConstU64(v uint64) ID {
	return m.cached(OpConstant, 1, uint32(m.U64()), uint32(v), uint32(v>>32))
}
func (m *Module) ConstF32(v float32) ID {
	return m.cached(OpConstant, 1, uint32(m.F32()), math.Float32bits(v))
}
func (m *Module) ConstComposite(t ID, parts ...ID) ID {
	ops := []uint32{uint32(t)}
	for _, p := range parts {
		ops = append(ops, uint32(p))
	}
	return m.cached(OpConstantComposite, 1, ops...)
}

// GlobalVar declares a module-scope variable of pointer type t. init may be 0.
func (m *Module) GlobalVar(t ID, class uint32, init ID) ID {
	id := m.NewID()
	ops := []uint32{uint32(t), uint32(id), class}
	if init != 0 {
		ops = append(ops, uint32(init))
	}
	m.put(secGlobal, OpVariable, ops...)
	return id
}

// GLSL returns the id of the GLSL.std.450 instruction set.
func (m *Module) GLSL() ID {
	if m.glsl == 0 {
		m.glsl = m.NewID()
		m.put(secImport, OpExtInstImport, append([]uint32{uint32(m.glsl)}, String("GLSL.std.450")...)...)
	}
	return m.glsl
}

// Func is a function body under construction. Its variables are put into the first block.
type Func struct {
	m    *Module
	ID   ID
	head []uint32
	vars []uint32
	body []uint32
}

// NewFunc begins a function void() with its entry label.
func (m *Module) NewFunc() *Func {
	f := &Func{m: m, ID: m.NewID()}
	f.head = words(OpFunction, []uint32{uint32(m.Void()), uint32(f.ID), 0, uint32(m.FuncType(m.Void()))})
	f.head = append(f.head, words(OpLabel, []uint32{uint32(m.NewID())})...)
	return f
}

// Var declares a function-local variable of pointer type t.
func (f *Func) Var(t ID) ID {
	id := f.m.NewID()
	f.vars = append(f.vars, words(OpVariable, []uint32{uint32(t), uint32(id), ClassFunction})...)
	return id
}

// Do emits an instruction without a result.
func (f *Func) Do(op Op, ops ...uint32) {
	f.body = append(f.body, uint32(len(ops)+1)<<16|uint32(op))
	f.body = append(f.body, ops...)
}

// Val emits an instruction with result type t and returns the id of the result.
func (f *Func) Val(op Op, t ID, ops ...uint32) ID {
	id := f.m.NewID()
	f.body = append(f.body, uint32(len(ops)+3)<<16|uint32(op), uint32(t), uint32(id))
	f.body = append(f.body, ops...)
	return id
}

// Label starts a block. Its label was reserved by NewID.
func (f *Func) Label(id ID) { f.Do(OpLabel, uint32(id)) }

// End closes the function and adds it to the module.
func (f *Func) End() {
	f.Do(OpReturn)
	f.Do(OpFunctionEnd)
	s := &f.m.sections[secFunction]
	*s = append(append(append(*s, f.head...), f.vars...), f.body...)
}

// Words assembles the module.
func (m *Module) Words() []uint32 {
	out := []uint32{0x07230203, m.version, 0, uint32(m.next), 0}
	for _, s := range m.sections {
		out = append(out, s...)
	}
	return out
}
