package trainhost

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/netdef/reference"
)

// The mean-flow term against eq. 16–17 done by hand in float64: the total derivative by
// differences, the target held fixed in the gradients of the parameters and of z.
func TestMeanFlowTerm(t *testing.T) {
	const n = 4
	cfg := tinyNet()
	g := netdef.NewGraph()
	shape := netdef.Shape{n, 2, 4, nets.FlowChannels}
	x, za, noise := g.Input("x", shape), g.Input("za", shape), g.Input("noise", shape)
	l := g.Mean(PaperMeanFlow().term(g, cfg, x, za, noise), netdef.AxAll)
	params := netdef.Params(l)
	grads, err := g.Gradient(l, append([]*netdef.Node{za}, params...))
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(rand.Uint64(), 2))
	random := func(s netdef.Shape) *netdef.Tensor {
		x := netdef.NewTensor(s)
		for i := range x.Data {
			x.Data[i] = rng.NormFloat64()
		}
		return x
	}
	in := map[string]*netdef.Tensor{"x": random(shape), "za": random(shape), "noise": random(shape)}
	r, tt, from := []float64{0, 0.3, 0.5, 0.2}, []float64{1, 0.8, 0.5, 0.6}, []float64{1, 0, 1, 0}
	for name, v := range map[string][]float64{inR: r, inT: tt, inFrom: from} {
		in[name] = &netdef.Tensor{Shape: netdef.Shape{n, 1, 1, 1}, Data: v}
	}
	ps := map[string]*netdef.Tensor{}
	for _, p := range params {
		w := netdef.NewTensor(p.Shape)
		for i, a := range netdef.InitialValues(p, 3) {
			w.Data[i] = float64(a) + 0.05*rng.NormFloat64()
		}
		ps[p.Name] = w
	}
	// u alone, on a graph of its own.
	gu := netdef.NewGraph()
	sc := netdef.Shape{n, 1, 1, 1}
	un := nets.FlowMap(gu, cfg, gu.Input("x", shape), gu.Input("r", sc), gu.Input("t", sc))
	u := func(x, r, t []float64) []float64 {
		out, err := reference.Run([]*netdef.Node{un}, map[string]*netdef.Tensor{"x": {Shape: shape, Data: x}, "r": {Shape: sc, Data: r}, "t": {Shape: sc, Data: t}}, ps)
		if err != nil {
			panic(err)
		}
		return out[0].Data
	}
	per := shape.Size() / n
	at := func(za []float64) (v, xt []float64) {
		for i, c := range in["x"].Data {
			b := i / per
			z := from[b]*za[i] + (1-from[b])*in["noise"].Data[i]
			v = append(v, z-c)
			xt = append(xt, (1-tt[b])*c+tt[b]*z)
		}
		return v, xt
	}
	v, xt := at(in["za"].Data)
	moved := func(h float64) []float64 {
		x2, t2 := make([]float64, len(xt)), make([]float64, n)
		for i := range xt {
			x2[i] = xt[i] + h*v[i]
		}
		for i := range t2 {
			t2[i] = tt[i] + h
		}
		return u(x2, r, t2)
	}
	const h = 1e-5
	up, down := moved(h), moved(-h)
	target := make([]float64, len(v))
	for i := range target {
		b := i / per
		target[i] = v[i] - (tt[b]-r[b])*(up[i]-down[i])/(2*h)
	}
	loss := func(za []float64) float64 { // with the target held fixed
		_, xt := at(za)
		s := 0.0
		for i, a := range u(xt, r, tt) {
			s += (a - target[i]) * (a - target[i]) / float64(len(target))
		}
		return s
	}
	got, err := reference.Run(append([]*netdef.Node{l}, grads...), in, ps)
	if err != nil {
		t.Fatal(err)
	}
	if want := loss(in["za"].Data); math.Abs(got[0].Data[0]-want) > 1e-7*want {
		t.Errorf("loss %.10g, want %.10g", got[0].Data[0], want)
	}
	tensors := []*netdef.Tensor{in["za"]}
	for _, p := range params {
		tensors = append(tensors, ps[p.Name])
	}
	var diff, norm float64
	for range 60 {
		k := rng.IntN(len(tensors))
		i := rng.IntN(len(tensors[k].Data))
		at := &tensors[k].Data[i]
		old := *at
		*at = old + h
		up := loss(in["za"].Data)
		*at = old - h
		down := loss(in["za"].Data)
		*at = old
		want := (up - down) / (2 * h)
		diff += math.Pow(got[1+k].Data[i]-want, 2)
		norm += want * want
	}
	if e := math.Sqrt(diff / norm); !(e < 1e-4) {
		t.Errorf("gradients: relative error %.3g", e)
	}
}

func TestMeanFlowTimes(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	m := MeanFlow{Weight: 1, Alpha: 0.25, Match: 0.5, Corner: 0.1, Times: LogitNormal}
	b := batch{}
	const n = 20000
	m.draw(b, rng, n)
	var match, corner, from, sumT, sumR, rest float64
	for i := range n {
		r, s := b[inR][i], b[inT][i]
		if !(0 <= r && r <= s && s <= 1) {
			t.Fatalf("times r = %g, t = %g", r, s)
		}
		from += float64(b[inFrom][i])
		switch {
		case r == 0 && s == 1:
			corner++
		case r == s:
			match++
		default:
			rest, sumT, sumR = rest+1, sumT+float64(s), sumR+float64(r)
		}
	}
	near := func(what string, got, want, tol float64) {
		if math.Abs(got-want) > tol {
			t.Errorf("%s: %.4f, want %.4f", what, got, want)
		}
	}
	near("share of flow matching", match/n, 0.5, 0.015)
	near("share at (0, 1)", corner/n, 0.1, 0.01)
	near("share from the adapter", from/n, 0.25, 0.015)
	var big, small, mass float64 // E max and E min of the two sigmoids, by integration
	for a := -6.0; a < 6; a += 0.05 {
		for c := -6.0; c < 6; c += 0.05 {
			w := math.Exp(-(a*a + c*c) / 2)
			p, q := 1/(1+math.Exp(-a-0.4)), 1/(1+math.Exp(-c+1.2))
			big, small, mass = big+w*max(p, q), small+w*min(p, q), mass+w
		}
	}
	near("mean of t", sumT/rest, big/mass, 0.01)
	near("mean of r", sumR/rest, small/mass, 0.01)
	for name, bad := range map[string]MeanFlow{
		"times": {Weight: 1, Times: "x"}, "alpha": {Weight: 1, Alpha: 2, Times: Uniform},
		"sum": {Weight: 1, Match: 0.7, Corner: 0.5, Times: Uniform}, "weight": {Weight: -1, Times: Uniform},
	} {
		if bad.validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
