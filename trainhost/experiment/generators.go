package experiment

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/metric"
)

// GeneratorsConfig compares one-step generators of the checkerboard's prior with equal numbers of
// operations.
type GeneratorsConfig struct {
	// Checker holds the networks, the data, the batch, the optimiser and the number of samples for
	// a score (Cloud). Its numbers of steps are not used.
	Checker CheckerConfig
	// TFLOP is the number of operations of one training in 10¹²: convolutions and products, with
	// gradients and tangents.
	TFLOP float64
	Seeds int // trainings of each generator
}

// SmallGenerators takes less than 20 minutes in all on two cores.
func SmallGenerators() GeneratorsConfig {
	return GeneratorsConfig{Checker: SmallChecker(), TFLOP: 0.4, Seeds: 3}
}

// PaperGenerators has the networks and the batch of the paper's checkerboard, and the operations of
// its 50,000 steps; for a GPU.
func PaperGenerators() GeneratorsConfig {
	return GeneratorsConfig{Checker: PaperChecker(), TFLOP: 1100, Seeds: 3}
}

// TinyGenerators shows within seconds that everything runs; its scores mean nothing.
func TinyGenerators() GeneratorsConfig {
	c := SmallChecker()
	c.Flow, c.Adapter = nets.MLPConfig{Layers: 3, Width: 16, Dim: 2}, nets.MLPConfig{Layers: 2, Width: 16, Dim: 2}
	c.Batch, c.Points, c.Cloud = 64, 1000, 200
	return GeneratorsConfig{Checker: c, TFLOP: 1e-5, Seeds: 1}
}

// Validate reports a size that is out of range.
func (c GeneratorsConfig) Validate() error {
	if err := c.Checker.Validate(); err != nil {
		return err
	}
	// Parts of a batch are tensors: a quarter for the shortcut loss, groups for moment matching.
	if c.Checker.Batch%32 != 0 {
		return fmt.Errorf("generators: a batch of %d: must be a multiple of 32", c.Checker.Batch)
	}
	if c.Checker.Flow.Layers < 2 {
		return fmt.Errorf("generators: a flow map of %d layers: needs 2", c.Checker.Flow.Layers)
	}
	if !(c.TFLOP > 0 && c.TFLOP < 1e9) || c.Seeds < 1 || c.Seeds > 1000 {
		return fmt.Errorf("generators: %g TFLOP and %d seeds: both must be positive, and at most 10⁹ and 1000", c.TFLOP, c.Seeds)
	}
	return nil
}

// lossGraph builds the loss of a batch.
type lossGraph func(c CheckerConfig) (g *netdef.Graph, loss *netdef.Node)

// drawTimes draws times and weights of n points; progress is the share of the training that is
// done, 0 ≤ progress < 1.
type drawTimes func(rng *rand.Rand, n int, progress float64) numbers

// Generator is a method to train a map from noise to data.
type Generator struct {
	Name  string
	graph lossGraph
	draw  drawTimes
	// matching is the share of the operations that is spent on flow matching first, if the source
	// starts from a flow-matched network.
	matching float64
	// decoupled uses nets.MLPDecoupled instead of nets.MLPFlowMap.
	decoupled bool
	// latest is the time at which sampling starts; 0 means 1.
	latest float64
	// renoise samples as consistency models do: each step goes to data, and back to the next time
	// with new noise. Otherwise the steps are those of the flow map.
	renoise bool
}

// tolerance and fromAdapter are τ and α of VFM among the generators.
const tolerance, fromAdapter = 1, 0.5

// Generators lists the generators: improved consistency training; shortcut models; inductive moment
// matching; mean flow with its paper's distribution of times and adaptive weight, with uniform
// times, and with uniform times and no weight; Decoupled MeanFlow with its loss, with squared
// errors, and with squared errors and uniform times; and VFM's map, trained jointly with its
// adapter.
func Generators() []Generator {
	return []Generator{
		{Name: "ict", graph: graphOf(consistencyLoss), draw: consistencyTimes, latest: noiseTime(sigmaMost * dataDeviation / 0.5), renoise: true},
		{Name: "shortcut", graph: graphOf(shortcutLoss), draw: shortcutTimes},
		{Name: "imm", graph: graphOf(momentLoss), draw: momentTimes, latest: momentLatest},
		{Name: "mean-flow", graph: graphOf(meanFlowLoss), draw: meanFlowTimes(logitNormal)},
		{Name: "mean-flow-uniform", graph: graphOf(meanFlowLoss), draw: meanFlowTimes((*rand.Rand).Float64)},
		{Name: "mean-flow-plain", graph: graphOf(plainMeanFlowLoss), draw: meanFlowTimes((*rand.Rand).Float64)},
		{Name: "dmf", graph: graphOf(decoupledLoss), draw: decoupledTimes, matching: 0.5, decoupled: true},
		{Name: "dmf-plain", graph: graphOf(plainDecoupledLoss), draw: decoupledTimes, matching: 0.5, decoupled: true},
		{Name: "dmf-plain-uniform", graph: graphOf(plainDecoupledLoss), draw: decoupledUniform, matching: 0.5, decoupled: true},
		{Name: "vfm", graph: jointGraph, draw: jointTimes, matching: 0.5},
	}
}

// graphOf builds the graph of a loss over points.
func graphOf(loss func(p points, u velocity) *netdef.Node) lossGraph {
	return func(c CheckerConfig) (*netdef.Graph, *netdef.Node) {
		g := netdef.NewGraph()
		return g, loss(newPoints(g, c), c.u)
	}
}

func matchGraph(c CheckerConfig) (*netdef.Graph, *netdef.Node) {
	return graphOf(func(p points, u velocity) *netdef.Node {
		return p.g.Mean(flowMatching(p, u, p.number("t")), netdef.AxAll)
	})(c)
}

// jointGraph is VFM's objective, equation 19 of its paper, with the weights of the checkerboard.
func jointGraph(c CheckerConfig) (*netdef.Graph, *netdef.Node) {
	g, loss, _ := checkerGraph(c, terms{meanFlow: 0.5 / (tolerance * tolerance), obs: 0.5 / (c.Sigma * c.Sigma), kl: 1, ema: true})
	return g, loss
}

func jointTimes(rng *rand.Rand, n int, progress float64) numbers {
	in := meanFlowTimes((*rand.Rand).Float64)(rng, n, progress)
	in["from"] = make([]float32, n)
	for i := range n {
		if rng.Float64() < fromAdapter {
			in["from"][i] = 1
		}
	}
	return in
}

// generatorScore is the result of one training, sampled with K network evaluations.
type generatorScore struct {
	Generator string
	Seed      uint64
	K, Steps  int     // Steps of training, including flow matching
	PerStep   float64 // operations of a step, in evaluations of the network on a batch
	TFLOP     float64 // of the training
	MMD       float64 // of the prior, the square root of the unbiased estimate, at least 0
	Support   float64 // share of samples on filled cells
	Seconds   float64 // of training
	cloud     cloud
}

// stepFLOP counts the operations of a training step.
func stepFLOP(graph lossGraph, c CheckerConfig) (float64, error) {
	g, loss := graph(c)
	if err := g.Err(); err != nil {
		return 0, err
	}
	var wrt []*netdef.Node
	for _, p := range netdef.Params(loss) {
		if !strings.HasPrefix(p.Name, compile.EMAPrefix) {
			wrt = append(wrt, p)
		}
	}
	grads, err := g.Gradient(loss, wrt)
	return float64(netdef.FLOPs(append(grads, loss)...)), err
}

// evaluationFLOP counts the operations of the flow map on a batch.
func evaluationFLOP(c CheckerConfig) float64 {
	g := netdef.NewGraph()
	t := g.Input("t", netdef.Shape{1, 1, c.Batch, 1})
	return float64(netdef.FLOPs(c.u(g, g.Input("x", netdef.Shape{1, 1, c.Batch, 8}), t, t)))
}

// runGenerator trains a generator with a seed and the operations of c, and scores it with each of
// ks evaluations per sample.
func runGenerator(ctx context.Context, dev *gpu.Device, c GeneratorsConfig, gen Generator, seed uint64, ks ...int) ([]generatorScore, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	b := c.Checker
	b.Seed = seed
	if gen.decoupled {
		b.network = decoupledMap(b.Flow)
	}
	began := time.Now()
	s := generatorScore{Generator: gen.Name, Seed: seed}
	var params parameters
	train := func(graph lossGraph, draw drawTimes, share float64, stream uint64) error {
		flop, err := stepFLOP(graph, b)
		if err != nil {
			return err
		}
		steps := max(1, int(share*c.TFLOP*1e12/flop))
		s.Steps, s.TFLOP, s.PerStep = s.Steps+steps, s.TFLOP+float64(steps)*flop/1e12, flop/evaluationFLOP(b)
		st := stage{steps: steps, lr: b.LR, start: params, stream: stream}
		st.graph, st.loss = graph(b)
		st.draw = func(rng *rand.Rand, data [][]float64, step int) numbers {
			in := draw(rng, b.Batch, float64(step)/float64(steps))
			in["x"] = b.drawData(rng, data)
			return in
		}
		params, err = st.train(ctx, dev, b)
		return err
	}
	if gen.matching > 0 {
		if err := train(matchGraph, matchTimes, gen.matching, 21); err != nil {
			return nil, err
		}
	}
	if err := train(gen.graph, gen.draw, 1-gen.matching, 22); err != nil {
		return nil, err
	}
	s.Seconds = time.Since(began).Seconds()
	truth := drawCheckerboard(rand.New(rand.NewPCG(seed, 78)), b.Cloud)
	var out []generatorScore
	for _, k := range ks {
		s.K = k
		var err error
		if s.cloud, err = samplePrior(dev, b, gen, params, k); err != nil {
			return nil, err
		}
		if err = s.measure(truth); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func decoupledMap(c nets.MLPConfig) velocity {
	return func(g *netdef.Graph, x, r, t *netdef.Node) *netdef.Node { return nets.MLPDecoupled(g, c, x, r, t) }
}

// samplePrior draws points with k evaluations each, at equal steps of time.
func samplePrior(dev *gpu.Device, c CheckerConfig, gen Generator, params parameters, k int) (out cloud, err error) {
	g := netdef.NewGraph()
	key, shape := g.Input("key", netdef.KeyShape), netdef.Shape{1, 1, samplerBatch, 8}
	noise := func(stream int) *netdef.Node {
		return c.Flow.Coordinates(g, g.Normal(shape, key, uint32(stream)))
	}
	latest := gen.latest
	if latest == 0 {
		latest = 1
	}
	z := noise(1)
	x := g.Scale(z, latest)
	for i := range k {
		t, next := latest*(1-float64(i)/float64(k)), latest*(1-float64(i+1)/float64(k))
		if gen.renoise {
			x = between(g, c, x, t, 0)
			if next > 0 {
				x = g.Add(g.Scale(x, 1-next), g.Scale(noise(2+i), next))
			}
		} else {
			x = between(g, c, x, t, next)
		}
	}
	outs := []*netdef.Node{x, z}
	s := &sampler{c: c}
	if s.store, err = compile.NewStore(dev, netdef.Reachable(outs...), false, 1); err != nil {
		return out, err
	}
	defer s.close()
	if err = s.set(params); err != nil {
		return out, err
	}
	if s.prior, err = compile.Compile(dev, s.store, g, outs, compile.Options{}); err != nil {
		return out, err
	}
	return s.run(s.prior, nil, c.Cloud, 9)
}

// referenceScores are those of exact draws of the prior, which give the MMD of a perfect generator,
// and those of uniform draws on the whole square, a generator that knows the size of the board but
// not its cells.
func referenceScores(c GeneratorsConfig, seed uint64) ([]generatorScore, error) {
	rng := rand.New(rand.NewPCG(seed, 79))
	exact := drawCheckerboard(rng, c.Checker.Cloud)
	truth := drawCheckerboard(rng, c.Checker.Cloud)
	square := make([][]float64, c.Checker.Cloud)
	for i := range square {
		square[i] = []float64{4*rng.Float64() - 2, 4*rng.Float64() - 2}
	}
	var out []generatorScore
	for _, r := range []struct {
		name   string
		points [][]float64
	}{{"exact draws", exact}, {"the whole square", square}} {
		s := generatorScore{Generator: r.name, Seed: seed, cloud: cloud{x: r.points}}
		if err := s.measure(truth); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// measure compares the samples with exact draws of the prior.
func (s *generatorScore) measure(truth [][]float64) (err error) {
	if s.MMD, err = metric.MMD(s.cloud.x, truth, 0); err != nil {
		return err
	}
	s.Support, err = metric.SupportAccuracy(s.cloud.x, func(x []float64) bool { return metric.Checkerboard(x[0], x[1], parity) })
	return err
}
