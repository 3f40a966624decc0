package shaders

import (
	"fmt"
	"hash/fnv"
)

// CopyShape describes a rearrangement: for every index tuple i over Dims and every position p <
// len(Tab), out[OutBase + Σ i·Out + p] = in[InBase + Σ i·In + Tab[p]]. In may be negative (flips),
// as long as all places read are inside of the input.
type CopyShape struct {
	Dims, In, Out   []int
	InBase, OutBase int
	Tab             []int
}

func (s CopyShape) key() string {
	h := fnv.New64a()
	fmt.Fprint(h, s.Tab)
	return fmt.Sprintf("%v %v %v %d %d tab %d:%x", s.Dims, s.In, s.Out, s.InBase, s.OutBase, len(s.Tab), h.Sum64())
}

// Copy rearranges elements. len(Tab) must be a multiple of Lanes. Operands: in, out.
func Copy(t Target, s CopyShape) Kernel {
	n := len(s.Tab)
	nj := t.NJ(n)
	for nj > 1 && !aligned(s, nj) {
		nj /= 2
	}
	items := 1
	for _, d := range s.Dims {
		items *= d
	}
	return Kernel{
		Name:     "copy " + s.key(),
		Operands: []Access{Read, Write},
		Items:    items, // each item copies the whole table, whose entries are compiled in
		Body:     func(e *E) { e.copyBody(s, nj) },
	}
}

// Pack rearranges weights [taps][k][n] to [taps][n/blk][k][blk], blk = len(tab), with each block in
// the order of tab. Copy can do the same, but Pack gets the sizes at run time, so that one kernel
// packs all weights. It runs longer, so it is for what is packed once. Operands: in, out. Scalars:
// 0: k, 1: n/blk. Items: taps·k·n/blk.
func Pack(t Target, tab []int) Kernel {
	n := len(tab)
	nj := t.NJ(n)
	return Kernel{
		Name:     "pack " + CopyShape{Tab: tab}.key(),
		Operands: []Access{Read, Write},
		Scalars:  2,
		Body: func(e *E) {
			out := e.Item() // [tap][block][row] → [tap][row][block]
			k, blocks := e.Scalar(0), e.Scalar(1)
			q, row := e.DivModUU(out, k)
			tap, block := e.DivModUU(q, blocks)
			in := e.AddU(e.MulUU(e.AddU(e.MulUU(tap, k), row), blocks), block)
			e.rearrange(e.At(0, e.MulU(in, n)), e.MulU(out, n), tab, nj)
		},
	}
}

func aligned(s CopyShape, n int) bool {
	if s.OutBase%n != 0 {
		return false
	}
	for _, o := range s.Out {
		if o%n != 0 {
			return false
		}
	}
	return true
}

func (e *E) copyBody(s CopyShape, nj int) {
	dims := s.Dims
	u := []U{e.Item()}
	if len(dims) > 1 {
		u = e.Split(e.Item(), dims[1:]...)
	}
	in, out := e.C(0), e.C(0)
	flip := 0
	for i := range dims {
		x := u[i]
		st := s.In[i]
		if st < 0 {
			// Uniform indices must not go below zero, so count from the far end.
			x = U{id: e.i2(opISub, e.u32(uint32(dims[i]-1)), e.uid(x))}
			flip += st * (dims[i] - 1)
			st = -st
		}
		in = e.AddU(in, e.MulU(x, st))
		out = e.AddU(out, e.MulU(u[i], s.Out[i]))
	}
	in = e.AddU(in, e.C(s.InBase+flip))
	out = e.AddU(out, e.C(s.OutBase))
	e.rearrange(e.At(0, in), out, s.Tab, nj)
}

// rearrange copies the elements that tab lists, relative to from, nj per lane at a time.
func (e *E) rearrange(from Ref, out U, tab []int, nj int) {
	for b := 0; b < len(tab); b += e.T.Lanes * nj {
		v := make([]F, nj)
		for j := range v {
			v[j] = e.Gather(from, e.C(0), func(l int) int { return tab[b+l*nj+j] })
		}
		e.Stores(func() { e.StoreBlock(1, e.AddU(out, e.C(b)), v) })
	}
}
