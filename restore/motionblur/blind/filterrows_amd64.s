#include "textflag.h"
#include "rows_amd64.h"

// The loops of filterrows.go, by AVX2 and FMA.

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
	NEXT(32)
	END

// FIVE loads the addresses of the five filters' rows, which BX points to.
#define FIVE \
	MOVQ 0(BX), DI; \
	MOVQ 8(BX), R9; \
	MOVQ 16(BX), R10; \
	MOVQ 24(BX), R11; \
	MOVQ 32(BX), R12

// func filtersAVX(out *[5]*float32, above, row, below *float32, n int): row[−1] is read, too
TEXT ·filtersAVX(SB), NOSPLIT, $0-40
	MOVQ out+0(FP), BX
	FIVE
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
	NEXT(32)
	END

// func adjointAVX(above, row, below *float32, in *[5]*float32, n int): values at −1 are read, too
TEXT ·adjointAVX(SB), NOSPLIT, $0-40
	MOVQ in+24(FP), BX
	FIVE
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
	NEXT(32)
	END

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
	NEXT(32)
	END
zero:
	VXORPS Y0, Y0, Y0
	VMOVUPS Y0, (DI)(AX*1)
	JMP next
