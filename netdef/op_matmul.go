package netdef

import "fmt"

// MatMulOp multiplies the matrices on the last two axes: a [B,H,M,K] times b [B,H,K,N] gives
// [B,H,M,N]. An operand of size 1 on axis 0 or 1 is shared along that axis. With TA the first
// operand is [B,H,K,M] and is transposed.
type MatMulOp struct{ TA bool }

// Name implements Op.
func (o *MatMulOp) Name() string {
	if o.TA {
		return "MatMulTA"
	}
	return "MatMul"
}

// Infer implements Op.
func (o *MatMulOp) Infer(in []Shape) (Shape, error) {
	a, b := in[0], in[1]
	out := Shape{max(a[0], b[0]), max(a[1], b[1]), a[2], b[3]}
	for i := range 2 {
		for _, s := range in {
			if s[i] != 1 && s[i] != out[i] {
				return out, fmt.Errorf("operands %v and %v differ on axis %d", a, b, i)
			}
		}
	}
	k := a[3]
	if o.TA {
		k, out[2] = a[2], a[3]
	}
	if k != b[2] {
		return out, fmt.Errorf("inner sizes of %v and %v differ: %d and %d", a, b, k, b[2])
	}
	return out, nil
}

// VJP implements Differentiable.
func (o *MatMulOp) VJP(g *Graph, n, ct *Node) []*Node {
	a, b := n.In[0], n.In[1]
	out := make([]*Node, 2)
	if g.Wants(a) {
		if o.TA {
			out[0] = g.sumHeads(g.MatMul(b, g.Transpose(ct)), a.Shape)
		} else {
			out[0] = g.sumHeads(g.MatMul(ct, g.Transpose(b)), a.Shape)
		}
	}
	if g.Wants(b) {
		if o.TA {
			out[1] = g.sumHeads(g.MatMul(a, ct), b.Shape)
		} else {
			out[1] = g.sumHeads(g.MatMulTA(a, ct), b.Shape)
		}
	}
	return out
}

// sumHeads sums x over those of axes 0 and 1 along which an operand of shape s is shared. It folds
// axes first, so that Sum supports the pattern.
func (g *Graph) sumHeads(x *Node, s Shape) *Node {
	sumB, sumH := s[0] < x.Shape[0], s[1] < x.Shape[1]
	switch t := x.Shape; {
	case sumB && (sumH || t[1] == 1):
		x = g.Sum(g.Reshape(x, Shape{t[0] * t[1], 1, t[2], t[3]}), AxB)
	case sumB:
		x = g.Sum(x, AxB)
	case sumH:
		x = g.Reshape(g.Sum(g.Reshape(x, Shape{t[0], t[1], 1, t[2] * t[3]}), AxHW), s)
	}
	return x
}

// JVP implements ForwardDifferentiable.
func (*MatMulOp) JVP(g *Graph, n *Node, t []*Node) *Node { return g.linearIn(n, t) }

// Eval implements Op.
func (o *MatMulOp) Eval(in []*Tensor, out *Tensor) {
	a, b, s := in[0], in[1], out.Shape
	pick := func(t *Tensor, i, axis int) int { return i * min(1, t.Shape[axis]-1) }
	for n := range s[0] {
		for h := range s[1] {
			an, ah, bn, bh := pick(a, n, 0), pick(a, h, 1), pick(b, n, 0), pick(b, h, 1)
			for m := range s[2] {
				y := out.at(n, h, m)
				for k := range b.Shape[2] {
					v := 0.0
					if o.TA {
						v = a.at(an, ah, k)[m]
					} else {
						v = a.at(an, ah, m)[k]
					}
					for j, w := range b.at(bn, bh, k) {
						y[j] += v * w
					}
				}
			}
		}
	}
}

// MatMul multiplies a [B,H,M,K] by b [B,H,K,N]; see MatMulOp.
func (g *Graph) MatMul(a, b *Node) *Node { return g.Apply(&MatMulOp{}, a, b) }

// MatMulTA multiplies the transpose of a [B,H,K,M] by b [B,H,K,N].
func (g *Graph) MatMulTA(a, b *Node) *Node { return g.Apply(&MatMulOp{TA: true}, a, b) }

// TransposeOp swaps the last two axes.
type TransposeOp struct{}

// Name implements Op.
func (*TransposeOp) Name() string { return "Transpose" }

// Infer implements Op.
func (*TransposeOp) Infer(in []Shape) (Shape, error) {
	s := in[0]
	return Shape{s[0], s[1], s[3], s[2]}, nil
}

// VJP implements Differentiable.
func (*TransposeOp) VJP(g *Graph, n, ct *Node) []*Node { return []*Node{g.Transpose(ct)} }

// JVP implements ForwardDifferentiable.
func (*TransposeOp) JVP(g *Graph, n *Node, t []*Node) *Node { return g.linearIn(n, t) }

// Eval implements Op.
func (*TransposeOp) Eval(in []*Tensor, out *Tensor) {
	s := in[0].Shape
	for b := range s[0] {
		for h := range s[1] {
			for w := range s[2] {
				for c, v := range in[0].at(b, h, w) {
					out.at(b, h, c)[w] = v
				}
			}
		}
	}
}

// Transpose swaps axes 2 and 3.
func (g *Graph) Transpose(x *Node) *Node {
	if _, ok := x.Op.(*TransposeOp); ok {
		return x.In[0]
	}
	return g.Apply(&TransposeOp{}, x)
}
