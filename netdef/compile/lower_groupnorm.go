package compile

import (
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// momentsKey identifies the moments of a group normalisation's input.
type momentsKey struct {
	x      *netdef.Node
	groups int
	eps    float64
}

// moments are the mean of every group and 1/√(var + eps), both repeated for every channel: [B,C].
type moments struct{ mean, r *value }

// groupMoments computes moments of x, once for a normalisation and its gradient. The variance is
// the mean of squared differences from the mean, which does not cancel as the difference of two
// sums would.
func (l *lowering) groupMoments(x *netdef.Node, groups int, eps float64) (m moments, err error) {
	key := momentsKey{x, groups, eps}
	if m, ok := l.moments[key]; ok {
		return m, nil
	}
	of := groupMean{name: x.Name + " mean", shape: x.Shape, groups: groups}
	m.mean, err = l.inPhaseOf(x, func() (*value, error) { return l.groupMean(of, onSame(), l.val(x)) })
	if err != nil {
		return m, err
	}
	square := shaders.NewRecorder(shaders.Same, shaders.BatchChan)
	d := square.Sub(0, 1)
	of.name, of.eps = x.Name+" 1/deviation", eps
	m.r, err = l.inPhaseOf(x, func() (*value, error) {
		return l.groupMean(of, square.Expr(square.Mul(d, d)), l.val(x), m.mean)
	})
	l.moments[key] = m
	return m, err
}

// onSame is the expression that returns its only operand.
func onSame() shaders.Expr { return shaders.NewRecorder(shaders.Same).Expr(0) }

// groupMean says of what the means of groups of channels are taken.
type groupMean struct {
	name   string
	shape  netdef.Shape
	groups int
	eps    float64 // if above 0, 1/√(mean + eps) is computed
}

// groupMean computes the mean of an expression over every group, repeated for every channel of the
// group: [B,C]. First it sums over the pixels, then over the channels.
func (l *lowering) groupMean(m groupMean, x shaders.Expr, in ...*value) (*value, error) {
	b, p, c := m.shape[0], m.shape[1]*m.shape[2], m.shape[3]
	t := l.target(c)
	most := 32
	if t.FastBuild {
		most = fastBuildRows
	}
	n := largestDivisor(p, most)
	sums := l.temp(m.name+" sums", b*c)
	to := sums
	if p > n {
		to = l.temp(m.name+" partial", b*(p/n)*c)
	}
	k := shaders.ColSumOf{Of: x, Groups: b, Rows: p, C: c, Sum: n, NJ: t.NJ(c), P: p}
	if err := l.emit(t, k, nil, 0, append(in, to)...); err != nil {
		return nil, err
	}
	if p > n {
		if err := l.colSum(t, to, sums, shaders.ColSum{Groups: b, Rows: p / n, X: c}); err != nil {
			return nil, err
		}
	}
	mean, width := l.temp(m.name, b*c), c/m.groups
	fold := shaders.GroupMean{N: b * c, Width: width, Scale: 1 / float64(p*width), Eps: m.eps}
	return mean, l.emit(l.portable, fold, nil, 0, sums, mean)
}

// lowerGroupNorm computes (x - mean)·r and the epilogue in one kernel, after the sums over groups.
func (l *lowering) lowerGroupNorm(n *netdef.Node, op *netdef.GroupNormOp, post epilogue, out *value) error {
	m, err := l.groupMoments(n.In[0], op.Groups, op.Eps)
	if err != nil {
		return err
	}
	in := []shaders.Pattern{shaders.Same, shaders.BatchChan, shaders.BatchChan}
	first := len(in)
	if !post.IsNone() {
		in = append(in, post.In[1:]...)
	}
	rec := shaders.NewRecorder(in...)
	y := rec.Mul(rec.Sub(0, 1), 2)
	if !post.IsNone() {
		args := []int{y}
		for i := range post.In[1:] {
			args = append(args, first+i)
		}
		y = rec.Inline(post.Expr, args...)
	}
	return l.sites(n.Shape, rec.Expr(y), append([]*value{l.val(n.In[0]), m.mean, m.r}, post.more...), out)
}

// lowerGroupNormGrad computes r·(g - (x - mean)·k - mean(g)) with k = r²·mean(g·(x - mean)). It
// takes two kernels, because one would need more storage buffers than a device must have.
func (l *lowering) lowerGroupNormGrad(n *netdef.Node, op *netdef.GroupNormGradOp) error {
	s, x, g := n.Shape, l.val(n.In[0]), l.val(n.In[1])
	m, err := l.groupMoments(n.In[0], op.Groups, op.Eps)
	if err != nil {
		return err
	}
	of := groupMean{name: n.Name + " mean", shape: s, groups: op.Groups}
	mg, err := l.groupMean(of, onSame(), g)
	if err != nil {
		return err
	}
	product := shaders.NewRecorder(shaders.Same, shaders.Same, shaders.BatchChan)
	of.name = n.Name + " product"
	gx, err := l.groupMean(of, product.Expr(product.Mul(0, product.Sub(1, 2))), g, x, m.mean)
	if err != nil {
		return err
	}
	k := l.temp(n.Name+" slope", s[0]*s[3])
	slope := shaders.NewRecorder(shaders.Same, shaders.Same)
	if err := l.flat(slope.Expr(slope.Mul(0, slope.Mul(1, 1))), k.size, []*value{gx, m.r}, k); err != nil {
		return err
	}
	part := l.temp(n.Name+" part", s.Size())
	first := shaders.NewRecorder(shaders.Same, shaders.Same, shaders.BatchChan, shaders.BatchChan)
	rest := first.Sub(0, first.Mul(first.Sub(1, 2), 3))
	if err := l.sites(s, first.Expr(rest), []*value{g, x, m.mean, k}, part); err != nil {
		return err
	}
	last := shaders.NewRecorder(shaders.Same, shaders.BatchChan, shaders.BatchChan)
	return l.sites(s, last.Expr(last.Mul(last.Sub(0, 1), 2)), []*value{part, mg, m.r}, l.out(n))
}

// sites evaluates an expression over a tensor of shape s whose channels are a multiple of 8.
func (l *lowering) sites(s netdef.Shape, x shaders.Expr, in []*value, out *value) error {
	p, c := s[1]*s[2], s[3]
	t := l.target(c)
	most := 4
	if t.FastBuild {
		most = 1
	}
	tl := shaders.Tile{C: c, P: p, NJ: t.NJ(c), TP: shaders.Divisor(p, most, min(most, 2))}
	return l.emit(t, shaders.Pointwise{Of: x, B: s[0], Tile: tl}, nil, 0, append(append([]*value{}, in...), out)...)
}
