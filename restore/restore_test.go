package restore

import (
	"math"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/netdef/reference"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// oracle restores in float64: the whole domain at once, z = μ + temperature·σ·ε, in any number of
// steps.
func oracle(t *testing.T, m *Model, net *Network, j *job, temperature float64, sample uint32) []float32 {
	t.Helper()
	dom := m.newRun(t.Context(), j, nil).domain
	g := netdef.NewGraph()
	k := graphBuilder{net.Config, dom.W, dom.H}
	mu, logvar := k.adapter(g, j.hasSecondView)
	noise := g.Normal(mu.Shape, g.Input("key", netdef.KeyShape), 0)
	x := g.Add(mu, g.Scale(g.Mul(g.Exp(g.Scale(logvar, 0.5)), noise), temperature))
	times := func(v float64) *netdef.Node { return g.Const("", netdef.Scalar, []float32{float32(v)}) }
	for i, from := range j.times[:len(j.times)-1] {
		to := j.times[i+1]
		x = g.Sub(x, g.Scale(nets.FlowMap(g, net.Config, x, times(to), times(from)), from-to))
	}
	inputs, params := map[string]*netdef.Tensor{}, map[string]*netdef.Tensor{}
	sizes := map[string]int{}
	for _, n := range g.Nodes() {
		sizes[n.Name] = n.Shape.Size()
	}
	for _, in := range j.adapterInputs() {
		v := make([]float32, sizes[in.name])
		if in.prepareTile != nil {
			if err := in.prepareTile(dom); err != nil {
				t.Fatal(err)
			}
		}
		in.fill(dom, v)
		inputs[in.name] = &netdef.Tensor{Data: float64s(v)}
	}
	for _, n := range g.Nodes() {
		switch n.Op.(type) {
		case *netdef.InputOp:
			if in := inputs[n.Name]; in != nil {
				in.Shape = n.Shape
			}
		case *netdef.ParamOp:
			params[n.Name] = &netdef.Tensor{Shape: n.Shape, Data: float64s(net.Params[n.Name])}
		}
	}
	at := uint32(int32(dom.X / 4))
	inputs["key"] = netdef.Key{Seed: j.req.Seed, Sample: sample, Y0: at, X0: at}.Tensor()
	out, err := reference.Run([]*netdef.Node{k.picture(g, x)}, inputs, params)
	if err != nil {
		t.Fatal(err)
	}
	pix := make([]float32, 3*j.w*j.h)
	for c := range 3 {
		for y := range j.h {
			for x := range j.w {
				pix[(c*j.h+y)*j.w+x] = float32(out[0].Data[(c*dom.H+y-dom.Y)*dom.W+x-dom.X])
			}
		}
	}
	return j.finishValues(tile.Planes{W: j.w, H: j.h, Data: pix})
}

func float64s(v []float32) []float64 {
	d := make([]float64, len(v))
	for i, x := range v {
		d[i] = float64(x)
	}
	return d
}

// TestAgainstReference compares whole restorations, in one tile and in several, with float64.
func TestAgainstReference(t *testing.T) {
	rnd := newRand(t)
	net := tinyNetwork(t, tinyConfig(), sharedSeed)
	for _, c := range []struct {
		what                task.Task
		w, h                int
		tile, margin, steps int
		times               []float64
	}{
		{task.MotionDeblur, 29, 50, 0, NoMargin, 1, nil},
		{task.SuperResolve, 9, 14, 16, FullMargin, 1, nil},
		{task.InpaintBox, 64, 41, 0, NoMargin, 3, nil},
		{task.Denoise, 40, 30, 16, NoMargin, 0, []float64{1, 0.85, 0.3, 0}},
	} {
		m := sharedModel(t, c.tile, c.margin)
		p := randomPicture(rnd, c.w, c.h)
		req := request(rnd, c.what, p)
		req.Samples, req.Steps, req.Times, req.Temperature = 2, c.steps, c.times, 0.7
		req.Noise += 1
		res := restored(t, m, p, req)
		j, err := m.newCheckedJob(p, req)
		if err == nil {
			err = m.prepareViews(t.Context(), j)
		}
		if err != nil {
			t.Fatal(err)
		}
		if (j.secondView != nil) != (c.what == task.MotionDeblur) {
			t.Fatalf("%v: a guess: %v", c.what, j.secondView != nil)
		}
		view := make([]float32, 3*j.w*j.h)
		j.view.Read(tile.Rect{X: 0, Y: 0, W: j.w, H: j.h}, view)
		worst := apart(res.Picture.Pix, oracle(t, m, net, j, 0, 0))
		for i, s := range res.Samples {
			worst = max(worst, apart(s.Pix, oracle(t, m, net, j, req.Temperature, uint32(i))))
		}
		moved := apart(res.Picture.Pix, view)
		t.Logf("%+v: off by %.2g; the network moved pixels by %.2g", c, worst, moved)
		if !(worst < 2e-4) || moved < 0.05 {
			t.Errorf("%+v: off by %g from the reference, which moves pixels by %g", c, worst, moved)
		}
	}
}

func TestSamplesAndStatistics(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	p := randomPicture(rnd, 40, 23)
	req := request(rnd, task.GaussianDeblur, p)
	req.Samples = 4
	a, b := restored(t, m, p, req), restored(t, m, p, req)
	more := req
	more.Samples = 5
	c := restored(t, m, p, more)
	for i := range a.Samples {
		if !slices.Equal(a.Samples[i].Pix, b.Samples[i].Pix) || !slices.Equal(a.Samples[i].Pix, c.Samples[i].Pix) {
			t.Errorf("sample %d is not reproducible", i)
		}
		for k := range i {
			if apart(a.Samples[i].Pix, a.Samples[k].Pix) < 0.01 {
				t.Errorf("samples %d and %d are alike", i, k)
			}
		}
	}
	for i := range a.Picture.Pix {
		mean, m2 := 0.0, 0.0
		for _, s := range a.Samples {
			mean += float64(s.Pix[i]) / 4
		}
		for _, s := range a.Samples {
			m2 += math.Pow(float64(s.Pix[i])-mean, 2)
		}
		if std := math.Sqrt(m2 / 3); math.Abs(float64(a.Mean.Pix[i])-mean) > 1e-6 || math.Abs(float64(a.Std[i])-std) > 1e-5 {
			t.Fatalf("value %d: mean %g, std %g, want %g, %g", i, a.Mean.Pix[i], a.Std[i], mean, std)
		}
	}
	// There are 3 by 2 areas; the last ones are smaller.
	if len(a.Areas) != 3*2*3 {
		t.Fatalf("%d values of areas", len(a.Areas))
	}
	for i, got := range a.Areas {
		x0, y0, c := i%3*AreaSide, i/3%2*AreaSide, i/6
		var means []float64
		all := 0.0
		for _, s := range a.Samples {
			sum, n := 0.0, 0
			for y := y0; y < min(y0+AreaSide, p.H); y++ {
				for x := x0; x < min(x0+AreaSide, p.W); x++ {
					sum += float64(s.Pix[(c*p.H+y)*p.W+x])
					n++
				}
			}
			means = append(means, sum/float64(n))
			all += sum / float64(n) / 4
		}
		m2 := 0.0
		for _, v := range means {
			m2 += (v - all) * (v - all)
		}
		if want := math.Sqrt(m2 / 3); math.Abs(float64(got)-want) > 1e-5 {
			t.Fatalf("area %d: standard deviation %g, want %g", i, got, want)
		}
	}
	calls, of := 0, 0
	plain := req
	plain.Samples, plain.Progress = 0, func(_, total int) { calls, of = calls+1, total }
	if restored(t, m, p, plain); calls != 1 || of != 1 {
		t.Errorf("a picture of one tile makes progress %d times, of %d", calls, of)
	}
	other := req
	other.Seed++
	if o := restored(t, m, p, other); apart(o.Samples[0].Pix, a.Samples[0].Pix) < 0.01 || !slices.Equal(o.Picture.Pix, a.Picture.Pix) {
		t.Error("the seed must change samples, and nothing else")
	}
	cold := req
	cold.Temperature, cold.Samples = NoSpread, 1
	if o := restored(t, m, p, cold); apart(o.Samples[0].Pix, o.Picture.Pix) > 1e-5 || o.Std != nil || o.Mean == nil {
		t.Error("at NoSpread a sample is the picture of z = μ; one sample has a mean and no deviation")
	}
	unset, one := req, req
	unset.Temperature, one.Temperature = 0, 1
	if o := restored(t, m, p, unset); apart(o.Samples[0].Pix, o.Samples[1].Pix) < 0.01 || !slices.Equal(o.Std, restored(t, m, p, one).Std) {
		t.Error("samples without a temperature are not those of temperature 1")
	}
	only := req
	only.StatisticsOnly = true
	if o := restored(t, m, p, only); len(o.Samples) != 0 || !slices.Equal(o.Std, a.Std) || !slices.Equal(o.Mean.Pix, a.Mean.Pix) {
		t.Error("StatisticsOnly changes the statistics")
	}
	two := req
	two.Steps, two.Samples = 2, 1
	if o := restored(t, m, p, two); apart(o.Picture.Pix, a.Picture.Pix) < 1e-4 {
		t.Error("two steps give what one gives, though the weights are random")
	}
}

// TestKindsOfPictures checks what is kept: grey, alpha, depth, and known pixels.
func TestKindsOfPictures(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	p := randomPicture(rnd, 10, 12)
	n := 10 * 12
	copy(p.Pix[n:2*n], p.Pix[:n])
	copy(p.Pix[2*n:], p.Pix[:n])
	p.Gray, p.Depth, p.ICC, p.Alpha = true, 16, []byte("profile"), make([]float32, n)
	for i := range p.Alpha {
		p.Alpha[i] = rnd.Float32()
	}
	req := request(rnd, task.Denoise, p)
	req.Samples = 2
	res := restored(t, m, p, req)
	for _, q := range []*picture.Picture{res.Picture, res.Mean, res.Samples[1]} {
		if !slices.Equal(q.Pix[:n], q.Pix[n:2*n]) || !slices.Equal(q.Pix[:n], q.Pix[2*n:]) || !q.Gray {
			t.Error("grey became coloured")
		}
		if q.Depth != 16 || !slices.Equal(q.Alpha, p.Alpha) || string(q.ICC) != "profile" {
			t.Error("depth, alpha or profile changed")
		}
	}
	req = request(rnd, task.SuperResolve, p)
	if q := restored(t, m, p, req).Picture; len(q.Alpha) != 16*n {
		t.Errorf("alpha has %d values after enlarging", len(q.Alpha))
	}

	for _, what := range []task.Task{task.Inpaint, task.InpaintBox, task.InpaintRandom} {
		p = randomPicture(rnd, 10, 12)
		req = request(rnd, what, p)
		req.Noise, req.Samples = maxKeptNoise*rnd.Float64(), 2
		res = restored(t, m, p, req)
		req.Noise = 3
		noisy := restored(t, m, p, req)
		touched := 0.0
		for i := range p.Pix {
			if !req.Mask[i%n] {
				touched = max(touched, math.Abs(float64(noisy.Picture.Pix[i]-p.Pix[i])))
				if res.Picture.Pix[i] != p.Pix[i] || res.Samples[0].Pix[i] != p.Pix[i] || res.Mean.Pix[i] != p.Pix[i] || res.Std[i] != 0 {
					t.Fatalf("%v: known value %d was changed", what, i)
				}
			}
		}
		if touched == 0 {
			t.Errorf("%v: noise 3 leaves all known pixels alone", what)
		}
		if res.Task == task.Inpaint || what != task.Inpaint && res.Task != what {
			t.Errorf("%v was taken for %v", what, res.Task)
		}
	}
}

func TestNoiseLevels(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	const side = 192
	p := picture.New(side, side, make([]float32, 3*side*side))
	std := 4 + 10*rnd.Float64()
	for i := range p.Pix {
		p.Pix[i] = float32(0.5*math.Sin(float64(i%side)/9) + rnd.NormFloat64()*task.Sigma(std))
	}
	auto := restored(t, m, p, Request{Task: task.Denoise, Noise: 0})
	if math.Abs(auto.Noise/std-1) > 0.25 {
		t.Errorf("noise of %g levels was estimated as %g", std, auto.Noise)
	}
	given := restored(t, m, p, Request{Task: task.Denoise, Noise: auto.Noise})
	if !slices.Equal(given.Picture.Pix, auto.Picture.Pix) {
		t.Error("an estimated noise level does not do what the same level does when given")
	}
	if clean := restored(t, m, p, Request{Task: task.Denoise, Noise: NoNoise}); clean.Noise != 0 || apart(clean.Picture.Pix, auto.Picture.Pix) < 1e-3 {
		t.Error("the noise level has no effect")
	}
	if below := restored(t, m, p, Request{Task: task.Denoise, Noise: -1}); below.Noise != auto.Noise {
		t.Errorf("a noise below 0 is taken for %g, not estimated as %g", below.Noise, auto.Noise)
	}
	if r := restored(t, m, p, Request{Task: task.Denoise, Noise: 100}); r.Noise != MaxNoise {
		t.Errorf("noise 100 was taken for %g", r.Noise)
	}
	for i := range p.Pix { // clean, but for a trace
		p.Pix[i] = float32(0.5*math.Sin(float64(i%side)/9) + rnd.NormFloat64()*task.Sigma(0.2))
	}
	r := restored(t, m, p, Request{Task: task.Inpaint, Mask: make([]bool, side*side), Noise: 0})
	if r.Noise != 0 || !slices.Equal(r.Picture.Pix, p.Pix) {
		t.Errorf("inpainting took a trace of noise for %g", r.Noise)
	}
}
