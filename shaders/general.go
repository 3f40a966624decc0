package shaders

import (
	"github.com/vfmrestore/restore/shaders/spirv"
)

// General computes a sum of products of one or two tensors over nested loops:
//
//	to[…] = Σ in₀[…] · in₁[…]
//
// Loops 0 … len(Out)-1 run over the results; the loops Sum are summed over. Each lane computes a
// result of its own. The sizes may be any, and little is done for speed: it is for shapes that no
// other kernel can take, such as a single channel. Operands: In…, to. It works in the portable
// lowering only, where lanes have addresses of their own.
type General struct {
	Out, Sum []int // lengths of the loops
	In       []View
	To       View
}

// View is a row-major tensor and the element of it that an iteration of the loops uses: a position
// on each axis. Reads outside of the tensor give 0. Results are never outside.
type View []Place

// Place is a position on an axis: Off + Σ N·(index of loop Loop) over Sum.
type Place struct {
	Size int // length of the axis
	Off  int
	Sum  []Times
}

// Times is a multiple of a loop's index.
type Times struct{ Loop, N int }

// Along returns the position given by a loop's index.
func Along(loop, size int) Place { return Place{Size: size, Sum: []Times{{loop, 1}}} }

// First returns the first position of an axis, whatever the loops' indices.
func First(size int) Place { return Place{Size: size} }

func product(n []int) int {
	p := 1
	for _, x := range n {
		p *= x
	}
	return p
}

// Signature implements Kernel.
func (s General) Signature(t Target) Signature {
	return Signature{Operands: append(reads(len(s.In)), Write), Items: (product(s.Out) + t.Lanes - 1) / t.Lanes}
}

// Body implements Kernel.
func (s General) Body(e *E) {
	t, n := e.T, product(s.Out)
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
	e.generalSum(s, index, unrollFactors(s.Sum), acc)
	at, _ := e.place(s, s.To, index)
	e.Stores(func() { e.If(in, func() { e.storeLane(len(s.In), at, acc.Get()) }) })
}

// maxIterations is how many iterations all loops together may have: lavapipe silently ends loops
// after 65535 iterations of all loops together.
const maxIterations = 16384

// unrollFactors returns how often the body of each loop is repeated in one iteration, so that there
// are no more than maxIterations.
func unrollFactors(sum []int) []int {
	c, iterations := make([]int, len(sum)), product(sum)
	for k := len(sum) - 1; k >= 0; k-- {
		c[k] = min(sum[k], max(1, (iterations+maxIterations-1)/maxIterations))
		iterations = iterations / sum[k] * ((sum[k] + c[k] - 1) / c[k])
	}
	return c
}

// generalSum emits the loops that are left and adds the products to acc.
func (e *E) generalSum(s General, index []I, unroll []int, acc *Var) {
	if k := len(index) - len(s.Out); k < len(s.Sum) {
		n, c := s.Sum[k], unroll[k]
		one := func(i U) { e.generalSum(s, append(index, e.uid(i)), unroll, acc) }
		e.Loop(n/c, func(iteration U) {
			for i := range c {
				one(e.AddU(e.MulU(iteration, c), e.C(i)))
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

// place returns the index of the element in a view, and whether it is inside of the tensor (0: it
// always is).
func (e *E) place(s General, view View, index []I) (at I, ok B) {
	at = e.u32(0)
	for _, a := range view {
		x := e.u32(uint32(int32(a.Off)))
		lo, hi := a.Off, a.Off
		for _, t := range a.Sum {
			x = e.i2(opIAdd, x, e.i2(spirv.OpIMul, index[t.Loop], e.u32(uint32(int32(t.N)))))
			last := t.N * (s.length(t.Loop) - 1)
			lo, hi = lo+min(last, 0), hi+max(last, 0)
		}
		if lo < 0 || hi >= a.Size { // unsigned, a negative position is larger than any size
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

func (s General) length(loop int) int {
	if loop < len(s.Out) {
		return s.Out[loop]
	}
	return s.Sum[loop-len(s.Out)]
}

// storeLane writes each lane's value to its own element (portable lowering).
func (e *E) storeLane(op int, at I, v F) {
	b, elem := e.buffer(op, 1)
	if e.mod.Half.Has(op) {
		v = e.val(spirv.OpFConvert, elem, v)
	}
	e.storeAt(b, elem, at, v)
}
