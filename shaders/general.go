package shaders

import (
	"fmt"

	"github.com/vfmrestore/restore/shaders/spirv"
)

// GeneralShape describes a sum of products of one or two tensors over nested loops, each lane giving a result of its own:
//
//	to[…] = Σ in₀[…] · in₁[…]
//
// Loops 0 … len(Out)-1 run over the results, the others, Sum, are summed. Nothing is asked of the sizes, and little is done for speed: it is the way for
// shapes that no other kernel takes, such as a single channel.
type GeneralShape struct {
	Out, Sum []int // lengths of the loops
	In       []View
	To       View
}

// View is a tensor, row-major, and the place in it that belongs to a turn of the loops: a position on each of its axes. Outside of the tensor reads give 0;
// results are never outside.
type View []Place

// Place is a position on an axis: Off + Σ Times·(index of loop Loop).
type Place struct {
	Size int // of the axis
	Off  int
	Sum  []Times
}

// Times is a multiple of a loop's index.
type Times struct{ Loop, N int }

// Along is the position that a loop's index gives.
func Along(loop, size int) Place { return Place{Size: size, Sum: []Times{{loop, 1}}} }

// First is the first position of an axis, whatever the loops.
func First(size int) Place { return Place{Size: size} }

func product(n []int) int {
	p := 1
	for _, x := range n {
		p *= x
	}
	return p
}

// General computes what s describes, one result per lane. Operands: s.In…, to. For the portable lowering, in which lanes have addresses of their own.
func General(t Target, s GeneralShape) Kernel {
	n := product(s.Out)
	return Kernel{
		Name:     fmt.Sprintf("general %v", s),
		Operands: append(reads(len(s.In)), Write),
		Items:    (n + t.Lanes - 1) / t.Lanes,
		Body: func(e *E) {
			if t.Mode != GPU {
				fail("lanes have no addresses of their own here")
			}
			p := e.i2(opIAdd, e.uid(e.MulU(e.Item(), t.Lanes)), e.lane)
			in := e.val(opULessThan, e.m.Bool(), p, e.u32(uint32(n)))
			p = e.val(opSelect, e.m.U32(), in, p, e.u32(0))
			index := make([]I, len(s.Out), len(s.Out)+len(s.Sum))
			for i := len(s.Out) - 1; i >= 0; i-- {
				index[i] = p
				if i > 0 {
					index[i] = e.i2(spirv.OpUMod, p, e.u32(uint32(s.Out[i])))
					p = e.i2(spirv.OpUDiv, p, e.u32(uint32(s.Out[i])))
				}
			}
			acc := e.NewVar(e.Float(0))
			e.generalSum(s, index, copies(s.Sum), acc)
			at, _ := e.place(s, s.To, index)
			e.Stores(func() { e.If(in, func() { e.storeLane(len(s.In), at, acc.Get()) }) })
		},
	}
}

// mostTurns is how many turns the innermost loop has at most, in all: lavapipe ends loops without a
// word after 65535 turns of all loops together.
const mostTurns = 16384

// copies is how often the body of each loop stands in one turn, so that there are no more turns.
func copies(sum []int) []int {
	c, turns := make([]int, len(sum)), product(sum)
	for k := len(sum) - 1; k >= 0; k-- {
		c[k] = min(sum[k], max(1, (turns+mostTurns-1)/mostTurns))
		turns = turns / sum[k] * ((sum[k] + c[k] - 1) / c[k])
	}
	return c
}

// generalSum adds the products of the loops that are left.
func (e *E) generalSum(s GeneralShape, index []I, copies []int, acc *Var) {
	if k := len(index) - len(s.Out); k < len(s.Sum) {
		n, c := s.Sum[k], copies[k]
		one := func(i U) { e.generalSum(s, append(index, e.uid(i)), copies, acc) }
		e.Loop(n/c, func(turn U) {
			for i := range c {
				one(e.AddU(e.MulU(turn, c), e.C(i)))
			}
		})
		for i := n / c * c; i < n; i++ {
			one(e.C(i))
		}
		return
	}
	v := make([]F, len(s.In))
	for op, view := range s.In {
		at, ok := e.place(s, view, index)
		if ok != 0 {
			at = e.val(opSelect, e.m.U32(), ok, at, e.u32(0))
		}
		v[op] = e.loadN(Ref{op: op, ok: ok}, at, 1)[0]
	}
	if len(v) == 1 {
		acc.Set(e.Add(acc.Get(), v[0]))
		return
	}
	acc.Set(e.Mad(v[0], v[1], acc.Get()))
}

// place gives the element of a view, and whether it is inside (0: always).
func (e *E) place(s GeneralShape, view View, index []I) (at I, ok B) {
	at = e.u32(0)
	for _, a := range view {
		x := e.u32(uint32(int32(a.Off)))
		lo, hi := a.Off, a.Off
		for _, t := range a.Sum {
			x = e.i2(opIAdd, x, e.i2(spirv.OpIMul, index[t.Loop], e.u32(uint32(int32(t.N)))))
			last := t.N * (s.length(t.Loop) - 1)
			lo, hi = lo+min(last, 0), hi+max(last, 0)
		}
		if lo < 0 || hi >= a.Size { // below zero is beyond all sizes
			in := e.val(opULessThan, e.m.Bool(), x, e.u32(uint32(a.Size)))
			if ok == 0 {
				ok = in
			} else {
				ok = e.val(spirv.OpLogicalAnd, e.m.Bool(), ok, in)
			}
		}
		at = e.i2(opIAdd, e.i2(spirv.OpIMul, at, e.u32(uint32(a.Size))), x)
	}
	return at, ok
}

func (s GeneralShape) length(loop int) int {
	if loop < len(s.Out) {
		return s.Out[loop]
	}
	return s.Sum[loop-len(s.Out)]
}

// storeLane writes each lane's value to an element of its own (portable lowering).
func (e *E) storeLane(op int, at I, v F) {
	b, elem := e.buffer(op, 1)
	if e.mod.Operands[op]&Half != 0 {
		v = e.val(spirv.OpFConvert, elem, v)
	}
	e.storeAt(b, elem, at, v)
}
