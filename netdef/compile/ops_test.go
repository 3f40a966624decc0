package compile

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/reference"
	"github.com/vfmrestore/restore/shaders"
)

var testDev *gpu.Device

func TestMain(m *testing.M) { gputest.Main(m, &testDev, "-") }

// check compiles outs with both lowerings, and with FastBuild, and compares the results with the
// float64 reference on random inputs. It poisons the working memory first.
func check(t *testing.T, g *netdef.Graph, outs []*netdef.Node, tol float64) {
	t.Helper()
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
	opts := map[string]Options{"portable": {Portable: true}}
	if !onlyPortable() {
		opts["best"], opts["brief"] = Options{}, Options{Tuning: Tuning{MaxFMA: SingleRun(1)}}
	}
	for name, opt := range opts {
		if e := compare(t, g, outs, opt); e > tol || math.IsNaN(e) {
			t.Errorf("%s: relative error %.3g, allowed %.1g", name, e, tol)
		}
	}
}

// onlyPortable reports whether the device has only the portable lowering.
func onlyPortable() bool {
	best, _ := Targets(testDev.Info().Caps)
	return best.Mode == shaders.GPU
}

func compare(t *testing.T, g *netdef.Graph, outs []*netdef.Node, opt Options) float64 {
	t.Helper()
	return compareWith(t, g, outs, opt, func(*Program) {})
}

// compareWith is compare, but also shows the Program to look.
func compareWith(t *testing.T, g *netdef.Graph, outs []*netdef.Node, opt Options, look func(*Program)) float64 {
	t.Helper()
	return compareTrained(t, g, outs, opt, false, look)
}

// compareTrained is compareWith. If train is set, the parameters may change from run to run.
func compareTrained(t *testing.T, g *netdef.Graph, outs []*netdef.Node, opt Options, train bool, look func(*Program)) float64 {
	t.Helper()
	nodes := netdef.Reachable(outs...)
	store, err := NewStore(testDev, nodes, train, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	p, err := Compile(testDev, store, g, outs, opt)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	look(p)
	rng := rand.New(rand.NewPCG(rand.Uint64(), 7))
	inputs, params := map[string]*netdef.Tensor{}, map[string]*netdef.Tensor{}
	fresh := func(s netdef.Shape, positive bool) []float32 {
		v := make([]float32, s.Size())
		for i := range v {
			v[i] = float32(rng.NormFloat64())
			if positive {
				v[i] = float32(0.2 + math.Abs(rng.NormFloat64()))
			}
		}
		if s == netdef.KeyShape {
			for i := range v {
				v[i] = math.Float32frombits(rng.Uint32() >> 8)
			}
		}
		return v
	}
	vals := map[string][]float32{}
	for _, n := range nodes {
		switch n.Op.(type) {
		case *netdef.InputOp:
			v := fresh(n.Shape, n.Name[0] == '+')
			if err := p.SetInput(n.Name, v); err != nil {
				t.Fatal(err)
			}
			inputs[n.Name], _ = netdef.FromFloat32(n.Shape, v)
		case *netdef.ParamOp:
			v := fresh(n.Shape, false)
			// keeps sums as small as the values that they sum
			for i := range v {
				v[i] /= float32(math.Sqrt(float64(n.Shape[0] * n.Shape[1] * n.Shape[2])))
			}
			vals[n.Name] = v
			params[n.Name], _ = netdef.FromFloat32(n.Shape, vals[n.Name])
		}
	}
	if err := store.Set(vals); err != nil {
		t.Fatal(err)
	}
	if err := p.Poison(); err != nil {
		t.Fatal(err)
	}
	if err := p.Run(); err != nil {
		t.Fatal(err)
	}
	want, err := reference.Run(outs, inputs, params)
	if err != nil {
		t.Fatal(err)
	}
	worst := 0.0
	for i := range outs {
		got, err := p.Output(i)
		if err != nil {
			t.Fatal(err)
		}
		var d, n float64
		for j, w := range want[i].Data {
			e := float64(got[j]) - w
			d += e * e
			n += w * w
		}
		e := math.Sqrt(d / math.Max(n, 1e-30))
		if !(e <= worst) {
			worst = e
		}
	}
	return worst
}

type S = netdef.Shape

func TestOps(t *testing.T) {
	cases := map[string]func(g *netdef.Graph) *netdef.Node{
		"pointwise": func(g *netdef.Graph) *netdef.Node {
			x := g.Input("+x", S{3, 5, 8, 24})
			a := g.Add(g.Mul(g.Log(x), g.Input("c", S{1, 1, 1, 24})), g.Input("bc", S{3, 1, 1, 24}))
			a = g.Sub(g.SiLU(a), g.Mul(g.Input("p", S{3, 5, 8, 1}), g.Exp(g.Input("b", S{3, 1, 1, 1}))))
			return g.Clamp(g.Add(g.Div(a, g.Sqrt(x)), g.Input("hwc", S{1, 5, 8, 24})), -2, 2)
		},
		"unary": func(g *netdef.Graph) *netdef.Node {
			x := g.Input("x", S{1, 1, 3, 8})
			s := g.Add(g.Add(g.Tanh(x), g.Sigmoid(g.Neg(x))), g.Add(g.Sin(x), g.Cos(g.Scale(x, 3))))
			return g.Add(s, g.Add(g.Abs(x), g.Add(g.Square(x), g.Max(x, g.Min(g.Offset(x, 1), g.Recip(g.Offset(g.Square(x), 1)))))))
		},
		"every function": func(g *netdef.Graph) *netdef.Node {
			// The inputs are positive, so every function is defined.
			x, y := g.Input("+x", S{1, 2, 3, 8}), g.Input("+y", S{1, 2, 3, 8})
			all := g.Scale(x, 0)
			for i, k := range netdef.PointwiseKinds() {
				in := []*netdef.Node{x, y}
				if !k.Binary() {
					in = in[:1]
				}
				one := g.Apply(&netdef.PointwiseOp{Kind: k, A: []float64{0, -1.3, 0.4}[k.Constants], B: []float64{0, 0, 1.1}[k.Constants]}, in...)
				all = g.Concat(3, all, g.Scale(one, 1+0.1*float64(i)))
			}
			return all
		},
		"softplus": func(g *netdef.Graph) *netdef.Node {
			return g.Softplus(g.Scale(g.Input("x", S{1, 2, 3, 8}), 10))
		},
		"scalars": func(g *netdef.Graph) *netdef.Node {
			return g.Mul(g.Input("x", S{5, 1, 1, 1}), g.Input("y", S{1, 1, 1, 1}))
		},
		"conv3": func(g *netdef.Graph) *netdef.Node {
			return g.Conv2D(g.Input("x", S{2, 5, 6, 24}), g.Param("w", S{3, 3, 24, 32}, netdef.Zeros), 1)
		},
		"conv3odd": func(g *netdef.Graph) *netdef.Node {
			return g.Conv2D(g.Input("x", S{1, 1, 7, 8}), g.Param("w", S{3, 3, 8, 48}, netdef.Zeros), 1)
		},
		"conv1": func(g *netdef.Graph) *netdef.Node {
			y := g.Conv2D(g.Input("x", S{2, 3, 5, 136}), g.Param("w", S{1, 1, 136, 64}, netdef.Zeros), 1)
			return g.Add(g.SiLU(g.Add(y, g.Param("b", S{1, 1, 1, 64}, netdef.Zeros))), g.Input("r", S{2, 3, 5, 64}))
		},
		"conv2s2": func(g *netdef.Graph) *netdef.Node {
			return g.Conv2D(g.Input("x", S{2, 6, 4, 16}), g.Param("w", S{2, 2, 16, 40}, netdef.Zeros), 2)
		},
		"gradw3": func(g *netdef.Graph) *netdef.Node {
			return g.ConvGradW(g.Input("x", S{3, 5, 7, 16}), g.Input("g", S{3, 5, 7, 32}), 3, 1)
		},
		"gradw3big": func(g *netdef.Graph) *netdef.Node {
			return g.ConvGradW(g.Input("x", S{2, 16, 16, 8}), g.Input("g", S{2, 16, 16, 48}), 3, 1)
		},
		"gradw3, winograd": func(g *netdef.Graph) *netdef.Node {
			return g.ConvGradW(g.Input("x", S{2, 24, 32, 32}), g.Input("g", S{2, 24, 32, 64}), 3, 1)
		},
		"gradw3, winograd, beyond the border": func(g *netdef.Graph) *netdef.Node {
			return g.ConvGradW(g.Input("x", S{4, 14, 19, 40}), g.Input("g", S{4, 14, 19, 32}), 3, 1)
		},
		"gradw3, winograd, in bands": func(g *netdef.Graph) *netdef.Node {
			return g.ConvGradW(g.Input("x", S{2, 48, 52, 32}), g.Input("g", S{2, 48, 52, 96}), 3, 1)
		},
		"gradw1": func(g *netdef.Graph) *netdef.Node {
			return g.ConvGradW(g.Input("x", S{3, 5, 8, 16}), g.Input("g", S{3, 5, 8, 24}), 1, 1)
		},
		"gradw2": func(g *netdef.Graph) *netdef.Node {
			return g.ConvGradW(g.Input("x", S{2, 6, 8, 16}), g.Input("g", S{2, 3, 4, 24}), 2, 2)
		},
		"flipt": func(g *netdef.Graph) *netdef.Node {
			return g.Conv2D(g.Input("x", S{1, 4, 4, 32}), g.FlipTranspose(g.Param("w", S{3, 3, 16, 32}, netdef.Zeros)), 1)
		},
		"winograd": func(g *netdef.Graph) *netdef.Node {
			return g.Conv2D(g.Input("x", S{2, 6, 8, 64}), g.Param("w", S{3, 3, 64, 96}, netdef.Zeros), 1)
		},
		"winograd with an epilogue": func(g *netdef.Graph) *netdef.Node {
			y := g.Conv2D(g.Input("x", S{2, 4, 6, 96}), g.Param("w", S{3, 3, 96, 64}, netdef.Zeros), 1)
			y = g.Add(g.SiLU(g.Add(y, g.Input("bias", S{1, 1, 1, 64}))), g.Input("residual", S{2, 4, 6, 64}))
			return g.Add(g.Mul(y, g.Input("p", S{2, 4, 6, 1})), g.Input("bc", S{2, 1, 1, 64}))
		},
		"winograd, one tile": func(g *netdef.Graph) *netdef.Node {
			return g.Neg(g.Conv2D(g.Input("x", S{1, 2, 2, 64}), g.Param("w", S{3, 3, 64, 64}, netdef.Zeros), 1))
		},
		"winograd, odd": func(g *netdef.Graph) *netdef.Node {
			return g.Conv2D(g.Input("x", S{1, 3, 4, 64}), g.Param("w", S{3, 3, 64, 64}, netdef.Zeros), 1)
		},
		"winograd, tiles of 4": func(g *netdef.Graph) *netdef.Node {
			return g.Conv2D(g.Input("x", S{2, 8, 12, 64}), g.Param("w", S{3, 3, 64, 96}, netdef.Zeros), 1)
		},
		"winograd, beyond the border": func(g *netdef.Graph) *netdef.Node {
			y := g.Conv2D(g.Input("x", S{2, 11, 7, 64}), g.Param("w", S{3, 3, 64, 64}, netdef.Zeros), 1)
			y = g.Add(g.SiLU(g.Add(y, g.Input("bias", S{1, 1, 1, 64}))), g.Input("residual", S{2, 11, 7, 64}))
			return g.Add(g.Mul(y, g.Input("p", S{2, 11, 7, 1})), g.Input("bc", S{2, 1, 1, 64}))
		},
		"winograd, one input for two": func(g *netdef.Graph) *netdef.Node {
			x := g.SiLU(g.Input("x", S{1, 8, 8, 64}))
			return g.Mul(g.Conv2D(x, g.Param("w", S{3, 3, 64, 64}, netdef.Zeros), 1), g.Conv2D(x, g.Param("v", S{3, 3, 64, 64}, netdef.Zeros), 1))
		},
		"depth to space, read through": func(g *netdef.Graph) *netdef.Node {
			return g.SiLU(g.Add(g.DepthToSpace(g.Input("x", S{2, 3, 2, 4 * 32}), 2), g.Input("skip", S{2, 6, 4, 32})))
		},
		"depth to space, rows of 6": func(g *netdef.Graph) *netdef.Node {
			return g.Mul(g.Input("skip", S{1, 4, 6, 24}), g.DepthToSpace(g.Input("x", S{1, 2, 3, 4 * 24}), 2))
		},
		"depth to space, used twice": func(g *netdef.Graph) *netdef.Node {
			d := g.DepthToSpace(g.Input("x", S{1, 2, 3, 4 * 24}), 2)
			return g.Add(g.Mul(d, d), g.Conv2D(d, g.Param("w", S{3, 3, 24, 24}, netdef.Zeros), 1))
		},
		"norm, read through": func(g *netdef.Graph) *netdef.Node {
			a := g.SiLU(g.Add(g.Mul(g.LayerNorm(g.Input("a", S{2, 3, 4, 96}), 1e-5), g.Input("scale", S{1, 1, 1, 96})), g.Input("shift", S{1, 1, 1, 96})))
			y := g.Conv2D(g.Input("x", S{2, 3, 4, 16}), g.Param("w", S{1, 1, 16, 96}, netdef.Zeros), 1)
			return g.Mul(a, g.Offset(g.Add(y, g.Param("b", S{1, 1, 1, 96}, netdef.Zeros)), 1))
		},
		"norm, read through, one block": func(g *netdef.Graph) *netdef.Node {
			n := g.LayerNorm(g.Input("a", S{1, 5, 5, 32}), 1e-5)
			return g.Add(n, g.Conv2D(g.Input("x", S{1, 5, 5, 8}), g.Param("w", S{1, 1, 8, 32}, netdef.Zeros), 1))
		},
		"depthwise": func(g *netdef.Graph) *netdef.Node {
			return g.DepthwiseConv(g.Input("x", S{2, 5, 6, 24}), g.Param("w", S{3, 3, 1, 24}, netdef.Zeros))
		},
		"dwgradw": func(g *netdef.Graph) *netdef.Node {
			return g.DepthwiseGradW(g.Input("x", S{2, 5, 6, 24}), g.Input("g", S{2, 5, 6, 24}))
		},
		"dwflip": func(g *netdef.Graph) *netdef.Node { return g.FlipTranspose(g.Input("w", S{3, 3, 1, 24})) },
		"matmul": func(g *netdef.Graph) *netdef.Node {
			return g.MatMul(g.Input("a", S{2, 3, 5, 16}), g.Input("b", S{2, 3, 16, 24}))
		},
		"matmulL": func(g *netdef.Graph) *netdef.Node {
			return g.MatMul(g.Input("a", S{1, 1, 7, 16}), g.Input("b", S{2, 3, 16, 24}))
		},
		"matmulR": func(g *netdef.Graph) *netdef.Node {
			return g.MatMul(g.Input("a", S{2, 3, 7, 16}), g.Input("b", S{1, 1, 16, 24}))
		},
		"matmulTA": func(g *netdef.Graph) *netdef.Node {
			return g.MatMulTA(g.Input("a", S{2, 3, 130, 16}), g.Input("b", S{2, 3, 130, 24}))
		},
		"matmulTAL": func(g *netdef.Graph) *netdef.Node {
			return g.MatMulTA(g.Input("a", S{1, 1, 12, 16}), g.Input("b", S{2, 3, 12, 24}))
		},
		"matmulTAR": func(g *netdef.Graph) *netdef.Node {
			return g.MatMulTA(g.Input("a", S{2, 3, 12, 8}), g.Input("b", S{1, 1, 12, 24}))
		},
		"scaled by head": func(g *netdef.Graph) *netdef.Node {
			qk := g.MatMul(g.Input("q", S{2, 3, 5, 16}), g.Input("k", S{2, 3, 16, 24}))
			return g.Add(g.Mul(qk, g.Input("s", S{2, 1, 1, 1})), g.Input("bias", S{2, 3, 5, 1}))
		},
		"every epilogue of a product with heads": func(g *netdef.Graph) *netdef.Node {
			y := g.MatMul(g.Input("q", S{2, 3, 5, 16}), g.Input("k", S{2, 3, 16, 24}))
			y = g.Add(g.Mul(y, g.Input("bc", S{2, 1, 1, 24})), g.Input("pc", S{1, 3, 5, 24}))
			return g.Add(g.Mul(y, g.Input("c", S{1, 1, 1, 24})), g.Input("same", S{2, 3, 5, 24}))
		},
		"heads that share": func(g *netdef.Graph) *netdef.Node {
			k := g.Input("k", S{2, 1, 16, 24})
			y := g.MatMul(g.Input("q", S{2, 3, 5, 16}), k)
			y = g.Add(y, g.MatMul(g.Input("r", S{2, 1, 5, 16}), g.Param("w", S{1, 3, 16, 24}, netdef.Zeros)))
			return g.Add(y, g.Sum(g.MatMulTA(g.Input("a", S{2, 1, 7, 40}), g.MatMul(g.Input("b", S{1, 3, 7, 16}), k)), netdef.AxHW))
		},
		"one channel": func(g *netdef.Graph) *netdef.Node {
			x := g.Input("x", S{2, 3, 5, 1})
			y := g.Conv2D(g.Conv2D(x, g.Param("w", S{3, 3, 1, 16}, netdef.Zeros), 1), g.Param("v", S{3, 3, 16, 1}, netdef.Zeros), 1)
			y = g.Add(g.Mul(y, g.Input("b", S{2, 1, 1, 1})), g.Input("p", S{1, 3, 5, 1}))
			y = g.Add(y, g.DepthwiseConv(x, g.Param("u", S{3, 3, 1, 1}, netdef.Zeros)))
			return g.Add(g.Softmax(y), g.Sum(g.Conv2D(x, g.ConvGradW(y, x, 3, 1), 1), netdef.AxB))
		},
		"transpose":  func(g *netdef.Graph) *netdef.Node { return g.Transpose(g.Input("a", S{2, 3, 40, 24})) },
		"s2d":        func(g *netdef.Graph) *netdef.Node { return g.SpaceToDepth(g.Input("x", S{2, 6, 4, 24}), 2) },
		"d2s":        func(g *netdef.Graph) *netdef.Node { return g.DepthToSpace(g.Input("x", S{2, 3, 5, 96}), 2) },
		"patchify":   func(g *netdef.Graph) *netdef.Node { return g.Patchify(g.Input("x", S{2, 3, 8, 16})) },
		"unpatchify": func(g *netdef.Graph) *netdef.Node { return g.Unpatchify(g.Input("x", S{2, 3, 6, 48})) },
		"slice":      func(g *netdef.Graph) *netdef.Node { return g.Slice(g.Input("x", S{2, 3, 5, 48}), 3, 8, 32) },
		"slice0":     func(g *netdef.Graph) *netdef.Node { return g.Neg(g.Slice(g.Input("x", S{4, 2, 2, 16}), 0, 1, 3)) },
		"concat": func(g *netdef.Graph) *netdef.Node {
			return g.Concat(3, g.Input("x", S{2, 3, 5, 48}), g.Input("y", S{2, 3, 5, 16}))
		},
		"concat0": func(g *netdef.Graph) *netdef.Node {
			return g.Concat(0, g.Input("x", S{2, 3, 5, 8}), g.Input("y", S{1, 3, 5, 8}))
		},
		"padslice":  func(g *netdef.Graph) *netdef.Node { return g.PadSlice(g.Input("x", S{2, 3, 5, 16}), 3, 8, 40) },
		"padplanes": func(g *netdef.Graph) *netdef.Node { return g.PadPlanes(g.Input("x", S{2, 3, 5, 16}), 3, 5, 11, 32) },
		"crop":      func(g *netdef.Graph) *netdef.Node { return g.Crop2D(g.Input("x", S{2, 6, 7, 16}), 1, 2, 4, 4) },
		"layernorm": func(g *netdef.Graph) *netdef.Node {
			y := g.LayerNorm(g.Input("x", S{2, 3, 5, 48}), 1e-5)
			return g.SiLU(g.Add(g.Mul(y, g.Input("gamma", S{2, 1, 1, 48})), g.Input("beta", S{1, 1, 1, 48})))
		},
		"layernormgrad": func(g *netdef.Graph) *netdef.Node {
			return g.LayerNormGrad(g.Input("x", S{2, 3, 5, 64}), g.Input("v", S{2, 3, 5, 64}), 1e-5)
		},
		"layernormgrad of an expression": func(g *netdef.Graph) *netdef.Node {
			x, v := g.Input("x", S{2, 3, 5, 64}), g.Mul(g.Offset(g.Input("v", S{2, 3, 5, 64}), 0.5), g.Input("s", S{2, 1, 1, 64}))
			return g.Mul(g.LayerNormGrad(x, v, 1e-5), g.Input("q", S{1, 1, 1, 64}))
		},
		// slices that are views, and offsets of vectors in an epilogue
		"film": func(g *netdef.Graph) *netdef.Node {
			f := g.Input("f", S{1, 1, 1, 160})
			y := g.LayerNorm(g.Input("x", S{1, 3, 5, 40}), 1e-5)
			return g.Add(g.Mul(y, g.Offset(g.Slice(f, 3, 8, 48), 1)), g.Neg(g.Slice(f, 3, 104, 144)))
		},
		"softmax": func(g *netdef.Graph) *netdef.Node { return g.Softmax(g.Input("x", S{2, 3, 5, 40})) },
		"sumC":    func(g *netdef.Graph) *netdef.Node { return g.Sum(g.Input("+x", S{2, 3, 5, 40}), netdef.AxC) },
		"sumHW":   func(g *netdef.Graph) *netdef.Node { return g.Sum(g.Input("+x", S{2, 13, 5, 40}), netdef.AxHW) },
		"sumHW1":  func(g *netdef.Graph) *netdef.Node { return g.Sum(g.Input("+x", S{2, 13, 5, 1}), netdef.AxHW) },
		"sumBHW":  func(g *netdef.Graph) *netdef.Node { return g.Sum(g.Input("+x", S{2, 33, 35, 8}), netdef.AxBHW) },
		"sumHWC":  func(g *netdef.Graph) *netdef.Node { return g.Sum(g.Input("+x", S{2, 33, 35, 8}), netdef.AxHWC) },
		"sum of products": func(g *netdef.Graph) *netdef.Node {
			x, y, v := g.Input("x", S{2, 6, 10, 40}), g.Input("y", S{2, 6, 10, 40}), g.Input("v", S{2, 1, 1, 40})
			per := g.Sum(g.Mul(g.Sub(x, v), y), netdef.AxHW)
			return g.Add(per, g.Sum(g.Neg(g.Mul(x, g.Square(y))), netdef.AxBHW))
		},
		"sum of products, odd": func(g *netdef.Graph) *netdef.Node {
			return g.Sum(g.Mul(g.Input("x", S{1, 37, 1, 24}), g.Input("y", S{1, 37, 1, 24})), netdef.AxHW)
		},
		// sums of logarithms of chains; a float32 could not hold the product of the values
		"sumLog": func(g *netdef.Graph) *netdef.Node {
			x, v := g.Input("+x", S{1, 5, 64, 24}), g.Input("+v", S{1, 5, 64, 1})
			return g.Add(g.Sum(g.Log(g.Offset(g.Mul(x, v), 1)), netdef.AxHW), g.Sum(g.Log(g.Add(g.Scale(x, 1e9), v)), netdef.AxBHW))
		},
		"sumB":    func(g *netdef.Graph) *netdef.Node { return g.Sum(g.Input("+x", S{5, 3, 3, 8}), netdef.AxB) },
		"sumAll":  func(g *netdef.Graph) *netdef.Node { return g.Sum(g.Input("+x", S{5, 7, 3, 8}), netdef.AxAll) },
		"sumAll1": func(g *netdef.Graph) *netdef.Node { return g.Sum(g.Input("+x", S{5, 1, 1, 1}), netdef.AxAll) },
		"blur": func(g *netdef.Graph) *netdef.Node {
			return g.Blur(g.Input("x", S{2, 3, 13, 32}), g.Input("k", S{2, 1, 6, 8}), 7, false, 16)
		},
		"blurflip": func(g *netdef.Graph) *netdef.Node {
			return g.Blur(g.Input("x", S{2, 3, 13, 40}), g.Input("k", S{2, 1, 5, 8}), 5, true, 32)
		},
		"normal": func(g *netdef.Graph) *netdef.Node {
			return g.Normal(S{2, 3, 5, 48}, g.Input("key", netdef.KeyShape), 3)
		},
		"uniform": func(g *netdef.Graph) *netdef.Node {
			return g.Uniform(S{2, 3, 5, 8}, g.Input("key", netdef.KeyShape), 3)
		},
		"normal1": func(g *netdef.Graph) *netdef.Node { return g.Normal(S{2, 3, 5, 1}, g.Input("key", netdef.KeyShape), 3) },
	}
	for name, build := range cases {
		t.Run(name, func(t *testing.T) {
			g := netdef.NewGraph()
			check(t, g, []*netdef.Node{build(g)}, 1e-5)
		})
	}
}

// The large kernels of training compute the same: a convolution in one or two dispatches, a weight
// gradient over whole planes.
func TestLongRunKernels(t *testing.T) {
	g := netdef.NewGraph()
	x, dy := g.Input("x", S{2, 16, 12, 40}), g.Input("dy", S{2, 16, 12, 32})
	y := g.SiLU(g.Conv2D(x, g.Param("w", S{3, 3, 40, 32}, netdef.Zeros), 1))
	if e := compare(t, g, []*netdef.Node{y, g.ConvGradW(x, dy, 3, 1)}, Options{Tuning: Tuning{MaxFMA: LongRun}}); !(e <= 1e-5) {
		t.Errorf("relative error %.3g", e)
	}
}

// Results larger than the device's largest binding are written by address and are the same.
func TestResultsByAddress(t *testing.T) {
	g := netdef.NewGraph()
	x := g.Input("x", S{2, 8, 16, 32})
	y := g.SiLU(g.LayerNorm(g.Conv2D(x, g.Param("w", S{3, 3, 32, 32}, netdef.Zeros), 1), 1e-5))
	outs := []*netdef.Node{y, g.Sum(y, netdef.AxHW), g.Slice(y, 3, 8, 24), g.ConvGradW(x, y, 1, 1)}
	for _, most := range []int64{1, 4 * 2 * 32} {
		far := 0
		e := compareWith(t, g, outs, Options{maxBinding: most}, func(p *Program) {
			for _, s := range p.steps {
				if s.mod != nil && s.mod.Target.StoreByAddress {
					far++
				}
			}
		})
		if best, _ := Targets(testDev.Info().Caps); far == 0 && best.Mode == shaders.CPU {
			t.Errorf("bindings of %d bytes at most: no kernel writes by address", most)
		}
		if !(e <= 1e-5) {
			t.Errorf("bindings of %d bytes at most: relative error %.3g", most, e)
		}
	}
}

// A large blur is divided into chunks of kernel rows. The last chunk is smaller.
func TestBlurChunks(t *testing.T) {
	for _, flip := range []bool{false, true} {
		g := netdef.NewGraph()
		y := g.Blur(g.Input("x", S{2, 3, 17, 40}), g.Input("k", S{2, 1, 6, 8}), 7, flip, 32)
		if e := compare(t, g, []*netdef.Node{y}, Options{Tuning: Tuning{MaxFMA: 4 * 7 * 4}}); !(e <= 1e-5) {
			t.Errorf("flip %v: relative error %.3g", flip, e)
		}
	}
}

func TestPiece(t *testing.T) {
	for _, c := range []struct {
		in, at, box S
		off         int
		ok          bool
	}{
		{S{2, 3, 4, 8}, S{1, 0, 0, 0}, S{1, 3, 4, 8}, 96, true},
		{S{2, 3, 4, 8}, S{0, 1, 0, 0}, S{1, 2, 4, 8}, 32, true},
		{S{2, 3, 4, 8}, S{0, 1, 0, 0}, S{2, 2, 4, 8}, 0, false},
		{S{2, 3, 4, 8}, S{1, 2, 3, 2}, S{1, 1, 1, 5}, 96 + 64 + 24 + 2, true},
		{S{2, 3, 4, 8}, S{0, 0, 1, 0}, S{1, 1, 2, 8}, 8, true},
		{S{2, 3, 4, 8}, S{0, 0, 1, 0}, S{1, 1, 2, 7}, 0, false},
		{S{1, 1, 1, 64}, S{0, 0, 0, 32}, S{1, 1, 1, 16}, 32, true},
	} {
		if off, ok := contiguous(c.in, c.at, c.box); ok != c.ok || ok && off != c.off {
			t.Errorf("%v at %v of %v: %d, %v", c.box, c.at, c.in, off, ok)
		}
	}
}
