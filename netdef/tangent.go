package netdef

import "fmt"

// ForwardDifferentiable is an op with a Jacobian-vector product.
type ForwardDifferentiable interface {
	Op
	// JVP (Jacobian-vector product) appends nodes that compute the tangent of node n from the
	// tangents t of its inputs, in the order of the inputs, and returns it. A nil entry of t means
	// zeros; at least one entry is not nil. A nil result means zeros.
	JVP(g *Graph, n *Node, t []*Node) *Node
}

// NoTangentError reports an op without a JVP on the way from an input to an output whose tangent
// was requested.
type NoTangentError struct{ Op, Node string }

func (e *NoTangentError) Error() string {
	return fmt.Sprintf("netdef: %s at %q has no tangent; put StopGradient before it if none is wanted", e.Op, e.Node)
}

// Tangent appends the forward-mode derivative of outs. Given tangents v[i] of the shapes of wrt[i],
// it returns the nodes Σ_i ∂outs[j]/∂wrt[i] · v[i], which have the shapes of outs. The derivative
// uses the nodes of outs, so one run computes values and tangents together. The tangent of outputs
// that do not depend on wrt is zero, and so is that of StopGradient. wrt may contain inner nodes as
// well as leaves. A node of wrt has the tangent given here even if it depends on another node of
// wrt.
//
// The name of a new node is "jvp/" and the name of the node that it belongs to. If an op has no
// JVP, Tangent fails with a *NoTangentError.
func (g *Graph) Tangent(outs, wrt, v []*Node) ([]*Node, error) {
	if g.err != nil {
		return nil, g.err
	}
	if len(wrt) != len(v) {
		return nil, fmt.Errorf("netdef: tangent: %d nodes but %d tangents", len(wrt), len(v))
	}
	tan := map[*Node]*Node{}
	for i, n := range wrt {
		if n.graph != g || v[i].graph != g || n.ID < 0 || v[i].ID < 0 {
			return nil, fmt.Errorf("netdef: tangent: node or tangent %d belongs to another graph", i)
		}
		if n.Shape != v[i].Shape {
			return nil, fmt.Errorf("netdef: the tangent of %q has shape %v, want %v", n.Name, v[i].Shape, n.Shape)
		}
		if tan[n] != nil {
			return nil, fmt.Errorf("netdef: tangent: %q is given twice", n.Name)
		}
		tan[n] = v[i]
	}
	scope := g.scope
	defer func() { g.scope = scope }()
	for _, n := range Reachable(outs...) {
		if tan[n] != nil {
			continue
		}
		t, any := make([]*Node, len(n.In)), false
		for i, x := range n.In {
			t[i] = tan[x]
			any = any || t[i] != nil
		}
		if !any {
			continue
		}
		d, ok := n.Op.(ForwardDifferentiable)
		if !ok {
			return nil, &NoTangentError{Op: n.Op.Name(), Node: n.Name}
		}
		g.scope = "jvp/" + scopeOf(n)
		if r := d.JVP(g, n, t); r != nil {
			tan[n] = g.BroadcastTo(r, n.Shape)
		}
	}
	res := make([]*Node, len(outs))
	for i, n := range outs {
		if res[i] = tan[n]; res[i] == nil {
			res[i] = g.zeros(n.Shape)
		}
	}
	return res, g.err
}

func (g *Graph) zeros(s Shape) *Node { return g.BroadcastTo(g.constant(0), s) }

// linearIn is the JVP of an op that is linear in each of its inputs: the sum, over the inputs, of
// the op with that input replaced by its tangent.
func (g *Graph) linearIn(n *Node, t []*Node) *Node {
	var sum *Node
	for i := range t {
		if t[i] == nil {
			continue
		}
		in := append([]*Node{}, n.In...)
		in[i] = t[i]
		sum = g.plus(sum, g.Apply(n.Op, in...))
	}
	return sum
}
