package compile

import (
	"errors"
	"fmt"
	"slices"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// lowering converts nodes to steps.
type lowering struct {
	best, portable shaders.Target
	tune           Tuning
	maxBinding     int64 // limit for the bytes of one binding
	half           bool  // tensors with a value per site are float16 in memory
	store          *Store
	modules        map[string]*shaders.Module
	fusion         *fusion
	vals           map[*netdef.Node]*value
	packed         map[string]*value
	repeats        map[repeatKey]*netdef.Node
	winogradIn     map[*netdef.Node]*value // transformed inputs of Winograd convolutions
	moments        map[momentsKey]moments  // of group normalisations
	pinned         map[*netdef.Node]*value
	phases         map[*netdef.Node]phase
	steps          []*step
	consts         []constant
	inputs         map[string]*value
	held           []string      // inputs that stay on the device
	sizes          [nRegions]int // of regions that are not planned, in units of 4 bytes
	zeros          *value
	cur            *netdef.Node
	phase          phase // of the current node
}

type constant struct {
	at   *value
	data []float32
}

func (l *lowering) addConst(name string, data []float32) *value {
	v := l.place(name, regConst, len(data))
	l.consts = append(l.consts, constant{v, data})
	return v
}

func (l *lowering) temp(name string, size int) *value {
	if l.phase != always {
		return l.place(name, regKeep, size)
	}
	return &value{name: name, size: size, reg: regWork, first: -1}
}

// place gives a value the next memory of a region.
func (l *lowering) place(name string, reg region, size int) *value {
	v := &value{name: name, size: size, reg: reg, off: l.sizes[reg]}
	l.sizes[reg] += roundUp(size)
	return v
}

// out returns the storage for the result of the current node.
func (l *lowering) out(n *netdef.Node) *value {
	if v := l.pinned[n]; v != nil {
		l.vals[n] = v
		return v
	}
	v := l.temp(n.Name, n.Shape.Size())
	// This gains something only for tensors with a value per site. Tensors with a value per picture
	// hold σ² and similar values, which are too small for float16.
	v.half = l.half && v.reg == regWork && n.Shape[1]*n.Shape[2] > 1
	l.vals[n] = v
	return v
}

// val returns the value of a node that has been lowered.
func (l *lowering) val(n *netdef.Node) *value {
	v := l.vals[n]
	if v == nil {
		panic(fmt.Sprintf("compile: %s %q is used before it is computed", n.Op.Name(), n.Name))
	}
	return v
}

// target returns the lowering for a kernel over c channels.
func (l *lowering) target(c int) shaders.Target {
	if l.best.NJ(c) > 0 {
		return l.best
	}
	return l.portable
}

// emit adds a dispatch.
func (l *lowering) emit(t shaders.Target, k shaders.Kernel, scalars []uint32, flops float64, args ...*value) error {
	return l.emitItems(t, k, k.Signature(t).Items, scalars, flops, args...)
}

// emitItems adds a dispatch with the given number of work items, for kernels that do not fix it.
func (l *lowering) emitItems(t shaders.Target, k shaders.Kernel, items int, scalars []uint32, flops float64, args ...*value) error {
	b, operands := shaders.Build{Kernel: k, Target: t}, k.Signature(t).Operands
	for i, a := range args {
		if a.width() == 2 {
			b.Half = b.Half.With(i)
		}
		if t.Mode == shaders.CPU && operands[i]&shaders.Write != 0 && 4*int64(a.extent()) > l.maxBinding {
			b.Target.StoreByAddress = true
		}
	}
	key := b.Key()
	m := l.modules[key]
	if m == nil {
		var err error
		if m, err = shaders.Emit(b); err != nil {
			return err
		}
		l.modules[key] = m
	}
	name := ""
	if l.cur != nil {
		name = l.cur.Op.Name() + " " + l.cur.Name
	}
	l.steps = append(l.steps, &step{name: name, mod: m, args: args, scalars: scalars, items: items, phase: l.phase, flops: flops})
	return nil
}

// run lowers all nodes, which are in topological order.
func (l *lowering) run(nodes []*netdef.Node) error {
	for _, n := range nodes {
		l.cur, l.phase = n, l.phases[n]
		if l.fusion.absorbed[n] {
			continue
		}
		if err := l.lower(n); err != nil {
			return nodeError(n, err)
		}
	}
	return nil
}

func (l *lowering) lower(n *netdef.Node) error {
	if g := l.fusion.roots[n]; g != nil {
		return l.lowerGroup(g)
	}
	switch op := n.Op.(type) {
	case *netdef.InputOp:
		reg := regInput
		switch {
		case l.phases[n] == perSetting:
			reg = regSetting
		case slices.Contains(l.held, n.Name):
			reg = regHeld
		}
		v := l.place(n.Name, reg, n.Shape.Size())
		l.inputs[n.Name], l.vals[n] = v, v
		return nil
	case *netdef.ParamOp:
		v, err := l.store.value(n.Name, n.Shape)
		l.vals[n] = v
		return err
	case *netdef.ConstOp:
		l.vals[n] = l.addConst(n.Name, op.Data)
		return nil
	case *netdef.ReshapeOp:
		return l.view(n, 0)
	case *netdef.Conv2DOp, *netdef.MatMulOp, *netdef.LayerNormOp, *netdef.LayerNormGradOp, *netdef.ConvGradWOp, *netdef.SoftmaxOp, *netdef.SumOp,
		*netdef.DepthwiseConvOp, *netdef.DepthwiseGradWOp, *netdef.BlurOp:
		if !hasKernel(n) {
			return l.lowerGeneral(n)
		}
	}
	switch op := n.Op.(type) {
	case *netdef.Conv2DOp, *netdef.LayerNormOp, *netdef.LayerNormGradOp, *netdef.GroupNormOp:
		return l.lowerHost(n, l.out(n), nil)
	case *netdef.GroupNormGradOp:
		return l.lowerGroupNormGrad(n, op)
	case *netdef.MatMulOp:
		if op.TA {
			return l.lowerMatMulTA(n)
		}
		return l.lowerHost(n, l.out(n), nil)
	case *netdef.ConvGradWOp:
		return l.lowerConvGradW(n, op)
	case *netdef.SoftmaxOp:
		rows := rowsOf(n)
		rows.P = rows.Pixels // all pictures are treated alike
		t := l.target(rows.C)
		if t.Mode == shaders.CPU && rows.C > t.Lanes*softmaxBlocks {
			t = l.portable
		}
		return l.emit(t, shaders.Softmax{Rows: rows}, nil, 0, l.val(n.In[0]), l.out(n))
	case *netdef.SumOp:
		return l.lowerSum(n, op)
	case *netdef.DepthwiseConvOp:
		s := n.Shape
		t := l.target(s[3])
		k := shaders.Depthwise{B: s[0], H: s[1], W: s[2], C: s[3], TP: shaders.Divisor(s[2], 4, 2)}
		return l.emit(t, k, nil, 18*float64(s.Size()), l.val(n.In[0]), l.val(n.In[1]), l.out(n))
	case *netdef.DepthwiseGradWOp:
		s := n.In[0].Shape
		t := l.target(s[3])
		cols := largestDivisor(s[2], 64)
		parts := s[0] * s[1] * (s[2] / cols)
		if !l.fits(t, parts*9*s[3]) {
			return l.lowerGeneral(n)
		}
		tmp := l.temp(n.Name+" partial", parts*9*s[3])
		k := shaders.DepthwiseGradW{B: s[0], H: s[1], W: s[2], C: s[3], Cols: cols}
		if err := l.emit(t, k, nil, 18*float64(s.Size()), l.val(n.In[0]), l.val(n.In[1]), tmp); err != nil {
			return err
		}
		return l.colSum(t, tmp, l.out(n), shaders.ColSum{Groups: 1, Rows: parts, X: 9 * s[3]})
	case *netdef.BlurOp:
		return l.lowerBlur(n, op)
	case *netdef.RandomOp:
		s := n.Shape
		k := shaders.Random{B: s[0], H: s[1], W: s[2], C: s[3], Stream: op.Stream, Normal: op.Gaussian}
		return l.emit(l.best, k, nil, 0, l.val(n.In[0]), l.out(n))
	}
	return l.lowerLayout(n)
}

// view makes n a view of its input's storage that begins off elements into it.
func (l *lowering) view(n *netdef.Node, off int) error {
	in := l.val(n.In[0])
	if p := l.pinned[n]; p != nil {
		// The result must be in its own place.
		l.vals[n] = p
		return l.copyFlat(in, off, p, n.Shape.Size())
	}
	l.vals[n] = &value{name: n.Name, size: n.Shape.Size(), base: in, off: off}
	return nil
}

// copyFlat copies size elements.
func (l *lowering) copyFlat(from *value, off int, to *value, size int) error {
	src := &value{name: from.name, size: size, base: from, off: off}
	return l.flat(shaders.NewRecorder(shaders.Same).Expr(0), size, []*value{src}, to)
}

// flat evaluates an expression over contiguous values of n elements.
func (l *lowering) flat(x shaders.Expr, n int, in []*value, out *value) error {
	t := l.best
	nj := 4
	if t.FastBuild {
		nj = 1
	}
	tl := shaders.Tile{C: nj * t.Lanes, NJ: nj, P: 1, TP: 1}
	rows := (n + tl.C - 1) / tl.C
	if rows > 64 && !t.FastBuild {
		tl.TP = 4
		rows = (rows + 3) / 4 * 4
	}
	tl.P = rows
	return l.pointwise(t, shaders.Pointwise{Of: x, B: 1, Tile: tl}, append(slices.Clone(in), out))
}

// source returns the value that a group reads as its input i.
func (l *lowering) source(g *group, i int) *value {
	n := g.in[i]
	if p := g.pat[i]; p == shaders.Depth2 || p == shaders.Normed {
		n = n.In[0]
	}
	return l.val(n)
}

// lowerGroup computes a group of pointwise nodes.
func (l *lowering) lowerGroup(g *group) error {
	if g.host != nil {
		return l.lowerHost(g.host, l.out(g.root), g)
	}
	x := g.expr()
	s := g.root.Shape
	in := make([]*value, len(g.in))
	flat := true
	for i := range g.in {
		in[i] = l.source(g, i)
		flat = flat && (g.pat[i] == shaders.Same || g.pat[i] == shaders.One)
	}
	out := l.out(g.root)
	if flat {
		return l.flat(x, s.Size(), in, out)
	}
	b, p, c := s[0], s[1]*s[2], s[3]
	pat := append([]shaders.Pattern{}, g.pat...)
	if c == 1 {
		// One number per site: the lanes are then sites (or pictures) instead of channels.
		if l.portable.NJ(p) > 0 {
			p, c = 1, p
			for i, q := range pat {
				switch q {
				case shaders.PixelOnly, shaders.PixelChan:
					pat[i] = shaders.Chan
				case shaders.Pixel:
					pat[i] = shaders.Same
				case shaders.BatchChan: // [B,1,1,1] is read as one channel
					pat[i] = shaders.Batch
				}
			}
		} else {
			return l.broadcastGroup(g, x, in, out)
		}
	}
	x.In = pat
	t := l.target(c)
	nj := t.NJ(c)
	if nj == 0 {
		return errors.New("channels must be a multiple of 8")
	}
	most := 4
	if t.FastBuild {
		most = 1
	}
	tl := shaders.Tile{C: c, P: p, NJ: nj, TP: shaders.Divisor(p, most, min(most, 2))}
	if slices.Contains(pat, shaders.Depth2) {
		tl.W = s[2]
		tl.TP = shaders.Divisor(tl.W, max(most, 2), 2) // an even number
	}
	return l.pointwise(t, shaders.Pointwise{Of: x, B: b, Tile: tl}, append(in, out))
}

// broadcastGroup computes a group whose inputs no kernel can read as they are. It first broadcasts
// them to the shape of the result.
func (l *lowering) broadcastGroup(g *group, x shaders.Expr, in []*value, out *value) error {
	s := g.root.Shape
	x.In = slices.Clone(g.pat)
	for i, n := range g.in {
		if x.In[i] == shaders.Same || x.In[i] == shaders.One {
			continue
		}
		v, err := l.broadcast(n.Name, in[i], n.Shape, s)
		if err != nil {
			return err
		}
		in[i], x.In[i] = v, shaders.Same
	}
	return l.flat(x, s.Size(), in, out)
}

// rowsOf returns the geometry of a kernel that needs all channels of a pixel of n.
func rowsOf(n *netdef.Node) shaders.Rows {
	s := n.Shape
	return shaders.Rows{Pixels: s[0] * s[1] * s[2], C: s[3], P: s[1] * s[2]}
}

// softmaxBlocks is how many values per lane the unrolled softmax of the CPU lowering takes at most.
// Longer rows are done by the portable kernel, which has loops.
const softmaxBlocks = 64

func largestDivisor(n, limit int) int {
	for d := min(n, limit); d > 1; d-- {
		if n%d == 0 {
			return d
		}
	}
	return 1
}
