package netdef

import "fmt"

// NoGradientError reports an op without a gradient on the way from the loss to a node whose
// gradient was requested.
type NoGradientError struct{ Op, Node string }

func (e *NoGradientError) Error() string {
	return fmt.Sprintf("netdef: %s at %q has no gradient; put StopGradient after it if none is wanted", e.Op, e.Node)
}

// Wants reports whether the gradient that is being built needs the cotangent of n. A VJP can leave
// out the others. Outside of Gradient it returns true.
func (g *Graph) Wants(n *Node) bool {
	return g.wants == nil || n.ID >= 0 && n.ID < len(g.wants) && g.wants[n.ID]
}

// Gradient appends the reverse pass of loss, a node of shape [1,1,1,1]. It returns the gradients
// with respect to the nodes of wrt, in order and of their shapes. The gradient of a node that loss
// does not depend on is zero. Gradient visits only the nodes between wrt and loss. If an op among
// them has no gradient, it fails with a *NoGradientError. wrt may contain inner nodes as well as
// leaves.
//
// The name of a new node is "grad/" and the name of the node that it belongs to.
func (g *Graph) Gradient(loss *Node, wrt []*Node) ([]*Node, error) {
	if g.err != nil {
		return nil, g.err
	}
	if loss.Shape != Scalar {
		return nil, fmt.Errorf("netdef: the loss %q has shape %v, want %v", loss.Name, loss.Shape, Scalar)
	}
	for i, n := range append([]*Node{loss}, wrt...) {
		if n.graph != g || n.ID < 0 {
			return nil, fmt.Errorf("netdef: gradient: node %d (loss first) belongs to another graph", i)
		}
	}
	outer, scope := g.wants, g.scope
	defer func() { g.wants, g.scope = outer, scope }()
	g.wants = dependents(g.nodes, loss, wrt)

	ct := make([]*Node, loss.ID+1)
	ct[loss.ID] = g.constant(1)
	for id := loss.ID; id >= 0; id-- {
		n := g.nodes[id]
		if ct[id] == nil || !wantsInput(g, n) {
			continue
		}
		g.scope = "grad/" + scopeOf(n)
		var back []*Node
		if d, ok := n.Op.(Differentiable); ok {
			back = d.VJP(g, n, ct[id])
		}
		if back == nil {
			return nil, &NoGradientError{Op: n.Op.Name(), Node: n.Name}
		}
		for i, x := range n.In {
			if back[i] == nil || !g.wants[x.ID] {
				continue
			}
			if ct[x.ID] == nil {
				ct[x.ID] = back[i]
			} else {
				ct[x.ID] = g.Add(ct[x.ID], back[i])
			}
		}
	}
	grads := make([]*Node, len(wrt))
	for i, n := range wrt {
		if n.ID <= loss.ID {
			grads[i] = ct[n.ID]
		}
		if grads[i] == nil {
			grads[i] = g.BroadcastTo(g.constant(0), n.Shape)
		}
	}
	return grads, g.err
}

// dependents marks, by node ID, the nodes that depend on wrt through ops that pass gradients on.
func dependents(nodes []*Node, loss *Node, wrt []*Node) []bool {
	mark := make([]bool, len(nodes))
	for _, n := range wrt {
		mark[n.ID] = true
	}
	for _, n := range nodes[:loss.ID+1] {
		if p, ok := n.Op.(*PointwiseOp); ok && p.Kind.Flat {
			continue
		}
		for _, x := range n.In {
			mark[n.ID] = mark[n.ID] || mark[x.ID]
		}
	}
	return mark
}

// wantsInput reports whether any input of n needs a cotangent.
func wantsInput(g *Graph, n *Node) bool {
	if !g.wants[n.ID] {
		return false
	}
	for _, x := range n.In {
		if g.wants[x.ID] {
			return true
		}
	}
	return false
}

// scopeOf returns the part of a node's name before its own name.
func scopeOf(n *Node) string {
	for i := len(n.Name) - 1; i >= 0; i-- {
		if n.Name[i] == '/' {
			return n.Name[:i+1]
		}
	}
	return ""
}
