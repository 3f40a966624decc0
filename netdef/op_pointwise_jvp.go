package netdef

// JVP implements ForwardDifferentiable. Kinds without a gradient have the tangent 0.
func (o *PointwiseOp) JVP(g *Graph, n *Node, t []*Node) *Node {
	if !o.Kind.Binary() {
		return o.VJP(g, n, t[0])[0] // the Jacobian is diagonal
	}
	a, b, ta, tb := n.In[0], n.In[1], t[0], t[1]
	switch o.Kind {
	case Add:
		return g.plus(ta, tb)
	case Sub:
		return g.plus(ta, g.negative(tb))
	case Mul:
		return g.plus(g.times(ta, b), g.times(tb, a))
	case Div: // d(a/b) = (da - n·db)/b
		return g.Div(g.plus(ta, g.negative(g.times(tb, n))), b)
	case Max, Min: // where a = b, b counts, as in the VJP
		fromA := g.Greater(a, b)
		if o.Kind == Min {
			fromA = g.Greater(b, a)
		}
		return g.plus(g.times(ta, fromA), g.times(tb, g.Offset(g.Neg(fromA), 1)))
	}
	return nil
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
