#include "textflag.h"

// Two steps of fft.go for four frequencies along a column and the laneCount columns of a strip, by
// AVX2 and FMA: splitting the spectra of two real columns each, and joining them again. A
// register holds four complex values: of four columns, or of four frequencies. TRANSPOSE turns one
// into the other.
//
//	Y15  the sign bit in imaginary parts     Y14  the scale, or ones

#define TRANSPOSE(a, b, c, d, t, u) \
	VUNPCKLPD b, a, t; \
	VUNPCKHPD b, a, a; \
	VUNPCKLPD d, c, u; \
	VUNPCKHPD d, c, c; \
	VPERM2F128 $0x20, c, a, b; \
	VPERM2F128 $0x31, c, a, d; \
	VPERM2F128 $0x20, u, t, a; \
	VPERM2F128 $0x31, u, t, c

#define IMAGINARY \
	MOVQ $0x8000000000000000, AX; \
	VMOVQ AX, X15; \
	VBROADCASTSD X15, Y15

// SPLIT sets even to (p + q*)/2 and odd to (p − q*)/2i.
#define SPLIT(p, q, even, odd) \
	VMOVUPS p, Y0; \
	VXORPS q, Y15, Y1; \
	VADDPS Y1, Y0, even; \
	VSUBPS Y1, Y0, odd; \
	VMULPS Y14, even, even; \
	VPERMILPS $0xB1, odd, odd; \
	VMULPS Y14, odd, odd; \
	VXORPS Y15, odd, odd

#define SPLITFOUR(at) \
	SPLIT((at)(SI), (at)(DX), Y2, Y6); \
	SPLIT((at+64)(SI), (at-64)(DX), Y3, Y7); \
	SPLIT((at+128)(SI), (at-128)(DX), Y4, Y8); \
	SPLIT((at+192)(SI), (at-192)(DX), Y5, Y9); \
	TRANSPOSE(Y2, Y3, Y4, Y5, Y0, Y1); \
	TRANSPOSE(Y6, Y7, Y8, Y9, Y0, Y1); \
	VMOVUPS Y2, (16*at)(DI); \
	VMOVUPS Y6, (16*at+64)(DI); \
	VMOVUPS Y3, (16*at+128)(DI); \
	VMOVUPS Y7, (16*at+192)(DI); \
	VMOVUPS Y4, (16*at+256)(DI); \
	VMOVUPS Y8, (16*at+320)(DI); \
	VMOVUPS Y5, (16*at+384)(DI); \
	VMOVUPS Y9, (16*at+448)(DI)

// func splitAVX(dst *complex64, p, q *lanes)
TEXT ·splitAVX(SB), NOSPLIT, $0-24
	MOVQ dst+0(FP), DI
	MOVQ p+8(FP), SI
	MOVQ q+16(FP), DX
	IMAGINARY
	MOVL $0x3f000000, AX // 1/2
	VMOVQ AX, X14
	VBROADCASTSS X14, Y14
	SPLITFOUR(0)
	SPLITFOUR(32)
	VZEROUPPER
	RET

// JOIN sets p to e + i·o and q to e* + i·o*.
#define JOIN(e, o, p, q) \
	VMOVUPS e, Y0; \
	VPERMILPS $0xB1, o, Y1; \
	VADDSUBPS Y1, Y0, p; \
	VXORPS Y15, Y0, Y0; \
	VADDPS Y1, Y0, q; \
	VMULPS Y14, p, p; \
	VMULPS Y14, q, q

#define JOINFOUR(at, first) \
	JOIN(first, (896-16*at)(SI), Y2, Y6); \
	JOIN((832-16*at)(SI), (768-16*at)(SI), Y3, Y7); \
	JOIN((704-16*at)(SI), (640-16*at)(SI), Y4, Y8); \
	JOIN((576-16*at)(SI), (512-16*at)(SI), Y5, Y9); \
	TRANSPOSE(Y2, Y3, Y4, Y5, Y0, Y1); \
	TRANSPOSE(Y6, Y7, Y8, Y9, Y0, Y1); \
	VMOVUPS Y6, (at)(DX); \
	VMOVUPS Y7, (at-64)(DX); \
	VMOVUPS Y8, (at-128)(DX); \
	VMOVUPS Y9, (at-192)(DX); \
	VMOVUPS Y2, (at)(DI); \
	VMOVUPS Y3, (at+64)(DI); \
	VMOVUPS Y4, (at+128)(DI); \
	VMOVUPS Y5, (at+192)(DI)

// func joinAVX(p, q *lanes, first, rest *complex64, scale float32)
TEXT ·joinAVX(SB), NOSPLIT, $0-36
	MOVQ p+0(FP), DI
	MOVQ q+8(FP), DX
	MOVQ first+16(FP), CX
	MOVQ rest+24(FP), SI
	VBROADCASTSS scale+32(FP), Y14
	IMAGINARY
	JOINFOUR(0, (CX))
	JOINFOUR(32, 448(SI))
	VZEROUPPER
	RET
