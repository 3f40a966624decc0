package shaders

// Depthwise is the 3×3 depthwise convolution with zero padding. A work item computes TP
// neighbouring pixels; TP divides W. Operands: x [B,H,W,C], weights [9][C], y.
type Depthwise struct{ B, H, W, C, TP int }

// Signature implements Kernel.
func (d Depthwise) Signature(t Target) Signature {
	return Signature{
		Operands: []Access{Read, Read, Write},
		Items:    d.B * d.H * d.W / d.TP * (d.C / (t.Lanes * t.NJ(d.C))),
		Zero:     true,
	}
}

// Body implements Kernel.
func (d Depthwise) Body(e *E) {
	h, w, c, tp := d.H, d.W, d.C, d.TP
	nj := e.T.NJ(c)
	blk := e.T.Lanes * nj
	u := e.Split(e.Item(), h, w/tp, c/blk)
	cb, x0 := e.MulU(u[3], blk), e.MulU(u[2], tp)
	acc := make([][]F, tp)
	for dy := 0; dy < 3; dy++ {
		row := d.row(e, u[0], e.AddU(u[1], e.C(dy-1)), x0, cb)
		for dx := 0; dx < 3; dx++ {
			wv := e.Block(e.At(1, cb), e.C((dy*3+dx)*c), nj)
			for i := range acc {
				for j := range wv {
					p := e.Mul(wv[j], row[i+dx][j])
					if len(acc[i]) <= j {
						acc[i] = append(acc[i], p)
					} else {
						acc[i][j] = e.Add(acc[i][j], p)
					}
				}
			}
		}
	}
	o := e.AddU(e.MulU(e.AddU(e.MulU(e.AddU(e.MulU(u[0], h), u[1]), w), x0), c), cb)
	e.Stores(func() {
		for i := range acc {
			e.StoreBlock(2, e.AddU(o, e.C(i*c)), acc[i])
		}
	})
}

// row loads the channels from cb on of the pixels x0−1 … x0+TP of an input row; outside of the
// picture it gives zeros.
func (d Depthwise) row(e *E, picture, row, x0, cb U) [][]F {
	ok := e.LtU(row, e.C(d.H))
	base := e.AddU(e.MulU(e.AddU(e.MulU(e.AddU(e.MulU(picture, d.H), row), d.W), x0), d.C), cb)
	out := make([][]F, d.TP+2)
	for i := range out {
		in := e.LtU(e.AddU(x0, e.C(i-1)), e.C(d.W))
		out[i] = e.Block(e.AtIf(0, e.AddU(base, e.C((i-1)*d.C)), e.And(ok, in)), e.C(0), e.T.NJ(d.C))
	}
	return out
}

// DepthwiseGradW computes partial weight gradients [B·H·W/Cols][9][C], one for every Cols pixels of
// a picture row; ColSum adds them. Operands: x, g, partial.
type DepthwiseGradW struct{ B, H, W, C, Cols int }

// Signature implements Kernel.
func (d DepthwiseGradW) Signature(t Target) Signature {
	return Signature{
		Operands: []Access{Read, Read, Write},
		Items:    d.B * d.H * (d.W / d.Cols) * 9 * (d.C / (t.Lanes * t.NJ(d.C))),
		Zero:     true,
	}
}

// Body implements Kernel.
func (d DepthwiseGradW) Body(e *E) {
	h, w, c, cols := d.H, d.W, d.C, d.Cols
	nj := e.T.NJ(c)
	blk := e.T.Lanes * nj
	u := e.Split(e.Item(), h, w/cols, 3, 3, c/blk)
	x0, dy, dx, cb := e.MulU(u[2], cols), u[3], u[4], e.MulU(u[5], blk)
	yy := e.AddU(e.AddU(u[1], dy), e.C(-1))
	rowOK := e.LtU(yy, e.C(h))
	xr := e.AddU(e.MulU(e.AddU(e.MulU(u[0], h), yy), w), e.AddU(e.AddU(x0, dx), e.C(-1)))
	gr := e.AddU(e.MulU(e.AddU(e.MulU(u[0], h), u[1]), w), x0)
	acc := make([]*Var, nj)
	for j := range acc {
		acc[j] = e.NewVar(e.Float(0))
	}
	e.Loop(cols, func(i U) {
		ok := e.And(rowOK, e.LtU(e.AddU(e.AddU(x0, e.AddU(dx, e.C(-1))), i), e.C(w)))
		xv := e.Block(e.AtIf(0, e.AddU(e.MulU(e.AddU(xr, i), c), cb), ok), e.C(0), nj)
		gv := e.Block(e.At(1, e.AddU(e.MulU(e.AddU(gr, i), c), cb)), e.C(0), nj)
		for j := range acc {
			acc[j].Set(e.Mad(xv[j], gv[j], acc[j].Get()))
		}
	})
	part := e.AddU(e.MulU(e.AddU(e.MulU(u[0], h), u[1]), w/cols), u[2])
	o := e.AddU(e.MulU(e.AddU(e.MulU(part, 9), e.AddU(e.MulU(dy, 3), dx)), c), cb)
	e.Stores(func() {
		v := make([]F, nj)
		for j := range v {
			v[j] = acc[j].Get()
		}
		e.StoreBlock(2, o, v)
	})
}
