package netdef

import "fmt"

// BroadcastToOp repeats its input along axes of size 1 until it has shape To.
type BroadcastToOp struct{ To Shape }

// Name implements Op.
func (*BroadcastToOp) Name() string { return "BroadcastTo" }

// Infer implements Op.
func (o *BroadcastToOp) Infer(in []Shape) (Shape, error) {
	if _, ok := BroadcastAxes(in[0], o.To); !ok {
		return Shape{}, fmt.Errorf("cannot broadcast %v to %v: only over B, C, HW, BHW, HWC or all axes", in[0], o.To)
	}
	return o.To, nil
}

// VJP implements Differentiable.
func (o *BroadcastToOp) VJP(g *Graph, n, ct *Node) []*Node {
	return []*Node{g.sumTo(ct, n.In[0].Shape)}
}

// JVP implements ForwardDifferentiable.
func (*BroadcastToOp) JVP(g *Graph, n *Node, t []*Node) *Node { return g.linearIn(n, t) }

// Eval implements Op.
func (o *BroadcastToOp) Eval(in []*Tensor, out *Tensor) {
	each(out.Shape, in[0].Shape, in[0].Shape, func(i, a, _ int) { out.Data[i] = in[0].Data[a] })
}

// BroadcastTo repeats x along axes of size 1 to reach shape s.
func (g *Graph) BroadcastTo(x *Node, s Shape) *Node {
	if x.Shape == s {
		return x
	}
	if v, ok := Number(x); ok {
		x = g.constant(v)
	}
	return g.Apply(&BroadcastToOp{To: s}, x)
}

// sumTo is the adjoint of broadcasting: it sums x down to shape s.
func (g *Graph) sumTo(x *Node, s Shape) *Node {
	axes, _ := BroadcastAxes(s, x.Shape)
	return g.Sum(x, axes)
}

// each calls f with the index of every element of shape out and the indices of the elements of a
// and b that belong to it when they are broadcast to out.
func each(out, a, b Shape, f func(i, ia, ib int)) {
	sa, sb, i := a.strides(out), b.strides(out), 0
	for n := range out[0] {
		for h := range out[1] {
			for w := range out[2] {
				ia := n*sa[0] + h*sa[1] + w*sa[2]
				ib := n*sb[0] + h*sb[1] + w*sb[2]
				for c := range out[3] {
					f(i, ia+c*sa[3], ib+c*sb[3])
					i++
				}
			}
		}
	}
}
