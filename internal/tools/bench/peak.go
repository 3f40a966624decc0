package bench

import (
	"math/rand/v2"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/shaders"
)

const (
	chains = 12 // values per lane: enough to hide latency, few enough for registers
	unroll = 32 // unrolled turns, each a multiply-add on every chain
	turns  = 32 // of the loop
)

// peakKernel is nothing but multiply-adds in registers, aᵢ ← aᵢ·aᵢ₊₁ + y, from values that only the
// memory knows, so that nothing can be computed ahead. Every value depends on its neighbour: with
// independent chains, LLVM emits one chain after the other and the loop measures latency. Always in
// the GPU lowering, whose loads are opaque: given loads that are provably uniform, LLVM turns the
// vectors into eight copies of scalar arithmetic. Operands: Lanes values of y, Lanes of the start;
// Lanes results per item.
type peakKernel struct{ items int }

func (k peakKernel) Signature(shaders.Target) shaders.Signature {
	return shaders.Signature{Operands: []shaders.Access{shaders.Read, shaders.Write}, Items: k.items}
}

func (k peakKernel) Body(e *shaders.E) {
	t := e.T
	in := e.At(0, e.C(0))
	y, start := e.Vec(in, e.C(0)), e.Vec(in, e.C(t.Lanes))
	a := make([]*shaders.Var, chains)
	for i := range a {
		a[i] = e.NewVar(e.Add(start, e.Float(float64(i)/100)))
	}
	e.Loop(turns, func(shaders.U) {
		for range unroll {
			for i, v := range a {
				v.Set(e.Mad(v.Get(), a[(i+1)%chains].Get(), y))
			}
		}
	})
	sum := a[0].Get()
	for _, v := range a[1:] {
		sum = e.Add(sum, v.Get())
	}
	e.Stores(func() { e.StoreBlock(1, e.MulU(e.Item(), t.Lanes), []shaders.F{sum}) })
}

// Peak measures the floating-point operations per second (a multiply-add counts as two) of a loop
// of multiply-adds on all cores of the device.
func Peak(dev *gpu.Device) (float64, error) {
	info := dev.Info()
	_, t := compile.Targets(info.Caps)
	items := 1 << 17
	if info.Type == gpu.CPU {
		items = 1 << 12
	}
	m, err := shaders.Emit(shaders.Build{Kernel: peakKernel{items}, Target: t})
	if err != nil {
		return 0, err
	}
	in, err := dev.NewBuffer(int64(2*t.Lanes*4), gpu.Local)
	if err != nil {
		return 0, err
	}
	defer in.Free()
	out, err := dev.NewBuffer(int64(items*t.Lanes*4), gpu.Local)
	if err != nil {
		return 0, err
	}
	defer out.Free()
	// With y = 0.2 every chain converges to 0.276…, where a·a + y = a, so all values stay normal
	// numbers.
	v := make([]float32, 2*t.Lanes)
	for i := range v {
		v[i] = []float32{0.2, 0.1}[i/t.Lanes]
	}
	if err := dev.Write(in, 0, floatBytes(v)); err != nil {
		return 0, err
	}
	pipe, err := dev.NewPipeline(gpu.PipelineDesc{Name: m.Name, Code: m.Words,
		Bindings: m.NumBindings(), PushBytes: m.PushBytes()})
	if err != nil {
		return 0, err
	}
	defer pipe.Free()
	x, y := m.Groups(items, info.Caps.MaxGroups[0])
	push := m.Push(nil, nil, items, x)
	bind := []gpu.Range{{Buf: in, Size: in.Size()}, {Buf: out, Size: out.Size()}}
	record := func(n int) (*gpu.Commands, error) {
		c, err := dev.NewCommands()
		if err != nil {
			return nil, err
		}
		for range n {
			c.Dispatch(pipe, bind, push, x, y, 1)
			c.Barrier()
		}
		if err := c.End(); err != nil {
			c.Free()
			return nil, err
		}
		return c, nil
	}
	// Double the number of dispatches until a run takes 20 ms. The very first run builds code on
	// some drivers and does not count.
	for n := 1; ; n *= 2 {
		c, err := record(n)
		if err != nil {
			return 0, err
		}
		if n == 1 {
			err = dev.Run(c)
		}
		began := time.Now()
		if err == nil {
			err = dev.Run(c)
		}
		if err == nil && time.Since(began) < 20*time.Millisecond && n < 1<<16 {
			c.Free()
			continue
		}
		var sec float64
		if err == nil {
			sec, err = best(func() error { return dev.Run(c) })
		}
		c.Free()
		return 2 * chains * unroll * turns * float64(t.Lanes) * float64(items) * float64(n) / sec,
			err
	}
}

func random(n int) []float32 {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	v := make([]float32, n)
	for i := range v {
		v[i] = 0.1 + 0.8*r.Float32()
	}
	return v
}
