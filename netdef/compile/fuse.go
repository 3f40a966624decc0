package compile

import (
	"slices"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// fusion is the result of grouping: for each node that a kernel computes, the
// group it is the root of; nodes inside a group have no step of their own.
type fusion struct {
	cpu      bool // for the cpu lowering
	phases   map[*netdef.Node]phase
	users    map[*netdef.Node][]*netdef.Node
	roots    map[*netdef.Node]*group
	inputs   map[*netdef.Node]*group // by the node (a sum over pixels, a LayerNormGrad) whose kernel evaluates the group that is its last input
	absorbed map[*netdef.Node]bool
}

// fuse groups the pointwise nodes among nodes (topological order). keep holds
// the nodes that must be in memory: outputs.
func fuse(nodes []*netdef.Node, keep map[*netdef.Node]bool, phases map[*netdef.Node]phase, cpu bool) (*fusion, error) {
	users := map[*netdef.Node][]*netdef.Node{}
	for _, n := range nodes {
		for _, m := range n.In {
			users[m] = append(users[m], n)
		}
	}
	f := &fusion{cpu: cpu, phases: phases, users: users, roots: map[*netdef.Node]*group{}, inputs: map[*netdef.Node]*group{}, absorbed: map[*netdef.Node]bool{}}
	for _, root := range slices.Backward(nodes) {
		if !pointwise(root) || f.absorbed[root] {
			continue
		}
		if _, ok := netdef.Number(root); ok && !keep[root] && onlyPointwise(users[root]) {
			f.absorbed[root] = true // a constant that is part of its users' code
			continue
		}
		g := f.grow(root, users, keep)
		for _, n := range g.in {
			p, err := patternOf(n.Shape, root.Shape)
			if err != nil {
				return nil, nodeError(root, err)
			}
			g.pat = append(g.pat, p)
		}
		f.adopt(g, users, keep)
		f.roots[root] = g
	}
	for _, n := range nodes {
		if len(n.In) == 0 {
			continue
		}
		last := n.In[len(n.In)-1]
		if g := f.roots[last]; g != nil && !keep[last] && len(users[last]) == 1 && takesExpression(n) && (cheap(g) || sumsLog(n, g)) {
			f.inputs[n], f.absorbed[last] = g, true
			delete(f.roots, last)
		}
	}
	for _, g := range f.roots {
		f.readThrough(g, keep)
	}
	return f, nil
}

// readThrough lets a group do on reading what nobody else needs done: a group that stands alone what a DepthToSpace does, the epilogue of a
// pointwise convolution what a LayerNorm does.
func (f *fusion) readThrough(g *group, keep map[*netdef.Node]bool) {
	for i, n := range g.in {
		if g.pat[i] != shaders.Same || g.root.Shape[3] == 1 || keep[n] || len(f.users[n]) != 1 || n == g.host {
			continue
		}
		switch op := n.Op.(type) {
		case *netdef.DepthToSpaceOp:
			if op.R == 2 && g.host == nil {
				g.pat[i], f.absorbed[n] = shaders.Depth2, true
			}
		case *netdef.LayerNormOp:
			if f.cpu && op.Eps == shaders.NormedEps && g.host != nil && pointwiseConv(g.host) {
				g.pat[i], f.absorbed[n] = shaders.Normed, true
			}
		}
	}
}

// pointwiseConv tells whether n is a convolution of single pixels.
func pointwiseConv(n *netdef.Node) bool {
	_, ok := n.Op.(*netdef.Conv2DOp)
	return ok && n.In[1].Shape[0] == 1
}

func onlyPointwise(ns []*netdef.Node) bool {
	for _, n := range ns {
		if !pointwise(n) {
			return false
		}
	}
	return true
}

// grow absorbs producers of the same shape that only this group uses, as long as
// the kernel's operands do not become too many.
func (f *fusion) grow(root *netdef.Node, users map[*netdef.Node][]*netdef.Node, keep map[*netdef.Node]bool) *group {
	in := map[*netdef.Node]bool{root: true}
	for changed := true; changed; {
		changed = false
		for _, n := range externals(in) {
			if !pointwise(n) || keep[n] || n.Shape != root.Shape && !trivial(n) || !subset(users[n], in) {
				continue
			}
			in[n] = true
			if len(externals(in)) > maxInputs {
				delete(in, n)
				continue
			}
			changed = true
		}
	}
	g := &group{root: root, in: externals(in)}
	for _, n := range netdef.Reachable(root) {
		if in[n] {
			g.body = append(g.body, n)
			if n != root {
				f.absorbed[n] = true
			}
		}
	}
	return g
}

// trivial tells whether a node costs less for every element of a larger result than a kernel of its own.
func trivial(n *netdef.Node) bool {
	p, ok := n.Op.(*netdef.PointwiseOp)
	return ok && (p.Kind == netdef.Offset || p.Kind == netdef.Scale || p.Kind == netdef.Neg)
}

// externals lists what the nodes read from outside the set, immediates left out,
// by ascending ID.
func externals(in map[*netdef.Node]bool) []*netdef.Node {
	var out []*netdef.Node
	for n := range in {
		for _, m := range n.In {
			if _, ok := netdef.Number(m); !ok && !in[m] && !slices.Contains(out, m) {
				out = append(out, m)
			}
		}
	}
	slices.SortFunc(out, func(a, b *netdef.Node) int { return a.ID - b.ID })
	return out
}

func subset(ns []*netdef.Node, in map[*netdef.Node]bool) bool {
	for _, n := range ns {
		if !in[n] {
			return false
		}
	}
	return true
}

// adopt makes the group the epilogue of the convolution or normalisation that
// produces one of its inputs, if nobody else needs that result.
func (f *fusion) adopt(g *group, users map[*netdef.Node][]*netdef.Node, keep map[*netdef.Node]bool) {
	body := map[*netdef.Node]bool{}
	for _, n := range g.body {
		body[n] = true
	}
	for i := len(g.in) - 1; i >= 0; i-- {
		n := g.in[i]
		if g.pat[i] != shaders.Same || keep[n] || n.Shape != g.root.Shape || !subset(users[n], body) || f.absorbed[n] {
			continue
		}
		if f.phases[n] > f.phases[g.root] {
			continue // what is computed rarely would be computed at every run
		}
		if !hosts(n) {
			continue
		}
		g.host = n
		f.absorbed[n] = true
		// The host's result is the first input of its epilogue.
		g.in = append([]*netdef.Node{n}, append(slices.Clone(g.in[:i]), g.in[i+1:]...)...)
		g.pat = append([]shaders.Pattern{shaders.Same}, append(slices.Clone(g.pat[:i]), g.pat[i+1:]...)...)
		return
	}
}

// hosts tells whether n's kernel can evaluate an epilogue.
func hosts(n *netdef.Node) bool {
	switch op := n.Op.(type) {
	case *netdef.Conv2DOp, *netdef.LayerNormOp, *netdef.LayerNormGradOp:
		return special(n)
	case *netdef.MatMulOp:
		return !op.TA && special(n)
	}
	return false
}

// takesExpression tells whether n's kernel can evaluate its last input itself.
func takesExpression(n *netdef.Node) bool {
	switch op := n.Op.(type) {
	case *netdef.SumOp:
		return special(n) && n.In[0].Shape[3] > 1 && (op.Axes == netdef.AxHW || op.Axes == netdef.AxBHW)
	case *netdef.LayerNormGradOp:
		return special(n)
	}
	return false
}

// sumsLog tells whether n sums logarithms of something cheap, which its kernel then takes as the logarithm of a product.
func sumsLog(n *netdef.Node, g *group) bool {
	_, sum := n.Op.(*netdef.SumOp)
	return sum && isLog(g.root) && len(g.body) > 1 && cheap(g.ofLog())
}

func isLog(n *netdef.Node) bool {
	p, ok := n.Op.(*netdef.PointwiseOp)
	return ok && p.Kind == netdef.Log
}

// ofLog is what a group that ends with a logarithm takes it of.
func (g *group) ofLog() *group {
	return &group{root: g.root.In[0], body: g.body[:len(g.body)-1], in: g.in, pat: g.pat, host: g.host}
}

// cheap tells whether a group is a few simple operations, as in the gradients of scales and shifts: the kernels that take it over are unrolled
// over many rows.
func cheap(g *group) bool {
	if g.host != nil || len(g.body) > 4 || len(g.in) > 3 || g.root.Shape[3] == 1 {
		return false
	}
	for _, n := range g.body {
		p, ok := n.Op.(*netdef.PointwiseOp)
		if !ok {
			return false
		}
		switch p.Kind {
		case netdef.Add, netdef.Sub, netdef.Mul, netdef.Neg, netdef.Square, netdef.Scale, netdef.Offset, netdef.StopGradient:
		default:
			return false
		}
	}
	return true
}
