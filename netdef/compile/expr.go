package compile

import (
	"fmt"
	"strings"

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

// expr returns the group as an expression over its inputs, in their order.
func (g *group) expr() shaders.Expr {
	slot := map[*netdef.Node]int{}
	for i, n := range g.in {
		slot[n] = i
	}
	// pos numbers the values of the body.
	pos := map[*netdef.Node]int{}
	var key strings.Builder
	type arg struct {
		kind int // 0 input, 1 body, 2 immediate
		i    int
		v    float64
	}
	args := make([][]arg, len(g.body))
	for bi, n := range g.body {
		fmt.Fprintf(&key, "%s", n.Op.Name())
		if p, ok := n.Op.(*netdef.PointwiseOp); ok && (p.A != 0 || p.B != 0) {
			fmt.Fprintf(&key, "<%g,%g>", p.A, p.B)
		}
		for _, m := range n.In {
			var a arg
			if v, ok := netdef.Number(m); ok {
				a = arg{kind: 2, v: v}
				fmt.Fprintf(&key, " #%g", v)
			} else if j, ok := pos[m]; ok {
				a = arg{kind: 1, i: j}
				fmt.Fprintf(&key, " $%d", j)
			} else {
				a = arg{i: slot[m]}
				fmt.Fprintf(&key, " @%d", a.i)
			}
			args[bi] = append(args[bi], a)
		}
		key.WriteByte(';')
		pos[n] = bi
	}
	body := g.body
	return shaders.Expr{Key: key.String(), In: g.pat, Fn: func(e *shaders.E, in []shaders.F) shaders.F {
		vals := make([]shaders.F, len(body))
		for i, n := range body {
			a := make([]shaders.F, len(args[i]))
			for j, x := range args[i] {
				switch x.kind {
				case 0:
					a[j] = in[x.i]
				case 1:
					a[j] = vals[x.i]
				case 2:
					a[j] = e.Float(x.v)
				}
			}
			vals[i] = evalPointwise(e, n.Op, a)
		}
		return vals[len(vals)-1]
	}}
}

func evalPointwise(e *shaders.E, op netdef.Op, a []shaders.F) shaders.F {
	p, ok := op.(*netdef.PointwiseOp)
	if !ok { // BroadcastTo: the pattern of the input does it
		return a[0]
	}
	x := a[0]
	switch p.Kind {
	case netdef.Neg:
		return e.Neg(x)
	case netdef.Exp:
		return e.Exp(x)
	case netdef.Log:
		return e.Log(x)
	case netdef.Sqrt:
		return e.Sqrt(x)
	case netdef.Square:
		return e.Mul(x, x)
	case netdef.Sigmoid:
		return e.Sigmoid(x)
	case netdef.SiLU:
		return e.Mul(x, e.Sigmoid(x))
	case netdef.Tanh:
		return e.Tanh(x)
	case netdef.Abs:
		return e.Abs(x)
	case netdef.Recip:
		return e.Div(e.Float(1), x)
	case netdef.Sin:
		return e.Sin(x)
	case netdef.Cos:
		return e.Cos(x)
	case netdef.Sign:
		return e.Sub(e.Greater(x, e.Float(0)), e.Greater(e.Float(0), x))
	case netdef.Scale:
		return e.Mul(x, e.Float(p.A))
	case netdef.Offset:
		return e.Add(x, e.Float(p.A))
	case netdef.Clamp:
		return e.Min(e.Max(x, e.Float(p.A)), e.Float(p.B))
	case netdef.Inside:
		one := e.Float(1)
		return e.Mul(e.Sub(one, e.Greater(e.Float(p.A), x)), e.Sub(one, e.Greater(x, e.Float(p.B))))
	case netdef.StopGradient:
		return x
	case netdef.Add:
		return e.Add(x, a[1])
	case netdef.Sub:
		return e.Sub(x, a[1])
	case netdef.Mul:
		return e.Mul(x, a[1])
	case netdef.Div:
		return e.Div(x, a[1])
	case netdef.Max:
		return e.Max(x, a[1])
	case netdef.Min:
		return e.Min(x, a[1])
	case netdef.Greater:
		return e.Greater(x, a[1])
	}
	panic(fmt.Sprintf("compile: pointwise kind %v has no kernel", p.Kind))
}
