package shaders

import (
	"math"

	"github.com/vfmrestore/restore/shaders/spirv"
)

// Random fills [B,H,W,C] with standard normal (or uniform (0,1)) numbers from Philox 4×32-10. The
// counter is (x0+w, y0+h, stream<<16 | c/4, sample+b), the key is (seedLo, seedHi). Each counter
// gives the numbers of four channels; with C = 1 every pixel uses the first word of its own
// counter. Operands: key (8 words: seedLo, seedHi, sample, y0, x0, …), out.
type Random struct {
	B, H, W, C int
	Stream     uint32
	Normal     bool
}

// Signature implements Kernel.
func (r Random) Signature(t Target) Signature {
	sig := Signature{Operands: []Access{Read, Write}}
	if r.C == 1 {
		sig.Items = (r.B*r.H*r.W + t.Lanes - 1) / t.Lanes
	} else {
		sig.Items = r.B * r.H * r.W * r.blocks(t)
	}
	return sig
}

// blocks returns the number of blocks of 4·Lanes channels.
func (r Random) blocks(t Target) int { return (r.C + 4*t.Lanes - 1) / (4 * t.Lanes) }

// Body implements Kernel.
func (r Random) Body(e *E) {
	t, stream := e.T, r.Stream<<16
	if r.C == 1 {
		n, hw, w := r.B*r.H*r.W, uint32(r.H*r.W), uint32(r.W)
		p := e.i2(opIAdd, e.uid(e.MulU(e.Item(), t.Lanes)), e.lane)
		bi := e.i2(spirv.OpUDiv, p, e.u32(hw))
		q := e.i2(spirv.OpUMod, p, e.u32(hw))
		words := e.philoxAt(bi, e.i2(spirv.OpUDiv, q, e.u32(w)), e.i2(spirv.OpUMod, q, e.u32(w)), e.u32(stream))
		v := e.draw(words, r.Normal)
		in := e.val(opULessThan, e.m.Bool(), p, e.u32(uint32(n)))
		e.Stores(func() { e.If(in, func() { e.StoreBlock(1, e.MulU(e.Item(), t.Lanes), v[:1]) }) })
		return
	}
	blk := 4 * t.Lanes
	u := e.Split(e.Item(), r.H, r.W, r.blocks(t))
	quad := e.i2(opIAdd, e.uid(e.MulU(u[3], t.Lanes)), e.lane)
	words := e.philoxAt(e.uid(u[0]), e.uid(u[1]), e.uid(u[2]), e.i2(opIAdd, e.u32(stream), quad))
	v := e.draw(words, r.Normal)
	o := e.AddU(e.MulU(e.AddU(e.MulU(e.AddU(e.MulU(u[0], r.H), u[1]), r.W), u[2]), r.C), e.MulU(u[3], blk))
	e.Stores(func() {
		if r.C%blk == 0 {
			e.StoreBlock(1, o, v)
			return
		}
		in := e.val(opULessThan, e.m.Bool(), quad, e.u32(uint32(r.C/4)))
		e.If(in, func() { e.StoreBlock(1, o, v) })
	})
}

// philoxAt runs the generator for picture b, row y, column x. c2 is the third word of the counter.
func (e *E) philoxAt(b, y, x, c2 I) [4]I {
	key := func(i int) I { return e.bits(e.Broadcast(e.At(0, e.C(0)), e.C(i))) }
	ctr := [4]I{e.i2(opIAdd, key(4), x), e.i2(opIAdd, key(3), y), c2, e.i2(opIAdd, key(2), b)}
	return e.philox(ctr, [2]I{key(0), key(1)})
}

func (e *E) philox(c [4]I, k [2]I) [4]I {
	if e.bufs["mulpair"] == 0 {
		e.bufs["mulpair"] = e.m.Struct(e.m.U32(), e.m.U32())
	}
	mul := func(a I, m uint32) (lo, hi I) {
		p := e.val(spirv.OpUMulExtended, e.bufs["mulpair"], a, e.u32(m))
		return e.f.Val(spirv.OpCompositeExtract, e.m.U32(), uint32(p), 0), e.f.Val(spirv.OpCompositeExtract, e.m.U32(), uint32(p), 1)
	}
	xor := func(a, b I) I { return e.i2(spirv.OpBitwiseXor, a, b) }
	for r := 0; r < 10; r++ {
		if r > 0 {
			k = [2]I{e.i2(opIAdd, k[0], e.u32(0x9E3779B9)), e.i2(opIAdd, k[1], e.u32(0xBB67AE85))}
		}
		lo0, hi0 := mul(c[0], 0xD2511F53)
		lo1, hi1 := mul(c[2], 0xCD9E8D57)
		c = [4]I{xor(xor(hi1, c[1]), k[0]), lo1, xor(xor(hi0, c[3]), k[1]), lo0}
	}
	return c
}

// draw turns four words into four uniform or normal numbers (Box–Muller).
func (e *E) draw(w [4]I, normal bool) []F {
	u := make([]F, 4)
	for i := range u {
		top := e.i2(spirv.OpShiftRightLogical, w[i], e.u32(8))
		u[i] = e.Mul(e.Add(e.val(spirv.OpConvertUToF, e.m.F32(), top), e.Float(0.5)), e.Float(math.Exp2(-24)))
	}
	if !normal {
		return u
	}
	out := make([]F, 4)
	for i := 0; i < 4; i += 2 {
		r := e.Sqrt(e.Max(e.Mul(e.Float(-2), e.Log(u[i])), e.Float(0)))
		a := e.Mul(e.Float(2*math.Pi), u[i+1])
		out[i], out[i+1] = e.Mul(r, e.Cos(a)), e.Mul(r, e.Sin(a))
	}
	return out
}
