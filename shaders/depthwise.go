package shaders

import "fmt"

// Depthwise is the 3×3 depthwise convolution with zero padding. A work item computes tp
// neighbouring pixels; tp divides w. Operands: x [b,h,w,c], weights [9][c], y.
func Depthwise(t Target, b, h, w, c, tp int) Kernel {
	nj := t.NJ(c)
	blk := t.Lanes * nj
	return Kernel{
		Name:     fmt.Sprintf("depthwise %d,%d,%d,%d,%d", b, h, w, c, tp),
		Operands: []Access{Read, Read, Write},
		Items:    b * h * w / tp * (c / blk),
		Zero:     true,
		Body: func(e *E) {
			u := e.Split(e.Item(), h, w/tp, c/blk)
			cb, x0 := e.MulU(u[3], blk), e.MulU(u[2], tp)
			acc := make([][]F, tp)
			for dy := 0; dy < 3; dy++ {
				row := e.depthwiseRow(u[0], u[1], x0, cb, dy, h, w, c, tp, nj)
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
		},
	}
}

// depthwiseRow loads the pixels x0−1 … x0+tp of input row y+dy−1; outside of the picture it gives
// zeros.
func (e *E) depthwiseRow(b, y, x0, cb U, dy, h, w, c, tp, nj int) [][]F {
	yy := e.AddU(y, e.C(dy-1))
	ok := e.LtU(yy, e.C(h))
	base := e.AddU(e.MulU(e.AddU(e.MulU(e.AddU(e.MulU(b, h), yy), w), x0), c), cb)
	out := make([][]F, tp+2)
	for i := range out {
		in := e.LtU(e.AddU(x0, e.C(i-1)), e.C(w))
		out[i] = e.Block(e.AtIf(0, e.AddU(base, e.C((i-1)*c)), e.And(ok, in)), e.C(0), nj)
	}
	return out
}

// DepthwiseGradW computes partial weight gradients [b·h][9][c], one per picture row; ColSum adds
// them. Rows longer than 64 pixels are split into parts of cols pixels, which gives
// [b·h·w/cols][9][c]. Operands: x, g, partial.
func DepthwiseGradW(t Target, b, h, w, c, cols int) Kernel {
	nj := t.NJ(c)
	blk := t.Lanes * nj
	return Kernel{
		Name:     fmt.Sprintf("depthwisegradw %d,%d,%d,%d,%d", b, h, w, c, cols),
		Operands: []Access{Read, Read, Write},
		Items:    b * h * (w / cols) * 9 * (c / blk),
		Zero:     true,
		Body: func(e *E) {
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
		},
	}
}
