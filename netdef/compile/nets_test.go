package compile

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/netdef/reference"
)

// The shipped network's adapter and flow map, the gradient of a loss on both, and the total
// derivative of the average velocity must agree with the float64 reference in both lowerings.
func TestEdgeNetwork(t *testing.T) {
	cfg := nets.DefaultEdge()
	cfg.Fine, cfg.Noise = 8, true
	g := netdef.NewGraph()
	y := g.Input("y", S{2, 4, 8, nets.FlowChannels})
	mask := g.Input("mask", S{2, 4, 8, nets.MaskChannels})
	task := g.Input("task", S{2, 1, 1, nets.Tasks})
	sigma := g.Input("+sigma", S{2, 1, 1, 1})
	mu, logvar := nets.Adapter(g, cfg, nets.AdapterInput{
		Y: y, Mask: mask, Task: task, Sigma: sigma, Noise: g.Input("noise", S{2, 1, 1, nets.NoiseNumbers}), Guess: g.Input("guess", y.Shape),
	})
	x := nets.OneStep(g, cfg, mu)
	r, tt := g.Input("+r", S{2, 1, 1, 1}), g.Input("+t", S{2, 1, 1, 1})
	u := nets.FlowMap(g, cfg, mu, r, tt)
	du, err := nets.TotalDerivative(g, u, mu, tt, y)
	if err != nil {
		t.Fatal(err)
	}
	loss := g.Add(g.Mean(g.Square(x), netdef.AxAll), g.Add(g.Mean(g.Square(u), netdef.AxAll), g.Mean(g.Mul(logvar, y), netdef.AxAll)))
	params := netdef.Params(loss)
	grads, err := g.Gradient(loss, params)
	if err != nil {
		t.Fatal(err)
	}
	forward := []*netdef.Node{mu, logvar, x, u, du}
	outs := append(append([]*netdef.Node{}, forward...), grads...)
	rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
	inputs, ps := map[string]*netdef.Tensor{}, map[string]*netdef.Tensor{}
	in32, p32 := map[string][]float32{}, map[string][]float32{}
	for _, n := range netdef.Reachable(outs...) {
		v := make([]float32, n.Shape.Size())
		switch n.Op.(type) {
		case *netdef.InputOp:
			for i := range v {
				v[i] = float32(rng.NormFloat64())
				if n.Name[0] == '+' {
					v[i] = float32(0.05 + 0.9*rng.Float64())
				}
			}
			in32[n.Name] = v
			inputs[n.Name], _ = netdef.FromFloat32(n.Shape, v)
		case *netdef.ParamOp:
			// Away from zero initial values, so that every path has an effect.
			for i, a := range netdef.InitialValues(n, 3) {
				v[i] = a + 0.02*float32(rng.NormFloat64())
			}
			p32[n.Name] = v
			ps[n.Name], _ = netdef.FromFloat32(n.Shape, v)
		}
	}
	want, err := reference.Run(outs, inputs, ps)
	if err != nil {
		t.Fatal(err)
	}
	// Small kernels, because the driver compiles each.
	tuning := Tuning{MaxFMA: SingleRun(1)}
	if gputest.Long() {
		tuning.MaxFMA = 240
	}
	for _, portable := range []bool{false, true} {
		if !portable && onlyPortable() {
			continue
		}
		store, err := NewStore(testDev, netdef.Reachable(outs...), false, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		p, err := Compile(testDev, store, g, outs, Options{Portable: portable, Tuning: tuning})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if err := store.Set(p32); err != nil {
			t.Fatal(err)
		}
		for name, v := range in32 {
			if err := p.SetInput(name, v); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Poison(); err != nil {
			t.Fatal(err)
		}
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		var d, n float64
		for i := range outs {
			got, err := p.Output(i)
			if err != nil {
				t.Fatal(err)
			}
			var di, ni float64
			for j, w := range want[i].Data {
				e := float64(got[j]) - w
				di += e * e
				ni += w * w
			}
			if i < len(forward) {
				if e := math.Sqrt(di / ni); !(e < 1e-5) && !(i == 4 && e < 1e-4) {
					t.Errorf("portable %v: output %d: relative error %.2g", portable, i, e)
				}
				continue
			}
			d, n = d+di, n+ni
			if e := math.Sqrt(di / math.Max(ni, 1e-12)); !(e < 1e-4) {
				t.Errorf("portable %v: gradient of %s: relative error %.2g", portable, params[i-len(forward)].Name, e)
			}
		}
		if e := math.Sqrt(d / n); !(e < 1e-4) {
			t.Errorf("portable %v: whole gradient: relative error %.2g", portable, e)
		}
	}
}
