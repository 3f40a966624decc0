package compile

import (
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// gradW emits partial products and their sums. There are groups results, each the sum of the same
// number of partial results.
func (l *lowering) gradW(n *netdef.Node, s shaders.GradW, groups int, out *value) error {
	t := l.target(s.N)
	s.NJ = t.NJ(s.N)
	if l.gradTakesWinograd(t, s) {
		return l.winogradGradW(t, n, s, out)
	}
	return l.gradWValues(t, n, s, groups, l.val(n.In[0]), l.val(n.In[1]), out)
}

// splitGradW divides the sum over pixels into chunks.
func (l *lowering) splitGradW(t shaders.Target, s shaders.GradW) shaders.GradW {
	s.TP, s.KC = 1, s.Cin
	s.KT = shaders.Divisor(s.Cin, 4, 2)
	limit := l.tune.pixels(t.Mode)
	s.Cols = largestDivisor(s.OW, limit)
	s.Rows = 1
	if s.Cols == s.OW {
		s.Rows = largestDivisor(s.OH, max(1, limit/s.OW))
	}
	return s
}

// gradWFits reports whether the partial results fit a binding. They may not if the number of pixels
// has no small divisors.
func (l *lowering) gradWFits(s shaders.GradW) bool {
	t := l.target(s.N)
	s = l.splitGradW(t, s)
	return l.fits(t, s.B*s.Chunks()*s.KH*s.KH*s.Cin*s.N)
}

// fits reports whether a kernel may write the given number of values.
func (l *lowering) fits(t shaders.Target, values int) bool {
	return t.Mode == shaders.CPU || 4*int64(values) <= l.maxBinding
}

// gradWValues is gradW for given values instead of the inputs of n.
func (l *lowering) gradWValues(t shaders.Target, n *netdef.Node, s shaders.GradW, groups int, a, b, out *value) error {
	s = l.splitGradW(t, s)
	parts := s.B * s.Chunks() / groups
	packed := shaders.GradWPacked(t)
	x := s.KH * s.KH * s.Cin * s.N
	to := out
	if parts > 1 || packed {
		to = l.temp(n.Name+" partial", groups*parts*x)
	}
	flops := 2 * float64(s.B*s.OH*s.OW) * float64(s.KH*s.KH*s.Cin*s.N)
	if err := l.emit(t, s, nil, flops, a, b, to); err != nil || to == out {
		return err
	}
	sum := shaders.ColSum{Groups: groups, Rows: parts, X: x, Unpack: packed}
	if packed {
		sum.NJ = s.NJ
	}
	return l.colSum(t, to, out, sum)
}

func (l *lowering) lowerConvGradW(n *netdef.Node, op *netdef.ConvGradWOp) error {
	x, g := n.In[0].Shape, n.In[1].Shape
	s := shaders.GradW{ConvShape: shaders.ConvShape{B: x[0], IH: x[1], IW: x[2], Cin: x[3], OH: g[1], OW: g[2], N: g[3], KH: op.K, Stride: op.Stride, Pad: (op.K - 1) / 2}}
	if op.K == 1 { // the pixels are one long row
		s.OW, s.IW = x[0]*x[1]*x[2], x[0]*x[1]*x[2]
		s.OH, s.IH, s.B = 1, 1, 1
	}
	if !l.gradWFits(s) {
		return l.lowerGeneral(n)
	}
	return l.gradW(n, s, 1, l.out(n))
}

func (l *lowering) lowerMatMulTA(n *netdef.Node) error {
	whole, out := n, l.out(n)
	n, err := l.repeatHeads(n)
	if err != nil {
		return err
	}
	a, b, y := n.In[0].Shape, n.In[1].Shape, n.Shape
	s := shaders.GradW{ConvShape: shaders.ConvShape{B: y[0] * y[1], IH: 1, IW: a[2], Cin: a[3], OH: 1, OW: a[2], N: b[3], KH: 1, Stride: 1}}
	s.SharedX, s.SharedG = shared(a, y), shared(b, y)
	if !l.gradWFits(s) {
		return l.lowerGeneral(whole)
	}
	return l.gradW(n, s, s.B, out)
}
