//go:build !amd64

package blind

// avx says whether fast does anything; only on amd64 it may.
const avx = false

func (p *pass) fast(y, x []lanes, s int) bool { return false }

func splitFast(to *[pairs]lanes, lane int, z []lanes, fy int) bool { return false }

func joinFast(z []lanes, fy int, first *lanes, rest *[pairs - 1]lanes, lane int, scale float32) bool {
	return false
}
