// Package shaders holds the compute kernels. Each is written once, as a Go
// function over the emitter E, and lowered to SPIR-V for a Target: the "cpu"
// lowering for software drivers whose fast path needs provably uniform
// addresses and straight-line code, and the portable "gpu" lowering with storage
// buffers and real loops. No shader compiler is involved, at build or run time.
package shaders

import (
	"encoding/binary"
	"fmt"
)

// Mode is a lowering.
type Mode int

const (
	// GPU is the portable lowering: storage buffers, real loops, any subgroup
	// size, no optional feature.
	GPU Mode = iota
	// CPU is the lowering for software drivers: every load has a uniform
	// address built from push constants only, all loops are unrolled, stores
	// are vectors. Needs buffer device addresses, Int64 and a fixed subgroup size.
	CPU
)

// Target says for what a kernel is lowered.
type Target struct {
	Mode  Mode
	Lanes int // channels side by side in one work item: the subgroup width (CPU), 8 (GPU)
	Group int // invocations per workgroup, a multiple of Lanes
	// NoArithmetic: the driver lacks subgroup arithmetic; sums over lanes go
	// through shared memory (the GPU lowering always does).
	NoArithmetic bool
	// Shuffle: values go from lane to lane fast, so that sums over lanes are made of shuffles (CPU).
	Shuffle bool
	// Shared is how many bytes of shared memory a kernel may use for tiles (GPU); 0: no tiles.
	Shared int
	// Matrix is the size of the device's cooperative matrices (GPU); the zero value: none.
	Matrix Matrix
	// Far: results are written by address, and may be larger than what the device binds (CPU).
	Far bool
	// Brief: the kernel runs a few times, and how long it takes to build matters more than how long it runs (CPU).
	Brief bool
}

// Matrix is the size of the cooperative matrices of a subgroup: float16 factors of M×K and K×N, float32 sums of M×N.
type Matrix struct{ M, N, K, Subgroup int }

// CPUTarget is the target for a software driver with the given subgroup width (4, 8 or 16).
func CPUTarget(lanes int) Target { return Target{Mode: CPU, Lanes: lanes, Group: 16 * lanes} }

// GPUTarget is the portable target; maxInvocations and shared, in bytes, are the device's limits.
func GPUTarget(maxInvocations, shared int) Target {
	return Target{Mode: GPU, Lanes: 8, Group: max(8, min(128, maxInvocations&^7)), Shared: shared}
}

// Key names the target for caches, in one word.
func (t Target) Key() string {
	m := t.Matrix
	return fmt.Sprintf("%d.%d.%d.%v.%v.%d.%d.%d.%d.%d.%v.%v", t.Mode, t.Lanes, t.Group, t.NoArithmetic, t.Shuffle, t.Shared, m.M, m.N, m.K, m.Subgroup, t.Far, t.Brief)
}

// Access says how a kernel uses an operand.
type Access uint8

// Operand access.
const (
	Read Access = 1 << iota
	Write
	ReadWrite = Read | Write
	// Half: the operand's values are float16 in memory (GPU lowering, for devices with 16-bit storage). Arithmetic stays float32.
	Half Access = 4
)

// Kernel is one kernel before lowering. Name must be unique among kernels with
// different bodies: it is the key of every cache.
type Kernel struct {
	Name     string
	Operands []Access // storage operands, in binding order
	Scalars  int      // number of uint32 push constants the body reads through E.Scalar
	// Items is the number of work items (Lanes invocations each) if it is fixed
	// in the kernel; 0 means it comes with the dispatch.
	Items int
	// Zero: the body needs the zero block (AtIf); one operand is added at the end.
	Zero bool
	// Subgroup is the size of subgroups that the body counts on; 0: any.
	Subgroup int
	Body     func(e *E)
}

// ZeroFloats is the size of the zero block in float32 values: no row that is
// read through AtIf may be longer.
const ZeroFloats = 1 << 14

// Module is a lowered kernel.
type Module struct {
	Name     string
	Words    []uint32
	Target   Target
	Operands []Access // with the zero block's, if it has one
	Scalars  int
	Items    int
	Zero     bool
	Subgroup int // size of the subgroups that the kernel is made for; 0: any
	tabBits  int // CPU: log2 of the length of the laundering table
}

// Bound tells whether an operand is a storage buffer binding, the operands that are in their order: all in the GPU lowering; in the CPU lowering those that are
// written, as the driver writes through bindings in two thirds of the time (unless Target.Far).
func (m *Module) Bound(op int) bool {
	return m.Target.Mode == GPU || m.Operands[op]&Write != 0 && !m.Target.Far
}

// addressed tells whether an operand's address is among the push constants: all that are read, in the CPU lowering.
func (m *Module) addressed(op int) bool {
	return m.Target.Mode == CPU && (m.Operands[op]&Read != 0 || !m.Bound(op))
}

func (m *Module) count(is func(op int) bool) (n int) {
	for op := range m.Operands {
		if is(op) {
			n++
		}
	}
	return n
}

// NumBindings is the number of storage buffer bindings.
func (m *Module) NumBindings() int { return m.count(m.Bound) }

// bindingOf is the number of a bound operand's binding.
func (m *Module) bindingOf(op int) int {
	return m.count(func(i int) bool { return i < op && m.Bound(i) })
}

// Groups gives the dispatch size for the given number of items.
func (m *Module) Groups(items, maxX int) (x, y int) {
	per := m.Target.Group / m.Target.Lanes
	n := (items + per - 1) / per
	if n <= maxX && n <= 65535 {
		return max(n, 1), 1
	}
	x = min(maxX, 65535)
	return x, (n + x - 1) / x
}

// PushBytes is the size of the push-constant block.
func (m *Module) PushBytes() int {
	n := 8 + 4*m.Scalars
	if m.Target.Mode == CPU {
		n += 4<<m.tabBits + 8*m.count(m.addressed)
	}
	return n
}

// Push builds the push-constant block: addr are all operands' device addresses
// (ignored in the GPU lowering), gx the dispatch's x size.
func (m *Module) Push(addr []uint64, scalars []uint32, items, gx int) []byte {
	b := make([]byte, 0, m.PushBytes())
	if m.Target.Mode == CPU {
		for i := 0; i < 1<<m.tabBits; i++ {
			b = binary.LittleEndian.AppendUint32(b, uint32(i))
		}
		for op, a := range addr {
			if m.addressed(op) {
				b = binary.LittleEndian.AppendUint64(b, a)
			}
		}
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(items))
	b = binary.LittleEndian.AppendUint32(b, uint32(gx))
	for _, s := range scalars {
		b = binary.LittleEndian.AppendUint32(b, s)
	}
	return b
}

// MaxPush is the push-constant size every Vulkan device offers.
const MaxPush = 128

// Emit lowers a kernel. It fails if the kernel does not fit the target's limits.
func Emit(k Kernel, t Target) (m *Module, err error) {
	defer func() {
		if r := recover(); r != nil {
			if ee, ok := r.(emitError); ok {
				m, err = nil, fmt.Errorf("shaders: kernel %s: %s", k.Name, string(ee))
				return
			}
			panic(r)
		}
	}()
	m = &Module{Name: k.Name, Target: t, Operands: append([]Access{}, k.Operands...), Scalars: k.Scalars, Items: k.Items, Zero: k.Zero, Subgroup: k.Subgroup, tabBits: 4}
	if k.Zero {
		m.Operands = append(m.Operands, Read)
	}
	if m.PushBytes() > MaxPush {
		m.tabBits = 3
	}
	if n := m.PushBytes(); n > MaxPush {
		return nil, fmt.Errorf("shaders: kernel %s needs %d bytes of push constants, more than %d", k.Name, n, MaxPush)
	}
	e := newE(k, m)
	k.Body(e)
	e.finish()
	m.Words = e.m.Words()
	return m, nil
}

type emitError string

func fail(format string, a ...any) { panic(emitError(fmt.Sprintf(format, a...))) }
