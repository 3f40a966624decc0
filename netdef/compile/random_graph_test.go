package compile

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/vfmrestore/restore/netdef"
)

// randomGraph builds graphs from random numbers: any op on any shape that its Infer accepts.
// Tensors have up to a few thousand elements; one graph in 32 is larger.
type randomGraph struct {
	*rand.Rand
	large bool
	g     *netdef.Graph
	nodes []*netdef.Node // nodes to which ops may be applied
	names int
}

func newRandomGraph(seed uint64) *randomGraph {
	r := &randomGraph{Rand: rand.New(rand.NewPCG(seed, 41)), g: netdef.NewGraph()}
	r.large = r.IntN(32) == 0
	for range 1 + r.IntN(2) {
		r.add(r.leaf(r.shape()))
	}
	for n := 1 + r.IntN(4); n > 0; n-- {
		r.grow()
	}
	return r
}

// outs returns the last node and perhaps one more, or gradients of the last node.
func (r *randomGraph) outs() []*netdef.Node {
	outs := []*netdef.Node{r.nodes[len(r.nodes)-1]}
	switch r.IntN(6) {
	case 0, 1:
		return append(outs, r.any())
	case 2:
		return append(outs, r.gradients(outs[0])...)
	}
	return outs
}

// gradients returns the gradients of a weighted sum of a node with respect to one or two others. It
// returns none if an op has no gradient, or is discontinuous where its input may be rounded
// differently.
func (r *randomGraph) gradients(of *netdef.Node) []*netdef.Node {
	loss := r.g.Sum(r.g.Mul(of, r.g.Input("weight", of.Shape)), netdef.AxAll)
	var wrt []*netdef.Node
	for range 1 + r.IntN(2) {
		wrt = append(wrt, r.any())
	}
	grads, err := r.g.Gradient(loss, wrt)
	if err != nil {
		return nil
	}
	for _, n := range netdef.Reachable(grads...) {
		if discontinuous(n.Op) && slices.ContainsFunc(n.In, func(m *netdef.Node) bool { return len(m.In) > 0 }) {
			return nil
		}
	}
	return grads
}

func (r *randomGraph) add(n *netdef.Node) { r.nodes = append(r.nodes, n) }

// any returns a random node, mostly one of the last.
func (r *randomGraph) any() *netdef.Node {
	n := len(r.nodes)
	if r.IntN(4) > 0 {
		return r.nodes[n-1-r.IntN(min(n, 2))]
	}
	return r.nodes[r.IntN(n)]
}

func (r *randomGraph) of(choices ...int) int { return choices[r.IntN(len(choices))] }

func (r *randomGraph) channels() int {
	if r.large {
		return r.of(1, 8, 64, 136, 520, 1032)
	}
	return r.of(1, 1, 8, 8, 16, 24, 32, 40, 72)
}

func (r *randomGraph) shape() netdef.Shape {
	for {
		s := netdef.Shape{r.of(1, 1, 2, 3), r.of(1, 1, 2, 3, 4, 5, 8), r.of(1, 2, 3, 4, 6, 7, 8), r.channels()}
		if r.large {
			s = netdef.Shape{r.of(1, 1, 2, 70), r.of(1, 5, 33, 130), r.of(1, 3, 31, 260), r.channels()}
		}
		if r.fits(s) {
			return s
		}
	}
}

// fits limits the size of tensors.
func (r *randomGraph) fits(s netdef.Shape) bool {
	elements, channels := 3000, 256
	if r.large {
		elements, channels = 80000, 2048
	}
	return s.Size() <= elements && s[3] <= channels && (s[3] == 1 || s[3]%8 == 0)
}

// leaf returns a new input, parameter or constant, or nil if there can be none of that shape.
func (r *randomGraph) leaf(s netdef.Shape) *netdef.Node {
	if !r.fits(s) {
		return nil
	}
	r.names++
	name := fmt.Sprint("x", r.names)
	switch r.IntN(6) {
	case 0:
		return r.g.Param(name, s, netdef.Zeros)
	case 1:
		v := make([]float32, s.Size())
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
		return r.g.Const(name, s, v)
	}
	return r.g.Input(name, s)
}

// operand returns a node of the given shape, an existing or a new one.
func (r *randomGraph) operand(s netdef.Shape) *netdef.Node {
	for _, n := range r.nodes {
		if n.Shape == s && r.IntN(2) == 0 {
			return n
		}
	}
	return r.leaf(s)
}

// smaller returns a shape that can be broadcast to s.
func (r *randomGraph) smaller(s netdef.Shape) netdef.Shape {
	known := []netdef.Axes{0, netdef.AxB, netdef.AxC, netdef.AxHW, netdef.AxBHW, netdef.AxHWC, netdef.AxAll}
	return known[r.IntN(len(known))].Reduce(s)
}

// grow applies an op. It draws ops until one fits.
func (r *randomGraph) grow() {
	for {
		op, in := r.draw()
		if op == nil || slices.Contains(in, nil) {
			continue
		}
		shapes := make([]netdef.Shape, len(in))
		for i, n := range in {
			shapes[i] = n.Shape
		}
		if s, err := op.Infer(shapes); err == nil && r.fits(s) && s.Size() > 0 {
			r.add(r.inDomain(op, in))
			return
		}
	}
}

// inDomain applies an op. If the op is not defined for all numbers, its inputs are first mapped to
// numbers that it accepts.
func (r *randomGraph) inDomain(op netdef.Op, in []*netdef.Node) *netdef.Node {
	g := r.g
	p, ok := op.(*netdef.PointwiseOp)
	if !ok {
		n := g.Apply(op, in...)
		switch op.(type) { // keeps sums as small as the values that they sum
		case *netdef.MatMulOp, *netdef.ConvGradWOp, *netdef.DepthwiseGradWOp, *netdef.BlurOp, *netdef.Conv2DOp:
			return g.Scale(n, 0.25)
		case *netdef.SumOp:
			return g.Scale(n, 2*float64(n.Shape.Size())/float64(in[0].Shape.Size()+n.Shape.Size()))
		}
		return n
	}
	last := len(in) - 1
	switch k := p.Kind; {
	case k == netdef.Exp:
		in[0] = g.Clamp(in[0], -2, 2)
	case k == netdef.Square:
		in[0] = g.Clamp(in[0], -3, 3)
	case k == netdef.Abs: // its kink matters only to the gradient
	case k.Steps: // only for exact inputs
		for i := range in {
			in[i] = g.Input(fmt.Sprint("exact", len(g.Nodes())), in[i].Shape)
		}
	case k.Binary() && k.Domain != netdef.Reals:
		in[last] = g.Offset(g.Abs(in[last]), 0.5)
	case k.Domain != netdef.Reals:
		in[last] = g.Offset(g.Square(in[last]), 0.5)
	}
	return g.Apply(op, in...)
}

// function draws a row of the table of pointwise functions, of one or of two arguments.
func (r *randomGraph) function(binary bool) *netdef.PointwiseKind {
	all := netdef.PointwiseKinds()
	for {
		if k := all[r.IntN(len(all))]; k.Binary() == binary {
			return k
		}
	}
}

// draw proposes an op and its inputs.
func (r *randomGraph) draw() (netdef.Op, []*netdef.Node) {
	x := r.any()
	s := x.Shape
	list := func(n ...*netdef.Node) []*netdef.Node { return n }
	switch r.IntN(24) {
	case 0, 1, 2:
		op := &netdef.PointwiseOp{Kind: r.function(false)}
		switch op.Kind.Constants {
		case 1:
			op.A = r.NormFloat64()
		case 2:
			op.A, op.B = -0.5, 0.7
		}
		return op, list(x)
	case 3, 4, 5, 6, 7:
		in := list(x, r.operand(r.smaller(s)))
		if r.IntN(3) == 0 {
			in[0], in[1] = in[1], in[0]
		}
		return &netdef.PointwiseOp{Kind: r.function(true)}, in
	case 8:
		to := s
		for i := range to {
			if to[i] == 1 && r.IntN(2) == 0 {
				to[i] = r.of(2, 3, 5)
				if i == 3 {
					to[i] = r.of(8, 24)
				}
			}
		}
		if to == s {
			return nil, nil
		}
		return &netdef.BroadcastToOp{To: to}, list(x)
	case 9, 10:
		k := r.of(1, 2, 3)
		op := &netdef.Conv2DOp{Stride: 1}
		if k == 2 {
			op.Stride = 2
		}
		return op, list(x, r.operand(netdef.Shape{k, k, s[3], r.channels()}))
	case 11:
		k := r.of(1, 2, 3)
		op, y := &netdef.ConvGradWOp{K: k, Stride: 1}, netdef.Shape{s[0], s[1], s[2], r.channels()}
		if k == 2 {
			op.Stride, y[1], y[2] = 2, s[1]/2, s[2]/2
		}
		if y.Size() == 0 {
			return nil, nil
		}
		return op, list(x, r.operand(y))
	case 12:
		if r.IntN(2) == 0 {
			return &netdef.DepthwiseGradWOp{}, list(x, r.operand(s))
		}
		return &netdef.DepthwiseConvOp{}, list(x, r.operand(netdef.Shape{3, 3, 1, s[3]}))
	case 13, 14, 15:
		return r.drawProduct(x)
	case 16:
		return []netdef.Op{&netdef.TransposeOp{}, &netdef.FlipTransposeOp{}}[r.IntN(2)], list(x)
	case 17:
		rr := r.of(1, 2, 2, 4)
		return []netdef.Op{&netdef.SpaceToDepthOp{R: rr}, &netdef.DepthToSpaceOp{R: rr}, &netdef.PatchifyOp{}, &netdef.UnpatchifyOp{}}[r.IntN(4)], list(x)
	case 18:
		to := r.shape()
		to[r.IntN(3)] = s.Size() / max(1, to[0]*to[1]*to[2]*to[3])
		if to.Size() != s.Size() {
			to = netdef.Shape{1, s[0], s[1] * s[2], s[3]}
		}
		return &netdef.ReshapeOp{To: to}, list(x)
	case 19:
		return r.drawBox(x)
	case 20:
		axis := r.of(0, 3)
		in := list(x)
		for range r.IntN(4) {
			y := s
			y[axis] = r.of(1, 2, 8, 16)
			in = slices.Insert(in, r.IntN(len(in)+1), r.operand(y))
		}
		return &netdef.ConcatOp{Axis: axis}, in
	case 21:
		switch r.IntN(3) {
		case 0:
			return &netdef.LayerNormOp{Eps: []float64{1e-2, 1e-5}[r.IntN(2)]}, list(x)
		case 1:
			return &netdef.LayerNormGradOp{Eps: 1e-2}, list(x, r.operand(s))
		}
		return &netdef.SoftmaxOp{}, list(x)
	case 22:
		axes := []netdef.Axes{netdef.AxB, netdef.AxC, netdef.AxHW, netdef.AxBHW, netdef.AxHWC, netdef.AxAll}
		return &netdef.SumOp{Axes: axes[r.IntN(len(axes))]}, list(x)
	}
	if r.IntN(2) == 0 {
		return &netdef.RandomOp{Gaussian: r.IntN(2) == 0, To: r.shape(), Stream: uint32(r.IntN(9))}, list(r.g.Input("key", netdef.KeyShape))
	}
	kh, wide := r.of(1, 2, 5), r.of(1, 8, 8, 16)
	kw := 1 + r.IntN(wide)
	w := s[3] - kw + 1
	if w > 1 {
		w = w / 8 * 8
	}
	return &netdef.BlurOp{Kw: kw, OutW: w, Flip: r.IntN(2) == 0}, list(x, r.operand(netdef.Shape{s[0], 1, kh, wide}))
}

// drawProduct proposes a matrix product with x. The other operand may be shared along any of the
// leading axes.
func (r *randomGraph) drawProduct(x *netdef.Node) (netdef.Op, []*netdef.Node) {
	s := x.Shape
	op := &netdef.MatMulOp{TA: r.IntN(3) == 0}
	y := netdef.Shape{s[0], s[1], s[3], r.channels()}
	if op.TA {
		y[2] = s[2]
	}
	for i := range 2 {
		if r.IntN(2) == 0 {
			y[i] = 1
		} else if y[i] == 1 && r.IntN(2) == 0 {
			y[i] = r.of(2, 3)
		}
	}
	return op, []*netdef.Node{x, r.operand(y)}
}

// drawBox proposes a crop or padding along any axes.
func (r *randomGraph) drawBox(x *netdef.Node) (netdef.Op, []*netdef.Node) {
	s := x.Shape
	var at [4]int
	if r.IntN(2) == 0 {
		for i := range s {
			step := 1
			if i == 3 {
				step = 8
			}
			if n := s[i] / step; n > 1 && r.IntN(2) == 0 {
				to := (1 + r.IntN(n)) * step
				if i == 3 && r.IntN(4) == 0 {
					to = 1
				}
				at[i] = r.IntN(s[i] - to + 1)
				s[i] = to
			}
		}
		return &netdef.CropOp{At: at, Size: s}, []*netdef.Node{x}
	}
	for i := range s {
		if r.IntN(2) == 0 {
			more := r.IntN(3)
			if i == 3 {
				more = r.of(0, 8)
				if s[i] == 1 {
					more = r.of(0, 7)
				}
			}
			at[i] = r.IntN(more + 1)
			s[i] += more
		}
	}
	return &netdef.PadOp{At: at, Size: s}, []*netdef.Node{x}
}

// listing returns a graph as text, a line for each node.
func listing(outs []*netdef.Node) string {
	var b strings.Builder
	for _, n := range netdef.Reachable(outs...) {
		op := strings.TrimPrefix(fmt.Sprintf("%+v", n.Op), "&")
		if c, ok := n.Op.(*netdef.ConstOp); ok && len(c.Data) > 4 {
			op = "{…}"
		}
		fmt.Fprintf(&b, "  #%d %v = %s%s(", n.ID, n.Shape, n.Op.Name(), op)
		for i, m := range n.In {
			if i > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "#%d", m.ID)
		}
		b.WriteString(")\n")
	}
	b.WriteString("  out:")
	for _, n := range outs {
		fmt.Fprintf(&b, " #%d", n.ID)
	}
	return b.String()
}

// without rebuilds the graph with inputs in place of some of its nodes.
func without(outs []*netdef.Node, cut map[*netdef.Node]bool) []*netdef.Node {
	g := netdef.NewGraph()
	made := map[*netdef.Node]*netdef.Node{}
	var build func(n *netdef.Node) *netdef.Node
	build = func(n *netdef.Node) *netdef.Node {
		if made[n] != nil {
			return made[n]
		}
		var m *netdef.Node
		switch op := n.Op.(type) {
		case *netdef.InputOp:
			m = g.Input(n.Name, n.Shape)
		case *netdef.ParamOp:
			m = g.Param(n.Name, n.Shape, op.Init)
		case *netdef.ConstOp:
			m = g.Const(n.Name, n.Shape, op.Data)
		default:
			if cut[n] {
				m = g.Input(fmt.Sprint("cut", n.ID), n.Shape)
				break
			}
			in := make([]*netdef.Node, len(n.In))
			for i, x := range n.In {
				in[i] = build(x)
			}
			m = g.Apply(n.Op, in...)
		}
		made[n] = m
		return m
	}
	out := make([]*netdef.Node, len(outs))
	for i, n := range outs {
		out[i] = build(n)
	}
	return out
}

// shrink returns a smaller graph that still fails: it has only one of the outputs, and inputs in
// place of all nodes that the failure does not need.
func shrink(outs []*netdef.Node, fails func([]*netdef.Node) bool) []*netdef.Node {
	for _, n := range netdef.Reachable(outs...) {
		if len(n.In) > 0 && fails([]*netdef.Node{n}) {
			outs = []*netdef.Node{n}
			break
		}
	}
	for again := true; again; {
		again = false
		for _, n := range netdef.Reachable(outs...) {
			if len(n.In) == 0 || slices.Contains(outs, n) {
				continue
			}
			if less := without(outs, map[*netdef.Node]bool{n: true}); fails(less) {
				outs, again = less, true
				break
			}
		}
	}
	return outs
}
