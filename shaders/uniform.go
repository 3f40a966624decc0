package shaders

import "github.com/vfmrestore/restore/shaders/spirv"

// Arithmetic on uniform integers. Constants are folded. Every result is something that a software
// driver recognises as uniform (integer arithmetic on push constants).

// C is a constant.
func (e *E) C(n int) U { return U{k: n} }

// IsConst reports whether u is known when the kernel is emitted.
func (u U) IsConst() bool { return u.id == 0 }

// uid returns u as one SPIR-V id.
func (e *E) uid(u U) spirv.ID {
	if u.id == 0 {
		return e.m.ConstU32(uint32(int32(u.k)))
	}
	if u.k == 0 {
		return u.id
	}
	return e.memo(keyOf("u", int(u.id), u.k), func() spirv.ID {
		return e.val(spirv.OpIAdd, e.m.U32(), u.id, e.m.ConstU32(uint32(int32(u.k))))
	})
}

// AddU is a + b.
func (e *E) AddU(a, b U) U {
	switch {
	case a.id == 0:
		return U{b.id, a.k + b.k}
	case b.id == 0:
		return U{a.id, a.k + b.k}
	}
	id := e.memo(keyOf("add", int(a.id), int(b.id)), func() spirv.ID { return e.val(spirv.OpIAdd, e.m.U32(), a.id, b.id) })
	return U{id, a.k + b.k}
}

// SumU is the sum of several values.
func (e *E) SumU(a ...U) U {
	s := e.C(0)
	for _, x := range a {
		s = e.AddU(s, x)
	}
	return s
}

// MulU is a · n.
func (e *E) MulU(a U, n int) U {
	if a.id == 0 || n == 0 {
		return U{k: a.k * n}
	}
	if n == 1 {
		return a
	}
	id := e.memo(keyOf("mul", int(a.id), n), func() spirv.ID {
		return e.val(spirv.OpIMul, e.m.U32(), a.id, e.m.ConstU32(uint32(int32(n))))
	})
	return U{id, a.k * n}
}

// MulUU is a · b for two run-time values.
func (e *E) MulUU(a, b U) U {
	if a.id == 0 {
		return e.MulU(b, a.k)
	}
	if b.id == 0 {
		return e.MulU(a, b.k)
	}
	x, y := e.uid(a), e.uid(b)
	return U{id: e.memo(keyOf("product", int(x), int(y)), func() spirv.ID { return e.val(spirv.OpIMul, e.m.U32(), x, y) })}
}

// DivU is ⌊a / n⌋.
func (e *E) DivU(a U, n int) U {
	if n == 1 {
		return a
	}
	if a.id == 0 {
		return U{k: a.k / n}
	}
	x := e.uid(a)
	return U{id: e.memo(keyOf("div", int(x), n), func() spirv.ID {
		if n&(n-1) == 0 {
			return e.val(spirv.OpShiftRightLogical, e.m.U32(), x, e.m.ConstU32(uint32(log2(n))))
		}
		return e.val(spirv.OpUDiv, e.m.U32(), x, e.m.ConstU32(uint32(n)))
	})}
}

// DivModUU is ⌊a / b⌋ and a mod b for a divisor b that is known only at run time (see Scalar). It
// is slow.
func (e *E) DivModUU(a, b U) (div, mod U) {
	x, y := e.uid(a), e.uid(b)
	div = U{id: e.memo(keyOf("quotient", int(x), int(y)), func() spirv.ID { return e.val(spirv.OpUDiv, e.m.U32(), x, y) })}
	return div, U{id: e.i2(opISub, x, e.uid(e.MulUU(div, b)))}
}

// ModU is a mod n.
func (e *E) ModU(a U, n int) U {
	if n == 1 {
		return U{}
	}
	if a.id == 0 {
		return U{k: a.k % n}
	}
	x := e.uid(a)
	return U{id: e.memo(keyOf("mod", int(x), n), func() spirv.ID {
		if n&(n-1) == 0 {
			return e.val(spirv.OpBitwiseAnd, e.m.U32(), x, e.m.ConstU32(uint32(n-1)))
		}
		return e.val(spirv.OpUMod, e.m.U32(), x, e.m.ConstU32(uint32(n)))
	})}
}

// Split converts a flat index to the indices of a grid: Split(i, d1, d2) returns (i/(d1·d2),
// (i/d2)%d1, i%d2).
func (e *E) Split(i U, dims ...int) []U {
	out := make([]U, len(dims)+1)
	for j := len(dims) - 1; j >= 0; j-- {
		out[j+1] = e.ModU(i, dims[j])
		i = e.DivU(i, dims[j])
	}
	out[0] = i
	return out
}

func log2(n int) int {
	l := 0
	for n > 1 {
		n >>= 1
		l++
	}
	return l
}

// LtU is a < b, unsigned. It is false if a has gone below zero, as is needed for bounds checks.
func (e *E) LtU(a, b U) B {
	x, y := e.uid(a), e.uid(b)
	return e.memo(keyOf("lt", int(x), int(y)), func() spirv.ID { return e.val(spirv.OpULessThan, e.m.Bool(), x, y) })
}

// And is a && b. An id of 0 means true.
func (e *E) And(a, b B) B {
	if a == 0 {
		return b
	}
	if b == 0 {
		return a
	}
	return e.memo(keyOf("and", int(a), int(b)), func() spirv.ID { return e.val(spirv.OpLogicalAnd, e.m.Bool(), a, b) })
}

// SelU is c ? a : b.
func (e *E) SelU(c B, a, b U) U {
	return U{id: e.val(spirv.OpSelect, e.m.U32(), c, e.uid(a), e.uid(b))}
}

// MinU is min(a, b).
func (e *E) MinU(a, b U) U { return U{id: e.ext(spirv.GLSLUMin, e.m.U32(), e.uid(a), e.uid(b))} }
