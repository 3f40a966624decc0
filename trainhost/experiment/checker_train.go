package experiment

import (
	"context"
	"maps"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/trainhost/optim"
)

// terms says which losses a run has.
type terms struct {
	meanFlow, obs, kl float64 // weights
	ema               bool    // θ⁻ in the observation term
	// overTime divides the mean-flow term by t − r + 10⁻⁶, as the authors' code does: it multiplies
	// the mean of the squared error over the batch by the mean of 1/(t − r + 10⁻⁶). That is about
	// 7.5·10⁵, as three quarters of the points have r = t.
	overTime bool
	// plain leaves out the adaptive weight of the batch.
	plain bool
}

// checkerGraph is the loss of a batch, with the weights and sums of the authors' code: the
// mean-flow term is a mean over the two coordinates, observation and KL are sums. The loss of the
// whole batch is scaled by 1/(L + 0.01). total is the loss before that.
func checkerGraph(c CheckerConfig, t terms) (g *netdef.Graph, loss, total *netdef.Node) {
	g = netdef.NewGraph()
	points, scalar := netdef.Shape{1, 1, c.Batch, 8}, netdef.Shape{1, 1, c.Batch, 1}
	key := g.Input("key", netdef.KeyShape)
	x := g.Input("x", points)
	noise := func(stream uint32) *netdef.Node { return c.Flow.Coordinates(g, g.Normal(points, key, stream)) }
	add := func(w float64, n *netdef.Node) {
		n = g.Scale(g.Mean(n, netdef.AxAll), w)
		if total != nil {
			n = g.Add(total, n)
		}
		total = n
	}
	sum := func(n *netdef.Node) *netdef.Node { return g.Sum(n, netdef.AxC) }
	z := noise(1)
	if t.obs > 0 || t.kl > 0 {
		first := g.Const("first", netdef.Shape{1, 1, 1, 8}, []float32{1, 0, 0, 0, 0, 0, 0, 0})
		y := g.Mul(g.Add(x, g.Scale(noise(2), c.Sigma)), first)
		mu, logstd := nets.MLPAdapter(g, c.Adapter, y)
		std := g.Exp(logstd)
		za := g.Add(mu, g.Mul(std, noise(3)))
		from := g.Input("from", scalar)
		z = g.Add(z, g.Mul(from, g.Sub(za, z)))
		if t.obs > 0 {
			var f *netdef.Node
			if t.ema {
				done := g.Scope("ema:")
				f = oneStep(g, c, za)
				done()
			} else {
				f = oneStep(g, c, za)
			}
			add(t.obs, sum(g.Square(g.Mul(g.Sub(y, f), first))))
		}
		if t.kl > 0 {
			kl := g.Sub(g.Scale(g.Offset(g.Add(g.Square(mu), g.Square(std)), -1), 0.5), logstd)
			add(t.kl, sum(c.Flow.Coordinates(g, kl)))
		}
	}
	if t.meanFlow > 0 {
		r, tt := g.Input("r", scalar), g.Input("t", scalar)
		v := g.Sub(z, x)
		xt := g.Add(x, g.Mul(v, tt))
		u := c.u(g, xt, r, tt)
		du, err := nets.TotalDerivative(g, u, xt, tt, v)
		if err != nil {
			return g, g.Fail(err), nil
		}
		target := g.StopGradient(g.Sub(v, g.Mul(du, g.Sub(tt, r))))
		e := g.Scale(sum(g.Square(g.Sub(u, target))), 0.5)
		if t.overTime {
			e = g.Mul(g.Mean(e, netdef.AxAll), g.Mean(g.Recip(g.Offset(g.Sub(tt, r), 1e-6)), netdef.AxAll))
		}
		add(t.meanFlow, e)
	}
	if t.plain {
		return g, total, total
	}
	return g, g.Div(total, g.StopGradient(g.Offset(g.Abs(total), 0.01))), total
}

// oneStep is f(z) = z − u(z, 0, 1).
func oneStep(g *netdef.Graph, c CheckerConfig, z *netdef.Node) *netdef.Node {
	return between(g, c, z, 1, 0)
}

// between is x − (t − r)·u(x, r, t).
func between(g *netdef.Graph, c CheckerConfig, x *netdef.Node, t, r float64) *netdef.Node {
	at := func(v float64) *netdef.Node {
		return g.BroadcastTo(g.Const("", netdef.Scalar, []float32{float32(v)}), netdef.Shape{1, 1, x.Shape[2], 1})
	}
	return g.Sub(x, g.Scale(c.u(g, x, at(r), at(t)), t-r))
}

// u is the network of average velocities u(x, r, t).
func (c CheckerConfig) u(g *netdef.Graph, x, r, t *netdef.Node) *netdef.Node {
	if c.network != nil {
		return c.network(g, x, r, t)
	}
	return nets.MLPFlowMap(g, c.Flow, x, r, t)
}

// drawInputs draws the inputs of a step: points, times, and the points whose latents come from the
// adapter, which are a share alpha. t and r are uniform and sorted, and different for a share
// differ of the points.
func (c CheckerConfig) drawInputs(rng *rand.Rand, data [][]float64, alpha, differ float64) numbers {
	x := make([]float32, 8*c.Batch)
	in := fill(c.Batch, []string{"r", "t", "from"}, func(i int) []float64 {
		drawPoint(rng, data, x[8*i:])
		a, b, from := rng.Float32(), rng.Float32(), 0.0
		if rng.Float64() >= differ {
			b = a
		}
		if rng.Float64() < alpha {
			from = 1
		}
		return []float64{float64(min(a, b)), float64(max(a, b)), from}
	})
	in["x"] = x
	return in
}

// drawData draws a batch of points of the training set, [1,1,B,8].
func (c CheckerConfig) drawData(rng *rand.Rand, data [][]float64) []float32 {
	x := make([]float32, 8*c.Batch)
	for i := range c.Batch {
		drawPoint(rng, data, x[8*i:])
	}
	return x
}

// drawPoint writes a random point of data to x.
func drawPoint(rng *rand.Rand, data [][]float64, x []float32) {
	p := data[rng.IntN(len(data))]
	x[0], x[1] = float32(p[0]), float32(p[1])
}

// lossRow is the loss of a step as it is minimised, and before the adaptive weight.
type lossRow struct {
	stage          uint64
	step           int
	loss, unscaled float64
}

// stage is one training on the points of the checkerboard.
type stage struct {
	graph  *netdef.Graph
	loss   *netdef.Node
	total  *netdef.Node // loss before the adaptive weight, for CheckerConfig.losses; nil: not recorded
	steps  int
	lr     float64
	trains func(name string) bool // selects the parameters that are trained; nil selects all
	start  parameters             // nil: initial values
	stream uint64                 // separates the random numbers of the stages of a run
	// draw gives the inputs of a step; data is the training set.
	draw func(rng *rand.Rand, data [][]float64, step int) numbers
}

// train trains a stage. It returns the parameters for sampling: averages of those that are trained,
// and the others of start.
func (s stage) train(ctx context.Context, dev *gpu.Device, c CheckerConfig) (parameters, error) {
	data := drawCheckerboard(rand.New(rand.NewPCG(c.Seed, 5)), c.Points)
	rng := rand.New(rand.NewPCG(c.Seed, 100+s.stream))
	f := fit{
		graph: s.graph, loss: s.loss, trains: s.trains, start: s.start, adamw: adamw(s.lr, s.steps), seed: c.Seed<<8 | s.stream,
		draw: func(step int) numbers { return s.draw(rng, data, step) },
	}
	f.adamw.WeightDecay, f.adamw.EMA, f.adamw.Warmup = c.Decay, c.EMA, 100
	if c.Authors {
		// An average of decay 0 is the live weights, in θ⁻ and in the evaluation.
		f.adamw.EMA, f.adamw.Warmup, f.adamw.Constant = 0, 0, true
	}
	if c.losses != nil && s.total != nil {
		f.outs = []*netdef.Node{s.total}
		f.after = func(step int, trained *optim.Step) (err error) {
			row := lossRow{stage: s.stream, step: step}
			if row.loss, err = trained.Scalar(0); err == nil {
				row.unscaled, err = trained.Scalar(1)
			}
			*c.losses = append(*c.losses, row)
			return err
		}
	}
	trained, err := f.run(ctx, dev)
	if err != nil {
		return nil, err
	}
	defer trained.Close()
	averages, err := trained.Store().State(compile.Averages)
	if err != nil {
		return nil, err
	}
	params := parameters{}
	maps.Copy(params, s.start)
	maps.Copy(params, averages)
	return params, nil
}

// learn trains a stage by terms of the checkerboard's loss; alpha and differ are as in drawInputs.
// The loss and its inputs are set here.
func (s stage) learn(ctx context.Context, dev *gpu.Device, c CheckerConfig, t terms, alpha, differ float64) (parameters, error) {
	s.graph, s.loss, s.total = checkerGraph(c, t)
	s.draw = func(rng *rand.Rand, data [][]float64, _ int) numbers { return c.drawInputs(rng, data, alpha, differ) }
	return s.train(ctx, dev, c)
}

// differ is the share of points with r ≠ t in mean-flow training.
const differ = 0.25

func flowOnly(name string) bool    { return strings.HasPrefix(name, "flow/") }
func adapterOnly(name string) bool { return strings.HasPrefix(name, "adapter/") }

// PretrainChecker trains the velocity by flow matching, from which every run starts. It returns the
// parameters, or nil if c asks for no steps.
func PretrainChecker(ctx context.Context, dev *gpu.Device, c CheckerConfig) (map[string][]float32, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Pretrain == 0 {
		return nil, nil
	}
	return stage{steps: c.Pretrain, lr: c.FlowLR, stream: 1}.learn(ctx, dev, c, terms{meanFlow: 1}, 0, 0)
}

// trainVariant trains one variant from the pre-trained flow map.
func trainVariant(ctx context.Context, dev *gpu.Device, c CheckerConfig, v Variant, start parameters) (parameters, error) {
	// The authors' θ⁻ without an average is still a copy that gets no gradient. The baselines have
	// no θ⁻: one trains the flow map by the observation, the other does not train it then.
	t := terms{obs: 0.5 / (c.Sigma * c.Sigma), ema: v.EMA || c.Authors && v.Tau > 0 && !v.Frozen, overTime: c.Authors}
	if v.KL {
		t.kl = 1
	}
	run := stage{steps: c.Steps, lr: c.LR, start: start}
	if v.Frozen {
		t.plain = c.Authors
		run.trains, run.stream = flowOnly, 2
		flow, err := run.learn(ctx, dev, c, terms{meanFlow: 1, overTime: c.Authors}, 0, differ)
		if err != nil {
			return nil, err
		}
		run.trains, run.stream, run.start = adapterOnly, 3, flow
		return run.learn(ctx, dev, c, t, 1, differ)
	}
	if v.Tau > 0 {
		t.meanFlow = 0.5 / (v.Tau * v.Tau)
	}
	run.stream = 4
	return run.learn(ctx, dev, c, t, v.Alpha, differ)
}

// RunChecker trains a variant and scores it for each K. start are the parameters of
// PretrainChecker.
func RunChecker(ctx context.Context, dev *gpu.Device, c CheckerConfig, v Variant, start map[string][]float32, ks ...int) ([]CheckerScore, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	began := time.Now()
	var losses []lossRow
	if c.Record {
		c.losses = &losses
	}
	params, err := trainVariant(ctx, dev, c, v, start)
	if err != nil {
		return nil, err
	}
	took := time.Since(began).Seconds()
	var scores []CheckerScore
	for _, k := range ks {
		s, err := newSampler(dev, c, params, k)
		if err != nil {
			return nil, err
		}
		sc, err := score(c, v, k,
			func(y []float64, stream uint64) (cloud, error) { return s.run(s.posterior, y, len(y), stream) },
			func(n int) (cloud, error) { return s.run(s.prior, nil, n, 9) })
		sc.Seconds, sc.losses, sc.weights = took, losses, s.tensors(params)
		s.close()
		if err != nil {
			return nil, err
		}
		scores = append(scores, sc)
	}
	return scores, nil
}
