package nets

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/reference"
)

// MLPDecoupled against its formula, layer by layer: two of three layers see t, the third and the
// output r.
func TestMLPDecoupled(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 5))
	c := MLPConfig{Layers: 3, Width: 8, Dim: 2}
	const n = 5
	g := netdef.NewGraph()
	x, r, tt := g.Input("x", netdef.Shape{1, 1, n, 8}), g.Input("r", netdef.Shape{1, 1, n, 1}), g.Input("t", netdef.Shape{1, 1, n, 1})
	u := MLPDecoupled(g, c, x, r, tt)
	draw := func(s netdef.Shape) *netdef.Tensor {
		v := netdef.NewTensor(s)
		for i := range v.Data {
			v.Data[i] = rng.NormFloat64()
		}
		return v
	}
	in := map[string]*netdef.Tensor{"x": draw(x.Shape), "r": draw(r.Shape), "t": draw(tt.Shape)}
	for i := range in["x"].Data {
		if i%8 >= c.Dim {
			in["x"].Data[i] = 0
		}
	}
	params := map[string]*netdef.Tensor{}
	for _, p := range netdef.Params(u) {
		params[p.Name] = draw(p.Shape)
	}
	out, err := reference.Run([]*netdef.Node{u}, in, params)
	if err != nil {
		t.Fatal(err)
	}
	layer := func(name string, v []float64) []float64 {
		w, b := params["flow/"+name+"/w"], params["flow/"+name+"/b"].Data
		if w.Shape[2] != len(v) {
			t.Fatalf("%s takes %d values, want %d", name, w.Shape[2], len(v))
		}
		y := append([]float64{}, b...)
		for i, a := range v {
			for o := range y {
				y[o] += a * w.Data[i*len(y)+o]
			}
		}
		return y
	}
	silu := func(v []float64) []float64 {
		for i, a := range v {
			v[i] = a / (1 + math.Exp(-a))
		}
		return v
	}
	for i := range n {
		h := append([]float64{}, in["x"].Data[8*i:8*i+8]...)
		h[mlpT] = in["t"].Data[i]
		next := make([]float64, 8)
		next[mlpR] = in["r"].Data[i]
		for k := range 3 {
			if k == 2 {
				h = append(h, next...)
			}
			h = silu(layer(fmt.Sprint("layer", k), h))
		}
		want := layer("out", append(h, next...))
		for o := range 8 {
			if o >= c.Dim {
				want[o] = 0
			}
			if got := out[0].Data[8*i+o]; !(math.Abs(got-want[o]) < 1e-10*(1+math.Abs(want[o]))) {
				t.Errorf("point %d, channel %d: %g, want %g", i, o, got, want[o])
			}
		}
	}
}
