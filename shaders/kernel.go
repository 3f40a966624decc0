// Package shaders holds the compute kernels. Each Kernel is written once, as a method over the
// emitter E, and lowered to SPIR-V for a Target. The "cpu" lowering is for software drivers, which
// are fast only with addresses that they can prove uniform and with straight-line code. The
// portable "gpu" lowering uses storage buffers and real loops. No shader compiler is involved,
// neither when building nor at run time.
package shaders

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Mode is a way of lowering kernels.
type Mode int

const (
	// GPU is the portable lowering: storage buffers, real loops, any subgroup size, no optional
	// features.
	GPU Mode = iota
	// CPU is the lowering for software drivers: every load has a uniform address computed from push
	// constants only, all loops are unrolled, and stores are vectors. It needs buffer device
	// addresses, 64-bit integers and a fixed subgroup size.
	CPU
)

// Target describes what a kernel is lowered for.
type Target struct {
	Mode  Mode
	Lanes int // neighbouring channels in one work item: the subgroup width (CPU), 8 (GPU)
	Group int // invocations per workgroup, a multiple of Lanes
	// Shuffle: subgroup shuffles are fast, so sums over lanes are made of them (CPU).
	Shuffle bool
	// Shared is how many bytes of shared memory a kernel may use for tiles (GPU). 0: no tiles.
	Shared int
	// Matrix is the size of the device's cooperative matrices (GPU). The zero value: none.
	Matrix Matrix
	// StoreByAddress: results are written through buffer addresses, so they may be larger than the
	// largest storage-buffer binding (CPU).
	StoreByAddress bool
	// FastBuild: the kernel runs only a few times, so the time it takes to build matters more than
	// its speed (CPU).
	FastBuild bool
}

// Matrix is the size of the cooperative matrices of a subgroup: float16 factors of M×K and K×N,
// float32 sums of M×N. Subgroup is the subgroup size.
type Matrix struct{ M, N, K, Subgroup int }

// CPUTarget returns the target for a software driver with the given subgroup width (4, 8 or 16).
func CPUTarget(lanes int) Target { return Target{Mode: CPU, Lanes: lanes, Group: 16 * lanes} }

// GPUTarget returns the portable target. maxInvocations and shared, in bytes, are the device's
// limits.
func GPUTarget(maxInvocations, shared int) Target {
	return Target{Mode: GPU, Lanes: 8, Group: max(8, min(128, maxInvocations&^7)), Shared: shared}
}

// Access says how a kernel uses an operand.
type Access uint8

// Kinds of access.
const (
	Read Access = 1 << iota
	Write
	ReadWrite = Read | Write
)

// Kernel is a kernel before lowering. Its type, declared at package level, is the kernel's kind;
// its fields are the sizes of its work. Body depends only on these and on the Target of E, so
// Build.Key tells kernels apart.
type Kernel interface {
	// Signature returns what the host must know to dispatch the kernel.
	Signature(t Target) Signature
	// Body emits the code of one work item.
	Body(e *E)
}

// Signature is what the host must know of a kernel.
type Signature struct {
	Operands []Access // the operands, in binding order
	Scalars  int      // number of uint32 push constants that the body reads through E.Scalar
	// Items is the number of work items (of Lanes invocations each) if the kernel fixes it. 0: it
	// is given with the dispatch.
	Items int
	// Most bounds the work items that are given with the dispatch, to what one row of workgroups
	// holds. 0: there is no bound.
	Most int
	// Whole: the work items given with the dispatch fill whole workgroups.
	Whole bool
	// Zero: the body needs the zero block (see AtIf), which becomes the last operand.
	Zero bool
	// Subgroup is the subgroup size that the body relies on. 0: any.
	Subgroup int
}

// ZeroFloats is the length of the zero block in float32 values: no row that is read through AtIf
// may be longer.
const ZeroFloats = 1 << 14

// Module is a lowered kernel.
type Module struct {
	Build
	Signature        // Operands include the zero block, if there is one
	Name      string // the key of the build
	Words     []uint32
	tabBits   int // CPU: log2 of the length of the table of makeUniform
}

// Bound reports whether an operand is a storage buffer binding. Bindings have the order of the
// operands. In the GPU lowering all operands are bound. In the CPU lowering those that are written
// are (unless Target.StoreByAddress), because the driver takes a third less time to write through a
// binding than through an address.
func (m *Module) Bound(op int) bool {
	return m.Target.Mode == GPU || m.Operands[op]&Write != 0 && !m.Target.StoreByAddress
}

// addressed reports whether an operand's address is in the push constants: in the CPU lowering, if
// the operand is read or not bound.
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

// bindingOf returns the binding number of a bound operand.
func (m *Module) bindingOf(op int) int {
	return m.count(func(i int) bool { return i < op && m.Bound(i) })
}

// Groups returns how many workgroups to dispatch in x and y for the given number of items.
func (m *Module) Groups(items, maxX int) (x, y int) {
	per := m.Target.Group / m.Target.Lanes
	n := (items + per - 1) / per
	if n <= maxX && n <= 65535 {
		return max(n, 1), 1
	}
	x = min(maxX, 65535)
	return x, (n + x - 1) / x
}

// PushBytes is the size of the push-constant block in bytes.
func (m *Module) PushBytes() int {
	n := 8 + 4*m.Scalars
	if m.Target.Mode == CPU {
		n += 4<<m.tabBits + 8*m.count(m.addressed)
	}
	return n
}

// Push builds the push-constant block. addr are the device addresses of all operands (ignored in
// the GPU lowering), gx is the x size of the dispatch.
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

// MaxPush is the size of push constants in bytes that every Vulkan device offers.
const MaxPush = 128

// Emit lowers a kernel. It fails if the kernel does not fit the target's limits.
func Emit(b Build) (m *Module, err error) {
	m = &Module{Build: b, Signature: b.Kernel.Signature(b.Target), Name: b.Key(), tabBits: 4}
	defer func() {
		if r := recover(); r != nil {
			if ee, ok := r.(emitError); ok {
				m, err = nil, fmt.Errorf("shaders: kernel %s: %s", m.Name, string(ee))
				return
			}
			panic(r)
		}
	}()
	if m.Zero {
		m.Operands = append(slices.Clone(m.Operands), Read)
	}
	if m.PushBytes() > MaxPush {
		m.tabBits = 3
	}
	if n := m.PushBytes(); n > MaxPush {
		return nil, fmt.Errorf("shaders: kernel %s needs %d bytes of push constants, more than %d", m.Name, n, MaxPush)
	}
	e := newE(m)
	b.Kernel.Body(e)
	e.finish()
	m.Words = e.m.Words()
	return m, nil
}

type emitError string

func fail(format string, a ...any) { panic(emitError(fmt.Sprintf(format, a...))) }
