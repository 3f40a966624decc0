package compile

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/shaders"
)

// Three steps of AdamW on Σ a·p² must follow the published algorithm in float64: clipping by the
// norm of the whole gradient, decoupled weight decay for matrices only, the running average.
func TestAdamW(t *testing.T) {
	g := netdef.NewGraph()
	w := g.Param("w", S{1, 1, 24, 40}, netdef.Normal{Std: 1})
	b := g.Param("b", S{1, 1, 1, 40}, netdef.Normal{Std: 1})
	frozen := g.Param("f", S{1, 1, 24, 40}, netdef.Normal{Std: 1}) // its gradient is not requested
	x := g.Input("x", S{1, 1, 24, 40})
	loss := g.Add(g.Sum(g.Mul(x, g.Add(g.Square(w), frozen)), netdef.AxAll), g.Sum(g.Mul(g.Scale(b, 3), b), netdef.AxAll))
	grads, err := g.Gradient(loss, []*netdef.Node{w, b})
	if err != nil {
		t.Fatal(err)
	}
	store, err := NewStore(testDev, netdef.Reachable(loss), true, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	p, err := Compile(testDev, store, g, []*netdef.Node{loss}, Options{Grads: map[string]*netdef.Node{"w": grads[0], "b": grads[1]}, AdamW: true})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	rng := rand.New(rand.NewPCG(rand.Uint64(), 2))
	xs := make([]float32, x.Shape.Size())
	for i := range xs {
		xs[i] = float32(rng.NormFloat64())
	}
	if err := p.SetInput("x", xs); err != nil {
		t.Fatal(err)
	}
	const lr, b1, b2, eps, ema, wd = 0.01, 0.9, 0.99, 1e-8, 0.9, 0.1
	state := map[Array]map[string][]float64{Weights: {}, Moment1: {}, Moment2: {}, Averages: {}}
	start, err := store.Get()
	if err != nil {
		t.Fatal(err)
	}
	untouched := start["f"]
	delete(start, "f")
	for name, v := range start {
		for _, a := range []Array{Weights, Moment1, Moment2, Averages} {
			state[a][name] = make([]float64, len(v))
			for i := range v {
				if a == Weights || a == Averages {
					state[a][name][i] = float64(v[i])
				}
			}
		}
	}
	for step := 1; step <= 3; step++ {
		maxNorm := 5.0
		if step == 2 {
			maxNorm = 1e9 // no clipping
		}
		h := make([]float32, shaders.HyperLen)
		for i, v := range map[int]float64{shaders.HyperLR: lr, shaders.HyperBeta1: b1, shaders.HyperBeta2: b2, shaders.HyperEps: eps, shaders.HyperEMA: ema,
			shaders.HyperCorr1: 1 / (1 - math.Pow(b1, float64(step))), shaders.HyperCorr2: 1 / (1 - math.Pow(b2, float64(step))), shaders.HyperMaxNorm: maxNorm, shaders.HyperDecay: wd} {
			h[i] = float32(v)
		}
		if err := p.SetInput(HyperInput, h); err != nil {
			t.Fatal(err)
		}
		if err := p.Poison(); err != nil {
			t.Fatal(err)
		}
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		grad := map[string][]float64{"w": make([]float64, len(xs)), "b": make([]float64, 40)}
		norm := 0.0
		for name, gr := range grad {
			for i := range gr {
				a := 3.0
				if name == "w" {
					a = float64(xs[i])
				}
				gr[i] = 2 * a * state[Weights][name][i]
				norm += gr[i] * gr[i]
			}
		}
		scale := math.Min(1, maxNorm/math.Sqrt(norm))
		for name, gr := range grad {
			shrink := 1.0
			if name == "w" {
				shrink = 1 - lr*wd
			}
			for i := range gr {
				d := gr[i] * scale
				m, v := &state[Moment1][name][i], &state[Moment2][name][i]
				*m = b1**m + (1-b1)*d
				*v = b2**v + (1-b2)*d*d
				hm, hv := *m/(1-math.Pow(b1, float64(step))), *v/(1-math.Pow(b2, float64(step)))
				q, e := &state[Weights][name][i], &state[Averages][name][i]
				*q = *q*shrink - lr*hm/(math.Sqrt(hv)+eps)
				*e = ema**e + (1-ema)**q
			}
		}
	}
	for a, want := range state {
		got, err := store.State(a)
		if err != nil {
			t.Fatal(err)
		}
		if a == Weights && !slices.Equal(got["f"], untouched) {
			t.Error("a parameter without a gradient changed")
		}
		for name := range want {
			var d, n float64
			for i, v := range want[name] {
				e := float64(got[name][i]) - v
				d += e * e
				n += v * v
			}
			if e := math.Sqrt(d / n); !(e < 1e-5) {
				t.Errorf("%s of %s: relative error %.2g", a, name, e)
			}
		}
	}
}

// Parameters of any size have gradients and are trained, including single numbers and filters of
// single channels.
func TestGradientsOfOddParameters(t *testing.T) {
	g := netdef.NewGraph()
	x := g.Input("x", S{2, 3, 5, 1})
	params := []*netdef.Node{g.Param("number", netdef.Scalar, netdef.Zeros), g.Param("filter", S{3, 3, 1, 1}, netdef.Zeros), g.Param("plane", S{1, 3, 5, 1}, netdef.Zeros)}
	y := g.Add(g.Mul(g.Conv2D(x, params[1], 1), params[0]), params[2])
	loss := g.Sum(g.Mul(y, g.Input("v", y.Shape)), netdef.AxAll)
	grads, err := g.Gradient(loss, params)
	if err != nil {
		t.Fatal(err)
	}
	want := newComparison(grads, 5)
	for _, portable := range []bool{false, true} {
		store, err := EmptyStore(testDev, netdef.Reachable(loss), true)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		byName := map[string]*netdef.Node{}
		vals := map[string][]float32{}
		for i, p := range params {
			byName[p.Name] = grads[i]
			// No gradient depends on this parameter.
			if vals[p.Name] = want.params[p.Name]; vals[p.Name] == nil {
				vals[p.Name] = make([]float32, p.Shape.Size())
			}
		}
		p, err := Compile(testDev, store, g, []*netdef.Node{loss}, Options{Portable: portable, Grads: byName, AdamW: true})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if err := store.Set(vals); err != nil {
			t.Fatal(err)
		}
		for name, v := range want.inputs {
			if err := p.SetInput(name, v); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		got, err := store.State(Gradients)
		if err != nil {
			t.Fatal(err)
		}
		for i, n := range params {
			v, err := netdef.FromFloat32(n.Shape, got[n.Name])
			if err != nil {
				t.Fatal(err)
			}
			if e := norm(v, want.want[i]); !(e <= want.allowed[i]) {
				t.Errorf("portable %v: gradient of %s: error %g of %g", portable, n.Name, e, norm(want.want[i], nil))
			}
		}
	}
}
