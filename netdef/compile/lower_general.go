package compile

import (
	"fmt"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// hasKernel reports whether a convolution, product, normalisation or sum has a kernel made for its
// shape, which can also take an epilogue. The general kernel computes the others, which mostly have
// a single channel.
func hasKernel(n *netdef.Node) bool {
	wide := func(s netdef.Shape) bool { return s[3] > 1 }
	switch op := n.Op.(type) {
	case *netdef.Conv2DOp, *netdef.MatMulOp, *netdef.ConvGradWOp:
		return wide(n.In[0].Shape) && wide(n.In[1].Shape)
	case *netdef.SumOp:
		return hasSumKernel(n.In[0].Shape, op.Axes)
	}
	return wide(n.Shape) // depthwise convolutions, blurs, normalisations
}

// hasSumKernel reports whether a sum is over whole rows, or over columns whose number is a multiple
// of 8.
func hasSumKernel(s netdef.Shape, axes netdef.Axes) bool {
	if axes == netdef.AxB {
		c := s[1] * s[2] * s[3]
		return c == 1 || c%8 == 0
	}
	return true
}

// general computes a node with the general kernel.
func (l *lowering) general(n *netdef.Node, s shaders.General) error {
	in := make([]*value, len(n.In))
	for i, m := range n.In {
		in[i] = l.val(m)
	}
	iterations := 1
	for _, k := range append(append([]int{}, s.Out...), s.Sum...) {
		iterations *= k
	}
	return l.generalStep(s, 2*float64(iterations), in, l.out(n))
}

func (l *lowering) generalStep(s shaders.General, flops float64, in []*value, out *value) error {
	return l.emit(l.portable, s, nil, flops, append(append([]*value{}, in...), out)...)
}

// all returns the view of a tensor whose axes are the loops 0 to 3.
func all(s netdef.Shape) shaders.View {
	return shaders.View{shaders.Along(0, s[0]), shaders.Along(1, s[1]), shaders.Along(2, s[2]), shaders.Along(3, s[3])}
}

// broadcastView returns the view of a tensor of shape s, broadcast to the shape to of the loops 0
// to 3.
func broadcastView(s, to netdef.Shape) shaders.View {
	v := all(s)
	for i := range s {
		if s[i] != to[i] {
			v[i] = shaders.First(s[i])
		}
	}
	return v
}

// broadcast returns a tensor of shape s, broadcast to another shape.
func (l *lowering) broadcast(name string, from *value, s, to netdef.Shape) (*value, error) {
	v := l.temp(name+" broadcast", to.Size())
	return v, l.generalStep(shaders.General{Out: to[:], In: []shaders.View{broadcastView(s, to)}, To: all(to)}, 0, []*value{from}, v)
}

// windowPlaces returns the rows and columns of a picture that a convolution reads. The output's
// position is that of the loops y and x, the tap that of the loops dy and dx.
func windowPlaces(s netdef.Shape, y, x, dy, dx, stride, pad int) (rows, cols shaders.Place) {
	rows = shaders.Place{Size: s[1], Off: -pad, Sum: []shaders.Times{{Loop: y, N: stride}, {Loop: dy, N: 1}}}
	cols = shaders.Place{Size: s[2], Off: -pad, Sum: []shaders.Times{{Loop: x, N: stride}, {Loop: dx, N: 1}}}
	return rows, cols
}

// lowerGeneral computes a node without a kernel for its shape.
func (l *lowering) lowerGeneral(n *netdef.Node) error {
	y := n.Shape
	along, in := shaders.Along, make([]netdef.Shape, len(n.In))
	for i, m := range n.In {
		in[i] = m.Shape
	}
	switch op := n.Op.(type) {
	case *netdef.Conv2DOp:
		x, w := in[0], in[1]
		rows, cols := windowPlaces(x, 1, 2, 4, 5, op.Stride, (w[0]-1)/2)
		return l.general(n, shaders.General{
			Out: y[:], Sum: []int{w[0], w[1], w[2]}, To: all(y),
			In: []shaders.View{{along(0, x[0]), rows, cols, along(6, x[3])}, {along(4, w[0]), along(5, w[1]), along(6, w[2]), along(3, w[3])}},
		})
	case *netdef.ConvGradWOp:
		x, g := in[0], in[1]
		rows, cols := windowPlaces(x, 5, 6, 0, 1, op.Stride, (op.K-1)/2)
		return l.general(n, shaders.General{
			Out: y[:], Sum: []int{g[0], g[1], g[2]}, To: all(y),
			In: []shaders.View{{along(4, x[0]), rows, cols, along(2, x[3])}, {along(4, g[0]), along(5, g[1]), along(6, g[2]), along(3, g[3])}},
		})
	case *netdef.DepthwiseConvOp:
		x, w := in[0], in[1]
		rows, cols := windowPlaces(x, 1, 2, 4, 5, 1, 1)
		return l.general(n, shaders.General{
			Out: y[:], Sum: []int{3, 3}, To: all(y),
			In: []shaders.View{{along(0, x[0]), rows, cols, along(3, x[3])}, {along(4, 3), along(5, 3), shaders.First(1), along(3, w[3])}},
		})
	case *netdef.DepthwiseGradWOp:
		x, g := in[0], in[1]
		rows, cols := windowPlaces(x, 5, 6, 0, 1, 1, 1)
		return l.general(n, shaders.General{
			Out: y[:], Sum: []int{g[0], g[1], g[2]}, To: all(y),
			In: []shaders.View{{along(4, x[0]), rows, cols, along(3, x[3])}, {along(4, g[0]), along(5, g[1]), along(6, g[2]), along(3, g[3])}},
		})
	case *netdef.MatMulOp:
		a, b := in[0], in[1]
		va := shaders.View{broadcastView(a, y)[0], broadcastView(a, y)[1], along(2, a[2]), along(4, a[3])}
		if op.TA {
			va[2], va[3] = along(4, a[2]), along(2, a[3])
		}
		return l.general(n, shaders.General{
			Out: y[:], Sum: []int{b[2]}, To: all(y),
			In: []shaders.View{va, {broadcastView(b, y)[0], broadcastView(b, y)[1], along(4, b[2]), along(3, b[3])}},
		})
	case *netdef.BlurOp:
		x, k := in[0], in[1]
		rows, cols := windowPlaces(netdef.Shape{1, x[2], x[3], 1}, 2, 3, 4, 5, 1, 0)
		kr, kc := along(4, k[2]), along(5, k[3])
		if op.Flip {
			kr, kc = reversed(4, k[2], k[2]), reversed(5, op.Kw, k[3])
		}
		return l.general(n, shaders.General{
			Out: y[:], Sum: []int{k[2], op.Kw}, To: all(y),
			In: []shaders.View{{along(0, x[0]), along(1, x[1]), rows, cols}, {along(0, k[0]), shaders.First(1), kr, kc}},
		})
	case *netdef.SumOp:
		return l.generalSum(n, op.Axes)
	case *netdef.LayerNormOp: // a single channel is equal to its mean
		return l.fillUnlessNaN(n, 0)
	case *netdef.LayerNormGradOp:
		return l.fillUnlessNaN(n, 0)
	case *netdef.SoftmaxOp:
		return l.fillUnlessNaN(n, 1)
	}
	return fmt.Errorf("no kernel for op %s of this shape", n.Op.Name())
}

// reversed returns the position of a loop of n iterations that counts down.
func reversed(loop, n, size int) shaders.Place {
	return shaders.Place{Size: size, Off: n - 1, Sum: []shaders.Times{{Loop: loop, N: -1}}}
}

// generalSum sums over any axes.
func (l *lowering) generalSum(n *netdef.Node, axes netdef.Axes) error {
	s := n.In[0].Shape
	g := shaders.General{Out: n.Shape[:], To: all(n.Shape)}
	view := all(s)
	for i, k := range s {
		if axes.Has(i) {
			view[i] = shaders.Along(4+len(g.Sum), k)
			g.Sum = append(g.Sum, k)
		}
	}
	g.In = []shaders.View{view}
	return l.general(n, g)
}

// fillUnlessNaN computes v wherever the input is a number, as a normalisation of a single channel
// does.
func (l *lowering) fillUnlessNaN(n *netdef.Node, v float64) error {
	r := shaders.NewRecorder(shaders.Same)
	x := r.Expr(r.Add(r.Sub(0, 0), r.Float(v)))
	return l.flat(x, n.Shape.Size(), []*value{l.val(n.In[0])}, l.out(n))
}

// generalLayout rearranges tensors whose rows are not a multiple of 8 elements.
func (l *lowering) generalLayout(n *netdef.Node) error {
	along, s, x := shaders.Along, n.Shape, n.In[0].Shape
	blocks := func(loop, in, r, size int) shaders.Place { // element in of block loop
		return shaders.Place{Size: size, Sum: []shaders.Times{{Loop: loop, N: r}, {Loop: in, N: 1}}}
	}
	switch op := n.Op.(type) {
	case *netdef.SpaceToDepthOp: // loops b, h, w, dy, dx, c
		r, c := op.R, x[3]
		out := []int{s[0], s[1], s[2], r, r, c}
		return l.general(n, shaders.General{
			Out: out, In: []shaders.View{{along(0, x[0]), blocks(1, 3, r, x[1]), blocks(2, 4, r, x[2]), along(5, c)}}, To: inOrder(out),
		})
	case *netdef.DepthToSpaceOp: // the reverse
		r, c := op.R, s[3]
		out := []int{x[0], x[1], x[2], r, r, c}
		return l.general(n, shaders.General{
			Out: out, In: []shaders.View{inOrder(out)}, To: shaders.View{along(0, s[0]), blocks(1, 3, r, s[1]), blocks(2, 4, r, s[2]), along(5, c)},
		})
	case *netdef.FlipTransposeOp:
		return l.general(n, shaders.General{
			Out: s[:], In: []shaders.View{{reversed(0, x[0], x[0]), reversed(1, x[1], x[1]), along(3, x[2]), along(2, x[3])}}, To: all(s),
		})
	}
	return fmt.Errorf("no kernel for op %s of this shape", n.Op.Name())
}

// inOrder returns the view of a tensor that has an axis for every loop.
func inOrder(loops []int) (v shaders.View) {
	for i, k := range loops {
		v = append(v, shaders.Along(i, k))
	}
	return v
}

// generalWindow is window for rows of any length.
func (l *lowering) generalWindow(from, to corner, size netdef.Shape) error {
	in, out := all(from.shape), all(to.shape)
	for i := range size {
		in[i].Off, out[i].Off = from.at[i], to.at[i]
	}
	return l.generalStep(shaders.General{Out: size[:], In: []shaders.View{in}, To: out}, 0, []*value{from.v}, to.v)
}
