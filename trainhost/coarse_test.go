package trainhost

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/netdef/reference"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/pyramid"
)

// The guesses of a batch are those of the definition, computed in float64: each picture's halves are
// restored from the coarsest to the finest, as many as its depth says.
func TestCoarseGuess(t *testing.T) {
	const n, side, levels = 3, 64, 2
	rng := rand.New(rand.NewPCG(12, 5))
	cfg := tinyNet()
	cfg.Noise, cfg.Coarse = true, levels
	one := coarseNodes(t, cfg, side/2)
	store, err := compile.NewStore(testDev, netdef.Reachable(one...), false, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	params := map[string][]float32{}
	for _, p := range netdef.Params(one...) {
		v := netdef.InitialValues(p, 4)
		for i := range v {
			v[i] += float32(0.1 * rng.NormFloat64())
		}
		params[p.Name] = v
	}
	if err := store.Set(params); err != nil {
		t.Fatal(err)
	}
	step, err := newCoarseStep(testDev, store, cfg, n, side)
	if err != nil {
		t.Fatal(err)
	}
	defer step.close()

	b := batch{inNoisy: make([]float32, n*3*side*side)}
	for i := range b[inNoisy] {
		b[inNoisy][i] = float32(0.5*math.Sin(float64(i)/9) + 0.2*rng.NormFloat64())
	}
	profiles := []noise.Profile{noise.White(0.1), noise.White(0.02), noise.Grey(0.05)}
	b.addHalves(rng, profiles, side, levels)
	copy(b[inDepth], []float32{0, 1, 2})
	if err := step.guess(b); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		y := &planar.Image{W: side, H: side, Pix: b[inNoisy][i*3*side*side:][:3*side*side]}
		want := coarseGuess64(t, cfg, params, y, profiles[i], i)
		got := b[inCoarseGuess][i*3*side*side:][:3*side*side]
		if off := apart(got, want); off > 1e-4 {
			t.Errorf("depth %d: the guess is off by %g", i, off)
		}
		if moved := apart(got, y.Pix); (moved > 0.01) != (i > 0) {
			t.Errorf("depth %d: the guess differs from the picture by %g", i, moved)
		}
	}
}

// coarseNodes are the nodes of the network, for its parameters.
func coarseNodes(t *testing.T, cfg nets.EdgeConfig, side int) []*netdef.Node {
	g := netdef.NewGraph()
	out := coarseGraph(g, cfg, 1, side)
	if err := g.Err(); err != nil {
		t.Fatal(err)
	}
	return []*netdef.Node{out}
}

// coarseGuess64 is the guess of one picture.
func coarseGuess64(t *testing.T, cfg nets.EdgeConfig, params map[string][]float32, y *planar.Image, p noise.Profile, depth int) []float32 {
	if depth == 0 {
		return y.Pix
	}
	half, below := pyramid.Halve(y.W, y.H, pyramid.RowsOf(y)), p.Halved()
	g := netdef.NewGraph()
	out := coarseGraph(g, cfg, 1, half.W)
	vector := make([]float32, nets.NoiseNumbers)
	below.Vector(vector)
	values := map[string][]float32{
		inNoisy: half.Pix, inSigma: {float32(below.Sigma())}, inNoise: vector,
		inGuess: coarseGuess64(t, cfg, params, half, below, depth-1),
	}
	inputs, tensors := map[string]*netdef.Tensor{}, map[string]*netdef.Tensor{}
	for _, node := range g.Nodes() {
		v, to := values[node.Name], inputs
		switch node.Op.(type) {
		case *netdef.ParamOp:
			v, to = params[node.Name], tensors
		case *netdef.InputOp:
		default:
			continue
		}
		data := make([]float64, len(v))
		for i, x := range v {
			data[i] = float64(x)
		}
		to[node.Name] = &netdef.Tensor{Shape: node.Shape, Data: data}
	}
	result, err := reference.Run([]*netdef.Node{out}, inputs, tensors)
	if err != nil {
		t.Fatal(err)
	}
	restored := planar.New(half.W, half.H)
	for i, v := range result[0].Data {
		restored.Pix[i] = float32(v)
	}
	guess := y.Clone()
	pyramid.AddEnlarged(guess.Pix, pyramid.Difference(restored.Clamp(), half), 0, 0, y.W, y.H)
	return guess.Pix
}

// All depths are drawn, the largest half of the time.
func TestDepths(t *testing.T) {
	const n, side = 400, 16
	b := batch{inNoisy: make([]float32, n*3*side*side)}
	b.addHalves(rand.New(rand.NewPCG(1, 2)), make([]noise.Profile, n), side, 2)
	var count [3]int
	for _, d := range b[inDepth] {
		count[int(d)]++
	}
	if count[0] < 70 || count[1] < 70 || count[2] < 160 {
		t.Errorf("depths 0, 1 and 2 came %v times", count)
	}
}

// A run whose network restores halves first trains, and goes on after a checkpoint as if it had not
// stopped. Without the shape of noise it is refused.
func TestTrainCoarse(t *testing.T) {
	cfg := tinyConfig(4)
	cfg.Movement, cfg.Per, cfg.Objective, cfg.Crop = true, Counts{2, 0, 0, 0, 0, 0}, regression(), 96
	net := tinyNet()
	net.Coarse = 2
	if _, err := NewTrainer(testDev, noisePictures(3, 160), net, cfg, nil, false); err == nil || !strings.Contains(err.Error(), "-noise") {
		t.Errorf("without the shape of the noise: %v", err)
	}
	net.Noise = true
	pics := noisePictures(3, 160)
	frames := writeFrames(t, greys(8, 96))
	run := func(from *Checkpoint, steps uint64) *Trainer {
		tr, err := NewTrainer(testDev, pics, net, cfg, from, from != nil)
		if err != nil {
			t.Fatal(err)
		}
		if tr.Movement, err = NewMovement(pics, frames, cfg.Crop); err != nil {
			t.Fatal(err)
		}
		for tr.State.Step < steps {
			b, err := tr.batch(tr.State.Step)
			if err == nil {
				err = tr.train(b)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return tr
	}
	whole := run(nil, 4)
	defer whole.Close()
	half := run(nil, 2)
	path := t.TempDir() + "/a.ckpt"
	if err := SaveCheckpoint(path, half.Store(), half.State); err != nil {
		t.Fatal(err)
	}
	half.Close()
	c, err := LoadCheckpoint(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.State.Network.Coarse != 2 {
		t.Errorf("the checkpoint's network is %+v", c.State.Network)
	}
	resumed := run(c, 4)
	defer resumed.Close()
	want, err := whole.Store().Get()
	if err != nil {
		t.Fatal(err)
	}
	got, err := resumed.Store().Get()
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range want {
		if !slices.Equal(v, got[name]) {
			t.Fatalf("%s differs after a pause", name)
		}
	}
}
