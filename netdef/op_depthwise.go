package netdef

import "fmt"

// DepthwiseConvOp convolves every channel of x [B,H,W,C] with its own 3×3 kernel of w [3,3,1,C],
// with zero padding and the same size.
type DepthwiseConvOp struct{}

// Name implements Op.
func (*DepthwiseConvOp) Name() string { return "DepthwiseConv" }

// Infer implements Op.
func (*DepthwiseConvOp) Infer(in []Shape) (Shape, error) {
	if want := (Shape{3, 3, 1, in[0][3]}); in[1] != want {
		return Shape{}, fmt.Errorf("weights are %v, input %v wants %v", in[1], in[0], want)
	}
	return in[0], nil
}

// VJP implements Differentiable. The adjoint has reversed taps. FlipTranspose of [3,3,1,C] gives
// [3,3,C,1], which holds the wanted numbers in order.
func (*DepthwiseConvOp) VJP(g *Graph, n, ct *Node) []*Node {
	x, w := n.In[0], n.In[1]
	out := make([]*Node, 2)
	if g.Wants(x) {
		out[0] = g.DepthwiseConv(ct, g.Reshape(g.FlipTranspose(w), w.Shape))
	}
	if g.Wants(w) {
		out[1] = g.DepthwiseGradW(x, ct)
	}
	return out
}

// JVP implements ForwardDifferentiable.
func (*DepthwiseConvOp) JVP(g *Graph, n *Node, t []*Node) *Node { return g.linearIn(n, t) }

// Eval implements Op.
func (*DepthwiseConvOp) Eval(in []*Tensor, out *Tensor) {
	x, w := in[0], in[1]
	taps(x.Shape, out.Shape, 3, 1, func(b, h, xw, yh, yw, i, j int) {
		y, m := out.at(b, yh, yw), w.at(i, j, 0)
		for c, v := range x.at(b, h, xw) {
			y[c] += v * m[c]
		}
	})
}

// DepthwiseConv convolves channel by channel; see DepthwiseConvOp.
func (g *Graph) DepthwiseConv(x, w *Node) *Node { return g.Apply(&DepthwiseConvOp{}, x, w) }

// DepthwiseGradWOp is the gradient [3,3,1,C] of DepthwiseConv's weights. Its inputs are the
// convolution's input and the cotangent of its output.
type DepthwiseGradWOp struct{}

// Name implements Op.
func (*DepthwiseGradWOp) Name() string { return "DepthwiseGradW" }

// Infer implements Op.
func (*DepthwiseGradWOp) Infer(in []Shape) (Shape, error) {
	if in[0] != in[1] {
		return Shape{}, fmt.Errorf("cotangent %v does not fit input %v", in[1], in[0])
	}
	return Shape{3, 3, 1, in[0][3]}, nil
}

// JVP implements ForwardDifferentiable.
func (*DepthwiseGradWOp) JVP(g *Graph, n *Node, t []*Node) *Node { return g.linearIn(n, t) }

// Eval implements Op.
func (*DepthwiseGradWOp) Eval(in []*Tensor, out *Tensor) {
	x, ct := in[0], in[1]
	taps(x.Shape, ct.Shape, 3, 1, func(b, h, w, yh, yw, i, j int) {
		m, y := out.at(i, j, 0), ct.at(b, yh, yw)
		for c, v := range x.at(b, h, w) {
			m[c] += v * y[c]
		}
	})
}

// DepthwiseGradW returns the gradient of DepthwiseConv's weights.
func (g *Graph) DepthwiseGradW(x, ct *Node) *Node { return g.Apply(&DepthwiseGradWOp{}, x, ct) }
