package compile

import (
	"math"
	"slices"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// fusion is the result of grouping the pointwise nodes. Nodes that are absorbed into another node's
// kernel have no step of their own.
type fusion struct {
	normed bool // epilogues of 1×1 convolutions may read through a LayerNorm
	// bindings is how many storage buffers a kernel may have. The cpu lowering uses addresses
	// instead.
	bindings int
	phases   map[*netdef.Node]phase
	users    map[*netdef.Node][]*netdef.Node
	// roots holds the group of each root.
	roots map[*netdef.Node]*group
	// inputs holds, for a node (a sum over pixels, a LayerNormGrad), the group that computes its
	// last input and that the node's kernel evaluates itself.
	inputs   map[*netdef.Node]*group
	absorbed map[*netdef.Node]bool
}

// fuse groups the pointwise nodes among nodes, which are in topological order. keep holds the nodes
// whose values must be in memory: the outputs. bindings is the number of storage buffers that a
// pipeline of the device may have.
func fuse(
	nodes []*netdef.Node, keep map[*netdef.Node]bool, phases map[*netdef.Node]phase, t shaders.Target, bindings int,
) (*fusion, error) {
	users := map[*netdef.Node][]*netdef.Node{}
	for _, n := range nodes {
		for _, m := range n.In {
			users[m] = append(users[m], n)
		}
	}
	if t.Mode == shaders.CPU {
		bindings = math.MaxInt
	}
	f := &fusion{normed: t.Mode == shaders.CPU && !t.FastBuild, bindings: bindings, phases: phases, users: users, roots: map[*netdef.Node]*group{}, inputs: map[*netdef.Node]*group{}, absorbed: map[*netdef.Node]bool{}}
	for _, root := range slices.Backward(nodes) {
		if !pointwise(root) || f.absorbed[root] {
			continue
		}
		if _, ok := netdef.Number(root); ok && !keep[root] && onlyPointwise(users[root]) {
			f.absorbed[root] = true // a constant that is compiled into its users' kernels
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
		f.attachEpilogue(g, users, keep)
		f.roots[root] = g
	}
	for _, n := range nodes {
		if len(n.In) == 0 {
			continue
		}
		last := n.In[len(n.In)-1]
		if g := f.roots[last]; g != nil && !keep[last] && len(users[last]) == 1 && takesExpression(n) && len(g.in)+hostBindings <= f.bindings && (cheap(g) || sumsLog(n, g)) {
			f.inputs[n], f.absorbed[last] = g, true
			delete(f.roots, last)
		}
	}
	for _, g := range f.roots {
		f.fuseReads(g, keep)
	}
	return f, nil
}

// fuseReads lets a group's kernel compute some of its inputs while it reads them, if nothing else
// uses these inputs. A group with its own kernel can read through a DepthToSpace, and the epilogue
// of a 1×1 convolution through a LayerNorm (CPU lowering; not with FastBuild, where epilogues are
// kernels of their own).
func (f *fusion) fuseReads(g *group, keep map[*netdef.Node]bool) {
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
			if f.normed && op.Eps == shaders.NormedEps && g.host != nil && pointwiseConv(g.host) {
				g.pat[i], f.absorbed[n] = shaders.Normed, true
			}
		}
	}
}

// pointwiseConv reports whether n is a 1×1 convolution.
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

// grow returns the group of a root. It absorbs producers of the same shape that only this group
// uses, as long as the kernel has at most maxInputs operands.
func (f *fusion) grow(root *netdef.Node, users map[*netdef.Node][]*netdef.Node, keep map[*netdef.Node]bool) *group {
	in := map[*netdef.Node]bool{root: true}
	for changed := true; changed; {
		changed = false
		for _, n := range externals(in) {
			if !pointwise(n) || keep[n] || n.Shape != root.Shape && !trivial(n) || !subset(users[n], in) {
				continue
			}
			in[n] = true
			if len(externals(in)) > min(maxInputs, f.bindings-1) { // one is for the result
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

// trivial reports whether it is cheaper to compute n for every element of a larger result than to
// run a kernel for it.
func trivial(n *netdef.Node) bool {
	p, ok := n.Op.(*netdef.PointwiseOp)
	return ok && p.Kind.Trivial
}

// externals returns the nodes outside of the set that nodes of the set read, by ascending ID.
// Constant numbers are left out.
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

// hostBindings is the number of storage buffers that a convolution needs, apart from the operands
// of its epilogue: input, weights, result, the block of zeros, and one for partial sums.
const hostBindings = 5

// attachEpilogue makes the group the epilogue of the convolution or normalisation that computes one
// of its inputs, if nothing else uses that input.
func (f *fusion) attachEpilogue(g *group, users map[*netdef.Node][]*netdef.Node, keep map[*netdef.Node]bool) {
	body := map[*netdef.Node]bool{}
	for _, n := range g.body {
		body[n] = true
	}
	for i := len(g.in) - 1; i >= 0; i-- {
		n := g.in[i]
		if g.pat[i] != shaders.Same || keep[n] || n.Shape != g.root.Shape || !subset(users[n], body) || f.absorbed[n] {
			continue
		}
		if len(g.in)-1+hostBindings > f.bindings {
			return
		}
		if f.phases[n] > f.phases[g.root] {
			continue // it would be computed in every run instead of rarely
		}
		if !takesEpilogue(n) {
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

// takesEpilogue reports whether n's kernel can evaluate an epilogue.
func takesEpilogue(n *netdef.Node) bool {
	switch op := n.Op.(type) {
	case *netdef.Conv2DOp, *netdef.LayerNormOp, *netdef.LayerNormGradOp, *netdef.GroupNormOp:
		return hasKernel(n)
	case *netdef.MatMulOp:
		return !op.TA && hasKernel(n)
	}
	return false
}

// takesExpression reports whether n's kernel can compute its last input itself.
func takesExpression(n *netdef.Node) bool {
	switch op := n.Op.(type) {
	case *netdef.SumOp:
		return hasKernel(n) && n.In[0].Shape[3] > 1 && (op.Axes == netdef.AxHW || op.Axes == netdef.AxBHW)
	case *netdef.LayerNormGradOp:
		return hasKernel(n)
	}
	return false
}

// sumsLog reports whether n sums logarithms of something cheap. Its kernel then computes the
// logarithm of a product.
func sumsLog(n *netdef.Node, g *group) bool {
	_, sum := n.Op.(*netdef.SumOp)
	return sum && g.endsInLog() && len(g.body) > 1 && cheap(g.withoutLog())
}

func (g *group) endsInLog() bool {
	p, ok := g.root.Op.(*netdef.PointwiseOp)
	return ok && p.Kind == netdef.Log
}

// withoutLog returns the group without the logarithm that it ends with.
func (g *group) withoutLog() *group {
	return &group{root: g.root.In[0], body: g.body[:len(g.body)-1], in: g.in, pat: g.pat, host: g.host}
}

// cheap reports whether a group is a few simple operations, as in the gradients of scales and
// shifts. Kernels that take over a group repeat it in the unrolled code for many rows.
func cheap(g *group) bool {
	if g.host != nil || len(g.body) > 4 || len(g.in) > 3 || g.root.Shape[3] == 1 {
		return false
	}
	for _, n := range g.body {
		if p, ok := n.Op.(*netdef.PointwiseOp); !ok || !p.Kind.Simple {
			return false
		}
	}
	return true
}
