package blind

import "golang.org/x/sys/cpu"

// avx says whether the processor has the instructions that fourier_amd64.s uses.
var avx = cpu.X86.HasAVX2 && cpu.X86.HasFMA

//go:noescape
func twoAVX(y, x *lanes, w *complex64, m, s int)

//go:noescape
func threeAVX(y, x *lanes, w *complex64, m, s int)

//go:noescape
func fourAVX(y, x *lanes, w *complex64, m, s int)

//go:noescape
func fiveAVX(y, x *lanes, w *complex64, m, s int)

// fast does the pass by instructions for four values at a time. It returns false, and does nothing,
// if the processor does not have them.
func (p *pass) fast(y, x []lanes, s int) bool {
	if !avx {
		return false
	}
	_, _ = y[s*p.radix*p.m-1], x[s*p.radix*p.m-1] // a pass reads and writes no further
	switch p.radix {
	case 2:
		twoAVX(&y[0], &x[0], &p.w[0], p.m, s)
	case 3:
		threeAVX(&y[0], &x[0], &p.w[0], p.m, s)
	case 4:
		fourAVX(&y[0], &x[0], &p.w[0], p.m, s)
	default:
		fiveAVX(&y[0], &x[0], &p.w[0], p.m, s)
	}
	return true
}

//go:noescape
func splitAVX(dst *complex64, p, q *lanes)

//go:noescape
func joinAVX(p, q *lanes, first, rest *complex64, scale float32)

// splitFast does transform.split for the quad frequencies from fy on. It returns false, and does
// nothing, if the processor cannot.
func splitFast(to *[pairs]lanes, lane int, z []lanes, fy int) bool {
	if !avx {
		return false
	}
	h := len(z)
	_, _ = z[fy+quad-1], z[h-fy-quad+1] // the code reads no further
	splitAVX(&to[0][lane], &z[fy], &z[h-fy])
	return true
}

// joinFast does transform.join for the quad frequencies from fy on. It returns false, and does
// nothing, if the processor cannot.
func joinFast(z []lanes, fy int, first *lanes, rest *[pairs - 1]lanes, lane int, scale float32) bool {
	if !avx {
		return false
	}
	h := len(z)
	_, _ = z[fy+quad-1], z[h-fy-quad+1] // the code writes no further
	joinAVX(&z[fy], &z[h-fy], &first[lane], &rest[0][lane], scale)
	return true
}
