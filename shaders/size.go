package shaders

import (
	"math"

	"github.com/vfmrestore/restore/shaders/spirv"
)

// Size is a size of a kernel's work: a constant of its code or, so that layers of many sizes share
// a kernel, a scalar.
type Size struct {
	U
	inverse spirv.ID // of a scalar that indices are divided by: 1/size as float32
}

// MaxDividend bounds the indices that are divided by scalars.
const MaxDividend = 1 << 21

// Fixed is a constant size.
func (e *E) Fixed(n int) Size { return Size{U: e.C(n)} }

// SizeOf is the size in scalar i.
func (e *E) SizeOf(i int) Size { return Size{U: e.Scalar(i)} }

// DivisorOf is the size in scalar i, with its inverse in scalar i+1; see AppendDivisor.
func (e *E) DivisorOf(i int) Size {
	inverse := e.memo(keyOf("inverse", i), func() spirv.ID {
		return e.val(spirv.OpBitcast, e.m.F32(), e.Scalar(i+1).id)
	})
	return Size{U: e.Scalar(i), inverse: inverse}
}

// AppendDivisor appends a size to a kernel's scalars in the form that DivisorOf reads.
func AppendDivisor(scalars []uint32, n int) []uint32 {
	return append(scalars, uint32(n), math.Float32bits(1/float32(n)))
}

// DivSize is ⌊a / n⌋. If n is a scalar, a must be below MaxDividend.
//
// There it is ⌊(a + ½)·(1/n)⌋ in float32, as software drivers divide integers lane by lane. It is
// exact: the product's relative error is below 2⁻²³, and (a + ½)/n is at least ½/n away from every
// integer.
func (e *E) DivSize(a U, n Size) U {
	if n.IsConst() {
		return e.DivU(a, n.k)
	}
	x := e.uid(a)
	return U{id: e.memo(keyOf("divsize", int(x), int(n.id)), func() spirv.ID {
		middle := e.Add(e.val(spirv.OpConvertUToF, e.m.F32(), x), e.Float(0.5))
		return e.val(spirv.OpConvertFToU, e.m.U32(), e.Mul(middle, n.inverse))
	})}
}

// SplitSize is ⌊a / n⌋ and a mod n; see DivSize.
func (e *E) SplitSize(a U, n Size) (div, mod U) {
	if n.IsConst() {
		mod = e.ModU(a, n.k)
		return e.DivU(a, n.k), mod
	}
	div = e.DivSize(a, n)
	return div, U{id: e.memo(keyOf("modsize", int(e.uid(a)), int(n.id)), func() spirv.ID {
		return e.i2(opISub, e.uid(a), e.uid(e.MulUU(div, n.U)))
	})}
}
