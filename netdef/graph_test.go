package netdef_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	. "github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/reference"
)

func TestShapeErrorsNameOpAndNode(t *testing.T) {
	s := Shape{2, 4, 6, 8}
	for _, c := range []struct {
		op, part string
		build    func(g *Graph, x *Node)
	}{
		{"Conv2D", "take 16 channels", func(g *Graph, x *Node) { g.Conv2D(x, g.Param("w", Shape{3, 3, 16, 8}, Zeros), 1) }},
		{"Conv2D", "stride 2", func(g *Graph, x *Node) { g.Conv2D(x, g.Param("w", Shape{3, 3, 8, 8}, Zeros), 2) }},
		{"Conv2D", "even H and W", func(g *Graph, x *Node) {
			g.Conv2D(g.Crop2D(x, 0, 0, 3, 6), g.Param("w", Shape{2, 2, 8, 8}, Zeros), 2)
		}},
		{"ConvGradW", "does not fit", func(g *Graph, x *Node) { g.ConvGradW(x, g.Crop2D(x, 0, 0, 3, 6), 3, 1) }},
		{"DepthwiseConv", "wants [3,3,1,8]", func(g *Graph, x *Node) { g.DepthwiseConv(x, x) }},
		{"MatMul", "inner sizes", func(g *Graph, x *Node) { g.MatMul(x, x) }},
		{"MatMul", "axis 1", func(g *Graph, x *Node) { g.MatMul(x, g.Input("b", Shape{2, 3, 8, 8})) }},
		{"Add", "differ on axis 2", func(g *Graph, x *Node) { g.Add(x, g.Input("b", Shape{2, 4, 5, 8})) }},
		{"Mul", "cannot be broadcast", func(g *Graph, x *Node) { g.Mul(x, g.Input("b", Shape{2, 4, 1, 8})) }},
		{"BroadcastTo", "cannot broadcast", func(g *Graph, x *Node) { g.BroadcastTo(x, Shape{2, 4, 6, 16}) }},
		{"Sum", "no sum over", func(g *Graph, x *Node) { g.Sum(x, AxB|AxC) }},
		{"SpaceToDepth", "multiples of 4", func(g *Graph, x *Node) { g.SpaceToDepth(x, 4) }},
		{"DepthToSpace", "multiple of 9", func(g *Graph, x *Node) { g.DepthToSpace(x, 3) }},
		{"DepthToSpace", "multiple of 8", func(g *Graph, x *Node) { g.DepthToSpace(x, 2) }},
		{"Patchify", "multiples of 4", func(g *Graph, x *Node) { g.Patchify(x) }},
		{"Reshape", "elements", func(g *Graph, x *Node) { g.Reshape(x, Shape{2, 4, 6, 16}) }},
		{"Crop", "multiples of 8", func(g *Graph, x *Node) { g.Slice(x, 3, 0, 4) }},
		{"Crop", "axis 1", func(g *Graph, x *Node) { g.Slice(x, 1, 0, 2) }},
		{"Crop", "leaves", func(g *Graph, x *Node) { g.Slice(x, 0, 1, 3) }},
		{"Concat", "axis 2", func(g *Graph, x *Node) { g.Concat(3, x, g.Crop2D(x, 0, 0, 4, 3)) }},
		{"LayerNorm", "eps", func(g *Graph, x *Node) { g.LayerNorm(x, 0) }},
		{"Blur", "kernels", func(g *Graph, x *Node) { g.Blur(x, x, 3, false, 8) }},
		{"Normal", "key", func(g *Graph, x *Node) { g.Normal(s, x, 1) }},
		{"Clamp", "empty", func(g *Graph, x *Node) { g.Clamp(x, 1, -1) }},
		{"Input", "multiple of 8", func(g *Graph, x *Node) { g.Input("odd", Shape{1, 1, 1, 12}) }},
		{"Param", "smaller than 1", func(g *Graph, x *Node) { g.Param("none", Shape{0, 1, 1, 8}, Zeros) }},
		{"Const", "3 values", func(g *Graph, x *Node) { g.Const("c", Shape{1, 1, 1, 8}, make([]float32, 3)) }},
		{"Param", "3 initial values", func(g *Graph, x *Node) { g.Param("c", Shape{1, 1, 1, 8}, Data{make([]float32, 3)}) }},
	} {
		g := NewGraph()
		x := g.Input("x", s)
		done := g.Scope("net")
		inner := g.Scope("down0")
		c.build(g, x)
		inner()
		done()
		g.Add(g.Sqrt(x), x) // continues after the error
		var e *ShapeError
		if !errors.As(g.Err(), &e) {
			t.Errorf("%s: error %v, want a ShapeError with %q", c.op, g.Err(), c.part)
			continue
		}
		if e.Op != c.op || !strings.HasPrefix(e.Node, "net/down0/") || !strings.Contains(e.Error(), c.part) ||
			!strings.Contains(e.Error(), e.Node) || !strings.Contains(e.Error(), c.op) {
			t.Errorf("%s: message %q (op %q, node %q) lacks op, node or %q", c.op, e, e.Op, e.Node, c.part)
		}
		if _, err := g.Gradient(x, []*Node{x}); err != g.Err() {
			t.Errorf("%s: Gradient of a broken graph returns %v", c.op, err)
		}
	}
}

func TestNames(t *testing.T) {
	g := NewGraph()
	done := g.Scope("a")
	w := g.Param("w", Shape{1, 1, 1, 8}, Ones)
	if w.Name != "a/w" || g.Param("w", Shape{1, 1, 1, 8}, Zeros) != w {
		t.Errorf("parameter %q is not shared by name", w.Name)
	}
	done()
	if g.Param("w", Shape{1, 1, 1, 8}, Ones) == w {
		t.Error("parameters of different scopes are one")
	}
	if g.Square(w) != g.Square(w) || g.Square(w) == g.Exp(w) {
		t.Error("equal nodes are not shared, or different ones are")
	}
	var e *NameError
	if g.Param("w", Shape{1, 1, 1, 16}, Ones); !errors.As(g.Err(), &e) || e.Name != "w" {
		t.Errorf("two shapes of one parameter give %v", g.Err())
	}
}

func TestNoGradient(t *testing.T) {
	for name, build := range map[string]func(g *Graph, x, w, key *Node) *Node{
		"Greater":        func(g *Graph, x, _, _ *Node) *Node { return g.Greater(x, g.Square(x)) },
		"LayerNormGrad":  func(g *Graph, x, _, _ *Node) *Node { return g.LayerNormGrad(x, x, 1e-5) },
		"ConvGradW":      func(g *Graph, x, _, _ *Node) *Node { return g.ConvGradW(x, x, 3, 1) },
		"DepthwiseGradW": func(g *Graph, x, _, _ *Node) *Node { return g.DepthwiseGradW(x, x) },
		"Normal":         func(g *Graph, _, _, key *Node) *Node { return g.Normal(Shape{1, 2, 2, 8}, key, 0) },
		"Blur": func(g *Graph, x, w, _ *Node) *Node {
			return g.Blur(g.Input("p", Shape{1, 3, 8, 16}), w, 3, false, 8)
		},
	} {
		g := NewGraph()
		x, w, key := g.Input("x", Shape{2, 5, 7, 8}), g.Input("w", Shape{1, 1, 3, 8}), g.Input("key", KeyShape)
		stop := g.Scope("here")
		y := build(g, x, w, key)
		stop()
		var e *NoGradientError
		_, err := g.Gradient(g.Sum(y, AxAll), []*Node{x, w, key})
		if !errors.As(err, &e) || e.Op != name || !strings.HasPrefix(e.Node, "here/") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: Gradient returns %v", name, err)
		}
		// Ops without a gradient are no error where no gradient flows.
		grads, err := g.Gradient(g.Sum(g.Add(g.Sum(g.StopGradient(y), AxAll), g.Sum(g.Square(x), AxAll)), AxAll), []*Node{x})
		if err != nil || grads[0].Shape != x.Shape {
			t.Errorf("%s behind StopGradient: %v", name, err)
		}
	}
	g := NewGraph()
	x := g.Input("x", Shape{1, 2, 2, 8})
	if _, err := g.Gradient(x, []*Node{x}); err == nil {
		t.Error("a loss that is not a scalar is accepted")
	}
}

// TestGradientStructure checks accumulation, gradients of inner nodes, independence, and that no
// unnecessary nodes are built.
func TestGradientStructure(t *testing.T) {
	g := NewGraph()
	x, y := g.Input("x", Shape{1, 3, 3, 8}), g.Input("y", Shape{1, 3, 3, 8})
	w := g.Param("w", Shape{3, 3, 8, 8}, HeNormal{1})
	h := g.Conv2D(x, w, 1)
	loss := g.Sum(g.Add(g.Mul(h, y), g.Square(h)), AxAll)
	before := len(g.Nodes())
	grads, err := g.Gradient(loss, []*Node{w, h, y, g.Input("z", Scalar)})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range g.Nodes()[before:] {
		if n.Op.Name() == "FlipTranspose" || n.Op.Name() == "Conv2D" {
			t.Errorf("%s was built for an input without need of a gradient", n.Name)
		}
	}
	r := newRand(t)
	in := map[string]*Tensor{"x": randomTensor(r, x.Shape, false, false), "y": randomTensor(r, y.Shape, false, false)}
	v, err := reference.Run(append(grads, h), in, reference.InitialParams(3, loss))
	if err != nil {
		t.Fatal(err)
	}
	for i, hv := range v[4].Data {
		if math.Abs(v[1].Data[i]-(in["y"].Data[i]+2*hv)) > 1e-12 || math.Abs(v[2].Data[i]-hv) > 1e-12 {
			t.Fatal("cotangents of an inner node or a factor are wrong")
		}
	}
	if v[3].Data[0] != 0 {
		t.Error("the gradient of an unused input is not 0")
	}
}

func TestReferenceErrors(t *testing.T) {
	g := NewGraph()
	y := g.Add(g.Input("x", Shape{1, 1, 1, 8}), g.Param("w", Shape{1, 1, 1, 8}, Ones))
	x := map[string]*Tensor{"x": NewTensor(Shape{1, 1, 1, 8})}
	var e *reference.MissingError
	if _, err := reference.Run([]*Node{y}, x, nil); !errors.As(err, &e) || e.Name != "w" || e.Kind != "parameter" {
		t.Errorf("missing parameter: %v", err)
	}
	x["x"] = NewTensor(Shape{1, 1, 1, 16})
	if _, err := reference.Run([]*Node{y}, x, reference.InitialParams(1, y)); err == nil || !strings.Contains(err.Error(), "[1,1,1,16]") {
		t.Errorf("wrong shape: %v", err)
	}
}
