package nets_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	. "github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/netdef/reference"
)

// An implementation of the published networks that shares nothing with the graphs: loops over
// slices, in float64.

// maps is a picture of sites: [site][channel], row by row.
type maps struct {
	h, w int
	v    [][]float64
}

func newMaps(h, w, c int) maps {
	m := maps{h, w, make([][]float64, h*w)}
	for i := range m.v {
		m.v[i] = make([]float64, c)
	}
	return m
}

// plainNet holds parameters by name. Linear weights are [in][out] row-major, convolutions
// [3][3][in][out].
type plainNet map[string]*netdef.Tensor

func (p plainNet) get(t testing.TB, name string) []float64 {
	v := p[name]
	if v == nil {
		t.Fatalf("the network has no parameter %q", name)
	}
	return v.Data
}

// affine is W·x + b.
func (p plainNet) affine(t testing.TB, name string, x []float64) []float64 {
	w, b := p.get(t, name+"/w"), p.get(t, name+"/b")
	y := make([]float64, len(b))
	for o := range y {
		y[o] = b[o]
		for i, v := range x {
			y[o] += v * w[i*len(b)+o]
		}
	}
	return y
}

func (p plainNet) affineAll(t testing.TB, name string, x maps) maps {
	y := maps{x.h, x.w, nil}
	for _, v := range x.v {
		y.v = append(y.v, p.affine(t, name, v))
	}
	return y
}

func sigmoid64(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func apply64(x []float64, f func(float64) float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = f(v)
	}
	return y
}

func silu64(x float64) float64 { return x * sigmoid64(x) }

func gelu64(x float64) float64 {
	return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
}

// standard returns (v - mean)/√(variance + eps).
func standard(v []float64, eps float64) []float64 {
	mean, variance := 0.0, 0.0
	for _, x := range v {
		mean += x
	}
	mean /= float64(len(v))
	for _, x := range v {
		variance += (x - mean) * (x - mean)
	}
	variance /= float64(len(v))
	return apply64(v, func(x float64) float64 { return (x - mean) / math.Sqrt(variance+eps) })
}

// attend is softmax(q·k/√d)·v of one head, whose channels begin at from.
func attend(q, k, v [][]float64, from, d int, out [][]float64) {
	for i := range q {
		weights, total := make([]float64, len(k)), 0.0
		for j := range k {
			dot := 0.0
			for c := from; c < from+d; c++ {
				dot += q[i][c] * k[j][c]
			}
			weights[j] = math.Exp(dot / math.Sqrt(float64(d)))
			total += weights[j]
		}
		for c := from; c < from+d; c++ {
			for j := range v {
				out[i][c] += weights[j] / total * v[j][c]
			}
		}
	}
}

// transformer is u(x, r, t) of one picture, by the published description of DiT's blocks.
func (p plainNet) transformer(t testing.TB, c TransformerConfig, x maps, r, tt float64, label int) maps {
	embed := func(s float64) []float64 {
		f := make([]float64, 256)
		for i := range 128 {
			a := s * float64(float32(math.Exp(-math.Log(10000)*float64(i)/128)))
			f[i], f[128+i] = math.Cos(a), math.Sin(a)
		}
		e := p.affine(t, "flow/time/out", apply64(p.affine(t, "flow/time/in", f), silu64))
		table := p.get(t, "flow/label")
		for i := range e {
			e[i] += table[label*c.Width+i]
		}
		return apply64(e, silu64)
	}
	ct, cr := embed(tt), embed(r)
	if c.Encoder == c.Depth {
		cr = ct
	}
	h := p.affineAll(t, "flow/patch", x)
	q := c.Width / 4
	for i, v := range h.v {
		for k := range v {
			place := float64(i % x.w)
			if k >= 2*q {
				place = float64(i / x.w)
			}
			a := place / math.Pow(10000, float64(k%q)/float64(q))
			if k/q%2 == 0 {
				v[k] += float64(float32(math.Sin(a)))
			} else {
				v[k] += float64(float32(math.Cos(a)))
			}
		}
	}
	modulated := func(m []float64, shift, scale int) [][]float64 {
		var out [][]float64
		for _, v := range h.v {
			n := standard(v, 1e-6)
			for k := range n {
				n[k] = n[k]*(1+m[scale*c.Width+k]) + m[shift*c.Width+k]
			}
			out = append(out, n)
		}
		return out
	}
	for b := range c.Depth {
		cond := ct
		if b >= c.Encoder {
			cond = cr
		}
		name := fmt.Sprintf("flow/block%d/", b)
		m := p.affine(t, name+"mod", cond)
		var qs, ks, vs [][]float64
		for _, n := range modulated(m, 0, 1) {
			a := p.affine(t, name+"qkv", n)
			qs, ks, vs = append(qs, a[:c.Width]), append(ks, a[c.Width:2*c.Width]), append(vs, a[2*c.Width:])
		}
		heads := newMaps(x.h, x.w, c.Width)
		d := c.Width / c.Heads
		for head := range c.Heads {
			attend(qs, ks, vs, head*d, d, heads.v)
		}
		for i := range h.v {
			for k, v := range p.affine(t, name+"proj", heads.v[i]) {
				h.v[i][k] += m[2*c.Width+k] * v
			}
		}
		for i, n := range modulated(m, 3, 4) {
			for k, v := range p.affine(t, name+"mlp1", apply64(p.affine(t, name+"mlp0", n), gelu64)) {
				h.v[i][k] += m[5*c.Width+k] * v
			}
		}
	}
	m := p.affine(t, "flow/final/mod", cr)
	return p.affineAll(t, "flow/final/out", maps{x.h, x.w, modulated(m, 0, 1)})
}

// randomParams returns parameters away from their initial values, so that every path has an effect.
func randomParams(rng *rand.Rand, spread float64, outs ...*netdef.Node) plainNet {
	p := plainNet{}
	for _, n := range netdef.Params(outs...) {
		v := netdef.NewTensor(n.Shape)
		for i, a := range netdef.InitialValues(n, rng.Uint64()) {
			v.Data[i] = float64(a) + spread*rng.NormFloat64()
		}
		p[n.Name] = v
	}
	return p
}

func randomMaps(rng *rand.Rand, h, w, c, used int) maps {
	m := newMaps(h, w, c)
	for _, v := range m.v {
		for i := range used {
			v[i] = rng.NormFloat64()
		}
	}
	return m
}

// batch joins pictures to a tensor.
func batch(ms ...maps) *netdef.Tensor {
	t := netdef.NewTensor(netdef.Shape{len(ms), ms[0].h, ms[0].w, len(ms[0].v[0])})
	t.Data = t.Data[:0]
	for _, m := range ms {
		for _, v := range m.v {
			t.Data = append(t.Data, v...)
		}
	}
	return t
}

func oneHot(labels int, at ...int) *netdef.Tensor {
	t := netdef.NewTensor(netdef.Shape{len(at), 1, 1, labels})
	for i, k := range at {
		t.Data[i*labels+k] = 1
	}
	return t
}

func distance(t testing.TB, got, want *netdef.Tensor) float64 {
	t.Helper()
	if got.Shape != want.Shape {
		t.Fatalf("shape %v, want %v", got.Shape, want.Shape)
	}
	var d, n float64
	for i, w := range want.Data {
		d += (got.Data[i] - w) * (got.Data[i] - w)
		n += w * w
	}
	return math.Sqrt(d / n)
}

func smallTransformer(encoder int) TransformerConfig {
	return TransformerConfig{Width: 32, Depth: 3, Heads: 2, Patch: 2, Encoder: encoder, Classes: 9}
}

func seeded(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 5))
}

// transformerInputs declares the inputs for pictures of h × w patches.
func transformerInputs(g *netdef.Graph, c TransformerConfig, b, h, w int) (x, r, t, label *netdef.Node) {
	s := netdef.Shape{b, 1, 1, 1}
	return g.Input("x", netdef.Shape{b, h, w, c.PatchChannels()}), g.Input("r", s), g.Input("t", s), g.Input("label", netdef.Shape{b, 1, 1, c.Labels()})
}

func TestTransformerAgainstLoops(t *testing.T) {
	rng := seeded(t)
	for _, encoder := range []int{3, 2, 0} {
		c := smallTransformer(encoder)
		g := netdef.NewGraph()
		x, r, tt, label := transformerInputs(g, c, 2, 2, 4)
		u := c.Velocity(g, x, r, tt, label)
		if err := g.Err(); err != nil {
			t.Fatal(err)
		}
		p := randomParams(rng, 0.1, u)
		a, b := randomMaps(rng, 2, 4, 16, 16), randomMaps(rng, 2, 4, 16, 16)
		times := [][2]float64{{0.2, 0.7}, {0, 1}}
		in := map[string]*netdef.Tensor{"x": batch(a, b), "label": oneHot(c.Labels(), 4, c.Classes)}
		for k, name := range []string{"r", "t"} {
			in[name] = &netdef.Tensor{Shape: r.Shape, Data: []float64{times[0][k], times[1][k]}}
		}
		got, err := reference.Run([]*netdef.Node{u}, in, p)
		if err != nil {
			t.Fatal(err)
		}
		want := batch(p.transformer(t, c, a, times[0][0], times[0][1], 4), p.transformer(t, c, b, times[1][0], times[1][1], c.Classes))
		// The frequencies are float32 constants of the graph.
		if e := distance(t, got[0], want); !(e < 1e-7) {
			t.Errorf("%d blocks on t: relative difference %g", encoder, e)
		}
	}
}

// The gradients with respect to parameters and input are the finite differences of the loops.
func TestTransformerGradientAgainstLoops(t *testing.T) {
	rng := seeded(t)
	c := smallTransformer(2)
	g := netdef.NewGraph()
	x, r, tt, label := transformerInputs(g, c, 1, 2, 4)
	u := c.Velocity(g, x, r, tt, label)
	weight := g.Input("weight", u.Shape)
	wrt := append([]*netdef.Node{x}, netdef.Params(u)...)
	grads, err := g.Gradient(g.Sum(g.Mul(u, weight), netdef.AxAll), wrt)
	if err != nil {
		t.Fatal(err)
	}
	p := randomParams(rng, 0.1, u)
	a, w := randomMaps(rng, 2, 4, 16, 16), randomMaps(rng, 2, 4, 16, 16)
	in := map[string]*netdef.Tensor{"x": batch(a), "weight": batch(w), "label": oneHot(c.Labels(), 4),
		"r": {Shape: r.Shape, Data: []float64{0.3}}, "t": {Shape: r.Shape, Data: []float64{0.8}}}
	got, err := reference.Run(grads, in, p)
	if err != nil {
		t.Fatal(err)
	}
	loss := func() (sum float64) {
		for i, v := range p.transformer(t, c, a, 0.3, 0.8, 4).v {
			for k, y := range v {
				sum += y * w.v[i][k]
			}
		}
		return sum
	}
	checkSlopes(t, rng, wrt, got, loss, func(n *netdef.Node, i int) *float64 {
		if n == x {
			return &a.v[i/16][i%16]
		}
		return &p[n.Name].Data[i]
	})
}

// checkSlopes compares gradients with central differences of a loss along single numbers.
func checkSlopes(t *testing.T, rng *rand.Rand, wrt []*netdef.Node, grads []*netdef.Tensor, loss func() float64, at func(n *netdef.Node, i int) *float64) {
	t.Helper()
	var size float64
	for _, d := range grads {
		for _, v := range d.Data {
			size = math.Max(size, math.Abs(v))
		}
	}
	for k, n := range wrt {
		for range 3 {
			i := rng.IntN(n.Shape.Size())
			x := at(n, i)
			const h = 1e-4
			old := *x
			*x = old + h
			up := loss()
			*x = old - h
			slope := (up - loss()) / (2 * h)
			*x = old
			if e := math.Abs(slope - grads[k].Data[i]); !(e <= 1e-5*(math.Abs(slope)+0.01*size)) {
				t.Errorf("%s[%d]: gradient %g, finite difference %g", n.Name, i, grads[k].Data[i], slope)
			}
		}
	}
}

func TestGuidance(t *testing.T) {
	rng := seeded(t)
	c := smallTransformer(2)
	g := netdef.NewGraph()
	x, r, tt, label := transformerInputs(g, c, 2, 2, 4)
	none := g.Input("none", label.Shape)
	guided := c.Guided(g, x, r, tt, label, 1.5)
	with, without := c.Velocity(g, x, r, tt, label), c.Velocity(g, x, r, tt, none)
	want := g.Add(without, g.Scale(g.Sub(with, without), 1.5))
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
	in := map[string]*netdef.Tensor{"x": batch(randomMaps(rng, 2, 4, 16, 16), randomMaps(rng, 2, 4, 16, 16)), "label": oneHot(c.Labels(), 0, 7),
		"none": oneHot(c.Labels(), c.Classes, c.Classes), "r": {Shape: r.Shape, Data: []float64{0.3, 0}}, "t": {Shape: r.Shape, Data: []float64{0.8, 1}}}
	got, err := reference.Run([]*netdef.Node{guided, want}, in, randomParams(rng, 0.1, with))
	if err != nil {
		t.Fatal(err)
	}
	if e := distance(t, got[0], got[1]); !(e < 1e-12) {
		t.Errorf("relative difference %g", e)
	}
}

func TestPaperSizes(t *testing.T) {
	g := netdef.NewGraph()
	x, r, tt, label := transformerInputs(g, DMFTB2(), 1, 16, 16)
	u := DMFTB2().Velocity(g, x, r, tt, label)
	adapter := PaperAdapter().Posterior(g, g.Input("y", netdef.Shape{1, 256, 256, 8}), g.Input("class", netdef.Shape{1, 1, 1, 8}))
	latent := SDVAE().Encode(g, g.Input("picture", netdef.Shape{1, 256, 256, 8}))
	picture := SDVAE().Decode(g, g.Input("z", netdef.Shape{1, 32, 32, 8}))
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
	lin := func(in, out int) int { return in*out + out }
	conv := func(in, out int) int { return 9*in*out + out }
	const d = 768
	block := lin(d, 6*d) + lin(d, 3*d) + lin(d, d) + lin(d, 4*d) + lin(4*d, d)
	film := func(in, out int) int { // a residual block of the adapter
		n := 2*in + conv(in, out) + 2*out + conv(out, out) + 2*lin(256, 2*out)
		if in != out {
			n += lin(in, out)
		}
		return n
	}
	for _, n := range []struct {
		name string
		node *netdef.Node
		want int
	}{
		{"DMFT-B/2", u, lin(16, d) + lin(256, d) + lin(d, d) + 1008*d + 12*block + lin(d, 2*d) + lin(d, 16)},
		{"adapter", adapter, 8*256 + 2*lin(256, 256) + conv(8, 64) + film(64, 64)*2 + conv(64, 64) + film(64, 128) + film(128, 128) + conv(128, 128) +
			film(128, 256) + film(256, 256) + conv(256, 256) + 4*film(256, 256) + 2*256 + conv(256, 8)},
		// SD-VAE's published halves have 49490179 and 34163592 parameters and share 20 and 72 more.
		// The rest is padding of three colours and four channels to eight.
		{"decoder", picture, 49490179 + 20 + 4*9*512 + (64 - 16) + 4 + 5*9*128 + 5},
		{"encoder", latent, 34163592 + 72 + 5*9*128},
	} {
		if got := netdef.CountParams(n.node); got != n.want {
			t.Errorf("%s: %d parameters, want %d", n.name, got, n.want)
		}
	}
	if want := (netdef.Shape{1, 32, 32, 8}); adapter.Shape != want || latent.Shape != want {
		t.Errorf("latents are %v and %v", adapter.Shape, latent.Shape)
	}
	if want := (netdef.Shape{1, 256, 256, 8}); picture.Shape != want {
		t.Errorf("the decoder's picture is %v", picture.Shape)
	}
}

func TestLatentForms(t *testing.T) {
	rng := seeded(t)
	g := netdef.NewGraph()
	p := g.Input("p", netdef.Shape{2, 3, 8, 16})
	x := g.Input("x", netdef.Shape{2, 8, 4, 8})
	planes := ColourPlanes(g, ColourSites(g, p))
	patches := LatentPatches(g, x, 2, 4)
	back := LatentPatches(g, LatentSites(g, patches, 2), 2, 0)
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
	in := map[string]*netdef.Tensor{"p": netdef.NewTensor(p.Shape), "x": netdef.NewTensor(x.Shape)}
	for _, v := range in {
		for i := range v.Data {
			v.Data[i] = rng.NormFloat64()
		}
	}
	got, err := reference.Run([]*netdef.Node{planes, patches, back}, in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if e := distance(t, got[0], in["p"]); e != 0 {
		t.Errorf("planes differ by %g", e)
	}
	if e := distance(t, got[2], got[1]); e != 0 {
		t.Errorf("patches differ by %g", e)
	}
	// Patch (1, 0) of the second picture, its element (dy, dx, c) = (1, 0, 2), is channel 4+2 of site
	// (3, 0).
	if a, b := got[1].Data[((1*4+1)*2+0)*16+(1*2+0)*4+2], in["x"].Data[((1*8+3)*4+0)*8+6]; a != b {
		t.Errorf("a patch holds %g in place of %g", a, b)
	}
}

func TestTransformerErrors(t *testing.T) {
	good := smallTransformer(2)
	for want, change := range map[string]func(c *TransformerConfig){
		"width":   func(c *TransformerConfig) { c.Width = 5000 },
		"heads":   func(c *TransformerConfig) { c.Heads = 3 },
		"depth":   func(c *TransformerConfig) { c.Depth = 0 },
		"patch":   func(c *TransformerConfig) { c.Patch = 3 },
		"encoder": func(c *TransformerConfig) { c.Encoder = 4 },
		"classes": func(c *TransformerConfig) { c.Classes = -1 },
	} {
		c := good
		change(&c)
		var e *ConfigError
		if err := c.Validate(); !errors.As(err, &e) || !strings.HasPrefix(e.Field, want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	g := netdef.NewGraph()
	x, r, tt, label := transformerInputs(g, good, 1, 1, 3)
	good.Velocity(g, x, r, tt, label)
	if err := g.Err(); err == nil || !strings.Contains(err.Error(), "multiple of 8 patches") {
		t.Errorf("three patches: %v", err)
	}
}
