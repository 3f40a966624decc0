package shaders

// Blur is the kernel of a valid correlation (without padding) of planes with one large kernel per
// picture: y[b,p,i,j] = Σ k[b,u,v]·x[b,p,i+u,j+v], i < OH, j < OW.
//
// It adds the contribution of the kernel rows u0 … u0+Rows−1 to start. Operands: x, k, start, y.
// Scalar 0 is u0. Scalar 1 is 1 if start has y's shape, or 0 if the sum begins at zero; start then
// holds zeros. One load of x serves all TY rows of y that it contributes to, each with another row
// of the kernel.
type Blur struct {
	B, Planes, IH, IW int
	OH, OW            int
	KH, KW, KStride   int  // kernel rows are KStride elements apart in memory
	Flip              bool // use the kernel rotated by 180°: k[b,KH−1−u,KW−1−v]
	Rows              int  // kernel rows per dispatch
	TY                int  // rows of y per work item; divides OH
	NX                int  // vectors of Lanes pixels of a row per work item; Lanes·NX divides OW
}

// Signature implements Kernel.
func (s Blur) Signature(t Target) Signature {
	return Signature{
		Operands: []Access{Read, Read, Read, Write},
		Scalars:  2,
		Items:    s.B * s.Planes * (s.OH / s.TY) * (s.OW / (t.Lanes * s.NX)),
	}
}

// Body implements Kernel.
func (s Blur) Body(e *E) {
	t, step := e.T, e.T.Lanes*s.NX
	u := e.Split(e.Item(), s.Planes, s.OH/s.TY, s.OW/step)
	plane := e.AddU(e.MulU(u[0], s.Planes), u[1])
	y0, x0, u0 := e.MulU(u[2], s.TY), e.MulU(u[3], step), e.Scalar(0)
	out := e.AddU(e.MulU(e.AddU(e.MulU(plane, s.OH), y0), s.OW), x0)
	start := e.At(2, e.MulUU(out, e.Scalar(1)))
	acc := make([][]*Var, s.TY)
	for i := range acc {
		row := e.Plus(start, e.MulU(e.Scalar(1), i*s.OW))
		for j := 0; j < s.NX; j++ {
			acc[i] = append(acc[i], e.NewVar(e.Vec(e.Plus(row, e.MulU(e.Scalar(1), j*t.Lanes)), e.C(0))))
		}
	}
	xrow := e.AddU(e.AddU(y0, u0), e.MulU(plane, s.IH))
	kernel := make([]Ref, s.Rows)
	for r := range kernel {
		row := e.AddU(u0, e.C(r))
		if s.Flip {
			// The row is KH−1−u0−r. In this order of the terms no part goes below zero.
			row = e.AddU(U{id: e.i2(opISub, e.u32(uint32(s.KH-1)), e.uid(u0))}, e.C(-r))
		}
		kernel[r] = e.At(1, e.MulU(e.AddU(e.MulU(u[0], s.KH), row), s.KStride))
	}
	for r := 0; r < s.Rows+s.TY-1; r++ {
		at := e.AddU(e.MulU(e.AddU(xrow, e.C(r)), s.IW), x0)
		e.Loop(s.KW, func(v U) {
			kv := v
			if s.Flip {
				kv = e.C(s.KW - 1 - v.k)
				if !v.IsConst() {
					kv = U{id: e.i2(opISub, e.u32(uint32(s.KW-1)), e.uid(v))}
				}
			}
			x := make([]F, s.NX)
			for j := range x {
				x[j] = e.Vec(e.At(0, e.AddU(at, v)), e.C(j*t.Lanes))
			}
			for i := range acc {
				if k := r - i; k >= 0 && k < s.Rows {
					w := e.Broadcast(kernel[k], kv)
					for j := range x {
						acc[i][j].Set(e.Mad(w, x[j], acc[i][j].Get()))
					}
				}
			}
		})
	}
	e.Stores(func() {
		for i := range acc {
			for j := range acc[i] {
				e.StoreBlock(3, e.AddU(out, e.C(i*s.OW+j*t.Lanes)), []F{acc[i][j].Get()})
			}
		}
	})
}
