package weights

import "math"

// halfBits converts to binary16, rounding to nearest and ties to even. ok is false if the rounded
// value would be infinite (|x| ≥ 65520) or if x is not finite. Values below 2⁻²⁵ become a zero with
// the same sign.
func halfBits(x float32) (h uint16, ok bool) {
	b := math.Float32bits(x)
	sign := uint16(b >> 16 & 0x8000)
	exp := int(b>>23&0xff) - 127
	man := b & 0x7fffff
	switch {
	case exp > 15: // NaN and infinity have exponent 128
		return 0, false
	case exp >= -14:
		// A normal number. A carry out of the mantissa increments the exponent, which is correct:
		// it rounds up to the next power of two.
		h = uint16(exp+15)<<10 | uint16(man>>13)
		h += roundUp(man, 13, h)
		if h >= 0x7c00 {
			return 0, false
		}
		return sign | h, true
	case exp >= -25:
		// A subnormal number: the mantissa with its hidden bit, in units of 2⁻²⁴.
		man |= 0x800000
		shift := uint(-exp - 1) // 14..24
		h = uint16(man >> shift)
		h += roundUp(man, shift, h)
		return sign | h, true
	}
	return sign, true
}

// roundUp returns 1 if dropping the low `shift` bits of man, which leaves `kept`, must round up.
func roundUp(man uint32, shift uint, kept uint16) uint16 {
	rest := man & (1<<shift - 1)
	half := uint32(1) << (shift - 1)
	if rest > half || rest == half && kept&1 == 1 {
		return 1
	}
	return 0
}

// halfValue returns the exact float32 of binary16 bits.
func halfValue(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp := uint32(h >> 10 & 0x1f)
	man := uint32(h & 0x3ff)
	switch exp {
	case 0: // zero or subnormal: man · 2⁻²⁴ is exact in float32
		v := float32(man) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(v) | sign)
	case 31:
		return math.Float32frombits(sign | 0x7f800000 | man<<13)
	}
	return math.Float32frombits(sign | (exp+127-15)<<23 | man<<13)
}
