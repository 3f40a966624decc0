#include "textflag.h"

// The passes of fourier.go for four complex values at a time, by AVX2 and FMA. Each takes
//
//	func(y, x *lanes, w *complex64, m, s int)
//
// for m blocks of s·8 butterflies. A block's butterflies have the same factors; the blocks' factors
// follow each other in w. All passes use the same registers:
//
//	SI, DI  the block's first input and output     DX  its factors
//	R8      bytes between inputs of a butterfly    R9  between its outputs
//	CX      blocks left                            BX  bytes left in a block
//	Y15     ones
//
// A product with i is a sum with real and imaginary parts swapped and alternating signs.

#define BEGIN \
	MOVQ y+0(FP), DI; \
	MOVQ x+8(FP), SI; \
	MOVQ w+16(FP), DX; \
	MOVQ m+24(FP), CX; \
	MOVQ s+32(FP), R9; \
	SHLQ $6, R9; \
	MOVQ R9, R8; \
	IMULQ CX, R8; \
	MOVL $0x3f800000, AX; \
	VMOVQ AX, X15; \
	VBROADCASTSS X15, Y15

// TURN sets m to m·w, and overwrites t.
#define TURN(m, re, im, t) \
	VPERMILPS $0xB1, m, t; \
	VMULPS im, t, t; \
	VFMADDSUB213PS t, re, m

// MINUSI sets m to m − i·p for p with swapped parts.
#define MINUSI(p, m) VFMSUBADD213PS p, Y15, m

#define FACTOR(at, re, im) \
	VBROADCASTSS (8*at)(DX), re; \
	VBROADCASTSS (8*at+4)(DX), im

// CONSTANT sets all of y to the number with these bits; x is its lower half.
#define CONSTANT(bits, x, y) \
	MOVL $bits, AX; \
	VMOVQ AX, x; \
	VBROADCASTSS x, y

TEXT ·twoAVX(SB), NOSPLIT, $0-40
	BEGIN
block:
	FACTOR(0, Y8, Y9)
	MOVQ R9, BX
	LEAQ (SI)(R8*1), R10
	LEAQ (DI)(R9*1), R11
loop:
	VMOVUPS (SI), Y0
	VMOVUPS (R10), Y1
	VADDPS Y1, Y0, Y2
	VSUBPS Y1, Y0, Y3
	TURN(Y3, Y8, Y9, Y4)
	VMOVUPS Y2, (DI)
	VMOVUPS Y3, (R11)
	ADDQ $32, SI
	ADDQ $32, R10
	ADDQ $32, DI
	ADDQ $32, R11
	SUBQ $32, BX
	JNZ loop
	MOVQ R11, DI
	ADDQ $8, DX
	DECQ CX
	JNZ block
	VZEROUPPER
	RET

TEXT ·threeAVX(SB), NOSPLIT, $0-40
	BEGIN
	CONSTANT(0x3f000000, X14, Y14) // 1/2
	CONSTANT(0x3f5db3d7, X13, Y13) // sin 60°
block:
	FACTOR(0, Y9, Y10)
	FACTOR(1, Y11, Y12)
	MOVQ R9, BX
loop:
	VMOVUPS (SI), Y0
	VMOVUPS (SI)(R8*1), Y1
	VMOVUPS (SI)(R8*2), Y2
	VADDPS Y2, Y1, Y3
	VSUBPS Y2, Y1, Y4
	VADDPS Y3, Y0, Y5
	VFNMADD231PS Y14, Y3, Y0
	VPERMILPS $0xB1, Y4, Y4
	VMULPS Y13, Y4, Y4
	VADDSUBPS Y4, Y0, Y6
	MINUSI(Y4, Y0)
	TURN(Y0, Y9, Y10, Y7)
	TURN(Y6, Y11, Y12, Y8)
	VMOVUPS Y5, (DI)
	VMOVUPS Y0, (DI)(R9*1)
	VMOVUPS Y6, (DI)(R9*2)
	ADDQ $32, SI
	ADDQ $32, DI
	SUBQ $32, BX
	JNZ loop
	LEAQ (DI)(R9*2), DI
	ADDQ $16, DX
	DECQ CX
	JNZ block
	VZEROUPPER
	RET

TEXT ·fourAVX(SB), NOSPLIT, $0-40
	BEGIN
block:
	FACTOR(0, Y9, Y10)
	FACTOR(1, Y11, Y12)
	FACTOR(2, Y13, Y14)
	MOVQ R9, BX
	LEAQ (SI)(R8*2), R10
	LEAQ (DI)(R9*2), R11
loop:
	VMOVUPS (SI), Y0
	VMOVUPS (SI)(R8*1), Y1
	VMOVUPS (R10), Y2
	VMOVUPS (R10)(R8*1), Y3
	VADDPS Y2, Y0, Y4
	VSUBPS Y2, Y0, Y5
	VADDPS Y3, Y1, Y6
	VSUBPS Y3, Y1, Y7
	VPERMILPS $0xB1, Y7, Y7
	VADDPS Y6, Y4, Y0
	VSUBPS Y6, Y4, Y2
	VADDSUBPS Y7, Y5, Y3
	MINUSI(Y7, Y5)
	TURN(Y5, Y9, Y10, Y6)
	TURN(Y2, Y11, Y12, Y7)
	TURN(Y3, Y13, Y14, Y8)
	VMOVUPS Y0, (DI)
	VMOVUPS Y5, (DI)(R9*1)
	VMOVUPS Y2, (R11)
	VMOVUPS Y3, (R11)(R9*1)
	ADDQ $32, SI
	ADDQ $32, R10
	ADDQ $32, DI
	ADDQ $32, R11
	SUBQ $32, BX
	JNZ loop
	LEAQ (R11)(R9*1), DI
	ADDQ $24, DX
	DECQ CX
	JNZ block
	VZEROUPPER
	RET

TEXT ·fiveAVX(SB), NOSPLIT, $0-40
	BEGIN
	CONSTANT(0x3e9e377a, X14, Y14) // cos 72°
	CONSTANT(0xbf4f1bbd, X13, Y13) // cos 144°
	CONSTANT(0x3f737871, X12, Y12) // sin 72°
	CONSTANT(0x3f167918, X11, Y11) // sin 144°
block:
	MOVQ R9, BX
	LEAQ (SI)(R8*2), R10
	LEAQ (R10)(R8*2), R12
	LEAQ (DI)(R9*2), R11
	LEAQ (R11)(R9*1), R13
loop:
	VMOVUPS (SI), Y0
	VMOVUPS (SI)(R8*1), Y1
	VMOVUPS (R10), Y2
	VMOVUPS (R10)(R8*1), Y3
	VMOVUPS (R12), Y4
	VADDPS Y4, Y1, Y5
	VSUBPS Y4, Y1, Y6
	VADDPS Y3, Y2, Y7
	VSUBPS Y3, Y2, Y8
	VPERMILPS $0xB1, Y6, Y6
	VPERMILPS $0xB1, Y8, Y8
	VADDPS Y5, Y0, Y1
	VADDPS Y7, Y1, Y1
	VMOVUPS Y1, (DI)
	VMOVAPS Y0, Y2
	VFMADD231PS Y14, Y5, Y0
	VFMADD231PS Y13, Y7, Y0 // m1
	VFMADD231PS Y13, Y5, Y2
	VFMADD231PS Y14, Y7, Y2 // m2
	VMULPS Y12, Y6, Y3
	VFMADD231PS Y11, Y8, Y3 // p1
	VMULPS Y11, Y6, Y4
	VFNMADD231PS Y12, Y8, Y4 // p2
	VADDSUBPS Y3, Y0, Y5
	VADDSUBPS Y4, Y2, Y6
	MINUSI(Y3, Y0)
	MINUSI(Y4, Y2)
	FACTOR(0, Y9, Y10)
	TURN(Y0, Y9, Y10, Y7)
	FACTOR(1, Y9, Y10)
	TURN(Y2, Y9, Y10, Y7)
	FACTOR(2, Y9, Y10)
	TURN(Y6, Y9, Y10, Y7)
	FACTOR(3, Y9, Y10)
	TURN(Y5, Y9, Y10, Y7)
	VMOVUPS Y0, (DI)(R9*1)
	VMOVUPS Y2, (R11)
	VMOVUPS Y6, (R11)(R9*1)
	VMOVUPS Y5, (R13)(R9*1)
	ADDQ $32, SI
	ADDQ $32, R10
	ADDQ $32, R12
	ADDQ $32, DI
	ADDQ $32, R11
	ADDQ $32, R13
	SUBQ $32, BX
	JNZ loop
	LEAQ (R13)(R9*1), DI
	ADDQ $32, DX
	DECQ CX
	JNZ block
	VZEROUPPER
	RET
