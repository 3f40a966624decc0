package compile

import (
	"slices"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// Programs that run only a few times (Target.FastBuild) use kernels of any size where there are
// some, and give epilogues kernels of their own. So the driver builds few kernels, once for all
// layers.

// anyProductFMA limits the unrolled multiply-adds of 1×1 convolutions and products of any size. As
// they are few, they may be large.
const anyProductFMA = 512

// anyFMA is the limit for other convolutions of any size.
const anyFMA = 256

// anyChunks is chunks by kernels of any size. done is false if there are none for the shape.
func (l *lowering) anyChunks(p product) (done bool, err error) {
	t, s, run := p.t, p.s, p.divided().KC // channels that chunks would sum tap by tap
	first, post := l.zeros, p.post
	if isBias(post, s) {
		first, post = post.more[0], epilogue{}
	}
	if !post.IsNone() {
		return false, nil
	}
	if s.KH == 1 {
		run = 4
	}
	rowLen, most := s.OW, anyFMA
	if s.KH == 1 {
		rowLen, most = s.OH*s.OW, anyProductFMA
		if s.Batched == 0 {
			rowLen *= s.B
		}
	}
	s.TP = shaders.Divisor(rowLen, 4, 2)
	if rowLen == 1 {
		most = vectorFMA / 2
	}
	if s.NJ < 4 {
		most = most * s.NJ / 8 // kernels for other numbers of channels serve few layers
	}
	limit := max(run, most/(s.KH*s.KH*s.TP*s.NJ))
	for k0 := 0; k0 < s.Cin; k0 += s.KC {
		// The largest power of two, so that few kernels serve all layers.
		s.KC = run
		for s.KC*2 <= limit && k0+s.KC*2 <= s.Cin && s.KC*2%run == 0 {
			s.KC *= 2
		}
		k, ok := s.Any(t, run)
		if !ok {
			return false, nil
		}
		start, stride := p.out, uint32(s.N)
		if k0 == 0 {
			start, stride = first, 0
		}
		scalars, items := k.Scalars(t, s, k0, stride)
		flops := 2 * float64(s.B*s.OH*s.OW) * float64(s.N*s.KC*s.KH*s.KH)
		if err := l.emitItems(t, k, items, scalars, flops, p.x, p.w, start, p.out); err != nil {
			return false, err
		}
	}
	return true, nil
}

// lowerHostAny computes a convolution, matrix product or normalisation, and then its epilogue in a
// kernel of any size. done is false if there is none for the epilogue.
func (l *lowering) lowerHostAny(t shaders.Target, n *netdef.Node, out *value, g *group) (done bool, err error) {
	post := l.epilogueOf(g)
	if l.beginsWith(t, n, post) {
		return false, nil
	}
	s := n.Shape
	k := shaders.Pointwise{Of: post.Expr, B: s[0], Tile: shaders.Tile{C: s[3], P: s[1] * s[2], NJ: t.NJ(s[3]), TP: 1}}
	if !post.slow {
		k.TP = shaders.Divisor(k.P, 2)
	}
	if _, ok := k.Any(t); !ok {
		return false, nil
	}
	sum := l.temp(n.Name+" before its epilogue", out.size)
	if err := l.lowerHost(n, sum, nil); err != nil {
		return false, err
	}
	return true, l.pointwise(t, k, slices.Concat([]*value{sum}, post.more, []*value{out}))
}

// beginsWith reports whether n's kernel can begin its sum with the epilogue, so that this needs
// none.
func (l *lowering) beginsWith(t shaders.Target, n *netdef.Node, post epilogue) bool {
	switch n.Op.(type) {
	case *netdef.Conv2DOp, *netdef.MatMulOp:
		s := convShape(n)
		s.NJ = t.NJ(s.N)
		return isBias(post, s) && !l.takesWinograd(t, n, s)
	}
	return false
}

// pointwise emits a pointwise computation, by a kernel of any size in programs that run only a few
// times.
func (l *lowering) pointwise(t shaders.Target, k shaders.Pointwise, args []*value) error {
	if t.FastBuild {
		if a, ok := k.Any(t); ok {
			return l.emitItems(t, a, k.Signature(t).Items, a.Scalars(t, k), 0, args...)
		}
	}
	return l.emit(t, k, nil, 0, args...)
}
