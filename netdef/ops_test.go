package netdef_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	. "github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/reference"
)

// opCase is an op on inputs of given shapes.
type opCase struct {
	name   string
	shapes []Shape
	build  func(g *Graph, x []*Node) *Node
	linear bool // linear in input 0: the adjoint identity must hold
	away   bool // inputs must stay away from 0 (kinks, poles)
	pos    bool // inputs must be positive
	fixed  int  // the last fixed inputs have no gradient
}

func unaryCase(name string, f func(g *Graph, x *Node) *Node) opCase {
	return opCase{name: name, shapes: []Shape{{3, 5, 7, 8}}, build: func(g *Graph, x []*Node) *Node { return f(g, x[0]) }}
}

func opCases() []opCase {
	var cs []opCase
	add := func(c opCase) { cs = append(cs, c) }
	for _, k := range PointwiseKinds() {
		if k.Binary() || k.Flat {
			continue
		}
		c := unaryCase(k.String(), func(g *Graph, x *Node) *Node { return g.Apply(withConstants(k), x) })
		c.away, c.pos = k.Domain != Reals, k.Domain == Positive
		add(c)
	}
	add(unaryCase("softmax", (*Graph).Softmax))
	add(unaryCase("offset, squared", func(g *Graph, x *Node) *Node { return g.Square(g.Offset(x, 0.3)) }))
	add(unaryCase("layernorm", func(g *Graph, x *Node) *Node { return g.LayerNorm(x, 1e-3) }))
	for _, groups := range []int{1, 2, 8} {
		add(unaryCase("groupnorm", func(g *Graph, x *Node) *Node { return g.GroupNorm(x, groups, 1e-3) }))
	}
	add(opCase{name: "attention", shapes: []Shape{{2, 3, 5, 8}, {2, 3, 16, 8}, {2, 3, 16, 24}},
		build: func(g *Graph, x []*Node) *Node { return g.Attention(x[0], x[1], x[2]) }})
	full := Shape{3, 5, 7, 8}
	for _, b := range []Shape{full, {1, 1, 1, 8}, {3, 1, 1, 8}, {3, 1, 1, 1}, {1, 1, 1, 1}, {3, 5, 7, 1}, {1, 5, 7, 8}} {
		for _, k := range PointwiseKinds() {
			if !k.Binary() || k.Steps {
				continue
			}
			op, away := withConstants(k), k.Domain != Reals
			add(opCase{name: k.String() + " " + b.String(), shapes: []Shape{full, b}, away: away,
				build: func(g *Graph, x []*Node) *Node { return g.Apply(op, x[0], x[1]) }})
			add(opCase{name: k.String() + " swapped " + b.String(), shapes: []Shape{b, full}, away: away,
				build: func(g *Graph, x []*Node) *Node { return g.Apply(op, x[0], x[1]) }})
		}
		add(opCase{name: "broadcast " + b.String(), shapes: []Shape{b}, linear: true,
			build: func(g *Graph, x []*Node) *Node { return g.BroadcastTo(x[0], full) }})
	}
	for _, a := range []Axes{AxB, AxC, AxHW, AxBHW, AxHWC, AxAll} {
		add(opCase{name: "sum " + a.String(), shapes: []Shape{full}, linear: true,
			build: func(g *Graph, x []*Node) *Node { return g.Sum(x[0], a) }})
		add(opCase{name: "mean " + a.String(), shapes: []Shape{full}, linear: true,
			build: func(g *Graph, x []*Node) *Node { return g.Mean(x[0], a) }})
	}
	for _, s := range []Shape{{3, 5, 7, 8}, {1, 1, 1, 16}, {2, 1, 6, 8}} {
		add(opCase{name: "conv1 " + s.String(), shapes: []Shape{s, {1, 1, s[3], 16}}, linear: true, build: conv(1)})
		add(opCase{name: "conv3 " + s.String(), shapes: []Shape{s, {3, 3, s[3], 16}}, linear: true, build: conv(1)})
		add(opCase{name: "depthwise " + s.String(), shapes: []Shape{s, {3, 3, 1, s[3]}}, linear: true,
			build: func(g *Graph, x []*Node) *Node { return g.DepthwiseConv(x[0], x[1]) }})
	}
	add(opCase{name: "conv3 one channel", shapes: []Shape{{2, 3, 5, 1}, {3, 3, 1, 8}}, linear: true, build: conv(1)})
	add(opCase{name: "conv2", shapes: []Shape{{3, 6, 10, 8}, {2, 2, 8, 16}}, linear: true, build: conv(2)})
	add(opCase{name: "conv2 smallest", shapes: []Shape{{1, 2, 2, 16}, {2, 2, 16, 8}}, linear: true, build: conv(2)})
	return append(cs, structureCases()...)
}

// withConstants returns the op of a pointwise function, with constants if it takes any.
func withConstants(k *PointwiseKind) *PointwiseOp {
	return &PointwiseOp{Kind: k, A: []float64{0, -1.7, -0.7}[k.Constants], B: []float64{0, 0, 0.6}[k.Constants]}
}

func conv(stride int) func(g *Graph, x []*Node) *Node {
	return func(g *Graph, x []*Node) *Node { return g.Conv2D(x[0], x[1], stride) }
}

func structureCases() []opCase {
	var cs []opCase
	lin := func(name string, s Shape, f func(g *Graph, x *Node) *Node) {
		c := unaryCase(name, f)
		c.shapes, c.linear = []Shape{s}, true
		cs = append(cs, c)
	}
	full := Shape{3, 5, 7, 8}
	lin("fliptranspose", Shape{3, 3, 8, 16}, (*Graph).FlipTranspose)
	lin("transpose", Shape{2, 3, 16, 8}, (*Graph).Transpose)
	lin("swapaxes", Shape{2, 3, 5, 8}, (*Graph).SwapAxes)
	lin("heads", Shape{2, 3, 5, 32}, func(g *Graph, x *Node) *Node { return g.SplitHeads(x, 4) })
	lin("heads, merged", Shape{2, 4, 15, 8}, func(g *Graph, x *Node) *Node { return g.MergeHeads(x, 3, 5) })
	lin("space-to-depth", Shape{2, 6, 4, 8}, func(g *Graph, x *Node) *Node { return g.SpaceToDepth(x, 2) })
	lin("depth-to-space", Shape{2, 3, 5, 32}, func(g *Graph, x *Node) *Node { return g.DepthToSpace(x, 2) })
	lin("patchify", Shape{2, 3, 12, 8}, (*Graph).Patchify)
	lin("patchify mask", Shape{2, 1, 4, 16}, (*Graph).Patchify)
	lin("unpatchify", Shape{2, 3, 2, 48}, (*Graph).Unpatchify)
	lin("reshape", Shape{2, 3, 5, 16}, func(g *Graph, x *Node) *Node { return g.Reshape(x, Shape{1, 6, 10, 8}) })
	lin("slice batch", full, func(g *Graph, x *Node) *Node { return g.Slice(x, 0, 1, 3) })
	lin("slice channels", Shape{2, 3, 5, 32}, func(g *Graph, x *Node) *Node { return g.Slice(x, 3, 8, 24) })
	lin("padslice batch", full, func(g *Graph, x *Node) *Node { return g.PadSlice(x, 0, 2, 6) })
	lin("padslice channels", full, func(g *Graph, x *Node) *Node { return g.PadSlice(x, 3, 16, 40) })
	lin("crop2d", full, func(g *Graph, x *Node) *Node { return g.Crop2D(x, 1, 2, 3, 4) })
	lin("pad2d", full, func(g *Graph, x *Node) *Node { return g.Pad2D(x, 2, 1, 9, 10) })
	lin("cropplanes", Shape{2, 3, 5, 24}, func(g *Graph, x *Node) *Node { return g.CropPlanes(x, 1, 5, 3, 8) })
	lin("padplanes", Shape{2, 3, 5, 8}, func(g *Graph, x *Node) *Node { return g.PadPlanes(x, 1, 3, 7, 16) })
	lin("concat channels", full, func(g *Graph, x *Node) *Node { return g.Concat(3, x, g.Scale(x, 2), x) })
	lin("concat batch", full, func(g *Graph, x *Node) *Node { return g.Concat(0, g.Scale(x, -1), x) })
	for _, s := range [][2]Shape{
		{{2, 3, 5, 16}, {2, 3, 16, 8}}, {{2, 3, 5, 16}, {1, 1, 16, 8}}, {{1, 1, 5, 16}, {2, 3, 16, 8}},
		{{2, 3, 1, 8}, {2, 1, 8, 8}}, {{2, 1, 5, 8}, {2, 3, 8, 16}}, {{2, 3, 5, 8}, {1, 3, 8, 1}}, {{1, 3, 4, 8}, {2, 1, 8, 8}},
	} {
		a := s[0]
		cs = append(cs, opCase{name: "matmul " + a.String() + s[1].String(), shapes: s[:], linear: true,
			build: func(g *Graph, x []*Node) *Node { return g.MatMul(x[0], x[1]) }})
		cs = append(cs, opCase{name: "matmulTA " + a.String() + s[1].String(), linear: true,
			shapes: []Shape{{a[0], a[1], s[1][2], 8}, s[1]},
			build:  func(g *Graph, x []*Node) *Node { return g.MatMulTA(x[0], x[1]) }})
	}
	for _, flip := range []bool{false, true} {
		cs = append(cs, opCase{name: "blur", shapes: []Shape{{2, 3, 9, 24}, {2, 1, 5, 8}}, linear: true, fixed: 1,
			build: func(g *Graph, x []*Node) *Node { return g.Blur(x[0], x[1], 5, flip, 16) }})
		cs = append(cs, opCase{name: "blur uneven", shapes: []Shape{{3, 1, 4, 16}, {3, 1, 4, 8}}, linear: true, fixed: 1,
			build: func(g *Graph, x []*Node) *Node { return g.Blur(x[0], x[1], 6, flip, 8) }})
	}
	return cs
}

// newRand returns a generator with a fresh seed, which it logs.
func newRand(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

func randomTensor(r *rand.Rand, s Shape, away, pos bool) *Tensor {
	t := NewTensor(s)
	for i := range t.Data {
		v := r.NormFloat64()
		if pos {
			v = math.Abs(v)
		}
		if away {
			v += math.Copysign(0.3, v)
		}
		t.Data[i] = v
	}
	return t
}

// input draws input i of the case. Inputs of min, max and clamp keep away from the points without a
// derivative; a finite difference could step across them.
func (c opCase) input(r *rand.Rand, s Shape, i int) *Tensor {
	t := randomTensor(r, s, c.away, c.pos)
	switch kind, _, _ := strings.Cut(c.name, " "); kind {
	case "Min", "Max", "Clamp":
		for j, v := range t.Data {
			t.Data[j] = math.Round(10*v)/10 + 0.05*float64(1-i)
		}
	}
	return t
}

func float32s(r *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	return v
}

// setup builds the case, with a random linear functional of its output as the loss, and the
// gradients.
func (c opCase) setup(t *testing.T, r *rand.Rand) (loss, out, weight *Node, grads []*Node, in map[string]*Tensor, names []string) {
	g := NewGraph()
	in = map[string]*Tensor{}
	var xs []*Node
	for i, s := range c.shapes {
		name := string(rune('a' + i))
		xs, names = append(xs, g.Input(name, s)), append(names, name)
		in[name] = c.input(r, s, i)
	}
	out = c.build(g, xs)
	weight = g.Const("weight", out.Shape, float32s(r, out.Shape.Size()))
	loss = g.Sum(g.Mul(out, weight), AxAll)
	k := len(xs) - c.fixed
	grads, err := g.Gradient(loss, xs[:k])
	if err != nil {
		t.Fatal(err)
	}
	return loss, out, weight, grads, in, names[:k]
}

func mustRun(t testing.TB, in map[string]*Tensor, outs ...*Node) []*Tensor {
	t.Helper()
	v, err := reference.Run(outs, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestGradientsAgainstFiniteDifferences(t *testing.T) {
	r := newRand(t)
	for _, c := range opCases() {
		t.Run(c.name, func(t *testing.T) {
			loss, _, _, grads, in, names := c.setup(t, r)
			values := mustRun(t, in, grads...)
			for i, name := range names {
				x, got := in[name], values[i]
				if got.Shape != x.Shape {
					t.Fatalf("gradient of input %d is %v, want %v", i, got.Shape, x.Shape)
				}
				var diff, norm float64
				for range min(24, len(x.Data)) {
					j := r.IntN(len(x.Data))
					want := slope(t, loss, in, &x.Data[j])
					diff += (got.Data[j] - want) * (got.Data[j] - want)
					norm += want * want
				}
				if diff = math.Sqrt(diff); !(diff <= 1e-6*(math.Sqrt(norm)+1)) {
					t.Errorf("gradient of input %d is off by %g (norm %g)", i, diff, math.Sqrt(norm))
				}
			}
		})
	}
}

// slope returns the central difference of the loss along one number.
func slope(t testing.TB, loss *Node, in map[string]*Tensor, x *float64) float64 {
	const h = 1e-5
	old := *x
	defer func() { *x = old }()
	*x = old + h
	up := mustRun(t, in, loss)[0].Data[0]
	*x = old - h
	return (up - mustRun(t, in, loss)[0].Data[0]) / (2 * h)
}

// TestAdjoints checks <Ax, y> = <x, Aᵀy> for ops that are linear in their first input.
func TestAdjoints(t *testing.T) {
	r := newRand(t)
	for _, c := range opCases() {
		if !c.linear {
			continue
		}
		_, out, weight, grads, in, names := c.setup(t, r)
		v := mustRun(t, in, out, weight, grads[0])
		left, right := dot(v[0], v[1]), dot(in[names[0]], v[2])
		scale := math.Sqrt(dot(v[0], v[0]) * dot(v[1], v[1]))
		if math.Abs(left-right) > 1e-12*scale {
			t.Errorf("%s: <Ax,y> = %.15g, <x,Aᵀy> = %.15g", c.name, left, right)
		}
	}
}

func dot(a, b *Tensor) float64 {
	s := 0.0
	for i, v := range a.Data {
		s += v * b.Data[i]
	}
	return s
}

// TestSecondOrder differentiates a gradient, as a gradient penalty does.
func TestSecondOrder(t *testing.T) {
	r := newRand(t)
	g := NewGraph()
	x, w := g.Input("x", Shape{2, 4, 6, 8}), g.Input("w", Shape{3, 3, 8, 8})
	d := g.Input("d", Shape{2, 2, 8, 8})
	y := g.Conv2D(g.SiLU(g.Conv2D(x, w, 1)), d, 2)
	first, err := g.Gradient(g.Sum(g.Square(g.Softmax(y)), AxAll), []*Node{x})
	if err != nil {
		t.Fatal(err)
	}
	loss := g.Sum(g.Square(first[0]), AxAll)
	second, err := g.Gradient(loss, []*Node{x, w, d})
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]*Tensor{"x": randomTensor(r, x.Shape, false, false), "w": randomTensor(r, w.Shape, false, false),
		"d": randomTensor(r, d.Shape, false, false)}
	values := mustRun(t, in, second...)
	for i, name := range []string{"x", "w", "d"} {
		norm := math.Sqrt(dot(values[i], values[i]))
		for range 10 {
			j := r.IntN(len(in[name].Data))
			if want, got := slope(t, loss, in, &in[name].Data[j]), values[i].Data[j]; math.Abs(want-got) > 1e-5*norm {
				t.Errorf("%s[%d]: got %g, finite difference %g", name, j, got, want)
			}
		}
	}
}
