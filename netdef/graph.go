package netdef

import (
	"fmt"
	"slices"
	"strings"
)

// Op is what a node computes. Ops are pointers to structs whose exported fields are the op's
// attributes. They hold no state and may be shared.
type Op interface {
	// Name is the op's name in messages, such as "Conv2D".
	Name() string
	// Infer returns the shape of the output, given the shapes of the inputs, or an error that says
	// which rule they break.
	Infer(in []Shape) (Shape, error)
	// Eval computes the output in float64. The shapes are valid and out.Data is zero on entry.
	Eval(in []*Tensor, out *Tensor)
}

// Differentiable is an op with a gradient.
type Differentiable interface {
	Op
	// VJP (vector-Jacobian product) appends nodes that compute the cotangents of n's inputs from
	// the cotangent ct of n, and returns them in the order of the inputs. A nil entry means that no
	// gradient flows there. Entries for which g.Wants is false may be nil. A nil slice means that
	// this op has no gradient with these attributes or for the inputs wanted; Gradient then fails.
	VJP(g *Graph, n, ct *Node) []*Node
}

// Node is one value of a graph.
type Node struct {
	ID    int // index in Graph.Nodes; inputs have smaller ones
	Op    Op
	In    []*Node
	Shape Shape
	Name  string // scope and name; unique for inputs and parameters

	graph *Graph
}

// Graph holds nodes in the order of their creation, a topological order.
//
// Builder methods never panic on bad shapes: the graph keeps the first error, which Err returns,
// and from then on the methods return placeholder nodes. Identical ops on identical inputs give the
// same node. A Graph is not safe for concurrent use.
type Graph struct {
	nodes []*Node
	scope string
	err   error
	named map[string]*Node // inputs and parameters by full name
	seen  map[string]*Node // other nodes by op, attributes and inputs
	wants []bool           // by node ID, while Gradient runs
}

// NewGraph returns an empty graph.
func NewGraph() *Graph {
	return &Graph{named: map[string]*Node{}, seen: map[string]*Node{}}
}

// Err returns the first error of the builder methods, or nil. It is a *ShapeError, a *NameError or
// an error given to Fail.
func (g *Graph) Err() error { return g.err }

// Fail records an error of a function that builds a part of the graph, unless there is an earlier
// error. It returns a placeholder node.
func (g *Graph) Fail(err error) *Node {
	if g.err == nil {
		g.err = err
	}
	return g.placeholder(&InputOp{}, nil, g.scope+"error")
}

// Nodes returns all nodes in topological order. The caller must not change the slice.
func (g *Graph) Nodes() []*Node { return g.nodes }

// Scope adds name to the prefix of the names of new nodes ("adapter/down0/..."). Calling the
// returned function removes it again.
func (g *Graph) Scope(name string) func() {
	old := g.scope
	g.scope = old + name + "/"
	return func() { g.scope = old }
}

// Apply appends a node that computes op on the inputs, or returns the node that does so already.
// The builder methods are thin wrappers around it.
func (g *Graph) Apply(op Op, in ...*Node) *Node {
	name := fmt.Sprintf("%s%s#%d", g.scope, strings.ToLower(op.Name()), len(g.nodes))
	if g.err != nil {
		return g.placeholder(op, in, name)
	}
	var key strings.Builder
	fmt.Fprintf(&key, "%s %+v", op.Name(), op)
	shapes := make([]Shape, len(in))
	for i, n := range in {
		if n == nil || n.graph != g {
			return g.fail(op, in, name, fmt.Errorf("input %d is nil or belongs to another graph", i))
		}
		shapes[i] = n.Shape
		fmt.Fprintf(&key, " %d", n.ID)
	}
	if n := g.seen[key.String()]; n != nil {
		return n
	}
	s, err := op.Infer(shapes)
	if err == nil {
		err = s.check()
	}
	if err != nil {
		return g.fail(op, in, name, err)
	}
	n := g.push(op, slices.Clone(in), s, name) // the caller may change its slice
	g.seen[key.String()] = n
	return n
}

func (g *Graph) push(op Op, in []*Node, s Shape, name string) *Node {
	n := &Node{ID: len(g.nodes), Op: op, In: in, Shape: s, Name: name, graph: g}
	g.nodes = append(g.nodes, n)
	return n
}

// placeholder returns a node in place of one that could not be built. It is not in g.nodes. Its
// shape of ones keeps calculations with shapes in callers harmless.
func (g *Graph) placeholder(op Op, in []*Node, name string) *Node {
	return &Node{ID: -1, Op: op, In: in, Shape: Scalar, Name: name, graph: g}
}

// fail records the graph's first error.
func (g *Graph) fail(op Op, in []*Node, name string, cause error) *Node {
	if g.err == nil {
		e := &ShapeError{Op: op.Name(), Node: name, Cause: cause}
		for _, n := range in {
			if n != nil {
				e.Inputs = append(e.Inputs, n.Name)
			}
		}
		g.err = e
	}
	return g.placeholder(op, in, name)
}

// ShapeError reports a node whose inputs break the rules of its op.
type ShapeError struct {
	Op     string   // the op's name
	Node   string   // name the node would have had, with its scope
	Inputs []string // names of its inputs
	Cause  error    // the rule that they break
}

func (e *ShapeError) Error() string {
	s := fmt.Sprintf("netdef: %s at %q: %v", e.Op, e.Node, e.Cause)
	if len(e.Inputs) > 0 {
		s += " (inputs " + strings.Join(e.Inputs, ", ") + ")"
	}
	return s
}

// Unwrap returns the broken rule.
func (e *ShapeError) Unwrap() error { return e.Cause }

// NameError reports an input or parameter declared twice in conflicting ways.
type NameError struct{ Name, Reason string }

func (e *NameError) Error() string { return fmt.Sprintf("netdef: %q %s", e.Name, e.Reason) }

// Reachable returns the nodes that outs depend on, including outs, in topological order.
func Reachable(outs ...*Node) []*Node {
	seen := map[*Node]bool{}
	var order []*Node
	var visit func(*Node)
	visit = func(n *Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, m := range n.In {
			visit(m)
		}
		order = append(order, n)
	}
	for _, n := range outs {
		visit(n)
	}
	return order
}
