#include "textflag.h"

// The loops of rows.go by AVX2 and FMA. A register holds eight real or four complex values. All
// take counts, n, that are multiples of that and above 0.
//
//	CX  bytes of real values left          AX  bytes of real values done
//
// Spectra of complex values come with real weights, 4 bytes each: (AX) is the place of a weight and
// (AX*2) that of a complex value.

#define ALL(bits, x, y) \
	MOVL $bits, AX; \
	VMOVQ AX, x; \
	VBROADCASTSS x, y

#define START(n) \
	MOVQ n, CX; \
	SHLQ $2, CX; \
	XORQ AX, AX

// WEIGHTS sets y to four real weights, each twice.
#define WEIGHTS(at, y) \
	VPMOVZXDQ at, y; \
	VMOVSLDUP y, y

// TIMES sets a to a·k, and TIMESCONJ to a·k*. They overwrite t and u.
#define TIMES(k, a, t, u) \
	VMOVSHDUP k, t; \
	VPERMILPS $0xB1, a, u; \
	VMULPS u, t, t; \
	VMOVSLDUP k, u; \
	VFMADDSUB213PS t, u, a

#define TIMESCONJ(k, a, t, u) \
	VMOVSHDUP k, t; \
	VPERMILPS $0xB1, a, u; \
	VMULPS u, t, t; \
	VMOVSLDUP k, u; \
	VFMSUBADD213PS t, u, a

// SUM adds the values of y to x's first one.
#define SUM(y, x, t) \
	VEXTRACTF128 $1, y, t; \
	VADDPS t, x, x; \
	VMOVHLPS x, x, t; \
	VADDPS t, x, x; \
	VMOVSHDUP x, t; \
	VADDSS t, x, x

// func productAVX(dst, a, k *complex64, n int)
TEXT ·productAVX(SB), NOSPLIT, $0-32
	MOVQ dst+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ k+16(FP), DX
	START(n+24(FP))
loop:
	VMOVUPS (SI)(AX*2), Y0
	VMOVUPS (DX)(AX*2), Y1
	TIMES(Y1, Y0, Y2, Y3)
	VMOVUPS Y0, (DI)(AX*2)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT loop
	VZEROUPPER
	RET

// func residualAVX(a, k, y *complex64, scale float32, n int)
TEXT ·residualAVX(SB), NOSPLIT, $0-40
	MOVQ a+0(FP), DI
	MOVQ k+8(FP), DX
	MOVQ y+16(FP), SI
	VBROADCASTSS scale+24(FP), Y15
	START(n+32(FP))
loop:
	VMOVUPS (DI)(AX*2), Y0
	VMOVUPS (DX)(AX*2), Y1
	VMOVUPS (SI)(AX*2), Y4
	TIMES(Y1, Y0, Y2, Y3)
	VSUBPS Y0, Y4, Y0
	TIMESCONJ(Y1, Y0, Y2, Y3)
	VMULPS Y15, Y0, Y0
	VMOVUPS Y0, (DI)(AX*2)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT loop
	VZEROUPPER
	RET

// func weightedAVX(a *complex64, w *float32, scale float32, n int)
TEXT ·weightedAVX(SB), NOSPLIT, $0-32
	MOVQ a+0(FP), DI
	MOVQ w+8(FP), SI
	VBROADCASTSS scale+16(FP), Y15
	START(n+24(FP))
loop:
	WEIGHTS((SI)(AX*1), Y0)
	VMULPS Y15, Y0, Y0
	VMULPS (DI)(AX*2), Y0, Y0
	VMOVUPS Y0, (DI)(AX*2)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT loop
	VZEROUPPER
	RET

// func correlateAVX(power, cross, x, y *complex64, n int)
TEXT ·correlateAVX(SB), NOSPLIT, $0-40
	MOVQ power+0(FP), DI
	MOVQ cross+8(FP), DX
	MOVQ x+16(FP), SI
	MOVQ y+24(FP), R8
	START(n+32(FP))
	MOVQ $0x00000000ffffffff, R9 // the real parts
	VMOVQ R9, X15
	VBROADCASTSD X15, Y15
loop:
	VMOVUPS (SI)(AX*2), Y0
	VMOVUPS (R8)(AX*2), Y1
	VMULPS Y0, Y0, Y4
	VPERMILPS $0xB1, Y4, Y5
	VADDPS Y5, Y4, Y4
	VANDPS Y15, Y4, Y4
	VADDPS (DI)(AX*2), Y4, Y4
	VMOVUPS Y4, (DI)(AX*2)
	TIMESCONJ(Y0, Y1, Y2, Y3)
	VADDPS (DX)(AX*2), Y1, Y1
	VMOVUPS Y1, (DX)(AX*2)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT loop
	VZEROUPPER
	RET

// func latentAVX(a, start *complex64, power, lap *float32, beta float32, n int)
TEXT ·latentAVX(SB), NOSPLIT, $0-48
	MOVQ a+0(FP), DI
	MOVQ start+8(FP), SI
	MOVQ power+16(FP), DX
	MOVQ lap+24(FP), R8
	VBROADCASTSS beta+32(FP), Y15
	ALL(0x2b8cbccc, X14, Y14) // 1e-12
	START(n+40(FP))
loop:
	WEIGHTS((DX)(AX*1), Y0)
	WEIGHTS((R8)(AX*1), Y1)
	VADDPS Y14, Y0, Y0
	VFMADD231PS Y15, Y1, Y0
	VMOVUPS (SI)(AX*2), Y2
	VMOVUPS (DI)(AX*2), Y3
	VFMADD231PS Y15, Y3, Y2
	VDIVPS Y0, Y2, Y2
	VMOVUPS Y2, (DI)(AX*2)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT loop
	VZEROUPPER
	RET

// func divideAVX(x, kx, k *complex64, power, filtered *float32, beta float32, n int)
TEXT ·divideAVX(SB), NOSPLIT, $0-56
	MOVQ x+0(FP), DI
	MOVQ kx+8(FP), SI
	MOVQ k+16(FP), DX
	MOVQ power+24(FP), R8
	MOVQ filtered+32(FP), R9
	VBROADCASTSS beta+40(FP), Y15
	ALL(0x2b8cbccc, X14, Y14) // 1e-12
	START(n+48(FP))
loop:
	WEIGHTS((R8)(AX*1), Y4)
	WEIGHTS((R9)(AX*1), Y5)
	VADDPS Y14, Y4, Y4
	VFMADD231PS Y15, Y5, Y4
	VMOVUPS (DX)(AX*2), Y1
	VMOVUPS (SI)(AX*2), Y0
	TIMESCONJ(Y1, Y0, Y2, Y3)
	VFMADD231PS (DI)(AX*2), Y15, Y0
	VDIVPS Y4, Y0, Y0
	VMOVUPS Y0, (DI)(AX*2)
	TIMES(Y1, Y0, Y2, Y3)
	VMOVUPS Y0, (SI)(AX*2)
	ADDQ $16, AX
	CMPQ AX, CX
	JLT loop
	VZEROUPPER
	RET

// func rimAVX(t, x, taper *float32, n int)
TEXT ·rimAVX(SB), NOSPLIT, $0-32
	MOVQ t+0(FP), DI
	MOVQ x+8(FP), SI
	MOVQ taper+16(FP), DX
	START(n+24(FP))
loop:
	VMOVUPS (SI)(AX*1), Y0
	VFNMADD231PS (DX)(AX*1), Y0, Y0
	VMOVUPS Y0, (DI)(AX*1)
	ADDQ $32, AX
	CMPQ AX, CX
	JLT loop
	VZEROUPPER
	RET

// func innerAVX(t, u, y, x, inside, taper *float32, n int)
TEXT ·innerAVX(SB), NOSPLIT, $0-56
	MOVQ t+0(FP), DI
	MOVQ u+8(FP), R8
	MOVQ y+16(FP), SI
	MOVQ x+24(FP), DX
	MOVQ inside+32(FP), R9
	MOVQ taper+40(FP), R10
	START(n+48(FP))
loop:
	VMOVUPS (SI)(AX*1), Y0
	VSUBPS (DI)(AX*1), Y0, Y0
	VMULPS (R9)(AX*1), Y0, Y0
	VMOVUPS Y0, (DI)(AX*1)
	VMOVUPS (DX)(AX*1), Y1
	VMULPS (R10)(AX*1), Y1, Y1
	VMOVUPS Y1, (R8)(AX*1)
	ADDQ $32, AX
	CMPQ AX, CX
	JLT loop
	VZEROUPPER
	RET

// func variancesAVX(spread, precision, x0, x1 *float32, seen, least float32, n int)
TEXT ·variancesAVX(SB), NOSPLIT, $0-48
	MOVQ spread+0(FP), DI
	MOVQ precision+8(FP), SI
	MOVQ x0+16(FP), DX
	MOVQ x1+24(FP), R8
	ALL(0x3f800000, X14, Y14) // 1
	ALL(0x3f000000, X13, Y13) // 1/2
	VBROADCASTSS seen+32(FP), Y15
	VBROADCASTSS least+36(FP), Y12
	START(n+40(FP))
loop:
	VMOVUPS (DX)(AX*1), Y0
	VMOVUPS (R8)(AX*1), Y1
	VMULPS Y0, Y0, Y0
	VFMADD231PS Y1, Y1, Y0
	VFMADD213PS (DI)(AX*1), Y13, Y0
	VMAXPS Y12, Y0, Y0
	VDIVPS Y0, Y14, Y0
	VMOVUPS Y0, (SI)(AX*1)
	VADDPS Y15, Y0, Y0
	VDIVPS Y0, Y14, Y0
	VMOVUPS Y0, (DI)(AX*1)
	ADDQ $32, AX
	CMPQ AX, CX
	JLT loop
	VZEROUPPER
	RET

// func startAVX(p, r, x, precision, spread *float32, n int) float32
TEXT ·startAVX(SB), NOSPLIT, $0-52
	MOVQ p+0(FP), DI
	MOVQ r+8(FP), SI
	MOVQ x+16(FP), DX
	MOVQ precision+24(FP), R8
	MOVQ spread+32(FP), R9
	START(n+40(FP))
	VXORPS Y15, Y15, Y15
loop:
	VMOVUPS (DX)(AX*1), Y0
	VMOVUPS (SI)(AX*1), Y1
	VFNMADD231PS (R8)(AX*1), Y0, Y1
	VMOVUPS Y1, (SI)(AX*1)
	VMULPS (R9)(AX*1), Y1, Y0
	VMOVUPS Y0, (DI)(AX*1)
	VFMADD231PS Y0, Y1, Y15
	ADDQ $32, AX
	CMPQ AX, CX
	JLT loop
	SUM(Y15, X15, X0)
	VZEROUPPER
	MOVSS X15, ret+48(FP)
	RET

// func applyAVX(t, p, precision *float32, n int) float32
TEXT ·applyAVX(SB), NOSPLIT, $0-36
	MOVQ t+0(FP), DI
	MOVQ p+8(FP), SI
	MOVQ precision+16(FP), DX
	START(n+24(FP))
	VXORPS Y15, Y15, Y15
loop:
	VMOVUPS (SI)(AX*1), Y0
	VMOVUPS (DI)(AX*1), Y1
	VFMADD231PS (DX)(AX*1), Y0, Y1
	VMOVUPS Y1, (DI)(AX*1)
	VFMADD231PS Y0, Y1, Y15
	ADDQ $32, AX
	CMPQ AX, CX
	JLT loop
	SUM(Y15, X15, X0)
	VZEROUPPER
	MOVSS X15, ret+32(FP)
	RET

// func stepAVX(x, r, p, t, spread *float32, step float32, n int) float32
TEXT ·stepAVX(SB), NOSPLIT, $0-60
	MOVQ x+0(FP), DI
	MOVQ r+8(FP), SI
	MOVQ p+16(FP), DX
	MOVQ t+24(FP), R8
	MOVQ spread+32(FP), R9
	VBROADCASTSS step+40(FP), Y14
	START(n+48(FP))
	VXORPS Y15, Y15, Y15
loop:
	VMOVUPS (DI)(AX*1), Y0
	VFMADD231PS (DX)(AX*1), Y14, Y0
	VMOVUPS Y0, (DI)(AX*1)
	VMOVUPS (SI)(AX*1), Y1
	VFNMADD231PS (R8)(AX*1), Y14, Y1
	VMOVUPS Y1, (SI)(AX*1)
	VMULPS (R9)(AX*1), Y1, Y2
	VFMADD231PS Y2, Y1, Y15
	ADDQ $32, AX
	CMPQ AX, CX
	JLT loop
	SUM(Y15, X15, X0)
	VZEROUPPER
	MOVSS X15, ret+56(FP)
	RET

// func turnAVX(p, r, spread *float32, turn float32, n int)
TEXT ·turnAVX(SB), NOSPLIT, $0-40
	MOVQ p+0(FP), DI
	MOVQ r+8(FP), SI
	MOVQ spread+16(FP), DX
	VBROADCASTSS turn+24(FP), Y15
	START(n+32(FP))
loop:
	VMULPS (DI)(AX*1), Y15, Y0
	VMOVUPS (SI)(AX*1), Y1
	VFMADD231PS (DX)(AX*1), Y1, Y0
	VMOVUPS Y0, (DI)(AX*1)
	ADDQ $32, AX
	CMPQ AX, CX
	JLT loop
	VZEROUPPER
	RET

// func gradientsAVX(h, v, row, below *float32, least float32, n int)
TEXT ·gradientsAVX(SB), NOSPLIT, $0-48
	MOVQ h+0(FP), DI
	MOVQ v+8(FP), SI
	MOVQ row+16(FP), DX
	MOVQ below+24(FP), R8
	VBROADCASTSS least+32(FP), Y15
	START(n+40(FP))
loop:
	VMOVUPS (DX)(AX*1), Y0
	VMOVUPS 4(DX)(AX*1), Y1
	VMOVUPS (R8)(AX*1), Y2
	VSUBPS Y0, Y1, Y1
	VSUBPS Y0, Y2, Y2
	VMULPS Y1, Y1, Y3
	VFMADD231PS Y2, Y2, Y3
	VCMPPS $13, Y15, Y3, Y3 // at least
	VANDPS Y3, Y1, Y1
	VANDPS Y3, Y2, Y2
	VMOVUPS Y1, (DI)(AX*1)
	VMOVUPS Y2, (SI)(AX*1)
	ADDQ $32, AX
	CMPQ AX, CX
	JLT loop
	VZEROUPPER
	RET

// func divergenceAVX(to, h, up, v *float32, n int): h[−1] is read, too
TEXT ·divergenceAVX(SB), NOSPLIT, $0-40
	MOVQ to+0(FP), DI
	MOVQ h+8(FP), SI
	MOVQ up+16(FP), DX
	MOVQ v+24(FP), R8
	START(n+32(FP))
loop:
	VMOVUPS -4(SI)(AX*1), Y0
	VSUBPS (SI)(AX*1), Y0, Y0
	VADDPS (DX)(AX*1), Y0, Y0
	VSUBPS (R8)(AX*1), Y0, Y0
	VMOVUPS Y0, (DI)(AX*1)
	ADDQ $32, AX
	CMPQ AX, CX
	JLT loop
	VZEROUPPER
	RET

// func targetAVX(target, kx, seen, half *float32, relaxation float32, n int)
TEXT ·targetAVX(SB), NOSPLIT, $0-48
	MOVQ target+0(FP), DI
	MOVQ kx+8(FP), SI
	MOVQ seen+16(FP), DX
	MOVQ half+24(FP), R8
	VBROADCASTSS relaxation+32(FP), Y15
	START(n+40(FP))
loop:
	VMOVUPS (DI)(AX*1), Y0
	VMOVUPS (SI)(AX*1), Y1
	VADDPS (DX)(AX*1), Y0, Y2
	VSUBPS Y1, Y2, Y2
	VSUBPS Y1, Y2, Y2
	VSUBPS Y0, Y1, Y1
	VFMADD231PS (R8)(AX*1), Y2, Y1
	VFMADD231PS Y15, Y1, Y0
	VMOVUPS Y0, (DI)(AX*1)
	ADDQ $32, AX
	CMPQ AX, CX
	JLT loop
	VZEROUPPER
	RET

// func filtersAVX(out *[5]*float32, above, row, below *float32, n int): row[−1] is read, too
TEXT ·filtersAVX(SB), NOSPLIT, $0-40
	MOVQ out+0(FP), BX
	MOVQ 0(BX), DI
	MOVQ 8(BX), R9
	MOVQ 16(BX), R10
	MOVQ 24(BX), R11
	MOVQ 32(BX), R12
	MOVQ above+8(FP), SI
	MOVQ row+16(FP), DX
	MOVQ below+24(FP), R8
	START(n+32(FP))
loop:
	VMOVUPS (DX)(AX*1), Y0
	VMOVUPS (R8)(AX*1), Y3
	VMOVUPS 4(DX)(AX*1), Y1
	VSUBPS Y0, Y1, Y1 // along the row
	VMOVUPS Y1, (DI)(AX*1)
	VSUBPS Y0, Y3, Y2 // along the column
	VMOVUPS Y2, (R9)(AX*1)
	VSUBPS -4(DX)(AX*1), Y0, Y4
	VSUBPS Y4, Y1, Y4
	VMOVUPS Y4, (R10)(AX*1)
	VSUBPS (SI)(AX*1), Y0, Y5
	VSUBPS Y5, Y2, Y5
	VMOVUPS Y5, (R11)(AX*1)
	VMOVUPS 4(R8)(AX*1), Y6
	VSUBPS Y3, Y6, Y6
	VSUBPS Y1, Y6, Y6
	VMOVUPS Y6, (R12)(AX*1)
	ADDQ $32, AX
	CMPQ AX, CX
	JLT loop
	VZEROUPPER
	RET

// func adjointAVX(above, row, below *float32, in *[5]*float32, n int): values at −1 are read, too
TEXT ·adjointAVX(SB), NOSPLIT, $0-40
	MOVQ in+24(FP), BX
	MOVQ 0(BX), DI
	MOVQ 8(BX), R9
	MOVQ 16(BX), R10
	MOVQ 24(BX), R11
	MOVQ 32(BX), R12
	MOVQ above+0(FP), SI
	MOVQ row+8(FP), DX
	MOVQ below+16(FP), R8
	START(n+32(FP))
loop:
	VMOVUPS (R9)(AX*1), Y0  // v
	VMOVUPS (R10)(AX*1), Y1 // hh
	VMOVUPS (R11)(AX*1), Y2 // vv
	VMOVUPS (R12)(AX*1), Y3 // hv
	VSUBPS -4(R12)(AX*1), Y3, Y3
	VADDPS (SI)(AX*1), Y2, Y4
	VMOVUPS Y4, (SI)(AX*1)
	VADDPS Y2, Y0, Y5
	VSUBPS Y3, Y5, Y5
	VADDPS (R8)(AX*1), Y5, Y4
	VMOVUPS Y4, (R8)(AX*1)
	VMOVUPS -4(DI)(AX*1), Y6
	VSUBPS (DI)(AX*1), Y6, Y6
	VSUBPS Y5, Y6, Y6
	VSUBPS Y2, Y6, Y6
	VADDPS -4(R10)(AX*1), Y6, Y6
	VADDPS 4(R10)(AX*1), Y6, Y6
	VADDPS Y1, Y1, Y1
	VSUBPS Y1, Y6, Y6
	VADDPS (DX)(AX*1), Y6, Y6
	VMOVUPS Y6, (DX)(AX*1)
	ADDQ $32, AX
	CMPQ AX, CX
	JLT loop
	VZEROUPPER
	RET

// func shrinkAVX(row, divide, multiply, table *float32, inverse, scale, least float32, n int)
TEXT ·shrinkAVX(SB), NOSPLIT, $0-56
	MOVQ row+0(FP), DI
	MOVQ divide+8(FP), SI
	MOVQ multiply+16(FP), DX
	MOVQ table+24(FP), R8
	VBROADCASTSS inverse+32(FP), Y9
	VBROADCASTSS least+40(FP), Y14
	ALL(0x80000000, X15, Y15) // the sign
	ALL(4064, X13, Y13)       // shrinkBase
	ALL(1022, X12, Y12)       // the last entry with a next one
	ALL(0x3ffff, X11, Y11)    // the bits between two entries
	ALL(0x36800000, X10, Y10) // 2^-shrinkBits
	START(n+48(FP))
loop:
	VMOVUPS (DI)(AX*1), Y0
	TESTQ SI, SI
	JZ scaled
	VMULPS (SI)(AX*1), Y0, Y0
scaled:
	VMULPS Y9, Y0, Y1
	VANDNPS Y1, Y15, Y2
	VPCMPGTD Y2, Y14, Y8 // values that become 0; often all
	VMOVMSKPS Y8, BX
	CMPL BX, $0xff
	JEQ zero
	VANDPS Y15, Y1, Y1
	VPMAXSD Y14, Y2, Y3
	VPSRLD $18, Y3, Y3
	VPSUBD Y13, Y3, Y3
	VPMINSD Y12, Y3, Y3
	VPCMPEQD Y7, Y7, Y7
	VGATHERDPS Y7, (R8)(Y3*4), Y4
	VPCMPEQD Y7, Y7, Y7
	VGATHERDPS Y7, 4(R8)(Y3*4), Y5
	VANDPS Y11, Y2, Y6
	VCVTDQ2PS Y6, Y6
	VMULPS Y10, Y6, Y6
	VSUBPS Y4, Y5, Y5
	VFMADD231PS Y6, Y5, Y4
	VBROADCASTSS scale+36(FP), Y5
	VMULPS Y5, Y4, Y4
	VORPS Y1, Y4, Y4
	VSUBPS Y4, Y0, Y0
	VANDNPS Y0, Y8, Y0
	TESTQ DX, DX
	JZ store
	VMULPS (DX)(AX*1), Y0, Y0
store:
	VMOVUPS Y0, (DI)(AX*1)
next:
	ADDQ $32, AX
	CMPQ AX, CX
	JLT loop
	VZEROUPPER
	RET
zero:
	VXORPS Y0, Y0, Y0
	VMOVUPS Y0, (DI)(AX*1)
	JMP next
