package shaders

import "fmt"

// BlurShape describes a valid correlation of planes with one large kernel per
// picture: y[b,p,i,j] = Σ k[b,u,v]·x[b,p,i+u,j+v], i < OH, j < OW.
type BlurShape struct {
	B, Planes, IH, IW int
	OH, OW            int
	KH, KW, KStride   int  // kernel rows are KStride elements apart
	Flip              bool // use k[b,KH−1−u,KW−1−v]
	Rows              int  // kernel rows per dispatch; divides KH
	NX                int  // vectors of Lanes pixels per item; Lanes·NX divides OW
}

// Chunks is the number of dispatches that cover the kernel.
func (s BlurShape) Chunks() int { return s.KH / s.Rows }

// Blur adds the contribution of kernel rows u0 … u0+Rows−1 to start. Operands:
// x, k, start, y. Scalars: 0: u0, 1: 1 to add to start (of y's shape), 0 to
// begin at the zeros that start then points to.
func Blur(t Target, s BlurShape) Kernel {
	step := t.Lanes * s.NX
	return Kernel{
		Name:     fmt.Sprintf("blur %+v", s),
		Operands: []Access{Read, Read, Read, Write},
		Scalars:  2,
		Items:    s.B * s.OH * (s.OW / step),
		Body: func(e *E) {
			u := e.Split(e.Item(), s.OH, s.OW/step)
			u0, x0 := e.Scalar(0), e.MulU(u[2], step)
			acc := make([][]*Var, s.Planes)
			outAt := func(p int) U {
				return e.AddU(e.MulU(e.AddU(e.MulU(u[0], s.Planes*s.OH), e.AddU(u[1], e.C(p*s.OH))), s.OW), x0)
			}
			for p := range acc {
				for j := 0; j < s.NX; j++ {
					at := e.MulUU(e.AddU(outAt(p), e.C(j*t.Lanes)), e.Scalar(1))
					acc[p] = append(acc[p], e.NewVar(e.Vec(e.At(2, at), e.C(0))))
				}
			}
			xrow := e.AddU(e.AddU(u[1], u0), e.MulU(u[0], s.Planes*s.IH))
			for r := 0; r < s.Rows; r++ {
				var krow U
				if s.Flip {
					// Row KH−1−u0−r, counted so that nothing goes below zero.
					last := U{id: e.i2(opISub, e.u32(uint32(s.KH-1)), e.uid(u0))}
					krow = e.AddU(e.AddU(e.MulU(u[0], s.KH), last), e.C(-r))
				} else {
					krow = e.AddU(e.AddU(e.MulU(u[0], s.KH), u0), e.C(r))
				}
				kr := e.At(1, e.MulU(krow, s.KStride))
				e.Loop(s.KW, func(v U) {
					kv := v
					if s.Flip {
						kv = e.C(s.KW - 1 - v.k)
						if !v.IsConst() {
							kv = U{id: e.i2(opISub, e.u32(uint32(s.KW-1)), e.uid(v))}
						}
					}
					w := e.Broadcast(kr, kv)
					for p := range acc {
						at := e.AddU(e.MulU(e.AddU(xrow, e.C(p*s.IH+r)), s.IW), e.AddU(x0, v))
						for j := range acc[p] {
							xv := e.Vec(e.At(0, at), e.C(j*t.Lanes))
							acc[p][j].Set(e.Mad(w, xv, acc[p][j].Get()))
						}
					}
				})
			}
			e.Stores(func() {
				for p := range acc {
					for j := range acc[p] {
						e.StoreBlock(3, e.AddU(outAt(p), e.C(j*t.Lanes)), []F{acc[p][j].Get()})
					}
				}
			})
		},
	}
}
