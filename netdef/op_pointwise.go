package netdef

import "fmt"

// PointwiseKind is the function of a PointwiseOp.
type PointwiseKind int

// Kinds with one argument, then, from Add on, kinds with two.
const (
	Neg          PointwiseKind = iota // -x
	Exp                               // eˣ
	Log                               // natural logarithm
	Sqrt                              // √x
	Square                            // x²
	Sigmoid                           // 1/(1+e⁻ˣ)
	SiLU                              // x·sigmoid(x)
	Tanh                              // tanh x
	Abs                               // |x|
	Recip                             // 1/x
	Sin                               // sin x
	Cos                               // cos x
	Sign                              // -1, 0 or 1; its gradient is taken as 0
	Scale                             // A·x
	Offset                            // x + A
	Clamp                             // min(max(x, A), B)
	Inside                            // 1 where A ≤ x ≤ B, else 0; its gradient is taken as 0
	StopGradient                      // x, through which no gradient flows
	Add                               // a + b
	Sub                               // a - b
	Mul                               // a · b
	Div                               // a / b
	Max                               // max(a, b); where equal, the gradient goes to b
	Min                               // min(a, b); where equal, the gradient goes to b
	Greater                           // 1 where a > b, else 0; no gradient
)

var pointwiseNames = [...]string{"Neg", "Exp", "Log", "Sqrt", "Square", "Sigmoid", "SiLU", "Tanh", "Abs", "Recip",
	"Sin", "Cos", "Sign", "Scale", "Offset", "Clamp", "Inside", "StopGradient",
	"Add", "Sub", "Mul", "Div", "Max", "Min", "Greater"}

// String returns the kind's name.
func (k PointwiseKind) String() string { return pointwiseNames[k] }

// Binary reports whether the function has two arguments.
func (k PointwiseKind) Binary() bool { return k >= Add }

// PointwiseOp applies a function element by element. Kinds with two arguments broadcast them to
// their common shape, along the axes that BroadcastAxes allows.
type PointwiseOp struct {
	Kind PointwiseKind
	A, B float64 // constants of Scale, Offset, Clamp and Inside, else 0
}

// Name implements Op.
func (o *PointwiseOp) Name() string { return o.Kind.String() }

// Infer implements Op.
func (o *PointwiseOp) Infer(in []Shape) (Shape, error) {
	if o.Kind.Binary() {
		return broadcastShape(in[0], in[1])
	}
	if o.A > o.B && (o.Kind == Clamp || o.Kind == Inside) {
		return Shape{}, fmt.Errorf("the interval [%g, %g] is empty", o.A, o.B)
	}
	return in[0], nil
}

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
