package restore

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/netdef/reference"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/task"
)

// Compares pictures from the prior with Algorithm 1 in float64.
func TestSample(t *testing.T) {
	rnd := newRand(t)
	net := tinyNetwork(t, tinyConfig(), sharedSeed)
	m := sharedModel(t, 16, NoMargin)
	req := SampleRequest{W: 50, H: 37, Samples: 2, Times: []float64{1, 0.4, 0}, Temperature: 0.8, Seed: rnd.Uint64()}
	calls, last, total := 0, 0, 0
	req.Progress = func(done, of int) { calls, last, total = calls+1, done, of }
	got, err := m.Sample(context.Background(), req)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || calls != total || last != total {
		t.Fatalf("%d pictures; progress was called %d times, %d of %d at last", len(got), calls, last, total)
	}
	w, h := tile.DomainSide(req.W, m.general.align), tile.DomainSide(req.H, m.general.align)
	g := netdef.NewGraph()
	k := graphBuilder{m.general.Config, w, h}
	x := g.Scale(g.Normal(k.shape(), g.Input("key", netdef.KeyShape), 0), req.Temperature)
	num := func(v float64) *netdef.Node { return g.Const("", netdef.Scalar, []float32{float32(v)}) }
	for i := range 2 {
		from, to := req.Times[i], req.Times[i+1]
		x = g.Sub(x, g.Scale(nets.FlowMap(g, m.general.Config, x, num(to), num(from)), from-to))
	}
	out := k.picture(g, x)
	params := map[string]*netdef.Tensor{}
	for _, p := range netdef.Params(out) {
		params[p.Name] = &netdef.Tensor{Shape: p.Shape, Data: float64s(net.Params[p.Name])}
	}
	for s, p := range got {
		if err := p.Check(); err != nil || p.W != req.W || p.H != req.H {
			t.Fatalf("%d×%d: %v", p.W, p.H, err)
		}
		want, err := reference.Run([]*netdef.Node{out}, map[string]*netdef.Tensor{"key": netdef.Key{Seed: req.Seed, Sample: uint32(s)}.Tensor()}, params)
		if err != nil {
			t.Fatal(err)
		}
		worst := 0.0
		for c := range 3 {
			for y := range p.H {
				for x := range p.W {
					v := min(max(want[0].Data[(c*h+y)*w+x], -1), 1)
					worst = max(worst, math.Abs(v-float64(p.Pix[(c*p.H+y)*p.W+x])))
				}
			}
		}
		if !(worst < 2e-4) {
			t.Errorf("sample %d: off by %g", s, worst)
		}
	}
	var bad *RequestError
	for _, n := range []int{-1, MaxSamples + 1, math.MaxInt} {
		if _, err := m.Sample(context.Background(), SampleRequest{W: 3, H: 3, Samples: n}); !errors.As(err, &bad) || bad.Field != "samples" {
			t.Errorf("%d samples: %v", n, err)
		}
	}
	for field, req := range map[string]SampleRequest{
		"size": {H: 3, Samples: 1}, "samples": {W: 3, H: 3}, "steps": {W: 3, H: 3, Samples: 1, Steps: -1},
		"times": {W: 3, H: 3, Samples: 1, Times: []float64{0, 1}}, "temperature": {W: 3, H: 3, Samples: 1, Temperature: math.Inf(1)},
	} {
		if _, err := m.Sample(context.Background(), req); !errors.As(err, &bad) || bad.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// The projection makes known pixels equal to the observation, noise included, and brings a
// deblurred picture closer to its observation.
func TestProjection(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	p := randomPicture(rnd, 40, 23)
	n := 40 * 23
	req := request(rnd, task.Inpaint, p)
	req.Noise, req.Project, req.Samples = 6, true, 2
	res := restored(t, m, p, req)
	free := req
	free.Project = false
	plain := restored(t, m, p, free)
	for i, v := range p.Pix {
		q := []float32{res.Picture.Pix[i], res.Samples[1].Pix[i]}
		want := []float32{plain.Picture.Pix[i], plain.Samples[1].Pix[i]} // missing: as without
		if !req.Mask[i%n] {
			want = []float32{v, v}
		}
		for k := range q {
			if math.Abs(float64(q[k]-want[k])) > 1e-6 {
				t.Fatalf("value %d is %g, want %g", i, q[k], want[k])
			}
		}
	}
	req = request(rnd, task.GaussianDeblur, p)
	op, err := task.NewOperator(task.GaussianDeblur, 40, 23, task.Params{})
	if err != nil {
		t.Fatal(err)
	}
	misfit := func(project bool) float64 {
		req.Project = project
		ax, err := op.Apply(restored(t, m, p, req).Picture.Planar())
		if err != nil {
			t.Fatal(err)
		}
		s := 0.0
		for i, v := range ax.Pix {
			s += math.Pow(float64(v-p.Pix[i]), 2)
		}
		return s
	}
	if with, without := misfit(true), misfit(false); !(with < without) {
		t.Errorf("‖y − A x‖² is %g with the projection, %g without", with, without)
	}
}

// In every block the latent in pixels has the same norm as in flow space, and the same sum of
// variances.
func TestLatent(t *testing.T) {
	rnd := newRand(t)
	m := sharedModel(t, 0, NoMargin)
	p := randomPicture(rnd, 64, 64)
	req := request(rnd, task.Denoise, p)
	req.Samples, req.Explain = 2, true
	res := restored(t, m, p, req)
	l := res.Latent
	if l == nil || l.W != 64 || l.H != 64 || len(l.Z) != 2 {
		t.Fatalf("latent %+v", l)
	}
	j, err := m.newCheckedJob(p, req)
	if err == nil {
		err = m.prepareViews(t.Context(), j)
	}
	if err != nil {
		t.Fatal(err)
	}
	r := m.newRun(context.Background(), j, nil)
	mu, logvar := tile.NewField(r.domain), tile.NewField(r.domain)
	ts, _ := r.tiles(m.general.halo)
	s := stage{program: programAdapter, halo: m.general.halo, inputs: j.adapterInputs(), outputs: []output{{index: outMu, write: mu.Write}, {index: outLogVar, write: logvar.Write}}}
	if err := r.runTiles(s, ts); err != nil {
		t.Fatal(err)
	}
	square := func(v []float32) (sum float64) {
		for _, x := range v {
			sum += float64(x) * float64(x)
		}
		return sum
	}
	variance := 0.0
	for _, v := range logvar.Data {
		variance += math.Exp(float64(v))
	}
	if a, b := square(l.Mu), square(mu.Data); math.Abs(a/b-1) > 1e-5 {
		t.Errorf("‖μ‖² is %g in pixels, %g in flow space", a, b)
	}
	if a := square(l.Sigma); math.Abs(a/variance-1) > 1e-5 {
		t.Errorf("Σσ² is %g in pixels, %g in flow space", a, variance)
	}
	if slices.Equal(l.Z[0], l.Z[1]) {
		t.Error("the samples have the same z")
	}
	// ε = (z − μ)/σ in flow space is white, however unequal the variances are.
	var n, sum, squares float64
	for y := range 16 {
		for x := range 16 {
			for i, row := range nets.HaarMatrix {
				d := 0.0
				for k, v := range row {
					at := (k%3*64+4*y+k/12)*64 + 4*x + k/3%4
					d += v * float64(l.Z[0][at]-l.Mu[at])
				}
				eps := d / math.Exp(float64(logvar.Data[(y*16+x)*nets.FlowChannels+i])/2)
				n, sum, squares = n+1, sum+eps, squares+eps*eps
			}
		}
	}
	if mean, spread := sum/n, squares/n; math.Abs(mean) > 6/math.Sqrt(n) || math.Abs(spread-1) > 6*math.Sqrt(2/n) {
		t.Errorf("(z − μ)/σ has mean %g and variance %g over %g values", mean, spread, n)
	}
	req.Explain = false
	if restored(t, m, p, req).Latent != nil {
		t.Error("a latent that nobody asked for")
	}
	pic := LatentPicture([]float32{0, 3, -3, 9, -9, 1.5}, 2, 1, 0, 3)
	if want := []float32{0, 1, -1, 1, -1, 0.5}; !slices.Equal(pic.Pix, want) {
		t.Errorf("shown as %v, want %v", pic.Pix, want)
	}
}
