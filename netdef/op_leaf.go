package netdef

import (
	"fmt"
	"slices"
)

// InputOp is a value that is given for every run.
type InputOp struct{}

// Name implements Op.
func (*InputOp) Name() string { return "Input" }

// Infer implements Op. The shape of a leaf is given, not inferred.
func (*InputOp) Infer([]Shape) (Shape, error) { return Shape{}, errLeaf }

// Eval implements Op. The interpreter provides the value.
func (*InputOp) Eval([]*Tensor, *Tensor) {}

// ParamOp is a trained parameter. Init gives its initial values.
type ParamOp struct{ Init Init }

// Name implements Op.
func (*ParamOp) Name() string { return "Param" }

// Infer implements Op. The shape of a leaf is given, not inferred.
func (*ParamOp) Infer([]Shape) (Shape, error) { return Shape{}, errLeaf }

// Eval implements Op. The interpreter provides the value.
func (*ParamOp) Eval([]*Tensor, *Tensor) {}

// ConstOp is a constant.
type ConstOp struct{ Data []float32 }

// Name implements Op.
func (*ConstOp) Name() string { return "Const" }

// Infer implements Op. The shape of a leaf is given, not inferred.
func (*ConstOp) Infer([]Shape) (Shape, error) { return Shape{}, errLeaf }

// Eval implements Op.
func (o *ConstOp) Eval(_ []*Tensor, out *Tensor) {
	if t, err := FromFloat32(out.Shape, o.Data); err == nil {
		*out = *t
	}
}

var errLeaf = fmt.Errorf("build it with Graph.Input, Graph.Param or Graph.Const")

// Input declares a value of the given shape that is given for every run. Its full name is the
// current scope followed by name. Declaring it again with the same shape returns the same node.
func (g *Graph) Input(name string, s Shape) *Node {
	return g.leaf(&InputOp{}, name, s)
}

// Param declares a trained parameter. Its full name is the current scope followed by name.
// Declaring it again with the same shape returns the same node, so that a network applied twice
// shares its weights. The initial values are those of the first declaration.
func (g *Graph) Param(name string, s Shape, init Init) *Node {
	if d, ok := init.(Data); ok && len(d.Values) != s.Size() {
		op := &ParamOp{Init: init}
		return g.fail(op, nil, g.scope+name, fmt.Errorf("%d initial values for shape %v", len(d.Values), s))
	}
	return g.leaf(&ParamOp{Init: init}, name, s)
}

func (g *Graph) leaf(op Op, name string, s Shape) *Node {
	full := g.scope + name
	if g.err != nil {
		return g.placeholder(op, nil, full)
	}
	if n := g.named[full]; n != nil {
		if n.Op.Name() != op.Name() || n.Shape != s {
			g.err = &NameError{full, fmt.Sprintf("is declared as %s %v and again as %s %v",
				n.Op.Name(), n.Shape, op.Name(), s)}
			return g.placeholder(op, nil, full)
		}
		return n
	}
	if err := s.check(); err != nil {
		return g.fail(op, nil, full, err)
	}
	n := g.push(op, nil, s, full)
	g.named[full] = n
	return n
}

// Const declares a constant. data is not copied and must not change. Equal constants are the same
// node.
func (g *Graph) Const(name string, s Shape, data []float32) *Node {
	op, full := &ConstOp{Data: data}, g.scope+name
	if g.err != nil {
		return g.placeholder(op, nil, full)
	}
	if err := s.check(); err != nil {
		return g.fail(op, nil, full, err)
	}
	if len(data) != s.Size() {
		return g.fail(op, nil, full, fmt.Errorf("%d values for shape %v", len(data), s))
	}
	for _, n := range g.nodes {
		if c, ok := n.Op.(*ConstOp); ok && n.Shape == s && slices.Equal(c.Data, data) {
			return n
		}
	}
	return g.push(op, nil, s, full)
}

// constant returns the number v as a node [1,1,1,1]: a Const if float32 holds v exactly, otherwise
// a Scale of the constant 1, whose factor is a float64.
func (g *Graph) constant(v float64) *Node {
	if float64(float32(v)) == v {
		return g.Const(fmt.Sprint(v), Scalar, []float32{float32(v)})
	}
	return g.Apply(&PointwiseOp{Kind: Scale, A: v}, g.constant(1))
}

// Number returns the value of a node that has one known value everywhere: a constant of one
// element, its BroadcastTo, or a function of these.
func Number(n *Node) (float64, bool) {
	switch op := n.Op.(type) {
	case *BroadcastToOp:
		return Number(n.In[0])
	case *ConstOp:
		if len(op.Data) == 1 {
			return float64(op.Data[0]), true
		}
	case *PointwiseOp:
		if !op.Kind.Binary() && op.Kind != StopGradient {
			v, ok := Number(n.In[0])
			return op.Unary(v), ok
		}
	}
	return 0, false
}
