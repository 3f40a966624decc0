#include "textflag.h"
#include "rows_amd64.h"

// The loops of rows.go over pixels, by AVX2 and FMA.

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
	NEXT(32)
	END

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
	NEXT(32)
	END

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
	NEXT(32)
	END

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
	NEXT(32)
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
	NEXT(32)
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
	NEXT(32)
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
	NEXT(32)
	END

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
	NEXT(32)
	END

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
	NEXT(32)
	END
