package shaders

import (
	"math"

	"github.com/vfmrestore/restore/shaders/spirv"
)

// Float32 arithmetic per lane. Exp, Log, Sin and Cos are our own polynomials. Drivers differ in
// accuracy (some software drivers are off by 1e-4), and a picture must come out the same on every
// device.

// Float is a constant.
func (e *E) Float(v float64) F { return e.m.ConstF32(float32(v)) }

// f2 is an operation on two values. NoContraction keeps the driver from reordering it in the CPU
// lowering. Otherwise Mesa's rules for sums would move all additions of a convolution behind its
// last product, with hundreds of values waiting in memory. Mesa makes no fused multiply-adds here
// that NoContraction could prevent.
func (e *E) f2(op spirv.Op, a, b F) F {
	x := e.val(op, e.m.F32(), a, b)
	if e.T.Mode == CPU {
		e.m.Decorate(x, spirv.DecoNoContraction)
	}
	return x
}

// Add is a + b.
func (e *E) Add(a, b F) F { return e.f2(spirv.OpFAdd, a, b) }

// Sub is a − b.
func (e *E) Sub(a, b F) F { return e.f2(spirv.OpFSub, a, b) }

// Mul is a · b.
func (e *E) Mul(a, b F) F { return e.f2(spirv.OpFMul, a, b) }

// Div is a / b.
func (e *E) Div(a, b F) F { return e.f2(spirv.OpFDiv, a, b) }

// Mad is a·b + c. The driver may or may not round in between.
func (e *E) Mad(a, b, c F) F { return e.Add(e.Mul(a, b), c) }

// Neg is −a.
func (e *E) Neg(a F) F { return e.val(spirv.OpFNegate, e.m.F32(), a) }

// Max is max(a, b).
func (e *E) Max(a, b F) F { return e.ext(spirv.GLSLFMax, e.m.F32(), a, b) }

// Min is min(a, b).
func (e *E) Min(a, b F) F { return e.ext(spirv.GLSLFMin, e.m.F32(), a, b) }

// Abs is |a|.
func (e *E) Abs(a F) F { return e.ext(spirv.GLSLFAbs, e.m.F32(), a) }

// Sqrt is √a.
func (e *E) Sqrt(a F) F { return e.ext(spirv.GLSLSqrt, e.m.F32(), a) }

// Rsqrt is 1/√a, by division: the inverse square roots of drivers may be inaccurate.
func (e *E) Rsqrt(a F) F { return e.Div(e.Float(1), e.Sqrt(a)) }

// Greater is 1 if a > b, else 0.
func (e *E) Greater(a, b F) F {
	c := e.val(spirv.OpFOrdGreaterThan, e.m.Bool(), a, b)
	return e.val(spirv.OpSelect, e.m.F32(), c, e.Float(1), e.Float(0))
}

// poly evaluates Σ c[i]·x^(n−1−i) by Horner's rule.
func (e *E) poly(x F, c ...float64) F {
	y := e.Float(c[0])
	for _, k := range c[1:] {
		y = e.Mad(y, x, e.Float(k))
	}
	return y
}

func (e *E) floor(a F) F { return e.ext(spirv.GLSLFloor, e.m.F32(), a) }

func (e *E) bits(a F) I               { return e.val(spirv.OpBitcast, e.m.U32(), a) }
func (e *E) fromBits(a I) F           { return e.val(spirv.OpBitcast, e.m.F32(), a) }
func (e *E) i2(op spirv.Op, a, b I) I { return e.val(op, e.m.U32(), a, b) }
func (e *E) u32(v uint32) I           { return e.m.ConstU32(v) }

// Exp is e^x, within 2 units in the last place for −87 ≤ x ≤ 88. Arguments outside of this range
// are clamped to it.
func (e *E) Exp(x F) F {
	x = e.Min(e.Max(x, e.Float(-87)), e.Float(88))
	n, pow := e.twoTo(e.Mul(x, e.Float(math.Log2E)))
	r := e.Mad(n, e.Float(-0.693359375), x)
	r = e.Mad(n, e.Float(2.12194440e-4), r)
	p := e.poly(r, 1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1)
	y := e.Add(e.Mad(e.Mul(r, r), p, r), e.Float(1))
	return e.Mul(y, pow)
}

// twoTo returns the whole number n nearest to x, and 2ⁿ, for −126 ≤ n ≤ 127.
func (e *E) twoTo(x F) (n, pow F) {
	// 2ⁿ is made of its exponent bits: n + 127 is between 1 and 254.
	var k I
	if e.T.Mode == CPU {
		// A float32 as large as this one has no fractional bits, so adding it rounds x. The lowest
		// bits of the sum are n + 127. This needs additions that the driver does not reorder (see
		// f2).
		const large = 3<<22 + 127
		t := e.Add(x, e.Float(large))
		n, k = e.Sub(t, e.Float(large)), e.bits(t)
	} else {
		n = e.floor(e.Add(x, e.Float(0.5)))
		k = e.val(spirv.OpConvertFToS, e.m.U32(), e.Add(n, e.Float(127)))
	}
	return n, e.fromBits(e.i2(spirv.OpShiftLeftLogical, k, e.u32(23)))
}

// Log is ln x for normal positive x, within 2 units in the last place.
func (e *E) Log(x F) F {
	m, k := e.frexp(x, -1)
	small := e.Greater(e.Float(math.Sqrt2/2), m) // 1 where m < √½
	k = e.Sub(k, small)
	m = e.Sub(e.Mad(small, m, m), e.Float(1))
	z := e.Mul(m, m)
	p := e.poly(m, 7.0376836292e-2, -1.1514610310e-1, 1.1676998740e-1, -1.2420140846e-1, 1.4249322787e-1,
		-1.6668057665e-1, 2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1)
	y := e.Mul(e.Mul(m, z), p)
	y = e.Mad(k, e.Float(-2.12194440e-4), y)
	y = e.Mad(z, e.Float(-0.5), y)
	return e.Mad(k, e.Float(0.693359375), e.Add(m, y))
}

// frexp returns m in [2^low, 2^(low+1)) and a whole number k with m·2^k = x, for normal positive x.
func (e *E) frexp(x F, low int) (m, k F) {
	b, bias := e.bits(x), 127+low
	m = e.fromBits(e.i2(spirv.OpBitwiseOr, e.i2(spirv.OpBitwiseAnd, b, e.u32(0x7fffff)), e.u32(uint32(bias)<<23)))
	k = e.val(spirv.OpConvertUToF, e.m.F32(), e.i2(spirv.OpShiftRightLogical, b, e.u32(23)))
	return m, e.Sub(k, e.Float(float64(bias)))
}

// Sin is sin x, with an absolute error below 3e-7 for |x| < 100.
func (e *E) Sin(x F) F {
	n := e.floor(e.Mad(x, e.Float(1/math.Pi), e.Float(0.5)))
	r := e.Mad(n, e.Float(-3.140625), x)
	r = e.Mad(n, e.Float(-9.67502593994140625e-4), r)
	r = e.Mad(n, e.Float(-1.509957990978376432e-7), r)
	z := e.Mul(r, r)
	p := e.poly(z, 1.6059043836821613e-10, -2.505210838544172e-8, 2.7557319223985893e-6, -1.984126984126984e-4, 8.333333333333333e-3, -1.6666666666666666e-1)
	y := e.Mad(e.Mul(r, z), p, r)
	// The sign is (−1)ⁿ: n − 2⌊n/2⌋ is 0 or 1.
	odd := e.Mad(e.floor(e.Mul(n, e.Float(0.5))), e.Float(-2), n)
	return e.Mul(y, e.Mad(odd, e.Float(-2), e.Float(1)))
}

// Cos is cos x, with an absolute error below 3e-7 for |x| < 100.
func (e *E) Cos(x F) F { return e.Sin(e.Add(x, e.Float(math.Pi/2))) }

// Sigmoid is 1/(1+e^−x).
func (e *E) Sigmoid(x F) F { return e.Div(e.Float(1), e.Add(e.Float(1), e.Exp(e.Neg(x)))) }

// Tanh is tanh x = 2·sigmoid(2x) − 1. Near 0, where the difference would cancel, it is the odd
// power series.
func (e *E) Tanh(x F) F {
	big := e.Mad(e.Float(2), e.Sigmoid(e.Mul(e.Float(2), x)), e.Float(-1))
	z := e.Mul(x, x)
	small := e.Mul(x, e.poly(z, -0.021869488536155203, 0.05396825396825397, -0.13333333333333333, 0.3333333333333333, -1.0))
	small = e.Neg(small)
	c := e.val(spirv.OpFOrdLessThan, e.m.Bool(), e.Abs(x), e.Float(0.3))
	return e.val(spirv.OpSelect, e.m.F32(), c, small, big)
}

// LaneSum returns the sum of v over the lanes of the work item, in all of them.
func (e *E) LaneSum(v F) F { return e.laneReduce(v, spirv.OpGroupNonUniformFAdd, e.Add) }

// LaneMax returns the largest v of the lanes of the work item, in all of them.
func (e *E) LaneMax(v F) F { return e.laneReduce(v, spirv.OpGroupNonUniformFMax, e.Max) }

// shuffle returns in each lane the v of lane from (CPU lowering with Target.Shuffle).
func (e *E) shuffle(v F, from I) F {
	e.m.Capability(spirv.CapGroupNonUniformShuffle)
	return e.f.Val(spirv.OpGroupNonUniformShuffle, e.m.F32(), uint32(e.m.ConstU32(spirv.ScopeSubgroup)), uint32(v), uint32(from))
}

func (e *E) laneReduce(v F, op spirv.Op, join func(a, b F) F) F {
	m := e.m
	if e.T.Mode == CPU && e.T.Shuffle {
		for d := 1; d < e.T.Lanes; d *= 2 {
			other := e.memo(keyOf("lane^", d), func() spirv.ID { return e.i2(spirv.OpBitwiseXor, e.lane, e.u32(uint32(d))) })
			v = join(v, e.shuffle(v, other))
		}
		return v
	}
	if e.T.Mode == CPU {
		m.Capability(spirv.CapGroupNonUniformArithmetic)
		return e.f.Val(op, m.F32(), uint32(m.ConstU32(spirv.ScopeSubgroup)), spirv.GroupReduce, uint32(v))
	}
	if e.shared == 0 {
		arr := m.Array(m.F32(), e.T.Group, 0)
		e.shared = m.GlobalVar(m.Pointer(spirv.ClassWorkgroup, arr), spirv.ClassWorkgroup, 0)
	}
	pt := m.Pointer(spirv.ClassWorkgroup, m.F32())
	e.barrier()
	e.f.Do(spirv.OpStore, uint32(e.val(spirv.OpAccessChain, pt, e.shared, e.local)), uint32(v))
	e.barrier()
	first := e.i2(spirv.OpISub, e.local, e.lane)
	var r F
	for l := 0; l < e.T.Lanes; l++ {
		x := e.val(spirv.OpLoad, m.F32(), e.val(spirv.OpAccessChain, pt, e.shared, e.i2(spirv.OpIAdd, first, e.u32(uint32(l)))))
		if l == 0 {
			r = x
		} else {
			r = join(r, x)
		}
	}
	return r
}
