package netdef_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/reference"
)

type shape = netdef.Shape

// fieldNets are networks with their receptive fields, found by hand.
var fieldNets = map[string]struct {
	want  netdef.Field
	build func(g *netdef.Graph, x *netdef.Node) *netdef.Node
}{
	"3×3 twice": {netdef.Field{Num: 1, Den: 1, Align: 1, Halo: 2}, func(g *netdef.Graph, x *netdef.Node) *netdef.Node {
		return convolved(g, "b", g.SiLU(convolved(g, "a", x, 3, 1)), 3, 1)
	}},
	// Half the resolution: a site reads 3 sites, 6 of the input, and a pair begins at its first one.
	"down and up": {netdef.Field{Num: 1, Den: 1, Align: 2, Halo: 2}, func(g *netdef.Graph, x *netdef.Node) *netdef.Node {
		y := convolved(g, "b", convolved(g, "a", x, 2, 2), 3, 1)
		return g.Add(x, g.DepthToSpace(convolved(g, "c", g.Concat(3, y, y, y, y), 1, 1), 2))
	}},
	"twice as large": {netdef.Field{Num: 2, Den: 1, Align: 1, Halo: 2}, func(g *netdef.Graph, x *netdef.Node) *netdef.Node {
		y := g.DepthToSpace(g.Concat(3, convolved(g, "a", x, 3, 1), x, x, x), 2)
		return convolved(g, "b", y, 3, 1)
	}},
	"depthwise, shifted": {netdef.Field{Num: 1, Den: 1, Align: 1, Halo: 4}, func(g *netdef.Graph, x *netdef.Node) *netdef.Node {
		y := g.DepthwiseConv(x, g.Param("a", shape{3, 3, 1, 8}, netdef.Normal{Std: 1}))
		s := x.Shape
		return g.Crop2D(g.Pad2D(y, 3, 2, s[1]+3, s[2]+3), 0, 0, s[1], s[2])
	}},
}

func convolved(g *netdef.Graph, name string, x *netdef.Node, k, stride int) *netdef.Node {
	c := x.Shape[3]
	return g.Conv2D(x, g.Param(name, shape{k, k, c, c}, netdef.HeNormal{Gain: 1}), stride)
}

// TestReceptiveField computes parts of pictures. They are exactly as in the whole with the halo,
// and not with one site less.
func TestReceptiveField(t *testing.T) {
	const side, from, to = 32, 12, 20
	for name, n := range fieldNets {
		whole := netdef.NewGraph()
		in := whole.Input("x", shape{1, side, side, 8})
		out := n.build(whole, in)
		f, err := netdef.ReceptiveField(out, in)
		if err != nil || f != n.want {
			t.Errorf("%s: %+v, want %+v (%v)", name, f, n.want, err)
			continue
		}
		params := reference.InitialParams(1, out)
		x := netdef.NewTensor(in.Shape)
		for i := range x.Data {
			x.Data[i] = rand.NormFloat64()
		}
		run := func(out *netdef.Node, x *netdef.Tensor) *netdef.Tensor {
			y, err := reference.Run([]*netdef.Node{out}, map[string]*netdef.Tensor{"x": x}, params)
			if err != nil {
				t.Fatal(err)
			}
			return y[0]
		}
		want := run(out, x)
		same := func(halo int) bool {
			lo, n2 := from-halo, to-from+2*halo
			part := netdef.NewGraph()
			in := part.Input("x", shape{1, n2, n2, 8})
			p := netdef.NewTensor(in.Shape)
			for i := range p.Data {
				site, c := i/8, i%8
				p.Data[i] = x.Data[((site/n2+lo)*side+site%n2+lo)*8+c]
			}
			got := run(n.build(part, in), p)
			s := f.Num / f.Den
			for y := from * s; y < to*s; y++ {
				for z := from * s; z < to*s; z++ {
					for c := range 8 {
						if got.Data[((y-lo*s)*n2*s+z-lo*s)*8+c] != want.Data[(y*side*s+z)*8+c] {
							return false
						}
					}
				}
			}
			return true
		}
		halo := (f.Halo + f.Align - 1) / f.Align * f.Align
		if !same(halo) {
			t.Errorf("%s: a part with a halo of %d differs from the whole", name, halo)
		}
		if same(halo - f.Align) {
			t.Errorf("%s: a smaller halo would do", name)
		}
	}
}

// TestGlobal checks that networks without a receptive field are known.
func TestGlobal(t *testing.T) {
	for name, build := range map[string]func(g *netdef.Graph, x *netdef.Node) *netdef.Node{
		"mean": func(g *netdef.Graph, x *netdef.Node) *netdef.Node { return g.Mul(x, g.Mean(x, netdef.AxHW)) },
		"position": func(g *netdef.Graph, x *netdef.Node) *netdef.Node {
			return g.Add(x, g.Param("p", x.Shape, netdef.Ones))
		},
		"row": func(g *netdef.Graph, x *netdef.Node) *netdef.Node {
			return g.Reshape(x, shape{1, 1, 1, x.Shape.Size()})
		},
	} {
		g := netdef.NewGraph()
		x := g.Input("x", shape{1, 8, 8, 8})
		_, err := netdef.ReceptiveField(build(g, x), x)
		var global *netdef.GlobalError
		if !errors.As(err, &global) {
			t.Errorf("%s: %v", name, err)
		}
	}
	g := netdef.NewGraph()
	x := g.Input("x", shape{1, 8, 8, 8})
	edge := g.Pad2D(g.BroadcastTo(g.Const("one", netdef.Scalar, []float32{1}), x.Shape), 1, 1, 10, 10)
	if _, err := netdef.ReceptiveField(g.Add(x, g.Crop2D(edge, 1, 1, 8, 8)), x); err != nil {
		t.Errorf("what is the same everywhere but at the edges: %v", err)
	}
	if _, err := netdef.ReceptiveField(x, g.Input("z", shape{1, 8, 8, 8})); err == nil {
		t.Error("no error for an input that is not read")
	}
}
