package compile

import (
	"fmt"
	"slices"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// convShape returns the geometry of a convolution or matrix product. The operands of a product must
// have both leading axes of the result, or neither (see repeatHeads).
func convShape(n *netdef.Node) (s shaders.ConvShape) {
	x, w, y := n.In[0].Shape, n.In[1].Shape, n.Shape
	switch op := n.Op.(type) {
	case *netdef.Conv2DOp:
		s = shaders.ConvShape{B: y[0], IH: x[1], IW: x[2], Cin: x[3], OH: y[1], OW: y[2], N: y[3], KH: w[0], Stride: op.Stride, Pad: (w[0] - 1) / 2}
	case *netdef.MatMulOp:
		s = shaders.ConvShape{B: y[0] * y[1], IH: y[2], IW: 1, Cin: x[3], OH: y[2], OW: 1, N: y[3], KH: 1, Stride: 1, Heads: y[1]}
		s.SharedX = shared(x, y)
		if !shared(w, y) {
			s.Batched = w[2] * w[3]
		}
	}
	return s
}

// shared reports whether an operand is the same for all pictures and heads of y.
func shared(s, y netdef.Shape) bool {
	return s[0] == 1 && s[1] == 1 && y[0]*y[1] > 1
}

// repeatHeads returns a matrix product in the form that the kernels support: an operand that is
// shared along only one of the leading axes is repeated along it.
func (l *lowering) repeatHeads(n *netdef.Node) (*netdef.Node, error) {
	out := *n
	out.In = slices.Clone(n.In)
	for i, m := range n.In {
		to := netdef.Shape{n.Shape[0], n.Shape[1], m.Shape[2], m.Shape[3]}
		if m.Shape == to || shared(m.Shape, n.Shape) {
			continue
		}
		key := repeatKey{m, to}
		wide := l.repeats[key]
		if wide == nil {
			// A node that is not in the graph.
			wide = &netdef.Node{ID: -1 - len(l.repeats), Op: &netdef.BroadcastToOp{To: to}, In: []*netdef.Node{m}, Shape: to, Name: m.Name + " of all heads"}
			l.repeats[key], l.phases[wide] = wide, l.phases[m]
			v, err := l.inPhaseOf(m, func() (*value, error) { return l.broadcast(m.Name, l.val(m), m.Shape, to) })
			if err != nil {
				return nil, err
			}
			l.vals[wide] = v
		}
		out.In[i] = wide
	}
	return &out, nil
}

type repeatKey struct {
	n  *netdef.Node
	to netdef.Shape
}

// inPhaseOf calls f. The steps that f emits get the phase of n.
func (l *lowering) inPhaseOf(n *netdef.Node, f func() (*value, error)) (*value, error) {
	defer func(n *netdef.Node, p phase) { l.cur, l.phase = n, p }(l.cur, l.phase)
	l.cur, l.phase = n, l.phases[n]
	return f()
}

// epilogue is an expression that a kernel applies to its result. The zero value is none.
type epilogue struct {
	shaders.Expr
	more []*value // the operands after the first, which is the kernel's result
	// slow: the driver takes long to build the expression, an exponential for each value.
	slow bool
}

// epilogueOf returns a group as an epilogue (nil: none).
func (l *lowering) epilogueOf(g *group) (post epilogue) {
	if g == nil {
		return post
	}
	post.Expr, post.slow = g.expr(), g.has(netdef.SiLU) || g.has(netdef.GELU)
	for i := range g.in[1:] {
		post.more = append(post.more, l.source(g, 1+i))
	}
	return post
}

// lowerHost computes a convolution, matrix product or normalisation with its epilogue g (nil: none)
// into out.
func (l *lowering) lowerHost(n *netdef.Node, out *value, g *group) error {
	t := l.target(n.Shape[3])
	if t.FastBuild && g != nil {
		if done, err := l.lowerHostAny(t, n, out, g); done || err != nil {
			return err
		}
	}
	post := l.epilogueOf(g)
	switch op := n.Op.(type) {
	case *netdef.LayerNormOp:
		k := shaders.LayerNorm{Rows: rowsOf(n), Eps: op.Eps, Post: post.Expr}
		return l.emit(t, k, nil, 0, append(append([]*value{l.val(n.In[0])}, post.more...), out)...)
	case *netdef.GroupNormOp:
		return l.lowerGroupNorm(n, op, post, out)
	case *netdef.LayerNormGradOp:
		args, pre := []*value{l.val(n.In[0])}, shaders.Expr{}
		if v := l.fusion.inputs[n]; v != nil {
			pre = v.expr()
			for _, m := range v.in {
				args = append(args, l.val(m))
			}
		} else {
			args = append(args, l.val(n.In[1]))
		}
		k := shaders.LayerNormGrad{Rows: rowsOf(n), Eps: op.Eps, Pre: pre, Post: post.Expr}
		return l.emit(t, k, nil, 0, append(append(args, post.more...), out)...)
	}
	if _, ok := n.Op.(*netdef.MatMulOp); ok {
		var err error
		if n, err = l.repeatHeads(n); err != nil {
			return err
		}
	}
	return l.conv(t, n, post, out)
}

// conv emits a convolution or matrix product.
func (l *lowering) conv(t shaders.Target, n *netdef.Node, post epilogue, out *value) error {
	s := convShape(n)
	s.NJ = t.NJ(s.N)
	if s.NJ == 0 {
		return fmt.Errorf("%d output channels: must be a multiple of 8", s.N)
	}
	if s.Cin%4 != 0 {
		return fmt.Errorf("%d input channels: must be a multiple of 4", s.Cin)
	}
	if l.takesWinograd(t, n, s) {
		return l.winograd(t, n, s, post, out)
	}
	if t.FastBuild && s.KH > 2 {
		s.NJ = min(2, s.NJ)
	}
	w, err := l.weights(t, n.In[1], s.N, s.NJ)
	if err != nil {
		return err
	}
	return l.chunks(product{t: t, n: n, s: s, most: l.nodeFMA(), x: l.val(n.In[0]), w: w, post: post, out: out})
}

// vectorFMA limits the unrolled multiply-adds of products with a single row.
const vectorFMA = 64

// product is a convolution or matrix product whose weights are packed.
type product struct {
	t    shaders.Target
	n    *netdef.Node
	s    shaders.ConvShape
	most int // limit of the unrolled multiply-adds of a kernel
	x, w *value
	post epilogue
	out  *value
}

// divided returns the shape with the pixels of a work item, and the channels of a dispatch.
func (p product) divided() shaders.ConvShape {
	t, s, most, post := p.t, p.s, p.most, p.post
	rowLen := s.OW
	if s.KH == 1 {
		rowLen = s.OH * s.OW
		if s.Batched == 0 && !s.SharedX && post.IsNone() {
			rowLen *= s.B
		}
	}
	s.TP = shaders.Divisor(rowLen, 4, 3, 2)
	if t.Mode == shaders.CPU && s.KH == 1 && post.slow {
		// The epilogue takes the driver longer to build than the rest.
		s.TP = shaders.Divisor(rowLen, 2)
	}
	if t.FastBuild && s.KH > 2 {
		s.TP = 1
	}
	for t.Mode == shaders.CPU && s.TP%2 == 0 && s.KH <= 2 && s.KH*s.KH*s.TP*s.NJ*s.Cin > most && rowLen > 1 {
		// Fewer pixels at a time, but no running sums to store and load.
		s.TP /= 2
	}
	s.KC = s.Cin
	s = t.Tile(s)
	if t.Mode == shaders.CPU {
		if rowLen == 1 {
			// Each weight is loaded for one pixel only: the loads are most of the kernel.
			most = min(most, vectorFMA)
		}
		limit := max(4, most/(s.KH*s.KH*s.TP*s.NJ))
		for s.KC = s.Cin; s.KC > limit || s.Cin%s.KC != 0 || s.KC%4 != 0; {
			s.KC -= 4
			if s.KC <= 4 {
				s.KC = 4
				break
			}
		}
	}
	return s
}

// chunks emits the dispatches of a product, one for each chunk of input channels.
func (l *lowering) chunks(p product) error {
	if p.t.FastBuild {
		if done, err := l.anyChunks(p); done || err != nil {
			return err
		}
	}
	t, s, post, out := p.t, p.divided(), p.post, p.out
	flops := 2 * float64(s.B*s.OH*s.OW) * float64(s.N*s.KC*s.KH*s.KH)
	chunks := s.Chunks()
	first := l.zeros
	// The sum begins with the bias: there is one kernel less to build.
	if isBias(post, s) {
		first, post = post.more[0], epilogue{}
	}
	// With several chunks this would be one kernel more to build.
	s.NoStart = t.Mode == shaders.CPU && chunks == 1 && first == l.zeros
	acc := out
	if chunks > 1 && !post.IsNone() {
		// The running sum needs memory of its own: an input of the epilogue may share the memory of
		// the result.
		acc = l.temp(p.n.Name+" sum", out.size)
	}
	for i := 0; i < chunks; i++ {
		start, stride := acc, uint32(s.N)
		if i == 0 {
			start, stride = first, 0
		}
		to, last := acc, epilogue{}
		if i == chunks-1 && !post.IsNone() {
			to, last = out, post
		}
		args := []*value{p.x, p.w, start}
		if s.NoStart {
			args = args[:2]
		}
		args = append(args, last.more...)
		if err := l.emit(t, shaders.Conv{ConvShape: s, Post: last.Expr}, []uint32{uint32(i * s.KC), stride}, flops, append(args, to)...); err != nil {
			return err
		}
	}
	return nil
}

// isBias reports whether an epilogue only adds a vector that all pixels share.
func isBias(post epilogue, s shaders.ConvShape) bool {
	if len(post.In) != 2 || len(post.Code) != 1 || post.Code[0].Op != shaders.OpAdd || post.Code[0].A == post.Code[0].B || post.Out != 2 {
		return false
	}
	p := post.In[1]
	return p == shaders.Chan || p == shaders.BatchChan && s.B == 1 || p == shaders.Same && s.B*s.OH*s.OW == 1
}

// weights returns w [rows][n], packed for the target.
func (l *lowering) weights(t shaders.Target, w *netdef.Node, n, nj int) (*value, error) {
	if t.Mode == shaders.GPU {
		if v := l.val(w); !l.half || l.phases[w] != once || v.width() == 2 {
			return v, nil
		}
		return l.pack(fmt.Sprint(w.ID, " half"), w, w.Name+" half", w.Shape.Size(), func(v *value) error {
			v.half = true
			return l.copyFlat(l.val(w), 0, v, v.size)
		})
	}
	blk := t.Lanes * nj
	taps, k := w.Shape[0]*w.Shape[1], w.Shape[2]
	source, stride := w, 1
	s := shaders.Copy{Dims: []int{taps, k, n / blk}, In: []int{k * n, n, blk}, Out: []int{k * n, blk, k * blk}}
	// [taps][n][k] is reversed and transposed to [taps][k][n] while it is packed.
	if l.flipsWhilePacking(w) {
		source, stride = w.In[0], k
		s.In, s.InBase = []int{-n * k, 1, blk * k}, (taps-1)*n*k
	}
	for p := range blk {
		s.Tab = append(s.Tab, stride*t.PackIndex(p, nj))
	}
	return l.pack(fmt.Sprint(w.ID, nj), w, w.Name+" packed", w.Shape.Size(), func(v *value) error {
		if t.FastBuild && source == w {
			return l.emitItems(t, shaders.Pack{Tab: s.Tab}, taps*k*n/blk, []uint32{uint32(k), uint32(n / blk)}, 0, l.val(w), v)
		}
		return l.emit(t, s, nil, 0, l.val(source), v)
	})
}

// pack returns weights in another form. fill makes it once for all callers with the same key, and
// once for all runs if the weights are constant.
func (l *lowering) pack(key string, w *netdef.Node, name string, size int, fill func(v *value) error) (*value, error) {
	if v := l.packed[key]; v != nil {
		return v, nil
	}
	return l.inPhaseOf(w, func() (*value, error) {
		v := l.temp(name, size)
		l.packed[key] = v
		return v, fill(v)
	})
}

// flipsWhilePacking reports whether the weights of an adjoint convolution need no step of their
// own, because only convolutions read them, which pack them anyway.
func (l *lowering) flipsWhilePacking(w *netdef.Node) bool {
	if _, ok := w.Op.(*netdef.FlipTransposeOp); !ok || w.Shape[2] == 1 || w.Shape[3] == 1 || l.pinned[w] != nil || l.target(w.Shape[3]).Mode == shaders.GPU {
		return false
	}
	for _, u := range l.fusion.users[w] {
		if _, ok := u.Op.(*netdef.Conv2DOp); !ok || u.In[0] == w {
			return false
		}
		if s := convShape(u); l.takesWinograd(l.target(s.N), u, s) {
			return false // its transform packs them
		}
	}
	return true
}

// lowerBlur emits a dispatch for each chunk of kernel rows.
func (l *lowering) lowerBlur(n *netdef.Node, op *netdef.BlurOp) error {
	x, k, y := n.In[0].Shape, n.In[1].Shape, n.Shape
	t := l.target(y[3])
	s := shaders.Blur{B: x[0], Planes: x[1], IH: x[2], IW: x[3], OH: y[2], OW: y[3], KH: k[2], KW: op.Kw, KStride: k[3], Flip: op.Flip}
	// Four running sums: the driver would spill more of them. Kernels of more than 2400
	// multiply-adds gain nothing (measured).
	s.TY, s.NX = shaders.Divisor(y[2], 2), shaders.Divisor(y[3]/t.Lanes, 2)
	s.Rows = min(s.KH, 8)
	if t.Mode == shaders.CPU {
		s.Rows = min(s.KH, max(1, min(l.tune.maxFMA(), 2400)/(s.KW*s.TY*s.NX)))
	}
	out := l.out(n)
	for u := 0; u < s.KH; u += s.Rows {
		s.Rows = min(s.Rows, s.KH-u)
		flops := 2 * float64(y.Size()) * float64(s.KW*s.Rows)
		start, add := out, uint32(1)
		if u == 0 {
			start, add = l.zeros, 0
		}
		if err := l.emit(t, s, []uint32{uint32(u), add}, flops, l.val(n.In[0]), l.val(n.In[1]), start, out); err != nil {
			return err
		}
	}
	return nil
}
