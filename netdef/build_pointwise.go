package netdef

// Builders of pointwise nodes. They simplify the graph, which keeps gradient graphs small:
// constants of one element are folded, and a BroadcastTo that the binary op does by itself is
// dropped.

func (g *Graph) unary(k *PointwiseKind, x *Node, a, b float64) *Node {
	op := &PointwiseOp{Kind: k, A: a, B: b}
	if v, ok := Number(x); ok && g.err == nil && k != StopGradient {
		return g.BroadcastTo(g.constant(op.Unary(v)), x.Shape)
	}
	return g.Apply(op, x)
}

func (g *Graph) binary(k *PointwiseKind, a, b *Node) *Node {
	if g.err != nil {
		return g.placeholder(&PointwiseOp{Kind: k}, []*Node{a, b}, g.scope)
	}
	if s, err := broadcastShape(a.Shape, b.Shape); err == nil {
		va, okA := Number(a)
		vb, okB := Number(b)
		fullA, fullB := a.Shape == s, b.Shape == s
		switch {
		case okA && okB:
			return g.BroadcastTo(g.constant((&PointwiseOp{Kind: k}).Binary(va, vb)), s)
		case k == Mul && okB && fullA:
			return g.Scale(a, vb)
		case k == Mul && okA && fullB:
			return g.Scale(b, va)
		case k == Div && okB && fullA:
			return g.Scale(a, 1/vb)
		case k == Add && okB && fullA:
			return g.Offset(a, vb)
		case k == Add && okA && fullB:
			return g.Offset(b, va)
		case k == Sub && okB && fullA:
			return g.Offset(a, -vb)
		}
		// If one operand has the full shape, the other's BroadcastTo need not be stored.
		if _, ok := a.Op.(*BroadcastToOp); ok && fullB {
			a = a.In[0]
		} else if _, ok := b.Op.(*BroadcastToOp); ok && fullA {
			b = b.In[0]
		}
	}
	return g.Apply(&PointwiseOp{Kind: k}, a, b)
}

// Add returns a + b, broadcast.
func (g *Graph) Add(a, b *Node) *Node { return g.binary(Add, a, b) }

// Sub returns a - b, broadcast.
func (g *Graph) Sub(a, b *Node) *Node { return g.binary(Sub, a, b) }

// Mul returns the product element by element, broadcast.
func (g *Graph) Mul(a, b *Node) *Node { return g.binary(Mul, a, b) }

// Div returns a / b, broadcast.
func (g *Graph) Div(a, b *Node) *Node { return g.binary(Div, a, b) }

// Max returns the larger of a and b, broadcast.
func (g *Graph) Max(a, b *Node) *Node { return g.binary(Max, a, b) }

// Min returns the smaller of a and b, broadcast.
func (g *Graph) Min(a, b *Node) *Node { return g.binary(Min, a, b) }

// Greater returns 1 where a > b and 0 elsewhere, broadcast. It has no gradient.
func (g *Graph) Greater(a, b *Node) *Node { return g.binary(Greater, a, b) }

// Neg returns -x.
func (g *Graph) Neg(x *Node) *Node {
	if p, ok := x.Op.(*PointwiseOp); ok && p.Kind == Neg {
		return x.In[0]
	}
	return g.unary(Neg, x, 0, 0)
}

// Exp returns eˣ.
func (g *Graph) Exp(x *Node) *Node { return g.unary(Exp, x, 0, 0) }

// Log returns the natural logarithm.
func (g *Graph) Log(x *Node) *Node { return g.unary(Log, x, 0, 0) }

// Sqrt returns the square root. Its gradient is infinite at 0.
func (g *Graph) Sqrt(x *Node) *Node { return g.unary(Sqrt, x, 0, 0) }

// Square returns x².
func (g *Graph) Square(x *Node) *Node { return g.unary(Square, x, 0, 0) }

// Sigmoid returns 1/(1+e⁻ˣ).
func (g *Graph) Sigmoid(x *Node) *Node { return g.unary(Sigmoid, x, 0, 0) }

// SiLU returns x·sigmoid(x).
func (g *Graph) SiLU(x *Node) *Node { return g.unary(SiLU, x, 0, 0) }

// GELU returns x·Φ(x), with Φ by the tanh formula of transformers.
func (g *Graph) GELU(x *Node) *Node { return g.unary(GELU, x, 0, 0) }

// Softplus returns log(1+eˣ).
func (g *Graph) Softplus(x *Node) *Node { return g.unary(Softplus, x, 0, 0) }

// Tanh returns the hyperbolic tangent.
func (g *Graph) Tanh(x *Node) *Node { return g.unary(Tanh, x, 0, 0) }

// Abs returns |x|; the gradient at 0 is 0.
func (g *Graph) Abs(x *Node) *Node { return g.unary(Abs, x, 0, 0) }

// Recip returns 1/x.
func (g *Graph) Recip(x *Node) *Node { return g.unary(Recip, x, 0, 0) }

// Sin returns the sine of x in radians.
func (g *Graph) Sin(x *Node) *Node { return g.unary(Sin, x, 0, 0) }

// Cos returns the cosine of x in radians.
func (g *Graph) Cos(x *Node) *Node { return g.unary(Cos, x, 0, 0) }

// Sign returns -1, 0 or 1. Its gradient is taken as 0.
func (g *Graph) Sign(x *Node) *Node { return g.unary(Sign, x, 0, 0) }

// Clamp limits x to [lo, hi]. The gradient flows where lo ≤ x ≤ hi.
func (g *Graph) Clamp(x *Node, lo, hi float64) *Node { return g.unary(Clamp, x, lo, hi) }

// Inside returns 1 where lo ≤ x ≤ hi, else 0. Its gradient is taken as 0.
func (g *Graph) Inside(x *Node, lo, hi float64) *Node { return g.unary(Inside, x, lo, hi) }

// Scale returns c·x.
func (g *Graph) Scale(x *Node, c float64) *Node {
	if p, ok := x.Op.(*PointwiseOp); ok && p.Kind == Scale {
		x, c = x.In[0], c*p.A
	}
	if c == 1 {
		return x
	}
	return g.unary(Scale, x, c, 0)
}

// Offset returns x + c.
func (g *Graph) Offset(x *Node, c float64) *Node {
	if c == 0 {
		return x
	}
	return g.unary(Offset, x, c, 0)
}

// StopGradient returns x. No gradient flows through it.
func (g *Graph) StopGradient(x *Node) *Node { return g.unary(StopGradient, x, 0, 0) }
