package bench

import (
	"math/rand/v2"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/shaders"
)

const (
	chains = 12 // independent sums per lane: enough to hide the latency, few enough to stay in registers
	turns  = 32 // multiply-adds per chain in one kernel, unrolled on CPUs; with longer ones compiling takes over
)

// peakKernel is y = a chain of multiply-adds on values that only the memory knows, so that nothing can be computed ahead.
// Operands: 3·Lanes inputs, one block of Lanes outputs per item. GPUs go through the chains `repeat` times.
func peakKernel(t shaders.Target, items, repeat int) shaders.Kernel {
	return shaders.Kernel{
		Name: "peak", Operands: []shaders.Access{shaders.Read, shaders.Write}, Items: items,
		Body: func(e *shaders.E) {
			in := e.At(0, e.C(0))
			x, y, start := e.Vec(in, e.C(0)), e.Vec(in, e.C(t.Lanes)), e.Vec(in, e.C(2*t.Lanes))
			acc := make([]*shaders.Var, chains)
			for i := range acc {
				acc[i] = e.NewVar(e.Add(start, e.Float(float64(i)/chains)))
			}
			e.Loop(repeat, func(shaders.U) {
				for range turns {
					for _, a := range acc {
						a.Set(e.Mad(a.Get(), x, y))
					}
				}
			})
			sum := acc[0].Get()
			for _, a := range acc[1:] {
				sum = e.Add(sum, a.Get())
			}
			e.Stores(func() { e.StoreBlock(1, e.MulU(e.Item(), t.Lanes), []shaders.F{sum}) })
		},
	}
}

// Peak measures the multiply-adds per second, times two, that the device reaches when it does nothing else, on all of its cores.
func Peak(dev *gpu.Device) (float64, error) {
	_, t := compile.Targets(dev.Info().Caps)
	repeat := 1 // the CPU lowering unrolls every loop
	if t.Mode == shaders.GPU {
		repeat = 16
	}
	const items = 1 << 12
	m, err := shaders.Emit(peakKernel(t, items, repeat), t)
	if err != nil {
		return 0, err
	}
	in, err := dev.NewBuffer(int64(3*t.Lanes*4), gpu.Local)
	if err != nil {
		return 0, err
	}
	defer in.Free()
	out, err := dev.NewBuffer(int64(items*t.Lanes*4), gpu.Local)
	if err != nil {
		return 0, err
	}
	defer out.Free()
	// x near 1 and y small keep the sums ordinary numbers however long the chain.
	v := make([]float32, 3*t.Lanes)
	for i := range v {
		v[i] = []float32{0.999, 0.001, 0.5}[i/t.Lanes]
	}
	if err := dev.Write(in, 0, floatBytes(v)); err != nil {
		return 0, err
	}
	pipe, err := dev.NewPipeline(gpu.PipelineDesc{Name: m.Name, Code: m.Words, Bindings: m.NumBindings(), PushBytes: m.PushBytes()})
	if err != nil {
		return 0, err
	}
	defer pipe.Free()
	x, y := m.Groups(items, dev.Info().Caps.MaxGroups[0])
	push := m.Push([]uint64{in.Address(), out.Address()}, nil, items, x)
	bind := []gpu.Range{{Buf: in, Size: in.Size()}, {Buf: out, Size: out.Size()}}
	if t.Mode == shaders.CPU {
		bind = nil
	}
	// As many dispatches as take about 50 ms, found by doubling.
	for n := 1; ; n *= 2 {
		c, err := dev.NewCommands()
		if err != nil {
			return 0, err
		}
		for range n {
			c.Dispatch(pipe, bind, push, x, y, 1)
			c.Barrier()
		}
		if err := c.End(); err != nil {
			c.Free()
			return 0, err
		}
		began := time.Now()
		err = dev.Run(c)
		if err == nil && time.Since(began) < 50*time.Millisecond && n < 1<<16 {
			c.Free()
			continue
		}
		var sec float64
		if err == nil {
			sec, err = best(func() error { return dev.Run(c) })
		}
		c.Free()
		return 2 * chains * turns * float64(repeat) * float64(t.Lanes) * items * float64(n) / sec, err
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
