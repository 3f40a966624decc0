package netdef

import "fmt"

// ConcatOp joins its inputs along an axis, 0 or 3.
type ConcatOp struct{ Axis int }

// Name implements Op.
func (*ConcatOp) Name() string { return "Concat" }

// Infer implements Op.
func (o *ConcatOp) Infer(in []Shape) (Shape, error) {
	if len(in) == 0 {
		return Shape{}, fmt.Errorf("nothing to concatenate")
	}
	out := in[0]
	out[o.Axis] = 0
	for i, s := range in {
		if err := sliceAxis(o.Axis, s[3]); err != nil {
			return out, err
		}
		for k := range s {
			if k != o.Axis && s[k] != out[k] {
				return out, fmt.Errorf("input %d is %v, input 0 is %v: they differ on axis %d", i, s, in[0], k)
			}
		}
		out[o.Axis] += s[o.Axis]
	}
	return out, nil
}

// VJP implements Differentiable.
func (o *ConcatOp) VJP(g *Graph, n, ct *Node) []*Node {
	out, from := make([]*Node, len(n.In)), 0
	for i, x := range n.In {
		to := from + x.Shape[o.Axis]
		if g.Wants(x) {
			out[i] = g.Slice(ct, o.Axis, from, to)
		}
		from = to
	}
	return out
}

// JVP implements ForwardDifferentiable.
func (o *ConcatOp) JVP(g *Graph, n *Node, t []*Node) *Node {
	parts := make([]*Node, len(t))
	for i, x := range n.In {
		if parts[i] = t[i]; parts[i] == nil {
			parts[i] = g.zeros(x.Shape)
		}
	}
	return g.Concat(o.Axis, parts...)
}

// Eval implements Op.
func (o *ConcatOp) Eval(in []*Tensor, out *Tensor) {
	at := [4]int{}
	for _, t := range in {
		c := t.Shape[3]
		window(at, t.Shape, out.Shape, func(i, j int) { copy(out.Data[j:j+c], t.Data[i:i+c]) })
		at[o.Axis] += t.Shape[o.Axis]
	}
}

// Concat joins the nodes along axis 0, or along axis 3 if all channel counts are multiples of 8.
func (g *Graph) Concat(axis int, xs ...*Node) *Node {
	if err := sliceAxis(axis); err != nil {
		return g.fail(&ConcatOp{Axis: axis}, xs, g.scope+"concat", err)
	}
	if len(xs) == 1 {
		return xs[0]
	}
	return g.Apply(&ConcatOp{Axis: axis}, xs...)
}
