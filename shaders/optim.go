package shaders

// Indices into AdamW's parameter block, whose values are float32.
const (
	HyperLR      = iota // learning rate
	HyperBeta1          // decay of the first moment
	HyperBeta2          // decay of the second moment
	HyperEps            // added to the square root of the second moment
	HyperCorr1          // 1/(1 − β₁ᵗ)
	HyperCorr2          // 1/(1 − β₂ᵗ)
	HyperEMA            // decay of the averaged weights
	HyperMaxNorm        // gradient norm above which the gradient is scaled down
	HyperDecay          // weight decay, used by kernels with Decay
	HyperLen
)

// AdamW does one optimiser step on N parameters (a multiple of 4·Lanes). It updates the parameters
// p, their moments m and v, and their running average ema in place. Operands: g, norm2 (the squared
// norm of the whole gradient, one float), hyper, p, m, v, ema.
type AdamW struct {
	N     int
	Decay bool
}

// Signature implements Kernel.
func (w AdamW) Signature(t Target) Signature {
	return Signature{
		Operands: []Access{Read, Read, Read, ReadWrite, ReadWrite, ReadWrite, ReadWrite},
		Items:    w.N / (4 * t.Lanes),
	}
}

// Body implements Kernel.
func (w AdamW) Body(e *E) {
	blk := 4 * e.T.Lanes
	h := func(i int) F { return e.Broadcast(e.At(2, e.C(0)), e.C(i)) }
	norm := e.Sqrt(e.Broadcast(e.At(1, e.C(0)), e.C(0)))
	scale := e.Min(e.Float(1), e.Div(h(HyperMaxNorm), e.Add(norm, e.Float(1e-12))))
	lr, b1, b2, ema := h(HyperLR), h(HyperBeta1), h(HyperBeta2), h(HyperEMA)
	one := e.Float(1)
	at := e.MulU(e.Item(), blk)
	load := func(op int) []F { return e.Block(e.At(op, at), e.C(0), 4) }
	g, p, m, v, a := load(0), load(3), load(4), load(5), load(6)
	shrink := one
	if w.Decay {
		shrink = e.Sub(one, e.Mul(lr, h(HyperDecay)))
	}
	c1, c2, eps := h(HyperCorr1), h(HyperCorr2), h(HyperEps)
	for j := range g {
		gs := e.Mul(g[j], scale)
		m[j] = e.Mad(b1, e.Sub(m[j], gs), gs)
		v[j] = e.Mad(b2, e.Sub(v[j], e.Mul(gs, gs)), e.Mul(gs, gs))
		step := e.Div(e.Mul(m[j], c1), e.Add(e.Sqrt(e.Mul(v[j], c2)), eps))
		p[j] = e.Sub(e.Mul(p[j], shrink), e.Mul(lr, step))
		a[j] = e.Mad(ema, e.Sub(a[j], p[j]), p[j])
	}
	e.Stores(func() {
		e.StoreBlock(3, at, p)
		e.StoreBlock(4, at, m)
		e.StoreBlock(5, at, v)
		e.StoreBlock(6, at, a)
	})
}
