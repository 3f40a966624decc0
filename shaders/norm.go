package shaders

import "fmt"

// rowKernel is the frame of kernels that see all C channels of a pixel at once:
// inputs in0.. are [pixels][C], the last of them, if pre has a Fn, given by that
// expression of operands of its own, which stand in its place; fn maps the inputs [input][value] to the output's values.
func rowKernel(t Target, name string, inputs int, pre Expr, pixels, c int, post Expr, p int, fn func(e *E, in [][]F) []F) Kernel {
	nj := t.NJ(c)
	blk := t.Lanes * nj
	extra, plain := 0, inputs
	if post.Fn != nil {
		extra = len(post.In) - 1
	}
	if pre.Fn != nil {
		plain = inputs - 1
		inputs = plain + len(pre.In)
	}
	return Kernel{
		Name:     fmt.Sprintf("%s %d,%d pre %s %v post %s %v %d", name, pixels, c, pre.Key, pre.In, post.Key, post.In, p),
		Operands: append(reads(inputs+extra), Write),
		Items:    pixels,
		Body: func(e *E) {
			base := e.MulU(e.Item(), c)
			tl := Tile{C: c, P: p, NJ: nj, TP: 1}
			in := make([][]F, plain)
			for i := range in {
				for b := 0; b < c; b += blk {
					in[i] = append(in[i], e.Block(e.At(i, base), e.C(b), nj)...)
				}
			}
			if pre.Fn != nil {
				var v []F
				for b := 0; b < c; b += blk {
					args := make([][][]F, len(pre.In))
					for i, pat := range pre.In {
						args[i] = e.spread(pat, plain+i, tl, e.Item(), e.C(b))
					}
					v = append(v, apply(e, pre, args, tl)[0]...)
				}
				in = append(in, v)
			}
			out := fn(e, in)
			for b := 0; b < c/blk && post.Fn != nil; b++ {
				args := [][][]F{{out[b*nj : b*nj+nj]}}
				for i, pat := range post.In[1:] {
					args = append(args, e.spread(pat, inputs+i, tl, e.Item(), e.C(b*blk)))
				}
				copy(out[b*nj:], apply(e, post, args, tl)[0])
			}
			e.Stores(func() {
				for b := 0; b < c/blk; b++ {
					e.StoreBlock(inputs+extra, e.AddU(base, e.C(b*blk)), out[b*nj:b*nj+nj])
				}
			})
		},
	}
}

func (e *E) sum(v []F) F {
	s := v[0]
	for _, x := range v[1:] {
		s = e.Add(s, x)
	}
	return s
}

// normalise gives (x − mean)/√(var + eps) over the channels, and the factor 1/√….
func (e *E) normalise(x []F, c int, eps float64) ([]F, F) {
	inv := e.Float(1 / float64(c))
	mean := e.Mul(e.LaneSum(e.sum(x)), inv)
	d := make([]F, len(x))
	sq := make([]F, len(x))
	for i := range x {
		d[i] = e.Sub(x[i], mean)
		sq[i] = e.Mul(d[i], d[i])
	}
	r := e.Rsqrt(e.Add(e.Mul(e.LaneSum(e.sum(sq)), inv), e.Float(eps)))
	for i := range d {
		d[i] = e.Mul(d[i], r)
	}
	return d, r
}

// LayerNorm normalises every pixel over its channels and applies post to the
// result (its first input). Operands: x, post's further inputs…, y.
func LayerNorm(t Target, pixels, c int, eps float64, post Expr, p int) Kernel {
	return rowKernel(t, fmt.Sprintf("layernorm %g", eps), 1, Expr{}, pixels, c, post, p, func(e *E, in [][]F) []F {
		y, _ := e.normalise(in[0], c, eps)
		return y
	})
}

// LayerNormGrad is the Jacobian of LayerNorm at x times v; it is symmetric, so
// this serves VJP and JVP. v may be an expression, pre. Operands: x, v or pre.In…,
// post's further inputs…, out.
func LayerNormGrad(t Target, pixels, c int, eps float64, pre, post Expr, p int) Kernel {
	return rowKernel(t, fmt.Sprintf("layernormgrad %g", eps), 2, pre, pixels, c, post, p, func(e *E, in [][]F) []F {
		y, r := e.normalise(in[0], c, eps)
		inv := e.Float(1 / float64(c))
		v := in[1]
		prod := make([]F, len(y))
		for i := range y {
			prod[i] = e.Mul(y[i], v[i])
		}
		mv, my := e.Mul(e.LaneSum(e.sum(v)), inv), e.Mul(e.LaneSum(e.sum(prod)), inv)
		out := make([]F, len(y))
		for i := range out {
			out[i] = e.Mul(r, e.Sub(e.Sub(v[i], mv), e.Mul(y[i], my)))
		}
		return out
	})
}

// Softmax over the channels of every pixel. Operands: x, y.
func Softmax(t Target, pixels, c int) Kernel {
	return rowKernel(t, "softmax", 1, Expr{}, pixels, c, Expr{}, pixels, func(e *E, in [][]F) []F {
		x := in[0]
		top := x[0]
		for _, v := range x[1:] {
			top = e.Max(top, v)
		}
		top = e.LaneMax(top)
		ex := make([]F, len(x))
		for i := range x {
			ex[i] = e.Exp(e.Sub(x[i], top))
		}
		r := e.Div(e.Float(1), e.LaneSum(e.sum(ex)))
		for i := range ex {
			ex[i] = e.Mul(ex[i], r)
		}
		return ex
	})
}
