package netdef_test

import (
	"errors"
	"math"
	"testing"

	. "github.com/vfmrestore/restore/netdef"
)

// tangentOf builds the case and its tangent along random directions of all inputs.
func (c opCase) tangentOf(t *testing.T) (g *Graph, xs, vs []*Node, out, tan *Node) {
	g = NewGraph()
	for i, s := range c.shapes {
		name := string(rune('a' + i))
		xs = append(xs, g.Input(name, s))
		vs = append(vs, g.Input("d"+name, s))
	}
	out = c.build(g, xs)
	ts, err := g.Tangent([]*Node{out}, xs, vs)
	if err != nil {
		t.Fatal(err)
	}
	return g, xs, vs, out, ts[0]
}

func TestTangentsAgainstFiniteDifferences(t *testing.T) {
	r := newRand(t)
	for _, c := range opCases() {
		t.Run(c.name, func(t *testing.T) {
			_, xs, vs, out, tan := c.tangentOf(t)
			if tan.Shape != out.Shape {
				t.Fatalf("tangent is %v, want %v", tan.Shape, out.Shape)
			}
			in := map[string]*Tensor{}
			for i, x := range xs {
				in[x.Name] = c.input(r, x.Shape, i)
				in[vs[i].Name] = randomTensor(r, x.Shape, false, false)
			}
			got := mustRun(t, in, tan)[0]
			const h = 1e-5
			at := func(step float64) *Tensor {
				moved := map[string]*Tensor{}
				for i, x := range xs {
					m := NewTensor(x.Shape)
					for j := range m.Data {
						m.Data[j] = in[x.Name].Data[j] + step*in[vs[i].Name].Data[j]
					}
					moved[x.Name] = m
				}
				return mustRun(t, moved, out)[0]
			}
			up, down := at(h), at(-h)
			// Finite differences of inputs that cross a kink are wrong: leave these out, which may
			// only be a few.
			var diff, norm float64
			bad := 0
			for i, v := range got.Data {
				want := (up.Data[i] - down.Data[i]) / (2 * h)
				if e := math.Abs(v - want); e > 1e-3*(1+math.Abs(want)) {
					bad++
				} else {
					diff += e * e
				}
				norm += want * want
			}
			if !(math.Sqrt(diff) <= 1e-6*(math.Sqrt(norm)+1)) || bad > len(got.Data)/200 {
				t.Errorf("tangent is off by %g (norm %g), and by more than 0.1 %% at %d of %d places", math.Sqrt(diff), math.Sqrt(norm), bad, len(got.Data))
			}
		})
	}
}

// The tangent and the gradient are adjoint: <w, J v> = <Jᵀ w, v>.
func TestTangentsAreAdjointToGradients(t *testing.T) {
	r := newRand(t)
	for _, c := range opCases() {
		if c.fixed > 0 {
			continue
		}
		g, xs, vs, out, tan := c.tangentOf(t)
		w := g.Input("w", out.Shape)
		grads, err := g.Gradient(g.Sum(g.Mul(out, w), AxAll), xs)
		if err != nil {
			t.Fatal(err)
		}
		in := map[string]*Tensor{"w": randomTensor(r, out.Shape, false, false)}
		for i, x := range xs {
			in[x.Name] = c.input(r, x.Shape, i)
			in[vs[i].Name] = randomTensor(r, x.Shape, false, false)
		}
		v := mustRun(t, in, append([]*Node{tan}, grads...)...)
		left, right, size := dot(v[0], in["w"]), 0.0, 0.0
		for i := range xs {
			right += dot(v[1+i], in[vs[i].Name])
			size += math.Sqrt(dot(v[1+i], v[1+i]) * dot(in[vs[i].Name], in[vs[i].Name]))
		}
		if !(math.Abs(left-right) <= 1e-12*size) {
			t.Errorf("%s: <w,Jv> = %.15g, <Jᵀw,v> = %.15g", c.name, left, right)
		}
	}
}

// A tangent may go through a gradient if every op on the way has a JVP: the Hessian of a quartic
// times a vector.
func TestTangentOfGradient(t *testing.T) {
	g := NewGraph()
	x, v := g.Input("x", Shape{1, 2, 3, 8}), g.Input("v", Shape{1, 2, 3, 8})
	grad, err := g.Gradient(g.Sum(g.Square(g.Square(x)), AxAll), []*Node{x})
	if err != nil {
		t.Fatal(err)
	}
	hv, err := g.Tangent(grad, []*Node{x}, []*Node{v})
	if err != nil {
		t.Fatal(err)
	}
	r := newRand(t)
	in := map[string]*Tensor{"x": randomTensor(r, x.Shape, false, false), "v": randomTensor(r, x.Shape, false, false)}
	for i, got := range mustRun(t, in, hv...)[0].Data {
		a := in["x"].Data[i]
		if want := 12 * a * a * in["v"].Data[i]; math.Abs(got-want) > 1e-12*(1+math.Abs(want)) {
			t.Fatalf("element %d: %g, want %g", i, got, want)
		}
	}
}

func TestTangentEdges(t *testing.T) {
	g := NewGraph()
	x, y := g.Input("x", Shape{1, 1, 1, 8}), g.Input("y", Shape{1, 1, 1, 8})
	one := g.BroadcastTo(g.Const("one", Scalar, []float32{1}), x.Shape)
	stopped := g.Mul(g.StopGradient(x), y)
	ts, err := g.Tangent([]*Node{stopped, g.Exp(y), x}, []*Node{x}, []*Node{one})
	if err != nil {
		t.Fatal(err)
	}
	in := map[string]*Tensor{"x": NewTensor(x.Shape), "y": NewTensor(x.Shape)}
	for i, want := range []float64{0, 0, 1} {
		if v := mustRun(t, in, ts[i])[0]; v.Shape != x.Shape || v.Data[3] != want {
			t.Errorf("output %d: tangent %v %g, want %g", i, v.Shape, v.Data[3], want)
		}
	}
	for name, f := range map[string]func() error{
		"shape": func() error { _, err := g.Tangent([]*Node{x}, []*Node{x}, []*Node{g.Input("z", Scalar)}); return err },
		"count": func() error { _, err := g.Tangent([]*Node{x}, []*Node{x}, nil); return err },
		"twice": func() error { _, err := g.Tangent([]*Node{x}, []*Node{x, x}, []*Node{one, one}); return err },
		"other graph": func() error {
			_, err := g.Tangent([]*Node{x}, []*Node{NewGraph().Input("x", x.Shape)}, []*Node{one})
			return err
		},
		"without rule": func() error {
			_, err := g.Tangent([]*Node{g.LayerNormGrad(x, y, 1)}, []*Node{x}, []*Node{one})
			return err
		},
	} {
		err := f()
		var no *NoTangentError
		if err == nil || (name == "without rule") != errors.As(err, &no) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
