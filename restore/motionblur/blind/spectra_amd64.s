#include "textflag.h"
#include "rows_amd64.h"

// The loops of rows.go over spectra, by AVX2 and FMA.

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
	NEXT(16)
	END

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
	NEXT(16)
	END

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
	NEXT(16)
	END

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
	NEXT(16)
	END

// DIVISOR sets d to power + tiny + Y15·other, where Y14 is tiny. It overwrites t.
#define DIVISOR(power, other, d, t) \
	WEIGHTS(power, d); \
	WEIGHTS(other, t); \
	VADDPS Y14, d, d; \
	VFMADD231PS Y15, t, d

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
	DIVISOR((DX)(AX*1), (R8)(AX*1), Y0, Y1)
	VMOVUPS (SI)(AX*2), Y2
	VMOVUPS (DI)(AX*2), Y3
	VFMADD231PS Y15, Y3, Y2
	VDIVPS Y0, Y2, Y2
	VMOVUPS Y2, (DI)(AX*2)
	NEXT(16)
	END

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
	DIVISOR((R8)(AX*1), (R9)(AX*1), Y4, Y5)
	VMOVUPS (DX)(AX*2), Y1
	VMOVUPS (SI)(AX*2), Y0
	TIMESCONJ(Y1, Y0, Y2, Y3)
	VFMADD231PS (DI)(AX*2), Y15, Y0
	VDIVPS Y4, Y0, Y0
	VMOVUPS Y0, (DI)(AX*2)
	TIMES(Y1, Y0, Y2, Y3)
	VMOVUPS Y0, (SI)(AX*2)
	NEXT(16)
	END
