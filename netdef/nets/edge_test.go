package nets

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/reference"
)

func tinyConfig() EdgeConfig {
	return EdgeConfig{Widths: []int{8, 16}, Blocks: []int{1}, Mid: 1, Fine: 8, Guess: true, Emb: 8, SD: PhotoSD()}
}

// tiny returns a small network of every architecture. The tests below hold for all.
func tiny(t *testing.T) []Architecture {
	list := []Architecture{tinyConfig(), PlainConfig{Width: 8, Blocks: 2, Guess: true, Emb: 8, SD: PhotoSD()}}
	for _, name := range Names() {
		if !slices.ContainsFunc(list, func(a Architecture) bool { return a.Name() == name }) {
			t.Errorf("no test of %q networks", name)
		}
	}
	return list
}

// forAll runs a test for every architecture.
func forAll(t *testing.T, test func(t *testing.T, a Architecture)) {
	for _, a := range tiny(t) {
		t.Run(a.Name(), func(t *testing.T) { test(t, a) })
	}
}

// built holds both networks, on inputs of one shape.
type built struct {
	g                       *netdef.Graph
	y, mask, task, sigma, z *netdef.Node
	guess                   *netdef.Node
	x, r, t, noise          *netdef.Node
	mu, logvar, u, restored *netdef.Node
	in, params              map[string]*netdef.Tensor
}

func build(t testing.TB, rnd *rand.Rand, cfg Architecture, b, h, w int) *built {
	g := netdef.NewGraph()
	s, one := netdef.Shape{b, h, w, FlowChannels}, netdef.Shape{b, 1, 1, 1}
	e := &built{g: g, y: g.Input("y", s), mask: g.Input("mask", netdef.Shape{b, h, w, MaskChannels}),
		task: g.Input("task", netdef.Shape{b, 1, 1, Tasks}), sigma: g.Input("sigma", one), z: g.Input("z", s),
		guess: g.Input("guess", s), noise: g.Input("noise", netdef.Shape{b, 1, 1, NoiseNumbers}), x: g.Input("x", s), r: g.Input("r", one), t: g.Input("t", one)}
	e.mu, e.logvar = Adapter(g, cfg, AdapterInput{Y: e.y, Mask: e.mask, Task: e.task, Sigma: e.sigma, Noise: e.noise, Guess: e.guess})
	e.u = FlowMap(g, cfg, e.x, e.r, e.t)
	e.restored = OneStep(g, cfg, e.z)
	if g.Err() != nil {
		t.Fatal(g.Err())
	}
	e.in = map[string]*netdef.Tensor{}
	for _, n := range []*netdef.Node{e.y, e.mask, e.z, e.x, e.guess, e.noise} {
		e.in[n.Name] = randomTensor(rnd, n.Shape, 1)
	}
	for _, n := range []*netdef.Node{e.sigma, e.r, e.t, e.task} {
		e.in[n.Name] = netdef.NewTensor(n.Shape)
	}
	for i := range b {
		e.in["sigma"].Data[i] = 0.01 + 0.3*rnd.Float64()
		e.in["r"].Data[i] = 0.5 * rnd.Float64()
		e.in["t"].Data[i] = 0.5 + 0.5*rnd.Float64()
		e.in["task"].Data[i*Tasks+rnd.IntN(6)] = 1
	}
	e.params = reference.InitialParams(rnd.Uint64(), e.mu, e.logvar, e.u, e.restored)
	return e
}

// shake moves every parameter, so that none stays at zero.
func (e *built) shake(rnd *rand.Rand, by float64) {
	for _, p := range netdef.Params(e.mu, e.logvar, e.u) { // in a fixed order
		for i := range e.params[p.Name].Data {
			e.params[p.Name].Data[i] += by * rnd.NormFloat64()
		}
	}
}

// TestUntrainedAdapter compares the untrained adapter with the posterior of a Gaussian.
func TestUntrainedAdapter(t *testing.T) {
	forAll(t, testUntrainedAdapter)
	t.Run("edge, with the shape of the noise", func(t *testing.T) {
		cfg := tinyConfig()
		cfg.Noise = true
		testUntrainedAdapter(t, cfg)
	})
}

func testUntrainedAdapter(t *testing.T, cfg Architecture) {
	rnd := newRand(t)
	e := build(t, rnd, cfg, 2, 4, 6)
	e.in["sigma"].Data[1] = 0 // counts as MinSigma
	v := run(t, e.in, e.params, e.mu, e.logvar)
	sd := PhotoSD()
	for i, y := range e.in["y"].Data {
		picture, c := i/(4*6*48), Channels[i%48]
		// The level of the channel's band: luminance at indices 0 to 3, chroma at 4 to 7, from fine
		// to coarse.
		place := map[Band]int{D1: 0, H1: 1, V1: 1, H2: 2, V2: 2, D2: 2, LL2: 3}[c.Band]
		if c.Colour > 0 {
			place += 4
		}
		shape := 0.0
		if cfg.Traits().Noise {
			shape = e.in["noise"].Data[picture*NoiseNumbers+place]
		}
		s, sigma := float64(sd[i%48]), math.Max(e.in["sigma"].Data[picture], MinSigma)*math.Exp(shape)
		first, second := s*y/(s*s+sigma*sigma), 0.5*(e.in["guess"].Data[i]-y)/math.Sqrt(s*s+sigma*sigma)
		mu := first + second
		lv := math.Max(math.Log(sigma*sigma/(s*s+sigma*sigma)), MinLogVar)
		// The networks' constants are float32, and the two terms may cancel.
		if math.Abs(v[0].Data[i]-mu) > 1e-6*(1+math.Abs(first)+math.Abs(second)+math.Abs(y/s)) || math.Abs(v[1].Data[i]-lv) > 1e-6*(1-lv) {
			t.Fatalf("element %d: mu %g, logvar %g, want %g, %g", i, v[0].Data[i], v[1].Data[i], mu, lv)
		}
	}
}

// TestUntrainedFlowMap compares u with the exact mean flow of a Gaussian, its
// limit at r = t, and one step with sd·z.
func TestUntrainedFlowMap(t *testing.T) { forAll(t, testUntrainedFlowMap) }

func testUntrainedFlowMap(t *testing.T, cfg Architecture) {
	rnd := newRand(t)
	e := build(t, rnd, cfg, 4, 2, 4)
	copy(e.in["r"].Data, []float64{0, 0.3, 0.7, 0})
	copy(e.in["t"].Data, []float64{1, 0.8, 0.7, 0}) // the last two at r = t
	v := run(t, e.in, e.params, e.u, e.restored)
	sd := PhotoSD()
	for i, x := range e.in["x"].Data {
		s, b := float64(sd[i%48]), i/(2*4*48)
		spread := func(t float64) float64 { return math.Sqrt(t*t + (1-t)*(1-t)*s*s) }
		r, tt := e.in["r"].Data[b], e.in["t"].Data[b]
		k := (spread(tt) - spread(r)) / ((tt - r) * spread(tt))
		if r == tt { // s'/s, by a central difference
			const h = 1e-5
			k = (spread(tt+h) - spread(tt-h)) / (2 * h * spread(tt))
		}
		if math.Abs(v[0].Data[i]-k*x) > 1e-6*(1+math.Abs(k*x)) {
			t.Fatalf("channel %d, r %g, t %g: u = %g, want %g", i%48, r, tt, v[0].Data[i], k*x)
		}
		if z := e.in["z"].Data[i]; v[1].Data[i] != s*z {
			t.Fatalf("f(z) = %g, want sd·z = %g", v[1].Data[i], s*z)
		}
	}
}

// TestOneStepIsFlowMap checks f(z) = z - u(z,0,1) with random weights.
func TestOneStepIsFlowMap(t *testing.T) { forAll(t, testOneStepIsFlowMap) }

func testOneStepIsFlowMap(t *testing.T, cfg Architecture) {
	rnd := newRand(t)
	e := build(t, rnd, cfg, 2, 4, 4)
	e.shake(rnd, 0.2)
	e.in["x"] = e.in["z"]
	copy(e.in["r"].Data, []float64{0, 0})
	copy(e.in["t"].Data, []float64{1, 1})
	v := run(t, e.in, e.params, e.restored, e.g.Sub(e.x, e.u), e.z)
	if d := distance(v[0].Data, v[1].Data); d > 1e-6 {
		t.Errorf("one step and flow map differ by %g", d)
	}
	if d := distance(v[0].Data, v[2].Data); d < 0.1 {
		t.Errorf("the test is empty: f(z) is z within %g", d)
	}
	if n := netdef.CountParams(e.u, e.restored); n != netdef.CountParams(e.u) {
		t.Errorf("flow map and one step do not share parameters: %d and %d", n, netdef.CountParams(e.u))
	}
}

// TestConditionsMatter checks that every condition reaches the output.
func TestConditionsMatter(t *testing.T) { forAll(t, testConditionsMatter) }

func testConditionsMatter(t *testing.T, cfg Architecture) {
	rnd := newRand(t)
	e := build(t, rnd, cfg, 1, 4, 4)
	e.shake(rnd, 0.2)
	before := run(t, e.in, e.params, e.mu, e.logvar, e.u)
	for _, c := range []struct {
		input string
		out   []int
	}{{"sigma", []int{0, 1}}, {"mask", []int{0, 1}}, {"y", []int{0, 1}}, {"task", []int{0, 1}}, {"guess", []int{0, 1}}, {"r", []int{2}}, {"t", []int{2}}, {"x", []int{2}}} {
		old := e.in[c.input]
		e.in[c.input] = &netdef.Tensor{Shape: old.Shape, Data: append(append([]float64(nil), old.Data[1:]...), old.Data[0]+0.01)}
		after := run(t, e.in, e.params, e.mu, e.logvar, e.u)
		for _, o := range c.out {
			if distance(after[o].Data, before[o].Data) < 1e-6 {
				t.Errorf("output %d does not depend on %s", o, c.input)
			}
		}
		e.in[c.input] = old
	}
}

// TestGradient compares the gradient of a whole training loss, through
// both networks, with finite differences along every parameter tensor.
func TestGradient(t *testing.T) { forAll(t, testGradient) }

func testGradient(t *testing.T, cfg Architecture) {
	rnd := newRand(t)
	e := build(t, rnd, cfg, 2, 4, 6)
	// Mostly away from the kinks of logvar's clamp.
	e.shake(rnd, 0.05)
	for i := range e.in["sigma"].Data {
		e.in["sigma"].Data[i] = 0.1 + 0.2*rnd.Float64()
	}
	g := e.g
	z := g.Add(e.mu, g.Mul(g.Exp(g.Scale(e.logvar, 0.5)), e.z))
	data := g.Mean(g.Square(g.Sub(OneStep(g, cfg, z), e.x)), netdef.AxAll)
	flow := g.Mean(g.Square(FlowMap(g, cfg, z, e.r, e.t)), netdef.AxAll)
	kl := g.Mean(g.Sub(g.Add(g.Square(e.mu), g.Exp(e.logvar)), e.logvar), netdef.AxAll)
	loss := g.Add(g.Scale(data, 50), g.Add(flow, g.Scale(kl, 0.5)))
	params := netdef.Params(loss)
	grads, err := g.Gradient(loss, params)
	if err != nil {
		t.Fatal(err)
	}
	values := run(t, e.in, e.params, grads...)
	// at returns the loss, and which elements of logvar are clamped.
	at := func(p *netdef.Node, dir []float64, h float64) (float64, string) {
		old := e.params[p.Name]
		moved := netdef.NewTensor(p.Shape)
		for i, v := range old.Data {
			moved.Data[i] = v + h*dir[i]
		}
		e.params[p.Name] = moved
		defer func() { e.params[p.Name] = old }()
		v := run(t, e.in, e.params, loss, e.logvar)
		clamped := make([]byte, len(v[1].Data))
		for i, lv := range v[1].Data {
			if lv <= MinLogVar || lv >= MaxLogVar {
				clamped[i] = 1
			}
		}
		return v[0].Data[0], string(clamped)
	}
	crossed := 0
	for i, p := range params {
		dir := randomTensor(rnd, p.Shape, 1).Data
		got, norm := 0.0, 0.0
		for j, d := range dir {
			got += d * values[i].Data[j]
			norm += values[i].Data[j] * values[i].Data[j]
		}
		const h = 1e-5
		up, upClamped := at(p, dir, h)
		low, lowClamped := at(p, dir, -h)
		if upClamped != lowClamped { // a finite difference across a kink means nothing
			crossed++
			continue
		}
		want := (up - low) / (2 * h)
		if math.Abs(got-want) > 1e-5*(math.Sqrt(norm)+1e-3) {
			t.Errorf("%s: slope %g, finite difference %g", p.Name, got, want)
		}
		if norm == 0 {
			t.Errorf("%s gets no gradient", p.Name)
		}
	}
	if crossed > len(params)/4 {
		t.Errorf("%d of %d parameters could not be checked", crossed, len(params))
	}
	t.Logf("%d parameter tensors, %d nodes", len(params), len(netdef.Reachable(append(grads, loss)...)))
}

func TestEdgeConfig(t *testing.T) {
	cfg := DefaultEdge()
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Decode("edge", string(text))
	if err != nil || !reflect.DeepEqual(Architecture(cfg), back) {
		t.Errorf("configuration does not survive JSON: %v", err)
	}
	cost, err := CostOf(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("default: %+v, halo %d pixels", cost, cfg.Halo(1))
	if n := cost.AdapterParams; n < 400_000 || n > 1_400_000 {
		t.Errorf("adapter of %d parameters: packed weights of 8 bits must stay under 3 MB", n)
	}
	if cost.FLOPsPerPixel < 15e3 || cost.FLOPsPerPixel > 38e3 {
		t.Errorf("%g FLOP per pixel", cost.FLOPsPerPixel)
	}
	for field, spoil := range map[string]func(c *EdgeConfig){
		"widths": func(c *EdgeConfig) { c.Widths = []int{12, 16, 16} },
		"blocks": func(c *EdgeConfig) { c.Blocks = []int{1} },
		"mid":    func(c *EdgeConfig) { c.Mid = -1 },
		"gates":  func(c *EdgeConfig) { c.Gates = []int{1, 2, 3} },
		"fine":   func(c *EdgeConfig) { c.Fine = 12 },
		"emb":    func(c *EdgeConfig) { c.Emb = 0 },
		"sd":     func(c *EdgeConfig) { c.SD[3] = 0 },
		"mean":   func(c *EdgeConfig) { c.Mean[3] = float32(math.NaN()) },
	} {
		bad := DefaultEdge()
		spoil(&bad)
		g := netdef.NewGraph()
		OneStep(g, bad, g.Input("z", netdef.Shape{1, 4, 4, 48}))
		var e *ConfigError
		if !errors.As(g.Err(), &e) || !strings.Contains(e.Field, field) {
			t.Errorf("bad %s: %v", field, g.Err())
		}
	}
	g := netdef.NewGraph()
	if OneStep(g, cfg, g.Input("z", netdef.Shape{1, 4, 6, 48})); g.Err() == nil || !strings.Contains(g.Err().Error(), "16 pixels") {
		t.Errorf("a width that does not divide gives %v", g.Err())
	}
}

// TestOtherSizes builds and runs unusual configurations.
func TestOtherSizes(t *testing.T) {
	rnd := newRand(t)
	for _, c := range []EdgeConfig{
		{Widths: []int{8}, Blocks: []int{}, Mid: 0, Emb: 8, SD: PhotoSD()},
		{Widths: []int{8}, Mid: 2, Emb: 16, SD: PhotoSD()},
		{Widths: []int{8}, Mid: 0, Fine: 24, Emb: 16, SD: PhotoSD()},
		{Widths: []int{8, 24, 16}, Blocks: []int{0, 2}, Mid: 1, Emb: 8, SD: PhotoSD()},
		{Widths: []int{8, 16}, Blocks: []int{1}, Mid: 1, Gates: []int{3, 1}, Emb: 8, SD: PhotoSD()},
	} {
		n := c.Align() / 4
		e := build(t, rnd, c, 1, n, 2*n)
		e.shake(rnd, 0.2)
		for _, v := range run(t, e.in, e.params, e.mu, e.logvar, e.u, e.restored) {
			for _, x := range v.Data {
				if math.IsNaN(x) || math.IsInf(x, 0) {
					t.Fatalf("widths %v: output holds %g", c.Widths, x)
				}
			}
		}
	}
}
