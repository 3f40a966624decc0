package onnx

import (
	"fmt"
	"math"

	"github.com/vfmrestore/restore/internal/memory"
	"github.com/vfmrestore/restore/netdef"
)

// Limits of what Build makes.
const (
	maxChannels = 1 << 16
	maxWeights  = 1 << 28 // numbers, of all weights as the kernels need them
	maxTensor   = 1 << 31 // elements of a tensor that is computed
)

// NodeError says that an operator of a model cannot be built.
type NodeError struct {
	Node, Op  string
	Attribute string // the attribute or input that is not supported; "": the operator itself
	Reason    string
}

func (e *NodeError) Error() string {
	s := fmt.Sprintf("onnx: node %q (%s): ", e.Node, e.Op)
	if e.Attribute != "" {
		s += e.Attribute + " "
	}
	return s + e.Reason
}

// fail returns a NodeError.
func (n *operator) fail(attribute, format string, args ...any) error {
	return &NodeError{n.title(), n.op, attribute, fmt.Sprintf(format, args...)}
}

// Tensor is an input or output of a model in a graph.
//
// The node has the shape [N,H,W,P] for a tensor [N,C,H,W], and [N,1,1,P] for a tensor [N,C]. P is C
// rounded up to a multiple of 8. The values of an input at channels from C on must be 0; those of
// an output are 0.
type Tensor struct {
	Name string
	Dims []int
	Node *netdef.Node
}

// Built is a model in a graph.
type Built struct{ Inputs, Outputs []Tensor }

// Build appends the model to a graph. sizes gives the sizes of inputs, by their names; those of
// other inputs are as the file says. A size that is given may differ from what the file says:
// most networks can be computed at any size, and an error says if this one cannot. Inputs have 2
// or 4 axes.
//
// Weights become parameters with their values as initial values (netdef.InitialValues), under the
// names of the results that they are for. Parameters are the same for all sizes. Errors are those
// of sizes, *NodeError, and those of the graph.
func (m *Model) Build(g *netdef.Graph, sizes map[string][]int) (*Built, error) {
	b := &builder{m: m, g: g, values: map[string]value{}, params: map[string]bool{}, merged: map[string]*batchNorm{}}
	for name, c := range m.consts {
		b.values[name] = value{dims: c.dims, data: c}
	}
	out := &Built{}
	for _, p := range m.Inputs {
		dims, err := p.size(sizes[p.Name])
		if err != nil {
			return nil, err
		}
		phys := roundUp(dims[1])
		shape := netdef.Shape{dims[0], 1, 1, phys}
		if len(dims) == 4 {
			shape[1], shape[2] = dims[2], dims[3]
		}
		if size(shape) > maxTensor {
			return nil, fmt.Errorf("onnx: input %q of shape %v is too large", p.Name, dims)
		}
		node := g.Input(p.Name, shape)
		b.values[p.Name] = value{dims: dims, node: node, at: identity(dims[1]), clean: true}
		out.Inputs = append(out.Inputs, Tensor{p.Name, dims, node})
	}
	if err := g.Err(); err != nil {
		return nil, err
	}
	b.findBatchNorms()
	for _, n := range m.nodes {
		if err := b.add(n); err != nil {
			return nil, err
		}
		if err := g.Err(); err != nil {
			return nil, n.fail("", "cannot be built: %v", err)
		}
	}
	for _, p := range m.Outputs {
		v := b.values[p.Name]
		if v.node == nil {
			return nil, fmt.Errorf("onnx: output %q does not depend on any input", p.Name)
		}
		if v.shuffle != nil {
			return nil, fmt.Errorf("onnx: output %q has %d axes, which is not supported", p.Name, len(v.dims))
		}
		v, err := b.normal(v)
		if err != nil {
			return nil, fmt.Errorf("onnx: output %q: %w", p.Name, err)
		}
		out.Outputs = append(out.Outputs, Tensor{p.Name, v.dims, v.node})
	}
	return out, g.Err()
}

// size returns the dimensions of an input, of which some or all may be given.
func (p Port) size(given []int) ([]int, error) {
	if p.elem != elemFloat {
		return nil, fmt.Errorf("onnx: input %q has elements of type %d; only float inputs can be computed", p.Name, p.elem)
	}
	dims := given
	if dims == nil {
		dims = p.Dims
	} else if p.Dims != nil && (len(p.Dims) != len(dims) || p.Dims[1] != 0 && p.Dims[1] != dims[1]) {
		return nil, fmt.Errorf("onnx: input %q is %v in the file and cannot be %v", p.Name, p.Dims, dims)
	}
	if len(dims) != 2 && len(dims) != 4 {
		return nil, fmt.Errorf("onnx: input %q has %d axes; only 2 and 4 can be computed", p.Name, len(dims))
	}
	for _, d := range dims {
		if d < 1 || d > 1<<20 {
			return nil, fmt.Errorf("onnx: input %q: its size %v is not known or too large", p.Name, dims)
		}
	}
	if dims[1] > maxChannels {
		return nil, fmt.Errorf("onnx: input %q has more than %d channels", p.Name, maxChannels)
	}
	return dims, nil
}

// builder builds the graph of a model.
type builder struct {
	m      *Model
	g      *netdef.Graph
	values map[string]value
	params map[string]bool // names of parameters
	spent  int             // numbers of all weights
	merged map[string]*batchNorm
}

// value is a tensor of the model. Either its values are known (data), or a node computes it.
//
// The kernels want channels in multiples of 8, so channel c is channel at[c] of the node. Slices
// and concatenations of channels only change at. The other channels of the node hold finite
// numbers, which all operators leave alone; if clean is true, they are 0.
type value struct {
	dims  []int // [N,C,H,W] or [N,C]; of constants any
	data  *constant
	node  *netdef.Node
	at    []int
	clean bool
	conv  *convolution // that computes it; nil: something else does
	// shuffle, if not nil, is a rearrangement that is not finished; only Reshape and Transpose take
	// such a value.
	shuffle *shuffle
}

func (v value) channels() int { return v.dims[1] }

// side returns H or W (axis 2 or 3); a tensor [N,C] has one site.
func (v value) side(axis int) int {
	if len(v.dims) == 2 {
		return 1
	}
	return v.dims[axis]
}

// with returns a value like v that another node computes, channel by channel.
func (v value) with(node *netdef.Node, clean bool) value {
	return value{dims: v.dims, node: node, at: v.at, clean: clean || len(v.at) == node.Shape[3]}
}

func roundUp(c int) int { return (c + 7) / 8 * 8 }

func identity(n int) []int {
	at := make([]int, n)
	for i := range at {
		at[i] = i
	}
	return at
}

// size is the number of elements of a shape, at most math.MaxInt64.
func size(s netdef.Shape) int64 {
	n := int64(1)
	for _, d := range s {
		if d > 0 && n > math.MaxInt64/int64(d) {
			return math.MaxInt64
		}
		n *= int64(d)
	}
	return n
}

// add builds an operator.
func (b *builder) add(n *operator) error {
	if !isStandard(n.domain) {
		return n.fail("", "belongs to %q; only ONNX's own operators are supported", n.domain)
	}
	spec, ok := operators[n.op]
	if !ok {
		return n.fail("", "is not supported")
	}
	for name, a := range n.attrs {
		if !spec.takes(name) || a.other {
			return n.fail("attribute "+name, "is not supported")
		}
	}
	outs, err := b.folded(n)
	if outs == nil && err == nil {
		outs, err = spec.build(b, n)
	}
	if err != nil {
		return err
	}
	for i, name := range n.out {
		if name == "" {
			continue
		}
		if i >= len(outs) {
			return n.fail("", "result %d (%q) is not supported", i+1, name)
		}
		v := outs[i]
		if v.node != nil {
			if s := v.node.Shape; size(s) > maxTensor || s[3] > maxChannels*8 {
				return n.fail("", "its result of shape %v is too large", v.dims)
			}
		}
		b.values[name] = v
	}
	return nil
}

// arg returns input i, which must be there.
func (b *builder) arg(n *operator, i int) (value, error) {
	v, ok := b.opt(n, i)
	if !ok {
		return v, n.fail(fmt.Sprintf("input %d", i+1), "is missing")
	}
	return v, nil
}

// opt returns input i if it is there.
func (b *builder) opt(n *operator, i int) (value, bool) {
	if i >= len(n.in) || n.in[i] == "" {
		return value{}, false
	}
	v, ok := b.values[n.in[i]]
	return v, ok
}

// computed returns input i, which must have one of the numbers of axes. A constant of floats becomes
// a parameter.
func (b *builder) computed(n *operator, i int, ranks ...int) (value, error) {
	v, err := b.arg(n, i)
	if err != nil {
		return v, err
	}
	if c := v.data; c != nil {
		if c.f == nil || len(c.dims) != 2 && len(c.dims) != 4 || c.size() == 0 || c.dims[1] > maxChannels {
			return v, n.fail(fmt.Sprintf("input %d", i+1), "is a constant of shape %v, which is not supported here", c.dims)
		}
		if v, err = b.promoted(n.in[i], c); err != nil {
			return v, n.fail(fmt.Sprintf("input %d", i+1), "cannot be built: %v", err)
		}
	}
	for _, r := range ranks {
		if len(v.dims) == r {
			return v, nil
		}
	}
	if len(ranks) > 0 || v.shuffle != nil && n.op != "Reshape" && n.op != "Transpose" {
		return v, n.fail(fmt.Sprintf("input %d", i+1), "has %d axes, which is not supported here", len(v.dims))
	}
	return v, nil
}

// promoted makes a parameter of a constant [N,C,H,W] or [N,C].
func (b *builder) promoted(name string, c *constant) (value, error) {
	shape := netdef.Shape{c.dims[0], 1, 1, roundUp(c.dims[1])}
	if len(c.dims) == 4 {
		shape[1], shape[2] = c.dims[2], c.dims[3]
	}
	sites := shape[1] * shape[2]
	node, err := b.param(name+" constant", shape, func(v []float32) {
		for i, x := range c.f {
			site, channel := i%sites, i/sites%c.dims[1]
			v[(i/sites/c.dims[1]*sites+site)*shape[3]+channel] = x
		}
	})
	return value{dims: c.dims, node: node, at: identity(c.dims[1]), clean: true}, err
}

// known returns the values of input i, which must be a constant.
func (b *builder) known(n *operator, i int) (*constant, error) {
	v, err := b.arg(n, i)
	if err == nil && v.data == nil {
		err = n.fail(fmt.Sprintf("input %d", i+1), "is computed; it is supported as a constant only")
	}
	return v.data, err
}

// ints returns a list of integers that is an attribute or, in other versions of ONNX, input i. ok
// is false if it is neither.
func (b *builder) ints(n *operator, attribute string, i int) (list []int, ok bool, err error) {
	if a, given := n.attrs[attribute]; given {
		return toInts(a.ints), true, nil
	}
	if _, given := b.opt(n, i); i < 0 || !given {
		return nil, false, nil
	}
	c, err := b.known(n, i)
	if err != nil {
		return nil, false, err
	}
	if c.i == nil && c.size() > 0 || len(c.dims) > 1 {
		return nil, false, n.fail(attribute, "is not a list of integers")
	}
	return toInts(c.i), true, nil
}

// toInts limits integers to a range in which sums do not overflow.
func toInts(v []int64) []int {
	list := make([]int, len(v))
	for i, x := range v {
		list[i] = int(min(max(x, -1<<40), 1<<40))
	}
	return list
}

// integer returns an attribute, or its default value.
func (n *operator) integer(name string, otherwise int) int {
	if a, ok := n.attrs[name]; ok {
		return toInts([]int64{a.i})[0]
	}
	return otherwise
}

func (n *operator) float(name string, otherwise float64) float64 {
	if a, ok := n.attrs[name]; ok {
		return float64(a.f)
	}
	return otherwise
}

func (n *operator) text(name, otherwise string) string {
	if a, ok := n.attrs[name]; ok {
		return a.s
	}
	return otherwise
}

// axis returns an axis of a tensor with a number of axes, counted from the end if it is negative.
func (n *operator) axis(a, rank int) (int, error) {
	if a < 0 {
		a += rank
	}
	if a < 0 || a >= rank {
		return 0, n.fail("axis", "is not one of the %d of its input", rank)
	}
	return a, nil
}

// spend counts numbers of weights before they are allocated.
func (b *builder) spend(shape netdef.Shape) error {
	if n := size(shape); n > maxWeights || b.spent+int(n) > maxWeights {
		return fmt.Errorf("the weights take more than %d numbers as the kernels need them", maxWeights)
	}
	b.spent += int(size(shape))
	return nil
}

// param makes a parameter of a shape; fill writes its values.
func (b *builder) param(name string, shape netdef.Shape, fill func(v []float32)) (*netdef.Node, error) {
	if err := b.spend(shape); err != nil {
		return nil, err
	}
	if err := memory.Check("the network's weights", 4*size(shape)); err != nil {
		return nil, err
	}
	v := make([]float32, shape.Size())
	fill(v)
	for i := 2; b.params[name]; i++ {
		name = fmt.Sprintf("%s (%d)", name, i)
	}
	b.params[name] = true
	return b.g.Param(name, shape, netdef.Data{Values: v}), nil
}

// channelParam makes a parameter with a number for every channel of v, and rest for the channels of
// its node that are none.
func (b *builder) channelParam(name string, v value, rest float32, at func(c int) float64) (*netdef.Node, error) {
	return b.param(name, netdef.Shape{1, 1, 1, v.node.Shape[3]}, func(to []float32) {
		for i := range to {
			to[i] = rest
		}
		for c, i := range v.at {
			to[i] = float32(at(c))
		}
	})
}

// constVector is a constant with one number where the channels of v are and another elsewhere.
func (b *builder) constVector(v value, inside, outside float32) *netdef.Node {
	data := make([]float32, v.node.Shape[3])
	for i := range data {
		data[i] = outside
	}
	for _, i := range v.at {
		data[i] = inside
	}
	return b.g.Const("channels", netdef.Shape{1, 1, 1, len(data)}, data)
}

// cleaned returns v with zeros in the channels that it does not use.
func (b *builder) cleaned(v value) value {
	if v.clean || len(v.at) == v.node.Shape[3] && v.distinct() {
		v.clean = true
		return v
	}
	return v.with(b.g.Mul(v.node, b.constVector(v, 1, 0)), true)
}

// distinct reports whether every channel has a place of its own.
func (v value) distinct() bool {
	seen := make([]bool, v.node.Shape[3])
	for _, i := range v.at {
		if seen[i] {
			return false
		}
		seen[i] = true
	}
	return true
}

// normal returns v with channel c at c, P rounded up from the number of channels, and zeros behind
// them.
func (b *builder) normal(v value) (value, error) {
	first, run := v.at[0], true
	for c, i := range v.at {
		run = run && i == first+c
	}
	n := roundUp(len(v.at))
	switch {
	case run && first == 0 && n == v.node.Shape[3]:
		return b.cleaned(v), nil
	case run && first%8 == 0 && first+n <= v.node.Shape[3]:
		w := value{dims: v.dims, node: b.g.Slice(v.node, 3, first, first+n), at: identity(len(v.at))}
		return b.cleaned(w), nil
	}
	order := make([]int, n)
	for i := range order {
		order[i] = -1
		if i < len(v.at) {
			order[i] = i
		}
	}
	node, err := b.arranged(v, order)
	return value{dims: v.dims, node: node, at: identity(len(v.at)), clean: true}, err
}

// arranged returns a node whose channel i is channel order[i] of v, or 0 where that is negative.
func (b *builder) arranged(v value, order []int) (*netdef.Node, error) {
	if v.conv != nil {
		return v.conv.node(b, order)
	}
	in := v.node.Shape[3]
	shape := netdef.Shape{1, 1, in, len(order)}
	if err := b.spend(shape); err != nil {
		return nil, err
	}
	w := make([]float32, shape.Size())
	for i, c := range order {
		if c >= 0 {
			w[v.at[c]*len(order)+i] = 1
		}
	}
	return b.g.Conv2D(v.node, b.g.Const("order", shape, w), 1), nil
}

// spread repeats a tensor of one channel: the result has n channels in normal order.
func (b *builder) spread(v value, n int) (value, error) {
	order := make([]int, roundUp(n))
	for i := range order {
		if i >= n {
			order[i] = -1
		}
	}
	v.conv = nil
	node, err := b.arranged(v, order)
	dims := append([]int{}, v.dims...)
	dims[1] = n
	return value{dims: dims, node: node, at: identity(n), clean: true}, err
}
