package shaders

import "github.com/vfmrestore/restore/shaders/spirv"

// GroupMean adds groups of Width neighbouring numbers and multiplies the sum by Scale. With Eps
// above 0 the result is 1/√(sum·Scale + Eps). It is stored at every member of the group: [N] → [N].
// N is a multiple of Width and of 8. It works in the portable lowering only, where lanes have
// addresses of their own. Operands: in, out.
type GroupMean struct {
	N, Width   int
	Scale, Eps float64
}

// Signature implements Kernel.
func (k GroupMean) Signature(t Target) Signature {
	return Signature{Operands: []Access{Read, Write}, Items: k.N / t.Lanes}
}

// Body implements Kernel.
func (k GroupMean) Body(e *E) {
	if e.T.Mode != GPU {
		fail("lanes have no addresses of their own here")
	}
	p := e.i2(opIAdd, e.uid(e.MulU(e.Item(), e.T.Lanes)), e.lane)
	width := e.u32(uint32(k.Width))
	first := e.i2(spirv.OpIMul, e.i2(spirv.OpUDiv, p, width), width)
	sum := e.NewVar(e.Float(0))
	e.Loop(k.Width, func(i U) {
		sum.Set(e.Add(sum.Get(), e.loadN(e.At(0, e.C(0)), e.i2(opIAdd, first, e.uid(i)), 1)[0]))
	})
	v := e.Mul(sum.Get(), e.Float(k.Scale))
	if k.Eps > 0 {
		v = e.Rsqrt(e.Add(v, e.Float(k.Eps)))
	}
	e.Stores(func() { e.storeLane(1, p, v) })
}
