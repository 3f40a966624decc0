package compile

import (
	"fmt"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// colSum adds the rows of each group of a sum, in several passes if there are many. NJ need only be
// set with Unpack.
func (l *lowering) colSum(t shaders.Target, in, out *value, c shaders.ColSum) error {
	if c.NJ == 0 {
		c.NJ = t.NJ(c.X)
	}
	most := 32
	if t.FastBuild {
		most = fastBuildRows
	}
	for {
		c.Sum = min(c.Rows, most)
		next := c.Parts()
		to := out
		if next > 1 {
			to = l.temp(in.name+" sum", c.Groups*next*c.X)
		}
		if err := l.emit(t, c, nil, 0, in, to); err != nil {
			return err
		}
		if next == 1 {
			return nil
		}
		in, c.Rows, c.Unpack = to, next, false
	}
}

// lowerSum lowers a reduction to sums of rows or of columns.
func (l *lowering) lowerSum(n *netdef.Node, op *netdef.SumOp) error {
	s := n.In[0].Shape
	hw, c := s[1]*s[2], s[3]
	if g := l.fusion.inputs[n]; g != nil {
		if t := l.target(c); t.NJ(c) > 0 {
			parts, rows := s[0], hw
			if op.Axes == netdef.AxBHW {
				parts, rows = 1, s[0]*hw
			}
			return l.sumGroup(t, n, g, parts, rows)
		}
		return fmt.Errorf("sum over axes %v of %v: %d columns are not a multiple of 8", op.Axes, s, c)
	}
	in, out := l.val(n.In[0]), l.out(n)
	cols := func(g, r, x int) error {
		t := l.target(x)
		if t.NJ(x) == 0 {
			return fmt.Errorf("sum over axes %v of %v: %d columns are not a multiple of 8", op.Axes, s, x)
		}
		return l.colSum(t, in, out, shaders.ColSum{Groups: g, Rows: r, X: x})
	}
	switch op.Axes {
	case 0:
		return l.copyFlat(in, 0, out, s.Size())
	case netdef.AxC:
		return l.rowSum(in, out, s[0]*hw, c)
	case netdef.AxHW:
		if c > 1 {
			return cols(s[0], hw, c)
		}
		return l.rowSum(in, out, s[0], hw)
	case netdef.AxBHW:
		if c > 1 {
			return cols(1, s[0]*hw, c)
		}
		return l.rowSum(in, out, 1, s.Size())
	case netdef.AxHWC:
		return l.rowSum(in, out, s[0], hw*c)
	case netdef.AxB:
		if hw*c > 1 {
			return cols(1, s[0], hw*c)
		}
		return l.rowSum(in, out, 1, s[0])
	}
	return l.rowSum(in, out, 1, s.Size())
}

// sumGroup sums a pointwise expression over the rows of each of parts pieces.
func (l *lowering) sumGroup(t shaders.Target, n *netdef.Node, g *group, parts, rows int) error {
	shape := g.root.Shape
	c := shape[3]
	s := largestDivisor(rows, 32)
	log := g.endsInLog()
	if log {
		g = g.withoutLog()
		s = largestDivisor(rows, shaders.MaxLogs)
	}
	if t.FastBuild {
		s = largestDivisor(rows, fastBuildRows)
	}
	x := g.expr()
	in := make([]*value, 0, len(g.in)+1)
	for _, m := range g.in {
		in = append(in, l.val(m))
	}
	out := l.out(n)
	to := out
	if rows > s {
		to = l.temp(n.Name+" partial", parts*(rows/s)*c)
	}
	k := shaders.ColSumOf{Of: x, Log: log, Groups: parts, Rows: rows, C: c, Sum: s, NJ: t.NJ(c), P: shape[1] * shape[2]}
	if err := l.emit(t, k, nil, 0, append(in, to)...); err != nil || rows == s {
		return err
	}
	return l.colSum(t, to, out, shaders.ColSum{Groups: parts, Rows: rows / s, X: c})
}

// rowSum adds the n elements of each of g rows.
func (l *lowering) rowSum(in, out *value, g, n int) error {
	t := l.best
	for {
		s := 8
		if n%t.Lanes == 0 {
			s = largestDivisor(n/t.Lanes, 32)
		}
		if n <= s*t.Lanes {
			s = (n + t.Lanes - 1) / t.Lanes
		}
		next := (n + s*t.Lanes - 1) / (s * t.Lanes)
		to := out
		if next > 1 {
			to = l.temp(in.name+" sum", g*next)
		}
		if err := l.emit(t, shaders.RowSum{Rows: g, N: n, Sum: s}, nil, 0, in, to); err != nil {
			return err
		}
		if next == 1 {
			return nil
		}
		in, n = to, next
	}
}
