package shaders

import "math"

// ColSum adds rows, Sum at a time: in [Groups][Rows][X] → out [Groups][⌈Rows/Sum⌉][X]. A lane adds
// NJ neighbours. Operands: in, out. With Unpack the input's channels are in the order that GradW
// leaves, in blocks of Lanes·NJ.
type ColSum struct {
	Groups, Rows, X int
	Sum, NJ         int
	Unpack          bool
}

// Parts is the number of sums in a group.
func (c ColSum) Parts() int { return (c.Rows + c.Sum - 1) / c.Sum }

// Signature implements Kernel.
func (c ColSum) Signature(t Target) Signature {
	return Signature{
		Operands: []Access{Read, Write},
		Items:    c.Groups * c.Parts() * (c.X / (t.Lanes * c.NJ)),
		Zero:     c.Rows%c.Sum != 0,
	}
}

// Body implements Kernel.
func (c ColSum) Body(e *E) {
	t, r, x, s, nj, unpack := e.T, c.Rows, c.X, c.Sum, c.NJ, c.Unpack
	rc, blk := c.Parts(), t.Lanes*nj
	u := e.Split(e.Item(), rc, x/blk)
	row0, cb := e.MulU(u[1], s), e.MulU(u[2], blk)
	base := e.AddU(e.MulU(e.AddU(e.MulU(u[0], r), row0), x), cb)
	acc := make([]*Var, nj)
	for j := range acc {
		acc[j] = e.NewVar(e.Float(0))
	}
	e.Loop(s, func(i U) {
		at := e.AddU(base, e.MulU(i, x))
		ref := e.At(0, at)
		if r%s != 0 {
			ref = e.AtIf(0, at, e.LtU(e.AddU(row0, i), e.C(r)))
		}
		var v []F
		switch {
		case unpack && t.Mode == CPU:
			for j := 0; j < nj; j++ {
				v = append(v, e.Gather(ref, e.C(0), func(l int) int { c := l*nj + j; return c%t.Lanes*nj + c/t.Lanes }))
			}
		case t.interleaves(): // interleave only once, when the sums are stored
			v = e.Packed(ref, e.C(0), nj)
		default:
			v = e.Block(ref, e.C(0), nj)
		}
		for j := range acc {
			acc[j].Set(e.Add(acc[j].Get(), v[j]))
		}
	})
	o := e.AddU(e.MulU(e.AddU(e.MulU(u[0], rc), u[1]), x), cb)
	e.Stores(func() {
		v := make([]F, nj)
		for j := range v {
			v[j] = acc[j].Get()
		}
		if unpack || !t.interleaves() {
			e.StoreBlock(1, o, v)
		} else {
			e.StoreVectors(1, o, v)
		}
	})
}

// RowSum adds along rows, Sum·Lanes values at a time: in [Rows][N] → out [Rows][⌈N/(Sum·Lanes)⌉]. N
// may be any number. Operands: in, out.
type RowSum struct{ Rows, N, Sum int }

// Parts is the number of sums in a row.
func (r RowSum) Parts(t Target) int { return (r.N + r.Sum*t.Lanes - 1) / (r.Sum * t.Lanes) }

// Signature implements Kernel.
func (r RowSum) Signature(t Target) Signature {
	return Signature{Operands: []Access{Read, Write}, Items: r.Rows * r.Parts(t)}
}

// Body implements Kernel.
func (r RowSum) Body(e *E) {
	t, n, s := e.T, r.N, r.Sum
	step, nc := s*t.Lanes, r.Parts(t)
	u := e.Split(e.Item(), nc)
	start := e.MulU(u[1], step)
	row := e.MulU(u[0], n)
	acc := e.NewVar(e.Float(0))
	e.Loop(s, func(i U) {
		at := e.AddU(start, e.MulU(i, t.Lanes))
		var v F
		if n%step == 0 {
			v = e.Vec(e.At(0, e.AddU(row, at)), e.C(0))
		} else {
			v = e.vecBelow(0, row, at, n)
		}
		acc.Set(e.Add(acc.Get(), v))
	})
	sum := e.LaneSum(acc.Get())
	e.Stores(func() { e.StoreOne(1, e.AddU(e.MulU(u[0], nc), u[1]), sum) })
}

// vecBelow reads the elements at to at+Lanes-1 of the row that begins at element row; from element
// n on it gives zeros.
func (e *E) vecBelow(op int, row, at U, n int) F {
	if e.T.Mode == GPU {
		idx := e.i2(opIAdd, e.uid(at), e.lane)
		ok := e.val(opULessThan, e.m.Bool(), idx, e.u32(uint32(n)))
		in := e.val(opSelect, e.m.U32(), ok, idx, e.u32(0))
		return e.loadN(Ref{op: op, ok: ok}, e.i2(opIAdd, e.uid(row), in), 1)[0]
	}
	v := make([]F, e.T.Lanes)
	for l := range v {
		i := e.AddU(at, e.C(l))
		ok := e.LtU(i, e.C(n))
		v[l] = e.load1(e.At(op, e.AddU(row, e.SelU(ok, i, e.C(0)))), 0)
		v[l] = e.val(opSelect, e.m.F32(), ok, v[l], e.Float(0))
	}
	return e.lanes(v)
}

// MaxLogs is how many mantissas ColSumOf may multiply. Each is below 2, so the product cannot
// overflow.
const MaxLogs = 64

// ColSumOf is ColSum of a pointwise expression whose values are never stored. The rows
// [Groups][Rows][C] are the pixels of pictures of P pixels. It adds Sum of them at a time; Sum
// divides Rows. With Log it adds the logarithms: as the logarithm of the product of the mantissas,
// plus ln 2 times the sum of the exponents. That is a tenth of the work; Sum is then at most
// MaxLogs. Operands: Of.In…, out [Groups][Rows/Sum][C].
type ColSumOf struct {
	Of              Expr
	Log             bool
	Groups, Rows, C int
	Sum, NJ         int
	P               int
}

// Signature implements Kernel.
func (k ColSumOf) Signature(t Target) Signature {
	return Signature{
		Operands: append(reads(len(k.Of.In)), Write),
		Items:    k.Groups * (k.Rows / k.Sum) * (k.C / (t.Lanes * k.NJ)),
	}
}

// Body implements Kernel.
func (k ColSumOf) Body(e *E) {
	x, log, r, c, s, nj := k.Of, k.Log, k.Rows, k.C, k.Sum, k.NJ
	rc, blk, n := r/s, e.T.Lanes*nj, len(x.In)
	tl := Tile{C: c, P: k.P, NJ: nj, TP: 1}
	u := e.Split(e.Item(), rc, c/blk)
	row0, cb := e.AddU(e.MulU(u[0], r), e.MulU(u[1], s)), e.MulU(u[2], blk)
	acc, product := make([]*Var, nj), make([]*Var, nj)
	for j := range acc {
		acc[j] = e.NewVar(e.Float(0))
		if log {
			product[j] = e.NewVar(e.Float(1))
		}
	}
	e.Loop(s, func(i U) {
		in := make([][][]F, n)
		for k, pat := range x.In {
			in[k] = e.loadOperand(pat, k, tl, e.AddU(row0, i), cb)
		}
		for j, v := range apply(e, x, in, tl)[0] {
			if log {
				var m F
				m, v = e.frexp(v, 0)
				product[j].Set(e.Mul(product[j].Get(), m))
			}
			acc[j].Set(e.Add(acc[j].Get(), v))
		}
	})
	out := e.AddU(e.MulU(e.AddU(e.MulU(u[0], rc), u[1]), c), cb)
	e.Stores(func() {
		v := make([]F, nj)
		for j := range v {
			v[j] = acc[j].Get()
			if log {
				v[j] = e.Mad(v[j], e.Float(math.Ln2), e.Log(product[j].Get()))
			}
		}
		e.StoreBlock(n, out, v)
	})
}
