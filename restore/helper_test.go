package restore

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// testDev is shared by the tests' models. The validation layer checks it if it is installed.
var testDev *gpu.Device

func TestMain(m *testing.M) {
	gputest.SmallKernels()
	gputest.Main(m, &testDev, "-", func() {
		if shared != nil {
			shared.Close()
		}
	})
}

func newRand(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// tinyConfig reaches 32 pixels per network, at an alignment of 8.
func tinyConfig() nets.EdgeConfig {
	return nets.EdgeConfig{Widths: []int{8, 16}, Blocks: []int{1}, Mid: 1, Gates: []int{3, 1}, Guess: true, Emb: 8, SD: nets.PhotoSD()}
}

// tinyNetwork returns a network with random weights, so that no part of it is at its neutral start.
func tinyNetwork(t testing.TB, cfg nets.Architecture, seed uint64) *Network {
	t.Helper()
	rnd := rand.New(rand.NewPCG(seed, 2))
	n := &Network{Config: cfg, Params: map[string][]float32{}}
	_, outs, err := n.graph()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range netdef.Params(outs...) {
		v := netdef.InitialValues(p, seed)
		for i := range v {
			v[i] += float32(0.1 * rnd.NormFloat64())
		}
		n.Params[p.Name] = v
	}
	return n
}

// shared is the model of the tiny network. The tests use it one after the other, because building
// its programs takes most of the time.
var shared *Model

const sharedSeed = 7

// sharedModel is that model with a tile size and a margin, set as Open would.
func sharedModel(t testing.TB, tile, margin int) *Model {
	t.Helper()
	if shared == nil {
		shared = open(t, Config{Network: tinyNetwork(t, tinyConfig(), sharedSeed)})
	}
	shared.cfg.Tile, shared.general.grid = tile, newGrid(shared.general.Config, margin)
	return shared
}

// variant returns a model of the same networks that a test may change. It has programs of its own.
func variant(t testing.TB, m *Model) *Model { return variantOf(t, m, 1) }

// variantOf is variant with a share of the device's time (Config.Pace).
func variantOf(t testing.TB, m *Model, share float64) *Model {
	t.Helper()
	v := &Model{cfg: m.cfg, general: m.general}
	for _, of := range m.networks {
		v.networks = append(v.networks, &taskNetwork{tasks: of.tasks, load: of.load})
	}
	v.shareParameters()
	var err error
	if v.engine, err = engine.Open(engine.Options{Shared: testDev, Share: share}); err != nil {
		t.Fatal(err)
	}
	v.engine.Pace.Force(time.Hour, 0, 0)
	t.Cleanup(v.engine.Close)
	return v
}

// dropAll frees the programs that are not in use.
func dropAll(t testing.TB, m *Model) {
	t.Helper()
	if err := m.engine.Drop(context.Background(), func(engine.Recipe) bool { return true }); err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, cfg Config) *Model {
	t.Helper()
	cfg.Shared = testDev
	m, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	m.engine.Pace.Force(time.Hour, 0, 0) // tiles stay as they are however busy the machine is
	return m
}

// randomPicture is smooth with noise, like photographs.
func randomPicture(rnd *rand.Rand, w, h int) *picture.Picture {
	pix := make([]float32, 3*w*h)
	for c := range 3 {
		fx, fy, phase := 0.3*rnd.Float64(), 0.3*rnd.Float64(), 6*rnd.Float64()
		for y := range h {
			for x := range w {
				v := 0.6*math.Sin(fx*float64(x)+fy*float64(y)+phase) + 0.1*rnd.NormFloat64()
				pix[(c*h+y)*w+x] = float32(min(max(v, -1), 1))
			}
		}
	}
	return picture.New(w, h, pix)
}

// request returns a valid request of the task for the picture.
func request(rnd *rand.Rand, what task.Task, p *picture.Picture) Request {
	r := Request{Task: what, Noise: 20 * rnd.Float64(), Seed: rnd.Uint64(), Temperature: 1}
	switch what {
	case task.GaussianDeblur:
		r.Blur = &TrainedBlur
	case task.MotionDeblur: // of less noise, the kernel is found by edges, which is not the network's part
		r.Noise += maxBlindNoise + 1
	}
	if what.Masked() {
		r.Mask = make([]bool, p.W*p.H)
		for i := 1; i < len(r.Mask); i++ { // the first stays known
			r.Mask[i] = rnd.IntN(3) == 0
		}
	}
	return r
}

func restored(t testing.TB, m *Model, p *picture.Picture, r Request) *Result {
	t.Helper()
	before := slices.Clone(p.Pix)
	res, err := m.Restore(context.Background(), p, r)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(p.Pix, before) {
		t.Fatal("the picture given was changed")
	}
	for _, q := range append([]*picture.Picture{res.Picture}, res.Samples...) {
		if err := q.Check(); err != nil || q.W != p.W*r.Task.Scale() || q.H != p.H*r.Task.Scale() {
			t.Fatalf("%d×%d became %d×%d: %v", p.W, p.H, q.W, q.H, err)
		}
	}
	return res
}

// apart is the largest difference between two pictures' values.
func apart(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	d := 0.0
	for i := range a {
		d = max(d, math.Abs(float64(a[i]-b[i])))
		if a[i] != a[i] || b[i] != b[i] {
			return math.NaN()
		}
	}
	return d
}
