// What the loops of rows_amd64.s, spectra_amd64.s and filterrows_amd64.s share. A register holds eight
// real or four complex values. All take counts, n, that are multiples of that and above 0.
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

// NEXT goes on with the next values, of so many bytes of real values, and END ends a function.
#define NEXT(bytes) \
	ADDQ $bytes, AX; \
	CMPQ AX, CX; \
	JLT loop

#define END \
	VZEROUPPER; \
	RET

// WEIGHTS sets y to four real weights, each twice.
#define WEIGHTS(at, y) \
	VPMOVZXDQ at, y; \
	VMOVSLDUP y, y

// TIMES sets a to a·k, and TIMESCONJ to a·k*. They overwrite t and u.
#define TURNED(k, a, t, u) \
	VMOVSHDUP k, t; \
	VPERMILPS $0xB1, a, u; \
	VMULPS u, t, t; \
	VMOVSLDUP k, u

#define TIMES(k, a, t, u) \
	TURNED(k, a, t, u); \
	VFMADDSUB213PS t, u, a

#define TIMESCONJ(k, a, t, u) \
	TURNED(k, a, t, u); \
	VFMSUBADD213PS t, u, a

// SUM adds the values of y to x's first one.
#define SUM(y, x, t) \
	VEXTRACTF128 $1, y, t; \
	VADDPS t, x, x; \
	VMOVHLPS x, x, t; \
	VADDPS t, x, x; \
	VMOVSHDUP x, t; \
	VADDSS t, x, x
