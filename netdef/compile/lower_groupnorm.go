package compile

import (
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// groupMoments computes the mean of every group of x and 1/√(var + eps). Both are repeated for
// every channel, [B,C]. The variance is the mean of squared differences from the mean, which does
// not cancel as the difference of two sums would.
func (l *lowering) groupMoments(x *netdef.Node, groups int, eps float64) (mean, r *value, err error) {
	s := x.Shape
	if mean, err = l.groupMean(x.Name+" mean", s, groups, onSame(), l.val(x)); err != nil {
		return nil, nil, err
	}
	square := shaders.NewRecorder(shaders.Same, shaders.BatchChan)
	d := square.Sub(0, 1)
	variance, err := l.groupMean(x.Name+" variance", s, groups, square.Expr(square.Mul(d, d)), l.val(x), mean)
	if err != nil {
		return nil, nil, err
	}
	r = l.temp(x.Name+" 1/deviation", s[0]*s[3])
	root := shaders.NewRecorder(shaders.Same)
	inverse := root.Div(root.Float(1), root.Sqrt(root.Add(0, root.Float(eps))))
	return mean, r, l.flat(root.Expr(inverse), r.size, []*value{variance}, r)
}

// onSame is the expression that returns its only operand.
func onSame() shaders.Expr { return shaders.NewRecorder(shaders.Same).Expr(0) }

// groupMean computes the mean of an expression of shape s over every group, repeated for every
// channel of the group: [B,C].
func (l *lowering) groupMean(name string, s netdef.Shape, groups int, x shaders.Expr, in ...*value) (*value, error) {
	b, p, c := s[0], s[1]*s[2], s[3]
	t := l.target(c)
	most := 32
	if t.FastBuild {
		most = fastBuildRows
	}
	n := largestDivisor(p, most)
	sums := l.temp(name+" sums", b*c)
	to := sums
	if p > n {
		to = l.temp(name+" partial", b*(p/n)*c)
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
	width := c / groups
	all := l.temp(name+" of groups", b*c)
	loops := []int{b, groups, width}
	across := shaders.View{shaders.Along(0, b), shaders.Along(1, groups), shaders.Along(3, width)}
	if err := l.generalStep(shaders.General{Out: loops, Sum: []int{width}, In: []shaders.View{across}, To: inOrder(loops)}, 0, []*value{sums}, all); err != nil {
		return nil, err
	}
	mean := l.temp(name, b*c)
	scale := shaders.NewRecorder(shaders.Same)
	return mean, l.flat(scale.Expr(scale.Mul(0, scale.Float(1/float64(p*width)))), b*c, []*value{all}, mean)
}

// lowerGroupNorm computes (x - mean)·r and the epilogue in one kernel, after the sums over groups.
func (l *lowering) lowerGroupNorm(n *netdef.Node, op *netdef.GroupNormOp, post epilogue, out *value) error {
	mean, r, err := l.groupMoments(n.In[0], op.Groups, op.Eps)
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
	return l.sites(n.Shape, rec.Expr(y), append([]*value{l.val(n.In[0]), mean, r}, post.more...), out)
}

// lowerGroupNormGrad computes r·(g - (x - mean)·k - mean(g)) with k = r²·mean(g·(x - mean)). It
// takes two kernels, because one would need more storage buffers than a device must have.
func (l *lowering) lowerGroupNormGrad(n *netdef.Node, op *netdef.GroupNormGradOp) error {
	s, x, g := n.Shape, l.val(n.In[0]), l.val(n.In[1])
	mean, r, err := l.groupMoments(n.In[0], op.Groups, op.Eps)
	if err != nil {
		return err
	}
	mg, err := l.groupMean(n.Name+" mean", s, op.Groups, onSame(), g)
	if err != nil {
		return err
	}
	product := shaders.NewRecorder(shaders.Same, shaders.Same, shaders.BatchChan)
	gx, err := l.groupMean(n.Name+" product", s, op.Groups, product.Expr(product.Mul(0, product.Sub(1, 2))), g, x, mean)
	if err != nil {
		return err
	}
	k := l.temp(n.Name+" slope", s[0]*s[3])
	slope := shaders.NewRecorder(shaders.Same, shaders.Same)
	if err := l.flat(slope.Expr(slope.Mul(0, slope.Mul(1, 1))), k.size, []*value{gx, r}, k); err != nil {
		return err
	}
	part := l.temp(n.Name+" part", s.Size())
	first := shaders.NewRecorder(shaders.Same, shaders.Same, shaders.BatchChan, shaders.BatchChan)
	rest := first.Sub(0, first.Mul(first.Sub(1, 2), 3))
	if err := l.sites(s, first.Expr(rest), []*value{g, x, mean, k}, part); err != nil {
		return err
	}
	last := shaders.NewRecorder(shaders.Same, shaders.BatchChan, shaders.BatchChan)
	return l.sites(s, last.Expr(last.Mul(last.Sub(0, 1), 2)), []*value{part, mg, r}, l.out(n))
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
