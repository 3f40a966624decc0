package netdef

import "math"

// The table of pointwise functions. See PointwiseKind.

// Functions of one argument. In their gradients n is the function's value.
var (
	// Neg is -x.
	Neg = unary("Neg", PointwiseKind{Simple: true, Trivial: true}, unaryRow{
		eval: func(_ *PointwiseOp, x float64) float64 { return -x },
		vjp:  func(g builder, _ *PointwiseOp, _, _, ct *Node) *Node { return g.Neg(ct) },
		emit: func(e Emitter, _ *PointwiseOp, x Value) Value { return e.Neg(x) },
	})
	// Exp is eˣ.
	Exp = unary("Exp", PointwiseKind{}, unaryRow{
		eval: func(_ *PointwiseOp, x float64) float64 { return math.Exp(x) },
		vjp:  func(g builder, _ *PointwiseOp, _, n, ct *Node) *Node { return g.Mul(ct, n) },
		emit: func(e Emitter, _ *PointwiseOp, x Value) Value { return e.Exp(x) },
	})
	// Log is the natural logarithm.
	Log = unary("Log", PointwiseKind{Domain: Positive}, unaryRow{
		eval: func(_ *PointwiseOp, x float64) float64 { return math.Log(x) },
		vjp:  func(g builder, _ *PointwiseOp, x, _, ct *Node) *Node { return g.Div(ct, x) },
		emit: func(e Emitter, _ *PointwiseOp, x Value) Value { return e.Log(x) },
	})
	// Sqrt is √x. Its gradient ½ ct/√x is infinite at 0.
	Sqrt = unary("Sqrt", PointwiseKind{Domain: Positive}, unaryRow{
		eval: func(_ *PointwiseOp, x float64) float64 { return math.Sqrt(x) },
		vjp:  func(g builder, _ *PointwiseOp, _, n, ct *Node) *Node { return g.Div(g.Scale(ct, 0.5), n) },
		emit: func(e Emitter, _ *PointwiseOp, x Value) Value { return e.Sqrt(x) },
	})
	// Square is x².
	Square = unary("Square", PointwiseKind{Simple: true}, unaryRow{
		eval: func(_ *PointwiseOp, x float64) float64 { return x * x },
		vjp:  func(g builder, _ *PointwiseOp, x, _, ct *Node) *Node { return g.Mul(ct, g.Scale(x, 2)) },
		emit: func(e Emitter, _ *PointwiseOp, x Value) Value { return e.Mul(x, x) },
	})
	// Sigmoid is 1/(1+e⁻ˣ), with the derivative n(1-n).
	Sigmoid = unary("Sigmoid", PointwiseKind{}, unaryRow{
		eval: func(_ *PointwiseOp, x float64) float64 { return 1 / (1 + math.Exp(-x)) },
		vjp: func(g builder, _ *PointwiseOp, _, n, ct *Node) *Node {
			return g.Mul(ct, g.Sub(n, g.Square(n)))
		},
		emit: func(e Emitter, _ *PointwiseOp, x Value) Value { return e.Sigmoid(x) },
	})
	// SiLU is x·s with s = sigmoid(x). Its derivative is s + x·s(1-s) = s + n(1-s).
	SiLU = unary("SiLU", PointwiseKind{}, unaryRow{
		eval: func(_ *PointwiseOp, x float64) float64 { return x / (1 + math.Exp(-x)) },
		vjp: func(g builder, _ *PointwiseOp, x, n, ct *Node) *Node {
			s := g.Sigmoid(x)
			return g.Mul(ct, g.Add(s, g.Sub(n, g.Mul(n, s))))
		},
		emit: func(e Emitter, _ *PointwiseOp, x Value) Value { return e.Mul(x, e.Sigmoid(x)) },
	})
	// GELU is x·Φ(x) in the form that transformers use, x·s with s = sigmoid(2u) = (1 + tanh u)/2 and
	// u = √(2/π)·(x + 0.044715x³). Its derivative is s + n(1-s)·2u'.
	GELU = unary("GELU", PointwiseKind{}, unaryRow{
		eval: func(_ *PointwiseOp, x float64) float64 { return x / (1 + math.Exp(-gelu1*x-gelu3*x*x*x)) },
		vjp: func(g builder, _ *PointwiseOp, x, n, ct *Node) *Node {
			x2 := g.Square(x)
			s := g.Sigmoid(g.Mul(x, g.Offset(g.Scale(x2, gelu3), gelu1)))
			slope := g.Offset(g.Scale(x2, 3*gelu3), gelu1)
			return g.Mul(ct, g.Add(s, g.Mul(g.Sub(n, g.Mul(n, s)), slope)))
		},
		emit: func(e Emitter, _ *PointwiseOp, x Value) Value {
			u := e.Mul(x, e.Add(e.Mul(e.Mul(x, x), e.Float(gelu3)), e.Float(gelu1)))
			return e.Mul(x, e.Sigmoid(u))
		},
	})
	// Softplus is log(1+eˣ) = max(x, 0) + log(1+t) with t = e^-|x|, which does not overflow. Its
	// derivative is sigmoid(x).
	Softplus = unary("Softplus", PointwiseKind{}, unaryRow{
		eval: func(_ *PointwiseOp, x float64) float64 { return math.Max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) },
		vjp:  func(g builder, _ *PointwiseOp, x, _, ct *Node) *Node { return g.Mul(ct, g.Sigmoid(x)) },
		emit: func(e Emitter, _ *PointwiseOp, x Value) Value {
			// With u = 1+t rounded, log(1+t) = log u + (t-(u-1))/u up to a square of the rounding
			// error.
			t, one := e.Exp(e.Neg(e.Abs(x))), e.Float(1)
			u := e.Add(one, t)
			rest := e.Div(e.Sub(t, e.Sub(u, one)), u)
			return e.Add(e.Max(x, e.Float(0)), e.Add(e.Log(u), rest))
		},
	})
	// Tanh is the hyperbolic tangent, with the derivative 1-n².
	Tanh = unary("Tanh", PointwiseKind{}, unaryRow{
		eval: func(_ *PointwiseOp, x float64) float64 { return math.Tanh(x) },
		vjp: func(g builder, _ *PointwiseOp, _, n, ct *Node) *Node {
			return g.Sub(ct, g.Mul(ct, g.Square(n)))
		},
		emit: func(e Emitter, _ *PointwiseOp, x Value) Value { return e.Tanh(x) },
	})
	// Abs is |x|. Its gradient at 0 is 0.
	Abs = unary("Abs", PointwiseKind{Domain: NonZero}, unaryRow{
		eval: func(_ *PointwiseOp, x float64) float64 { return math.Abs(x) },
		vjp:  func(g builder, _ *PointwiseOp, x, _, ct *Node) *Node { return g.Mul(ct, g.Sign(x)) },
		emit: func(e Emitter, _ *PointwiseOp, x Value) Value { return e.Abs(x) },
	})
	// Recip is 1/x.
	Recip = unary("Recip", PointwiseKind{Domain: NonZero}, unaryRow{
		eval: func(_ *PointwiseOp, x float64) float64 { return 1 / x },
		vjp:  func(g builder, _ *PointwiseOp, _, n, ct *Node) *Node { return g.Neg(g.Mul(ct, g.Square(n))) },
		emit: func(e Emitter, _ *PointwiseOp, x Value) Value { return e.Div(e.Float(1), x) },
	})
	// Sin is the sine of x in radians.
	Sin = unary("Sin", PointwiseKind{}, unaryRow{
		eval: func(_ *PointwiseOp, x float64) float64 { return math.Sin(x) },
		vjp:  func(g builder, _ *PointwiseOp, x, _, ct *Node) *Node { return g.Mul(ct, g.Cos(x)) },
		emit: func(e Emitter, _ *PointwiseOp, x Value) Value { return e.Sin(x) },
	})
	// Cos is the cosine of x in radians.
	Cos = unary("Cos", PointwiseKind{}, unaryRow{
		eval: func(_ *PointwiseOp, x float64) float64 { return math.Cos(x) },
		vjp:  func(g builder, _ *PointwiseOp, x, _, ct *Node) *Node { return g.Neg(g.Mul(ct, g.Sin(x))) },
		emit: func(e Emitter, _ *PointwiseOp, x Value) Value { return e.Cos(x) },
	})
	// Sign is -1, 0 or 1.
	Sign = unary("Sign", PointwiseKind{Flat: true, Steps: true}, unaryRow{
		eval: func(_ *PointwiseOp, x float64) float64 { return step(x, 0) - step(0, x) },
		emit: func(e Emitter, _ *PointwiseOp, x Value) Value {
			return e.Sub(e.Greater(x, e.Float(0)), e.Greater(e.Float(0), x))
		},
	})
	// Scale is A·x.
	Scale = unary("Scale", PointwiseKind{Constants: 1, Simple: true, Trivial: true}, unaryRow{
		eval: func(o *PointwiseOp, x float64) float64 { return o.A * x },
		vjp:  func(g builder, o *PointwiseOp, _, _, ct *Node) *Node { return g.Scale(ct, o.A) },
		emit: func(e Emitter, o *PointwiseOp, x Value) Value { return e.Mul(x, e.Float(o.A)) },
	})
	// Offset is x + A.
	Offset = unary("Offset", PointwiseKind{Constants: 1, Simple: true, Trivial: true}, unaryRow{
		eval: func(o *PointwiseOp, x float64) float64 { return x + o.A },
		vjp:  func(_ builder, _ *PointwiseOp, _, _, ct *Node) *Node { return ct },
		emit: func(e Emitter, o *PointwiseOp, x Value) Value { return e.Add(x, e.Float(o.A)) },
	})
	// Clamp is min(max(x, A), B). The gradient flows where A ≤ x ≤ B.
	Clamp = unary("Clamp", PointwiseKind{Constants: 2}, unaryRow{
		eval: func(o *PointwiseOp, x float64) float64 { return math.Min(math.Max(x, o.A), o.B) },
		vjp:  func(g builder, o *PointwiseOp, x, _, ct *Node) *Node { return g.Mul(ct, g.Inside(x, o.A, o.B)) },
		emit: func(e Emitter, o *PointwiseOp, x Value) Value {
			return e.Min(e.Max(x, e.Float(o.A)), e.Float(o.B))
		},
	})
	// Inside is 1 where A ≤ x ≤ B, else 0.
	Inside = unary("Inside", PointwiseKind{Constants: 2, Flat: true, Steps: true}, unaryRow{
		eval: func(o *PointwiseOp, x float64) float64 {
			if o.A <= x && x <= o.B {
				return 1
			}
			return 0
		},
		emit: func(e Emitter, o *PointwiseOp, x Value) Value {
			one := e.Float(1)
			return e.Mul(e.Sub(one, e.Greater(e.Float(o.A), x)), e.Sub(one, e.Greater(x, e.Float(o.B))))
		},
	})
	// StopGradient is x.
	StopGradient = unary("StopGradient", PointwiseKind{Flat: true, Simple: true}, unaryRow{
		eval: func(_ *PointwiseOp, x float64) float64 { return x },
		emit: func(_ Emitter, _ *PointwiseOp, x Value) Value { return x },
	})
)

// Functions of two arguments a and b.
var (
	// Add is a + b.
	Add = binary("Add", PointwiseKind{Simple: true}, binaryRow{
		eval: func(a, b float64) float64 { return a + b },
		vjp: func(g builder, n, ct *Node) []*Node {
			all := func() *Node { return ct }
			return []*Node{g.sumBack(n.In[0], all), g.sumBack(n.In[1], all)}
		},
		jvp:  func(g builder, _, ta, tb *Node) *Node { return g.plus(ta, tb) },
		emit: Emitter.Add,
	})
	// Sub is a - b.
	Sub = binary("Sub", PointwiseKind{Simple: true}, binaryRow{
		eval: func(a, b float64) float64 { return a - b },
		vjp: func(g builder, n, ct *Node) []*Node {
			all := func() *Node { return ct }
			// The cotangent of b is negated after summing, when there are fewer elements.
			out := []*Node{g.sumBack(n.In[0], all), g.sumBack(n.In[1], all)}
			if out[1] != nil {
				out[1] = g.Neg(out[1])
			}
			return out
		},
		jvp:  func(g builder, _, ta, tb *Node) *Node { return g.plus(ta, g.negative(tb)) },
		emit: Emitter.Sub,
	})
	// Mul is a · b.
	Mul = binary("Mul", PointwiseKind{Simple: true}, binaryRow{
		eval: func(a, b float64) float64 { return a * b },
		vjp: func(g builder, n, ct *Node) []*Node {
			a, b := n.In[0], n.In[1]
			return []*Node{
				g.sumBack(a, func() *Node { return g.Mul(ct, b) }),
				g.sumBack(b, func() *Node { return g.Mul(ct, a) }),
			}
		},
		jvp: func(g builder, n, ta, tb *Node) *Node {
			return g.plus(g.times(ta, n.In[1]), g.times(tb, n.In[0]))
		},
		emit: Emitter.Mul,
	})
	// Div is n = a / b, so dn = (da - n·db)/b.
	Div = binary("Div", PointwiseKind{Domain: NonZero}, binaryRow{
		eval: func(a, b float64) float64 { return a / b },
		vjp: func(g builder, n, ct *Node) []*Node {
			q := g.Div(ct, n.In[1])
			return []*Node{
				g.sumBack(n.In[0], func() *Node { return q }),
				g.sumBack(n.In[1], func() *Node { return g.Neg(g.Mul(q, n)) }),
			}
		},
		jvp: func(g builder, n, ta, tb *Node) *Node {
			return g.Div(g.plus(ta, g.negative(g.times(tb, n))), n.In[1])
		},
		emit: Emitter.Div,
	})
	// Max is max(a, b). Where they are equal, the gradient goes to b.
	Max = binary("Max", PointwiseKind{}, binaryRow{
		eval: math.Max,
		vjp: func(g builder, n, ct *Node) []*Node {
			return chosenVJP(g, n, ct, g.Greater(n.In[0], n.In[1]))
		},
		jvp: func(g builder, n, ta, tb *Node) *Node {
			return chosenJVP(g, ta, tb, g.Greater(n.In[0], n.In[1]))
		},
		emit: Emitter.Max,
	})
	// Min is min(a, b). Where they are equal, the gradient goes to b.
	Min = binary("Min", PointwiseKind{}, binaryRow{
		eval: math.Min,
		vjp: func(g builder, n, ct *Node) []*Node {
			return chosenVJP(g, n, ct, g.Greater(n.In[1], n.In[0]))
		},
		jvp: func(g builder, n, ta, tb *Node) *Node {
			return chosenJVP(g, ta, tb, g.Greater(n.In[1], n.In[0]))
		},
		emit: Emitter.Min,
	})
	// Greater is 1 where a > b, else 0. It has no gradient.
	Greater = binary("Greater", PointwiseKind{Steps: true}, binaryRow{eval: step, emit: Emitter.Greater})
)

// The coefficients of x and x³ in 2u of GELU: 2√(2/π), and that times 0.044715.
const gelu1, gelu3 = 1.5957691216057308, 0.07135481627260025

// step returns 1 if a > b, else 0.
func step(a, b float64) float64 {
	if a > b {
		return 1
	}
	return 0
}

// chosenVJP and chosenJVP differentiate a function whose value is that of a where fromA is 1, else
// that of b.

func chosenVJP(g builder, n, ct, fromA *Node) []*Node {
	ctA := g.Mul(ct, g.StopGradient(fromA))
	return []*Node{
		g.sumBack(n.In[0], func() *Node { return ctA }),
		g.sumBack(n.In[1], func() *Node { return g.Sub(ct, ctA) }),
	}
}

func chosenJVP(g builder, ta, tb, fromA *Node) *Node {
	return g.plus(g.times(ta, fromA), g.times(tb, g.Offset(g.Neg(fromA), 1)))
}
