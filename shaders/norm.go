package shaders

import "math"

// rowValues is the least number of values per lane that a row kernel of the CPU lowering works on,
// if there are enough pixels. A work item then takes several pixels, so it loads the operands they
// share, and computes its position, only once.
const rowValues = 16

// Rows is the geometry of the kernels that need all C channels of a pixel at once.
type Rows struct {
	Pixels, C int
	P         int // pixels per picture
}

// perItem returns the number of pixels per work item: a divisor of P.
func (r Rows) perItem(t Target) int {
	if t.FastBuild || t.Mode == GPU {
		// On GPUs sums over lanes use shared memory, and many small work items keep the GPU busy.
		return 1
	}
	most := rowValues * t.Lanes / r.C
	return Divisor(r.P, min(most, 4), min(most, 2))
}

// signature returns the signature of a kernel with the given number of inputs [pixels][C]. pre, if
// there is one, computes the last of them from operands of its own, which replace it.
func (r Rows) signature(t Target, inputs int, pre, post Expr) Signature {
	if !pre.IsNone() {
		inputs += len(pre.In) - 1
	}
	return Signature{Operands: append(reads(inputs+post.more()), Write), Items: r.Pixels / r.perItem(t)}
}

// rows emits a kernel with the given signature. The operands are the inputs, further inputs of
// post, and the output. fn maps the inputs [input][value] of a pixel to the values of the output.
func (e *E) rows(r Rows, inputs int, pre, post Expr, fn func(in [][]F) []F) {
	c, tp := r.C, r.perItem(e.T)
	nj := e.T.NJ(c)
	blk := e.T.Lanes * nj
	plain := inputs
	if !pre.IsNone() {
		plain = inputs - 1
		inputs = plain + len(pre.In)
	}
	p0 := e.MulU(e.Item(), tp)
	base := e.MulU(p0, c)
	tl := Tile{C: c, P: r.P, NJ: nj, TP: tp}
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
	if !pre.IsNone() {
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
		out[j] = fn(in[j])
	}
	for b := 0; b < c/blk && !post.IsNone(); b++ {
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
				e.StoreBlock(inputs+post.more(), e.AddU(base, e.C(j*c+b*blk)), out[j][b*nj:b*nj+nj])
			}
		}
	})
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

// LayerNorm normalises every pixel over its channels and applies Post to the result (its first
// operand). Operands: x, Post's further operands…, y.
type LayerNorm struct {
	Rows
	Eps  float64 // added to the variance
	Post Expr
}

// Signature implements Kernel.
func (l LayerNorm) Signature(t Target) Signature { return l.signature(t, 1, Expr{}, l.Post) }

// Body implements Kernel.
func (l LayerNorm) Body(e *E) {
	e.rows(l.Rows, 1, Expr{}, l.Post, func(in [][]F) []F {
		y, _ := e.normalise(in[0], l.C, l.Eps)
		return y
	})
}

// LayerNormGrad is the Jacobian of LayerNorm at x times v. The Jacobian is symmetric, so this
// serves VJP and JVP. v may be computed by an expression, Pre. Operands: x, v or Pre.In…, Post's
// further operands…, out.
type LayerNormGrad struct {
	Rows
	Eps       float64
	Pre, Post Expr
}

// Signature implements Kernel.
func (l LayerNormGrad) Signature(t Target) Signature { return l.signature(t, 2, l.Pre, l.Post) }

// Body implements Kernel.
func (l LayerNormGrad) Body(e *E) {
	e.rows(l.Rows, 2, l.Pre, l.Post, func(in [][]F) []F {
		y, r := e.normalise(in[0], l.C, l.Eps)
		inv := e.Float(1 / float64(l.C))
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
type Softmax struct{ Rows }

// Signature implements Kernel.
func (s Softmax) Signature(t Target) Signature { return s.signature(t, 1, Expr{}, Expr{}) }

// Body implements Kernel. The largest value is subtracted before the exponentials, so that none
// overflows.
func (s Softmax) Body(e *E) {
	if e.T.Mode == GPU {
		e.softmaxLoops(s.C)
		return
	}
	e.rows(s.Rows, 1, Expr{}, Expr{}, func(in [][]F) []F {
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

// softmaxLoops is Softmax with loops over the row, which may have any length. It reads the row
// three times and keeps no more than NJ of its values.
func (e *E) softmaxLoops(c int) {
	nj := e.T.NJ(c)
	blk := e.T.Lanes * nj
	row := e.At(0, e.MulU(e.Item(), c))
	each := func(body func(at U, v []F)) {
		e.Loop(c/blk, func(i U) {
			at := e.MulU(i, blk)
			body(at, e.Block(row, at, nj))
		})
	}
	most := e.NewVar(e.Float(-math.MaxFloat32))
	each(func(_ U, v []F) {
		for _, x := range v {
			most.Set(e.Max(most.Get(), x))
		}
	})
	top := e.LaneMax(most.Get())
	total := e.NewVar(e.Float(0))
	each(func(_ U, v []F) {
		for _, x := range v {
			total.Set(e.Add(total.Get(), e.Exp(e.Sub(x, top))))
		}
	})
	r := e.Div(e.Float(1), e.LaneSum(total.Get()))
	out := e.MulU(e.Item(), c)
	each(func(at U, v []F) {
		for j, x := range v {
			v[j] = e.Mul(e.Exp(e.Sub(x, top)), r)
		}
		e.Stores(func() { e.StoreBlock(1, e.AddU(out, at), v) })
	})
}
