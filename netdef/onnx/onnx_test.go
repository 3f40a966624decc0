package onnx

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/internal/onnxtest"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/netdef/reference"
)

type S = netdef.Shape

// compare writes the outputs as a model, runs it with the interpreter and compares the results with
// package reference, on random inputs and parameters.
func compare(t *testing.T, planar map[string]bool, outs ...Output) {
	t.Helper()
	rng := rand.New(rand.NewPCG(rand.Uint64(), 4))
	inputs, params := map[string]*netdef.Tensor{}, map[string]*netdef.Tensor{}
	p32, arrays := map[string][]float32{}, map[string]onnxtest.Array{}
	var roots []*netdef.Node
	for _, o := range outs {
		roots = append(roots, o.Node)
	}
	nchw := func(name string, x *netdef.Tensor) onnxtest.Array {
		s := x.Shape
		if planar[name] {
			return onnxtest.Array{Dims: s[:], V: x.Data}
		}
		return onnxtest.Generate([]int{s[0], s[3], s[1], s[2]}, func(i []int) float64 { return x.Data[((i[0]*s[1]+i[2])*s[2]+i[3])*s[3]+i[1]] })
	}
	for _, n := range netdef.Reachable(roots...) {
		v := make([]float32, n.Shape.Size())
		for i := range v {
			v[i] = 0.3 * float32(rng.NormFloat64())
			if n.Name[0] == '+' {
				v[i] = float32(0.1 + rng.Float64())
			}
		}
		x, _ := netdef.FromFloat32(n.Shape, v)
		switch n.Op.(type) {
		case *netdef.InputOp:
			inputs[n.Name], arrays[n.Name] = x, nchw(n.Name, x)
		case *netdef.ParamOp:
			params[n.Name], p32[n.Name] = x, v
		}
	}
	var model bytes.Buffer
	if err := Write(&model, "test", outs, p32, map[string]string{"k": "v"}); err != nil {
		t.Fatal(err)
	}
	got := onnxtest.Run(t, model.Bytes(), arrays)
	back := compute(t, model.Bytes(), arrays) // read again
	want, err := reference.Run(roots, inputs, params)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range outs {
		w := nchw(o.Name, want[i])
		compareArrays(t, o.Name+", read again", back[o.Name], w)
		compareArrays(t, o.Name, got[o.Name], w)
	}
}

// compareArrays reports results that differ.
func compareArrays(t *testing.T, name string, g, w onnxtest.Array) {
	t.Helper()
	if len(g.V) != len(w.V) || g.Dims[1] != w.Dims[1] || g.Dims[2] != w.Dims[2] {
		t.Fatalf("%s is %v, want %v", name, g.Dims, w.Dims)
	}
	var d, n float64
	for j := range w.V {
		d += (g.V[j] - w.V[j]) * (g.V[j] - w.V[j])
		n += w.V[j] * w.V[j]
	}
	if e := math.Sqrt(d / n); !(e < 1e-6) {
		t.Errorf("%s: relative error %.3g", name, e)
	}
}

// The whole edge network.
func TestEdgeNetwork(t *testing.T) {
	cfg := nets.EdgeConfig{Widths: []int{16, 24}, Blocks: []int{1}, Mid: 1, Gates: []int{1, 3}, Fine: 8, Noise: true, Emb: 16, SD: nets.PhotoSD()}
	for i := range cfg.Mean {
		cfg.Mean[i] = float32(i) / 100
	}
	g := netdef.NewGraph()
	y, known := g.Input("y", S{1, 3, 16, 24}), g.Input("known", S{1, 1, 16, 24})
	mu, logvar := nets.Adapter(g, cfg, nets.AdapterInput{
		Y: nets.ToFlow(g, cfg, g.Patchify(y)), Mask: g.Patchify(known), Task: g.Input("task", S{1, 1, 1, nets.Tasks}),
		Sigma: g.Input("+sigma", netdef.Scalar), Noise: g.Input("noise", S{1, 1, 1, nets.NoiseNumbers}),
	})
	pic := g.Unpatchify(nets.FromFlow(g, cfg, nets.OneStep(g, cfg, mu)))
	u := nets.FlowMap(g, cfg, mu, g.Input("+r", netdef.Scalar), g.Input("+t", netdef.Scalar))
	compare(t, map[string]bool{"y": true, "known": true, "picture": true}, Output{"mu", mu}, Output{"logvar", logvar}, Output{"picture", pic}, Output{"u", u})
}

func TestOps(t *testing.T) {
	g := netdef.NewGraph()
	x, p := g.Input("x", S{2, 4, 6, 16}), g.Input("+p", S{2, 4, 6, 16})
	b := g.Input("b", S{1, 1, 1, 16})
	all := g.Add(g.Tanh(x), g.Mul(g.Sin(x), g.Cos(b)))
	all = g.Max(g.Min(all, g.Sqrt(p)), g.Neg(g.Recip(p)))
	all = g.Sub(g.Clamp(g.Exp(all), 0.2, 1.5), g.Abs(g.Log(g.StopGradient(p))))
	compare(t, nil,
		Output{"pointwise", all}, Output{"softmax", g.Softmax(x)},
		Output{"down", g.Conv2D(x, g.Param("w", S{2, 2, 16, 8}, netdef.Zeros), 2)},
		Output{"s2d", g.SpaceToDepth(x, 2)}, Output{"d2s", g.DepthToSpace(g.Concat(3, x, g.Square(x)), 2)},
		Output{"joined", g.Concat(0, g.Concat(3, g.Slice(x, 3, 8, 16), x), g.Concat(3, x, g.Slice(x, 3, 0, 8)))},
		Output{"wide", g.BroadcastTo(g.Square(b), S{2, 3, 5, 16})}, Output{"crop", g.Crop2D(x, 1, 2, 2, 3)},
	)
}

// Every function of the table of pointwise functions can be written.
func TestEveryFunction(t *testing.T) {
	g := netdef.NewGraph()
	in := []*netdef.Node{g.Input("+x", S{2, 4, 6, 16}), g.Input("+y", S{2, 4, 6, 16})}
	var outs []Output
	for _, k := range netdef.PointwiseKinds() {
		op := &netdef.PointwiseOp{Kind: k, A: []float64{0, -1.3, 0.4}[k.Constants], B: []float64{0, 0, 0.7}[k.Constants]}
		x := in
		if !k.Binary() {
			x = in[:1]
		}
		outs = append(outs, Output{"out " + k.String(), g.Apply(op, x...)})
	}
	compare(t, nil, outs...)
}

func TestErrors(t *testing.T) {
	g := netdef.NewGraph()
	x := g.Input("x", S{1, 2, 3, 8})
	broken := netdef.NewGraph()
	if err := Write(&bytes.Buffer{}, "", []Output{{"y", broken.DepthToSpace(broken.Input("x", S{1, 2, 2, 16}), 2)}}, nil, nil); err == nil {
		t.Error("a node that could not be built was written")
	}
	var unsupported *UnsupportedError
	if err := Write(&bytes.Buffer{}, "", []Output{{"y", g.Sum(x, netdef.AxC)}}, nil, nil); !errors.As(err, &unsupported) || unsupported.Op != "Sum" {
		t.Errorf("Sum: %v", err)
	}
	w := g.Param("w", S{1, 1, 8, 8}, netdef.Zeros)
	if err := Write(&bytes.Buffer{}, "", []Output{{"y", g.Conv2D(x, w, 1)}}, map[string][]float32{"w": make([]float32, 63)}, nil); err == nil {
		t.Error("a parameter of another size was accepted")
	}
	if err := Write(&bytes.Buffer{}, "", []Output{{"y", g.Conv2D(x, g.Input("v", S{1, 1, 8, 8}), 1)}}, nil, nil); !errors.As(err, &unsupported) {
		t.Errorf("weights that are an input: %v", err)
	}
}
