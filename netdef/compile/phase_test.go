package compile

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/reference"
)

// What depends only on settings is not part of a run, and is always up to date with the settings
// and the parameters.
func TestSettings(t *testing.T) {
	g := netdef.NewGraph()
	x, s := g.Input("x", S{2, 3, 4, 16}), g.Input("s", S{1, 1, 1, 8})
	e := g.SiLU(g.Conv2D(s, g.Param("w", S{1, 1, 8, 16}, netdef.Zeros), 1))
	scale := g.Exp(g.Conv2D(e, g.Param("v", S{1, 1, 16, 16}, netdef.Zeros), 1))
	outs := []*netdef.Node{g.Mul(x, scale), scale}
	store, err := NewStore(testDev, netdef.Reachable(outs...), false, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	p, err := Compile(testDev, store, g, outs, Options{Settings: []string{"s", "no input of this program"}})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if n := p.Dispatches(); n != 2 {
		t.Errorf("%d dispatches a run, want the product and the copy of an output", n)
	}
	rng := rand.New(rand.NewPCG(rand.Uint64(), 3))
	fresh := func(shape netdef.Shape) []float32 {
		v := make([]float32, shape.Size())
		for i := range v {
			v[i] = 0.3 * float32(rng.NormFloat64())
		}
		return v
	}
	inputs, params := map[string]*netdef.Tensor{}, map[string]*netdef.Tensor{}
	give := func(n *netdef.Node) {
		v := fresh(n.Shape)
		if err := p.SetInput(n.Name, v); err != nil {
			t.Fatal(err)
		}
		if err := p.SetInput(n.Name, v); err != nil { // once more: nothing changes
			t.Fatal(err)
		}
		inputs[n.Name], _ = netdef.FromFloat32(n.Shape, v)
	}
	learn := func() {
		w, v := fresh(S{1, 1, 8, 16}), fresh(S{1, 1, 16, 16})
		if err := store.Set(map[string][]float32{"w": w, "v": v}); err != nil {
			t.Fatal(err)
		}
		params["w"], _ = netdef.FromFloat32(S{1, 1, 8, 16}, w)
		params["v"], _ = netdef.FromFloat32(S{1, 1, 16, 16}, v)
	}
	learn()
	give(x)
	give(s)
	for _, c := range []struct {
		name string
		do   func()
	}{
		{"first", func() {}},
		{"other x", func() { give(x) }},
		{"other setting", func() { give(s) }},
		{"nothing new", func() {}},
		{"other parameters", learn},
		{"both inputs", func() { give(s); give(x) }},
		{"poisoned", func() {
			if err := p.Poison(); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		c.do()
		if err := p.Run(); err != nil {
			t.Fatal(err)
		}
		want, err := reference.Run(outs, inputs, params)
		if err != nil {
			t.Fatal(err)
		}
		for i := range outs {
			got, err := p.Output(i)
			if err != nil {
				t.Fatal(err)
			}
			for j, w := range want[i].Data {
				if d := math.Abs(float64(got[j]) - w); !(d < 1e-5) {
					t.Fatalf("%s: output %d, element %d is %v, want %v", c.name, i, j, got[j], w)
				}
			}
		}
	}
}
