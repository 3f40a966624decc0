package netdef

// VJP implements Differentiable. Greater has none.
func (o *PointwiseOp) VJP(g *Graph, n, ct *Node) []*Node {
	if o.Kind.Binary() {
		return o.binaryVJP(g, n, ct)
	}
	x := n.In[0]
	switch o.Kind {
	case Neg:
		ct = g.Neg(ct)
	case Exp:
		ct = g.Mul(ct, n)
	case Log:
		ct = g.Div(ct, x)
	case Sqrt: // ½ ct/√x: infinite at 0
		ct = g.Div(g.Scale(ct, 0.5), n)
	case Square:
		ct = g.Mul(ct, g.Scale(x, 2))
	case Sigmoid: // n(1-n)
		ct = g.Mul(ct, g.Sub(n, g.Square(n)))
	case SiLU: // s + x·s(1-s) = s + n(1-s) with s = sigmoid(x)
		s := g.Sigmoid(x)
		ct = g.Mul(ct, g.Add(s, g.Sub(n, g.Mul(n, s))))
	case Tanh:
		ct = g.Sub(ct, g.Mul(ct, g.Square(n)))
	case Abs:
		ct = g.Mul(ct, g.Sign(x))
	case Recip:
		ct = g.Neg(g.Mul(ct, g.Square(n)))
	case Sin:
		ct = g.Mul(ct, g.Cos(x))
	case Cos:
		ct = g.Neg(g.Mul(ct, g.Sin(x)))
	case Scale:
		ct = g.Scale(ct, o.A)
	case Offset: // ct
	case Clamp:
		ct = g.Mul(ct, g.Inside(x, o.A, o.B))
	case Sign, Inside, StopGradient:
		return []*Node{nil}
	}
	return []*Node{ct}
}

// binaryVJP sums the cotangents to the shapes of the operands. It builds these sums only if they
// are wanted: they are the expensive part.
func (o *PointwiseOp) binaryVJP(g *Graph, n, ct *Node) []*Node {
	a, b := n.In[0], n.In[1]
	out := make([]*Node, 2)
	put := func(i int, v func() *Node) {
		if x := n.In[i]; g.Wants(x) {
			out[i] = g.sumTo(v(), x.Shape)
		}
	}
	switch o.Kind {
	case Add:
		put(0, func() *Node { return ct })
		put(1, func() *Node { return ct })
	case Sub:
		put(0, func() *Node { return ct })
		if g.Wants(b) { // negate after summing: there are fewer elements
			out[1] = g.Neg(g.sumTo(ct, b.Shape))
		}
	case Mul:
		put(0, func() *Node { return g.Mul(ct, b) })
		put(1, func() *Node { return g.Mul(ct, a) })
	case Div: // n = a/b, so dn/db = -n/b
		q := g.Div(ct, b)
		put(0, func() *Node { return q })
		put(1, func() *Node { return g.Neg(g.Mul(q, n)) })
	case Max, Min:
		if o.Kind == Min {
			a, b = b, a
		}
		fromA := g.Mul(ct, g.StopGradient(g.Greater(a, b)))
		put(0, func() *Node { return fromA })
		put(1, func() *Node { return g.Sub(ct, fromA) })
	default:
		return nil
	}
	return out
}
