package shaders

// GradW computes a weight gradient, dw[tap][k][n] = Σ_p x[p+tap][k]·g[p][n]. With KH = 1 it
// is the product aᵀ·b. The sum over pixels is cut into chunks of Rows × Cols pixels, each of which
// gives one partial result. It writes these, [B·Chunks][KH·KH·Cin][N]. Operands: x, g, partial. If
// GradWPacked is true, the channels of each block of Lanes·NJ are in another order, which ColSum
// undoes with Unpack.
type GradW struct {
	ConvShape      // geometry of the forward convolution; TP and KC are not used
	KT, Rows, Cols int
	SharedG        bool // all pictures read the same g
}

// Chunks is the number of partial results per picture.
func (s GradW) Chunks() int { return (s.OH / s.Rows) * (s.OW / s.Cols) }

// Signature implements Kernel.
func (s GradW) Signature(t Target) Signature {
	kbs, nbs, taps := s.blocks(t)
	return Signature{
		Operands: []Access{Read, Read, Write},
		Items:    s.B * s.Chunks() * taps * kbs * nbs,
		Zero:     s.Pad > 0,
	}
}

// blocks returns the number of blocks of input channels, of blocks of output channels and of taps.
func (s GradW) blocks(t Target) (kbs, nbs, taps int) {
	return s.Cin / s.KT, s.N / (t.Lanes * s.NJ), s.KH * s.KH
}

// Body implements Kernel.
func (s GradW) Body(e *E) {
	t := e.T
	kbs, nbs, taps := s.blocks(t)
	rowsC, colsC := s.OH/s.Rows, s.OW/s.Cols
	u := e.Split(e.Item(), rowsC, colsC, s.KH, s.KH, nbs, kbs)
	b, y0, x0 := u[0], e.MulU(u[1], s.Rows), e.MulU(u[2], s.Cols)
	dy, dx, cb, k0 := u[3], u[4], e.MulU(u[5], t.Lanes*s.NJ), e.MulU(u[6], s.KT)
	acc := make([][]*Var, s.KT)
	for i := range acc {
		for j := 0; j < s.NJ; j++ {
			acc[i] = append(acc[i], e.NewVar(e.Float(0)))
		}
	}
	xb := b
	if s.SharedX {
		xb = e.C(0)
	}
	// The first input pixel of the chunk for this tap.
	iy0, ix0 := e.AddU(e.MulU(y0, s.Stride), dy), e.AddU(e.MulU(x0, s.Stride), dx)
	gb := b
	if s.SharedG {
		gb = e.C(0)
	}
	g0 := e.AddU(e.MulU(e.SumU(e.MulU(gb, s.OH*s.OW), e.MulU(y0, s.OW), x0), s.N), cb)
	e.Loop(s.Rows, func(r U) {
		iy := e.AddU(e.AddU(iy0, e.MulU(r, s.Stride)), e.C(-s.Pad))
		var rowOK B
		if s.Pad > 0 {
			rowOK = e.LtU(iy, e.C(s.IH))
		}
		row := e.MulU(e.AddU(e.MulU(xb, s.IH), iy), s.IW)
		var mid Ref
		e.Loop(s.Cols, func(c U) {
			ix := e.AddU(e.AddU(ix0, e.MulU(c, s.Stride)), e.C(-s.Pad))
			at := e.AddU(e.MulU(e.AddU(row, ix), s.Cin), k0)
			var x Ref
			switch {
			case s.Pad == 0:
				x = e.At(0, at)
			case t.Mode == GPU || c.k == 0 || c.k == s.Cols-1:
				x = e.AtIf(0, at, e.And(rowOK, e.LtU(ix, e.C(s.IW))))
			default: // not at an end of the row: only the row itself can be outside
				if c.k == 1 {
					mid = e.AtIf(0, at, rowOK)
				}
				x = e.Plus(mid, e.C((c.k-1)*s.Stride*s.Cin))
			}
			xv := e.broadcasts(x, s.KT)
			goff := e.AddU(g0, e.MulU(e.AddU(e.MulU(r, s.OW), c), s.N))
			gv := e.Packed(e.At(1, goff), e.C(0), s.NJ)
			for i := range xv {
				for j := range gv {
					acc[i][j].Set(e.Mad(gv[j], xv[i], acc[i][j].Get()))
				}
			}
		})
	})
	chunk := e.SumU(e.MulU(b, rowsC*colsC), e.MulU(u[1], colsC), u[2])
	tap := e.AddU(e.MulU(dy, s.KH), dx)
	o := e.AddU(e.MulU(e.AddU(e.MulU(e.AddU(e.MulU(chunk, taps), tap), s.Cin), k0), s.N), cb)
	e.Stores(func() {
		for i := range acc {
			v := make([]F, s.NJ)
			for j := range v {
				v[j] = acc[i][j].Get()
			}
			e.StoreVectors(2, e.AddU(o, e.C(i*s.N)), v)
		}
	})
}

// GradWPacked reports whether GradW writes the channels in an order of its own.
func GradWPacked(t Target) bool { return t.Mode == CPU && !t.interleaves() }

func (e *E) broadcasts(r Ref, n int) []F {
	var v []F
	for len(v) < n {
		if n-len(v) >= 4 {
			b := e.Broadcast4(r, e.C(len(v)))
			v = append(v, b[:]...)
		} else {
			v = append(v, e.Broadcast(r, e.C(len(v))))
		}
	}
	return v
}
