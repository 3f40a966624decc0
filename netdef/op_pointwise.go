package netdef

import "fmt"

// PointwiseOp applies a function element by element. Functions of two arguments broadcast them to
// their common shape, along the axes that BroadcastAxes allows.
type PointwiseOp struct {
	Kind *PointwiseKind
	A, B float64 // the constants of kinds with Constants, else 0
}

// Name implements Op.
func (o *PointwiseOp) Name() string { return o.Kind.name }

// Infer implements Op.
func (o *PointwiseOp) Infer(in []Shape) (Shape, error) {
	if o.Kind.Binary() {
		return broadcastShape(in[0], in[1])
	}
	if o.Kind.Constants == 2 && o.A > o.B {
		return Shape{}, fmt.Errorf("the interval [%g, %g] is empty", o.A, o.B)
	}
	return in[0], nil
}

// Unary computes a function of one argument in float64.
func (o *PointwiseOp) Unary(x float64) float64 { return o.Kind.unary.eval(o, x) }

// Binary computes a function of two arguments in float64.
func (o *PointwiseOp) Binary(a, b float64) float64 { return o.Kind.binary.eval(a, b) }

// Eval implements Op.
func (o *PointwiseOp) Eval(in []*Tensor, out *Tensor) {
	if !o.Kind.Binary() {
		for i, v := range in[0].Data {
			out.Data[i] = o.Unary(v)
		}
		return
	}
	a, b := in[0], in[1]
	each(out.Shape, a.Shape, b.Shape, func(i, ia, ib int) { out.Data[i] = o.Binary(a.Data[ia], b.Data[ib]) })
}

// Emit emits the function for the arguments x.
func (o *PointwiseOp) Emit(e Emitter, x ...Value) Value {
	if o.Kind.Binary() {
		return o.Kind.binary.emit(e, x[0], x[1])
	}
	return o.Kind.unary.emit(e, o, x[0])
}

// VJP implements Differentiable. Functions without a derivative have none.
func (o *PointwiseOp) VJP(g *Graph, n, ct *Node) []*Node {
	switch k := o.Kind; {
	case k.Flat:
		return make([]*Node, len(n.In))
	case k.Binary():
		if k.binary.vjp == nil {
			return nil
		}
		return k.binary.vjp(g, n, ct)
	}
	return []*Node{o.Kind.unary.vjp(g, o, n.In[0], n, ct)}
}

// JVP implements ForwardDifferentiable. Functions without a derivative have the tangent 0.
func (o *PointwiseOp) JVP(g *Graph, n *Node, t []*Node) *Node {
	switch k := o.Kind; {
	case k.Binary():
		if k.binary.jvp == nil {
			return nil
		}
		return k.binary.jvp(g, n, t[0], t[1])
	case k.Flat:
		return nil
	}
	return o.Kind.unary.vjp(g, o, n.In[0], n, t[0]) // the Jacobian is diagonal
}

// Sums and products of tangents. nil means zero.

func (g *Graph) plus(a, b *Node) *Node {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return g.Add(a, b)
}

func (g *Graph) negative(a *Node) *Node {
	if a == nil {
		return nil
	}
	return g.Neg(a)
}

func (g *Graph) times(t, factor *Node) *Node {
	if t == nil {
		return nil
	}
	return g.Mul(t, factor)
}

// sumBack sums a cotangent down to the shape of operand x.
func (g *Graph) sumBack(x *Node, ct func() *Node) *Node {
	if !g.Wants(x) {
		return nil // its sum is the expensive part
	}
	return g.sumTo(ct(), x.Shape)
}
