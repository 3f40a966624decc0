package onnx

import (
	"math"

	"github.com/vfmrestore/restore/netdef"
)

// function is an operator of one argument that works element by element.
type function struct {
	// zero: the function maps 0 to 0, so channels that are not used stay 0.
	zero bool
	// pole: it is not finite everywhere, so channels that are not used are set to 1 before.
	pole  bool
	attrs []string
	build func(g *netdef.Graph, n *operator, x *netdef.Node) (*netdef.Node, error)
}

func plain(f func(g *netdef.Graph, x *netdef.Node) *netdef.Node) func(*netdef.Graph, *operator, *netdef.Node) (*netdef.Node, error) {
	return func(g *netdef.Graph, _ *operator, x *netdef.Node) (*netdef.Node, error) { return f(g, x), nil }
}

// positive and negative are max(x, 0) and min(x, 0).

func positive(g *netdef.Graph, x *netdef.Node) *netdef.Node { return g.Clamp(x, 0, math.MaxFloat32) }
func negative(g *netdef.Graph, x *netdef.Node) *netdef.Node { return g.Clamp(x, -math.MaxFloat32, 0) }

var functions = map[string]function{
	"Identity":   {zero: true, build: plain(func(_ *netdef.Graph, x *netdef.Node) *netdef.Node { return x })},
	"Relu":       {zero: true, build: plain(positive)},
	"Sigmoid":    {build: plain((*netdef.Graph).Sigmoid)},
	"Tanh":       {zero: true, build: plain((*netdef.Graph).Tanh)},
	"Neg":        {zero: true, build: plain((*netdef.Graph).Neg)},
	"Abs":        {zero: true, build: plain((*netdef.Graph).Abs)},
	"Exp":        {pole: true, build: plain((*netdef.Graph).Exp)},
	"Log":        {pole: true, build: plain((*netdef.Graph).Log)},
	"Reciprocal": {pole: true, build: plain((*netdef.Graph).Recip)},
	"Sqrt":       {pole: true, build: plain((*netdef.Graph).Sqrt)},
	"Sin":        {zero: true, build: plain((*netdef.Graph).Sin)},
	"Cos":        {build: plain((*netdef.Graph).Cos)},
	"Sign":       {zero: true, build: plain((*netdef.Graph).Sign)},
	"Softplus":   {build: plain((*netdef.Graph).Softplus)},
	"LeakyRelu": {zero: true, attrs: []string{"alpha"}, build: func(g *netdef.Graph, n *operator, x *netdef.Node) (*netdef.Node, error) {
		return leaky(g, n, x, n.float("alpha", 0.01))
	}},
	"Elu": {zero: true, attrs: []string{"alpha"}, build: func(g *netdef.Graph, n *operator, x *netdef.Node) (*netdef.Node, error) {
		a := n.float("alpha", 1)
		return g.Add(positive(g, x), g.Scale(g.Offset(g.Exp(negative(g, x)), -1), a)), finite(n, "alpha", a)
	}},
	"HardSigmoid": {attrs: []string{"alpha", "beta"}, build: func(g *netdef.Graph, n *operator, x *netdef.Node) (*netdef.Node, error) {
		a, b := n.float("alpha", 0.2), n.float("beta", 0.5)
		if err := finite(n, "alpha", a); err != nil {
			return x, err
		}
		return g.Clamp(g.Offset(g.Scale(x, a), b), 0, 1), finite(n, "beta", b)
	}},
	"HardSwish": {zero: true, build: plain(func(g *netdef.Graph, x *netdef.Node) *netdef.Node {
		return g.Mul(x, g.Clamp(g.Offset(g.Scale(x, 1./6), 0.5), 0, 1))
	})},
	"Gelu": {zero: true, attrs: []string{"approximate"}, build: func(g *netdef.Graph, n *operator, x *netdef.Node) (*netdef.Node, error) {
		if how := n.text("approximate", "none"); how != "tanh" {
			return x, n.fail("attribute approximate", "is %q; only \"tanh\" is supported", how)
		}
		inner := g.Scale(g.Add(x, g.Scale(g.Mul(x, g.Square(x)), 0.044715)), math.Sqrt(2/math.Pi))
		return g.Scale(g.Mul(x, g.Offset(g.Tanh(inner), 1)), 0.5), nil
	}},
}

func leaky(g *netdef.Graph, n *operator, x *netdef.Node, a float64) (*netdef.Node, error) {
	if a >= 0 && a <= 1 {
		return g.Max(x, g.Scale(x, a)), nil
	}
	return g.Add(positive(g, x), g.Scale(negative(g, x), a)), finite(n, "alpha", a)
}

// finite refuses attributes with which a graph would compute no numbers.
func finite(n *operator, name string, v float64) error {
	if v-v != 0 || math.Abs(v) > 1e30 {
		return n.fail("attribute "+name, "is %v, which is not supported", v)
	}
	return nil
}

func buildFunction(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0)
	if err != nil {
		return nil, err
	}
	f := functions[n.op]
	if n.op == "Identity" {
		return []value{x}, nil
	}
	if f.pole {
		x = b.withoutPoles(x)
	}
	y, err := f.build(b.g, n, x.node)
	return []value{x.with(y, f.zero && x.clean)}, err
}

// withoutPoles returns v with ones in the channels that it does not use.
func (b *builder) withoutPoles(v value) value {
	if len(v.at) == v.node.Shape[3] && v.distinct() {
		return v
	}
	v = b.cleaned(v)
	return v.with(b.g.Add(v.node, b.constVector(v, 0, 1)), false)
}

// number returns input i as one number, or otherwise if it is missing.
func (b *builder) number(n *operator, i int, what string, otherwise float64) (float64, error) {
	if _, ok := b.opt(n, i); !ok {
		return otherwise, nil
	}
	c, err := b.known(n, i)
	if err != nil {
		return 0, err
	}
	if c.size() != 1 {
		return 0, n.fail(what, "is not one number")
	}
	return c.at(0), nil
}

func buildClip(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0)
	if err != nil {
		return nil, err
	}
	low, high := n.float("min", -math.MaxFloat32), n.float("max", math.MaxFloat32)
	if low, err = b.number(n, 1, "min", low); err != nil {
		return nil, err
	}
	if high, err = b.number(n, 2, "max", high); err != nil {
		return nil, err
	}
	if !(low <= high) || math.IsInf(low, 0) || math.IsInf(high, 0) {
		return nil, n.fail("", "limits values to %g … %g, which is not supported", low, high)
	}
	return []value{x.with(b.g.Clamp(x.node, low, high), x.clean && low <= 0 && high >= 0)}, nil
}

func buildPRelu(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0, 2, 4)
	if err != nil {
		return nil, err
	}
	c, err := b.known(n, 1)
	if err != nil {
		return nil, err
	}
	// Like all operands the slopes are aligned at the last axis, so those of channels are [C,1,1].
	k := len(c.dims) - len(x.dims) + 1
	perChannel := k >= 0 && k < len(c.dims) && c.dims[k] == x.channels()
	if c.f == nil || c.size() != 1 && (c.size() != x.channels() || !perChannel) {
		return nil, n.fail("input 2", "has the shape %v; one slope, or one for each of the %d channels is supported", c.dims, x.channels())
	}
	if c.size() == 1 {
		y, err := leaky(b.g, n, x.node, c.at(0))
		return []value{x.with(y, x.clean)}, err
	}
	slope, err := b.channelParam(n.out[0]+" slope", x, 0, c.at)
	if err != nil {
		return nil, n.fail("", "cannot be built: %v", err)
	}
	y := b.g.Add(positive(b.g, x.node), b.g.Mul(negative(b.g, x.node), slope))
	return []value{x.with(y, x.clean)}, nil
}

func buildPow(b *builder, n *operator) ([]value, error) {
	x, err := b.computed(n, 0)
	if err != nil {
		return nil, err
	}
	e, err := b.number(n, 1, "exponent", math.NaN())
	switch {
	case err != nil:
		return nil, err
	case e == 1:
		return []value{x}, nil
	case e == 2:
		return []value{x.with(b.g.Square(x.node), x.clean)}, nil
	case e == 0.5:
		x = b.withoutPoles(x)
		return []value{x.with(b.g.Sqrt(x.node), false)}, nil
	case e == -0.5:
		x = b.withoutPoles(x)
		return []value{x.with(b.g.Recip(b.g.Sqrt(x.node)), false)}, nil
	case e == -1:
		x = b.withoutPoles(x)
		return []value{x.with(b.g.Recip(x.node), false)}, nil
	}
	return nil, n.fail("exponent", "is %g; only 2, 1, 0.5, -0.5 and -1 are supported", e)
}

// binaries are operators of two arguments. Greater gives 1 or 0.
var binaries = map[string]func(g *netdef.Graph, x, y *netdef.Node) *netdef.Node{
	"Add": (*netdef.Graph).Add, "Sub": (*netdef.Graph).Sub, "Mul": (*netdef.Graph).Mul, "Div": (*netdef.Graph).Div,
	"Max": (*netdef.Graph).Max, "Min": (*netdef.Graph).Min, "Greater": (*netdef.Graph).Greater, "Sum": (*netdef.Graph).Add,
}

// buildBinary builds an operator of two arguments, or one of any number that is a chain of these.
func buildBinary(b *builder, n *operator) ([]value, error) {
	v, err := b.arg(n, 0)
	if err != nil {
		return nil, err
	}
	variadic := n.op == "Sum" || n.op == "Max" || n.op == "Min"
	if len(n.in) < 2 && !variadic || len(n.in) > 2 && !variadic {
		return nil, n.fail("", "has %d inputs", len(n.in))
	}
	for i := 1; i < len(n.in); i++ {
		w, err := b.arg(n, i)
		if err != nil {
			return nil, err
		}
		if v, err = b.binary(n, v, w); err != nil {
			return nil, err
		}
	}
	return []value{v}, nil
}

// binary applies a binary operator to values, broadcast.
func (b *builder) binary(n *operator, x, y value) (value, error) {
	switch {
	case x.shuffle != nil || y.shuffle != nil:
		return x, n.fail("", "has an input of more than 4 axes")
	case x.node == nil && y.node == nil:
		return x, n.fail("", "has several constants among its inputs, which is not supported")
	case x.node != nil && y.node != nil:
		return b.binaryOfNodes(n, x, y)
	case y.data != nil && y.data.size() == 1 && len(y.dims) <= len(x.dims):
		c := b.g.Const("number", netdef.Scalar, []float32{float32(y.data.at(0))})
		if n.op == "Div" && y.data.at(0) == 0 {
			return x, n.fail("input 2", "is 0")
		}
		return x.with(binaries[n.op](b.g, x.node, c), x.clean && (n.op == "Mul" || n.op == "Div")), nil
	case x.data != nil && x.data.size() == 1 && len(x.dims) <= len(y.dims):
		c := b.g.Const("number", netdef.Scalar, []float32{float32(x.data.at(0))})
		if n.op == "Div" {
			y = b.withoutPoles(y)
		}
		return y.with(binaries[n.op](b.g, c, y.node), y.clean && n.op == "Mul"), nil
	case y.data != nil:
		return b.binaryWithConstant(n, x, y.data, false)
	}
	return b.binaryWithConstant(n, y, x.data, true)
}

// broadcast returns the common dimensions of two tensors, aligned at the last axis.
func broadcast(x, y []int) ([]int, bool) {
	if len(x) < len(y) {
		x, y = y, x
	}
	out := append([]int{}, x...)
	for i, d := range y {
		k := len(x) - len(y) + i
		switch {
		case out[k] == 1:
			out[k] = d
		case d != 1 && d != out[k]:
			return nil, false
		}
	}
	return out, true
}

// binaryWithConstant is binary for a value and a constant; first says that the constant is the
// first argument.
func (b *builder) binaryWithConstant(n *operator, x value, c *constant, first bool) (value, error) {
	dims, ok := broadcast(x.dims, c.dims)
	if !ok || len(dims) != len(x.dims) {
		return x, n.fail("", "has inputs of shapes %v and %v, which do not fit", x.dims, c.dims)
	}
	if dims[1] != x.dims[1] { // repeat x
		var err error
		if x, err = b.spread(x, dims[1]); err != nil {
			return x, n.fail("", "cannot be built: %v", err)
		}
	}
	// The constant's dimensions with four axes.
	at := []int{1, 1, 1, 1}
	offset := 4 - len(dims)
	if offset == 2 {
		offset = 0 // [N,C]
	}
	full := make([]int, len(dims))
	for i := range full {
		full[i] = 1
	}
	copy(full[len(dims)-len(c.dims):], c.dims)
	copy(at[offset:], full)
	if at[2]*at[3] > 1 && (at[2] == 1) != (at[3] == 1) && x.side(2)*x.side(3) > 1 { // along one side only
		at[2], at[3] = x.side(2), x.side(3)
	}
	shape := netdef.Shape{at[0], at[2], at[3], x.node.Shape[3]}
	strides, step := make([]int, 4), 1
	own := []int{1, 1, 1, 1}
	copy(own, full)
	for i := 3; i >= 0; i-- {
		if own[i] > 1 {
			strides[i] = step
		}
		step *= own[i]
	}
	pole := n.op == "Div" && !first
	node, err := b.param(n.out[0]+" constant", shape, func(v []float32) {
		if pole {
			for i := range v {
				v[i] = 1
			}
		}
		i := 0
		for bn := range shape[0] {
			for h := range shape[1] {
				for w := range shape[2] {
					for ch, p := range x.at {
						v[i+p] = float32(c.at(bn*strides[0] + ch*strides[1] + h*strides[2] + w*strides[3]))
					}
					i += shape[3]
				}
			}
		}
	})
	if err != nil {
		return x, n.fail("", "cannot be built: %v", err)
	}
	if first && n.op == "Div" {
		x = b.withoutPoles(x)
	}
	out := value{dims: dims, at: x.at, clean: x.clean && n.op != "Div" || n.op == "Mul" || n.op == "Div" && !first && x.clean}
	if first {
		out.node = binaries[n.op](b.g, node, x.node)
	} else {
		out.node = binaries[n.op](b.g, x.node, node)
	}
	return out, nil
}

func (b *builder) binaryOfNodes(n *operator, x, y value) (value, error) {
	dims, ok := broadcast(x.dims, y.dims)
	if !ok || len(x.dims) != len(y.dims) {
		return x, n.fail("", "has inputs of shapes %v and %v, which do not fit", x.dims, y.dims)
	}
	var err error
	for _, v := range []*value{&x, &y} {
		if v.channels() == dims[1] {
			continue
		}
		if *v, err = b.spread(*v, dims[1]); err != nil {
			return x, n.fail("", "cannot be built: %v", err)
		}
	}
	if !sameChannels(x, y) {
		if x, err = b.normal(x); err == nil {
			y, err = b.normal(y)
		}
		if err != nil {
			return x, n.fail("", "cannot be built: %v", err)
		}
	}
	if n.op == "Div" {
		y = b.withoutPoles(y)
	}
	clean := x.clean && y.clean || n.op == "Mul" && (x.clean || y.clean) || n.op == "Div" && x.clean
	to := netdef.Shape{dims[0], 1, 1, x.node.Shape[3]}
	if len(dims) == 4 {
		to[1], to[2] = dims[2], dims[3]
	}
	for _, v := range []value{x, y} {
		if _, ok := netdef.BroadcastAxes(v.node.Shape, to); !ok {
			return x, n.fail("", "repeats an input of shape %v to %v; that is supported for pictures and whole planes only", v.dims, dims)
		}
	}
	node := binaries[n.op](b.g, x.node, y.node)
	if node.Shape != to { // each is repeated along another axis
		node = binaries[n.op](b.g, b.g.BroadcastTo(x.node, to), y.node)
	}
	return value{dims: dims, node: node, at: x.at, clean: clean || len(x.at) == to[3]}, nil
}

// sameChannels reports whether two values have their channels at the same places.
func sameChannels(x, y value) bool {
	if x.node.Shape[3] != y.node.Shape[3] || len(x.at) != len(y.at) {
		return false
	}
	for i := range x.at {
		if x.at[i] != y.at[i] {
			return false
		}
	}
	return true
}
