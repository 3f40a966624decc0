package netdef

import "fmt"

// SumOp sums over a set of axes, which keep size 1. Axes is AxB, AxC, AxHW, AxBHW, AxHWC or AxAll.
type SumOp struct{ Axes Axes }

// Name implements Op.
func (*SumOp) Name() string { return "Sum" }

// Infer implements Op.
func (o *SumOp) Infer(in []Shape) (Shape, error) {
	for _, a := range axesKnown {
		if a == o.Axes {
			return a.Reduce(in[0]), nil
		}
	}
	return Shape{}, fmt.Errorf("no sum over axes %v: only over B, C, HW, BHW, HWC or all", o.Axes)
}

// VJP implements Differentiable.
func (o *SumOp) VJP(g *Graph, n, ct *Node) []*Node {
	return []*Node{g.BroadcastTo(ct, n.In[0].Shape)}
}

// JVP implements ForwardDifferentiable.
func (*SumOp) JVP(g *Graph, n *Node, t []*Node) *Node { return g.linearIn(n, t) }

// Eval implements Op.
func (o *SumOp) Eval(in []*Tensor, out *Tensor) {
	each(in[0].Shape, out.Shape, out.Shape, func(i, j, _ int) { out.Data[j] += in[0].Data[i] })
}

// Sum sums x over the axes, which keep size 1.
func (g *Graph) Sum(x *Node, axes Axes) *Node {
	if x.Shape == axes.Reduce(x.Shape) {
		return x
	}
	return g.Apply(&SumOp{Axes: axes}, x)
}

// Mean averages x over the axes, which keep size 1.
func (g *Graph) Mean(x *Node, axes Axes) *Node {
	n := float64(x.Shape.Size()) / float64(axes.Reduce(x.Shape).Size())
	return g.Scale(g.Sum(x, axes), 1/n)
}
