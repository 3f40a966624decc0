package blind

import "golang.org/x/sys/cpu"

// avx says whether the processor has what the passes in fourier_amd64.s need.
var avx = cpu.X86.HasAVX2 && cpu.X86.HasFMA

//go:noescape
func twoAVX(y, x *lanes, w *complex64, m, s int)

//go:noescape
func threeAVX(y, x *lanes, w *complex64, m, s int)

//go:noescape
func fourAVX(y, x *lanes, w *complex64, m, s int)

//go:noescape
func fiveAVX(y, x *lanes, w *complex64, m, s int)

// fast makes the pass by instructions that work on four values at a time, where the processor has
// them, and says whether it did.
func (p *pass) fast(y, x []lanes, s int) bool {
	if !avx {
		return false
	}
	_, _ = y[s*p.radix*p.m-1], x[s*p.radix*p.m-1] // no pass writes or reads beyond
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
