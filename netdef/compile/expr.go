package compile

import (
	"fmt"
	"slices"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// group is a chain of pointwise nodes of one shape that one kernel evaluates. This is a kernel of
// its own, or the kernel of a host node, which then evaluates the group as its epilogue.
type group struct {
	root *netdef.Node
	body []*netdef.Node // in topological order, root last
	in   []*netdef.Node // nodes whose values the kernel reads
	pat  []shaders.Pattern
	// host is the node whose kernel evaluates the group as its epilogue. nil: the group has its own
	// kernel.
	host *netdef.Node
}

// pointwise reports whether n can be part of a group.
func pointwise(n *netdef.Node) bool {
	switch n.Op.(type) {
	case *netdef.PointwiseOp, *netdef.BroadcastToOp:
		return true
	}
	return false
}

// patternOf returns how a kernel whose output has shape out reads a value of shape s.
func patternOf(s, out netdef.Shape) (shaders.Pattern, error) {
	hw, ohw := s[1]*s[2], out[1]*out[2]
	b, p, c := s[0] == out[0], hw == ohw, s[3] == out[3]
	switch {
	case b && p && c:
		return shaders.Same, nil
	case s.Size() == 1:
		return shaders.One, nil
	case b && p && s[3] == 1:
		return shaders.Pixel, nil
	case s[0] == 1 && p && c:
		return shaders.PixelChan, nil
	case b && hw == 1 && c:
		return shaders.BatchChan, nil
	case s[0] == 1 && hw == 1 && c:
		return shaders.Chan, nil
	case b && hw == 1 && s[3] == 1:
		return shaders.Batch, nil
	case s[0] == 1 && p && s[3] == 1:
		return shaders.PixelOnly, nil
	}
	return 0, fmt.Errorf("cannot read a value of shape %v for an output of shape %v", s, out)
}

// maxInputs limits the operands of a kernel: their addresses must fit the push constants that every
// device has.
const maxInputs = 5

// shaders.Recorder records what the table of pointwise functions emits.
var _ netdef.Emitter = (*shaders.Recorder)(nil)

// expr returns the group as an expression over its inputs, in their order.
func (g *group) expr() shaders.Expr {
	r := shaders.NewRecorder(g.pat...)
	vals := map[*netdef.Node]netdef.Value{}
	for i, n := range g.in {
		vals[n] = i
	}
	for _, n := range g.body {
		args := make([]netdef.Value, len(n.In))
		for i, m := range n.In {
			if v, ok := netdef.Number(m); ok {
				args[i] = r.Float(v)
			} else {
				args[i] = vals[m]
			}
		}
		if op, ok := n.Op.(*netdef.PointwiseOp); ok {
			vals[n] = op.Emit(r, args...)
		} else { // BroadcastTo: the pattern of the input does it
			vals[n] = args[0]
		}
	}
	return r.Expr(vals[g.root])
}

// has reports whether the group computes a function.
func (g *group) has(k *netdef.PointwiseKind) bool {
	return slices.ContainsFunc(g.body, func(n *netdef.Node) bool {
		p, ok := n.Op.(*netdef.PointwiseOp)
		return ok && p.Kind == k
	})
}
