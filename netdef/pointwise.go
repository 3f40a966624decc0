package netdef

// PointwiseKind is a function that a PointwiseOp applies: a row of the table in pointwise_table.go.
// A row is all that a new function needs. Gradients, tangents, the float64 reference, kernels and
// the tests follow from it.
type PointwiseKind struct {
	// Constants is how many of the op's numbers A and B the function uses. Two are an interval.
	Constants int
	// Domain says where the function is differentiable. For functions of two arguments it is the
	// domain of the second one.
	Domain Domain
	// Flat: the gradient is taken as 0, and no gradient flows through the function.
	Flat bool
	// Steps: the function is not continuous.
	Steps bool
	// Simple: a few instructions. A kernel that uses the value several times may compute it every
	// time.
	Simple bool
	// Trivial: one instruction on one argument. It is cheaper to compute the function for every
	// element of a larger result than to run a kernel for it.
	Trivial bool

	name   string
	unary  *unaryRow // one of the two is set
	binary *binaryRow
}

// Domain is a set of real numbers.
type Domain int

// The domains on which functions of the table are differentiable.
const (
	Reals    Domain = iota
	NonZero         // a pole or a kink at 0
	Positive        // above 0
)

// unaryRow holds the columns of a function f of one argument. o holds its constants.
type unaryRow struct {
	// eval computes f(x).
	eval func(o *PointwiseOp, x float64) float64
	// vjp builds ct·f'(x). n is the node of f(x). The Jacobian is diagonal, so this is the JVP too.
	vjp func(g builder, o *PointwiseOp, x, n, ct *Node) *Node
	// emit emits f(x).
	emit func(e Emitter, o *PointwiseOp, x Value) Value
}

// binaryRow holds the columns of a function f of two arguments.
type binaryRow struct {
	// eval computes f(a, b).
	eval func(a, b float64) float64
	// vjp builds the cotangents of n's operands; nil: there are none.
	vjp func(g builder, n, ct *Node) []*Node
	// jvp builds the tangent of n from those of its operands, of which one may be nil, which means
	// zeros; nil: it is always zero.
	jvp func(g builder, n, ta, tb *Node) *Node
	// emit emits f(a, b).
	emit func(e Emitter, a, b Value) Value
}

// Emitter emits arithmetic on numbers, for kernels and for other formats of networks.
type Emitter interface {
	Float(v float64) Value // a constant
	Neg(a Value) Value
	Exp(a Value) Value
	Log(a Value) Value
	Sqrt(a Value) Value
	Sigmoid(a Value) Value
	Tanh(a Value) Value
	Abs(a Value) Value
	Sin(a Value) Value
	Cos(a Value) Value
	Add(a, b Value) Value
	Sub(a, b Value) Value
	Mul(a, b Value) Value
	Div(a, b Value) Value
	Max(a, b Value) Value
	Min(a, b Value) Value
	Greater(a, b Value) Value // 1 if a > b, else 0
}

// Value stands for a number whose computation has been emitted. Only its Emitter knows which.
type Value = int

// builder is a *Graph. The rows use it through an interface because their gradients build nodes of
// other rows: with the methods themselves, Go would report a cycle in the initialisation of the
// table.
type builder interface {
	Add(a, b *Node) *Node
	Sub(a, b *Node) *Node
	Mul(a, b *Node) *Node
	Div(a, b *Node) *Node
	Greater(a, b *Node) *Node
	Neg(x *Node) *Node
	Square(x *Node) *Node
	Sigmoid(x *Node) *Node
	Sign(x *Node) *Node
	Sin(x *Node) *Node
	Cos(x *Node) *Node
	Scale(x *Node, c float64) *Node
	Offset(x *Node, c float64) *Node
	Inside(x *Node, lo, hi float64) *Node
	StopGradient(x *Node) *Node

	// See op_pointwise.go. The first is for cotangents, the others for tangents.
	sumBack(x *Node, ct func() *Node) *Node
	plus(a, b *Node) *Node
	negative(a *Node) *Node
	times(t, factor *Node) *Node
}

// pointwiseKinds lists the rows in their order.
var pointwiseKinds []*PointwiseKind

// PointwiseKinds returns all functions of the table.
func PointwiseKinds() []*PointwiseKind { return append([]*PointwiseKind(nil), pointwiseKinds...) }

// String returns the function's name.
func (k *PointwiseKind) String() string { return k.name }

// Binary reports whether the function has two arguments.
func (k *PointwiseKind) Binary() bool { return k.binary != nil }

// unary and binary add a row to the table.

func unary(name string, k PointwiseKind, row unaryRow) *PointwiseKind {
	k.name, k.unary = name, &row
	pointwiseKinds = append(pointwiseKinds, &k)
	return &k
}

func binary(name string, k PointwiseKind, row binaryRow) *PointwiseKind {
	k.name, k.binary = name, &row
	pointwiseKinds = append(pointwiseKinds, &k)
	return &k
}
