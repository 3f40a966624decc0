package shaders

import "fmt"

// rowValues is the least number of values per lane that a row kernel of the CPU lowering works on,
// if there are enough pixels. A work item then takes several pixels, so it loads the operands they
// share, and computes its position, only once.
const rowValues = 16

// rowPixels returns the number of pixels per work item: a divisor of p, the pixels of a picture.
func rowPixels(t Target, c, p int) int {
	if t.FastBuild || t.Mode == GPU {
		// On GPUs sums over lanes use shared memory, and many small work items keep the GPU busy.
		return 1
	}
	most := rowValues * t.Lanes / c
	return Divisor(p, min(most, 4), min(most, 2))
}

// rowKernel makes the kernels that need all C channels of a pixel at once. The operands are inputs
// [pixels][C], further inputs of post, and the output. If pre has a Fn, it computes the last input
// from operands of its own, which replace that input. fn maps the inputs [input][value] of a pixel
// to the values of the output.
func rowKernel(t Target, name string, inputs int, pre Expr, pixels, c int, post Expr, p int, fn func(e *E, in [][]F) []F) Kernel {
	nj := t.NJ(c)
	blk := t.Lanes * nj
	tp := rowPixels(t, c, p)
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
		Items:    pixels / tp,
		Body: func(e *E) {
			p0 := e.MulU(e.Item(), tp)
			base := e.MulU(p0, c)
			tl := Tile{C: c, P: p, NJ: nj, TP: tp}
			in := make([][][]F, tp) // [pixel][input][value]
			for j := range in {
				for i := range plain {
					var v []F
					for b := 0; b < c; b += blk {
						v = append(v, e.Block(e.At(i, base), e.C(j*c+b), nj)...)
					}
					in[j] = append(in[j], v)
				}
			}
			if pre.Fn != nil {
				v := make([][]F, tp)
				for b := 0; b < c; b += blk {
					args := make([][][]F, len(pre.In))
					for i, pat := range pre.In {
						args[i] = e.loadOperand(pat, plain+i, tl, p0, e.C(b))
					}
					for j, x := range apply(e, pre, args, tl) {
						v[j] = append(v[j], x...)
					}
				}
				for j := range in {
					in[j] = append(in[j], v[j])
				}
			}
			out := make([][]F, tp)
			for j := range out {
				out[j] = fn(e, in[j])
			}
			for b := 0; b < c/blk && post.Fn != nil; b++ {
				first := make([][]F, tp)
				for j := range first {
					first[j] = out[j][b*nj : b*nj+nj]
				}
				args := [][][]F{first}
				for i, pat := range post.In[1:] {
					args = append(args, e.loadOperand(pat, inputs+i, tl, p0, e.C(b*blk)))
				}
				for j, x := range apply(e, post, args, tl) {
					copy(out[j][b*nj:], x)
				}
			}
			e.Stores(func() {
				for j := range out {
					for b := 0; b < c/blk; b++ {
						e.StoreBlock(inputs+extra, e.AddU(base, e.C(j*c+b*blk)), out[j][b*nj:b*nj+nj])
					}
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

// moments returns the mean of x over the c channels, and 1/√(var + eps).
func (e *E) moments(x []F, c int, eps float64) (mean, r F) {
	inv := e.Float(1 / float64(c))
	mean = e.Mul(e.LaneSum(e.sum(x)), inv)
	sq := make([]F, len(x))
	for i := range x {
		d := e.Sub(x[i], mean)
		sq[i] = e.Mul(d, d)
	}
	return mean, e.Rsqrt(e.Add(e.Mul(e.LaneSum(e.sum(sq)), inv), e.Float(eps)))
}

// normalise returns (x − mean)/√(var + eps) over the channels, and the factor 1/√(var + eps).
func (e *E) normalise(x []F, c int, eps float64) ([]F, F) {
	mean, r := e.moments(x, c, eps)
	d := make([]F, len(x))
	for i := range x {
		d[i] = e.Mul(e.Sub(x[i], mean), r)
	}
	return d, r
}

// LayerNorm normalises every pixel over its channels and applies post to the result (its first
// input). Operands: x, post's further inputs…, y.
func LayerNorm(t Target, pixels, c int, eps float64, post Expr, p int) Kernel {
	return rowKernel(t, fmt.Sprintf("layernorm %g", eps), 1, Expr{}, pixels, c, post, p, func(e *E, in [][]F) []F {
		y, _ := e.normalise(in[0], c, eps)
		return y
	})
}

// LayerNormGrad is the Jacobian of LayerNorm at x times v. The Jacobian is symmetric, so this
// serves VJP and JVP. v may be computed by an expression, pre. Operands: x, v or pre.In…, post's
// further inputs…, out.
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

// Softmax is the softmax over the channels of every pixel. Operands: x, y.
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
