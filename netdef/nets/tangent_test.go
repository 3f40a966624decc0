package nets

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/reference"
)

// Compares the total derivative of the whole flow map along (v, 0, 1) with central differences in
// float64, for r = t too.
func TestTotalDerivative(t *testing.T) {
	for _, cfg := range []Architecture{DefaultEdge(), PlainConfig{Width: 16, Blocks: 2, Emb: 16, SD: PhotoSD()}} {
		t.Run(cfg.Name(), func(t *testing.T) { testTotalDerivative(t, cfg) })
	}
}

func testTotalDerivative(t *testing.T, cfg Architecture) {
	g := netdef.NewGraph()
	shape, one := netdef.Shape{2, 4, 8, FlowChannels}, netdef.Shape{2, 1, 1, 1}
	x, v := g.Input("x", shape), g.Input("v", shape)
	r, tt := g.Input("r", one), g.Input("t", one)
	u := FlowMap(g, cfg, x, r, tt)
	du, err := TotalDerivative(g, u, x, tt, v)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(rand.Uint64(), 2))
	normal := func(s netdef.Shape) *netdef.Tensor {
		x := netdef.NewTensor(s)
		for i := range x.Data {
			x.Data[i] = rng.NormFloat64()
		}
		return x
	}
	params := map[string]*netdef.Tensor{}
	for _, p := range netdef.Params(u) {
		w := netdef.NewTensor(p.Shape)
		for i, a := range netdef.InitialValues(p, 3) {
			w.Data[i] = float64(a) + 0.02*rng.NormFloat64()
		}
		params[p.Name] = w
	}
	in := map[string]*netdef.Tensor{"x": normal(shape), "v": normal(shape), "r": netdef.NewTensor(one), "t": netdef.NewTensor(one)}
	in["r"].Data[0], in["t"].Data[0] = 0.2, 0.7
	in["r"].Data[1], in["t"].Data[1] = 0.4, 0.4
	run := func(n *netdef.Node, in map[string]*netdef.Tensor) []float64 {
		t.Helper()
		out, err := reference.Run([]*netdef.Node{n}, in, params)
		if err != nil {
			t.Fatal(err)
		}
		return out[0].Data
	}
	moved := func(h float64) []float64 {
		m := map[string]*netdef.Tensor{"r": in["r"], "x": netdef.NewTensor(shape), "t": netdef.NewTensor(one)}
		for i := range m["x"].Data {
			m["x"].Data[i] = in["x"].Data[i] + h*in["v"].Data[i]
		}
		for i := range m["t"].Data {
			m["t"].Data[i] = in["t"].Data[i] + h
		}
		return run(u, m)
	}
	const h = 1e-5
	got, up, down := run(du, in), moved(h), moved(-h)
	var d, n float64
	for i, a := range got {
		want := (up[i] - down[i]) / (2 * h)
		d += (a - want) * (a - want)
		n += want * want
	}
	if e := math.Sqrt(d / n); !(e < 1e-6) {
		t.Errorf("relative error %.3g", e)
	}
}
