package shaders

import (
	"fmt"
	"math"
)

// ColSum adds rows, S at a time: in [G][R][X] → out [G][⌈R/S⌉][X]. Operands: in, out. With unpack
// the input's channels are in the order that GradW leaves, in blocks of Lanes·nj.
func ColSum(t Target, g, r, x, s, nj int, unpack bool) Kernel {
	rc := (r + s - 1) / s
	blk := t.Lanes * nj
	k := Kernel{
		Name:     fmt.Sprintf("colsum %d,%d,%d,%d,%d,%v", g, r, x, s, nj, unpack),
		Operands: []Access{Read, Write},
		Items:    g * rc * (x / blk),
		Zero:     r%s != 0,
	}
	k.Body = func(e *E) {
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
			if k.Zero {
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
	return k
}

// RowSum adds along rows, S·Lanes values at a time: in [G][N] → out [G][⌈N/(S·Lanes)⌉]. N may be
// any number. Operands: in, out.
func RowSum(t Target, g, n, s int) Kernel {
	step := s * t.Lanes
	nc := (n + step - 1) / step
	return Kernel{
		Name:     fmt.Sprintf("rowsum %d,%d,%d", g, n, s),
		Operands: []Access{Read, Write},
		Items:    g * nc,
		Body: func(e *E) {
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
		},
	}
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

// ColSumOf is ColSum of a pointwise expression whose values are never stored. The rows [G][R][X]
// are the pixels of pictures of p pixels. It adds s of them at a time; s divides r. With log it
// adds the logarithms: as the logarithm of the product of the mantissas, plus ln 2 times the sum of
// the exponents. That is a tenth of the work; s is then at most MaxLogs. Operands: x.In…, out
// [G][R/S][X].
func ColSumOf(t Target, x Expr, log bool, g, r, c, s, nj, p int) Kernel {
	rc, blk, n := r/s, t.Lanes*nj, len(x.In)
	tl := Tile{C: c, P: p, NJ: nj, TP: 1}
	return Kernel{
		Name:     fmt.Sprintf("colsum of %s %v %v %d,%d,%d,%d,%d,%d", x.Key, x.In, log, g, r, c, s, nj, p),
		Operands: append(reads(n), Write),
		Items:    g * rc * (c / blk),
		Body: func(e *E) {
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
		},
	}
}
