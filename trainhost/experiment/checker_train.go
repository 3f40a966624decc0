package experiment

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
)

// terms says which losses a run has.
type terms struct {
	meanFlow, obs, kl float64 // weights
	ema               bool
	// overTime divides the mean-flow term by t − r + 10⁻⁶, as the authors' code does: the mean of the squared error over the batch times the
	// mean of 1/(t − r + 10⁻⁶), which is about 7.5·10⁵ where three quarters of the points have r = t.
	overTime bool
	// plain leaves out the adaptive weight of the batch.
	plain bool
}

// checkerGraph is the loss of a batch, with the weights and sums of the authors' code: mean flow a mean over the two coordinates, observation
// and KL sums; the loss of the whole batch is scaled by 1/(L + 0.01). total is the loss before that.
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

// u is the network of average velocities.
func (c CheckerConfig) u(g *netdef.Graph, x, r, t *netdef.Node) *netdef.Node {
	if c.network != nil {
		return c.network(g, x, r, t)
	}
	return nets.MLPFlowMap(g, c.Flow, x, r, t)
}

// inputs draws the points, times and the share from the adapter of a step: t and r uniform and sorted, different for differ of the points.
func (c CheckerConfig) inputs(rng *rand.Rand, data [][]float64, alpha, differ float64) numbers {
	n := c.Batch
	x, r, t, from := make([]float32, 8*n), make([]float32, n), make([]float32, n), make([]float32, n)
	for i := range n {
		p := data[rng.IntN(len(data))]
		x[8*i], x[8*i+1] = float32(p[0]), float32(p[1])
		a, b := rng.Float32(), rng.Float32()
		if rng.Float64() >= differ {
			b = a
		}
		r[i], t[i] = min(a, b), max(a, b)
		if rng.Float64() < alpha {
			from[i] = 1
		}
	}
	return numbers{"x": x, "r": r, "t": t, "from": from}
}

// drawData picks a batch of points of the training set.
func (c CheckerConfig) drawData(rng *rand.Rand, data [][]float64) []float32 {
	x := make([]float32, 8*c.Batch)
	for i := range c.Batch {
		p := data[rng.IntN(len(data))]
		x[8*i], x[8*i+1] = float32(p[0]), float32(p[1])
	}
	return x
}

// learn trains by the terms of the checkerboard's loss; see train.
func learn(ctx context.Context, dev *gpu.Device, c CheckerConfig, t terms, alpha, differ float64, steps int, lr float64, trains func(string) bool, start map[string][]float32, stream uint64) (params map[string][]float32, err error) {
	g, loss, total := checkerGraph(c, t)
	var outs []*netdef.Node
	if c.losses != nil {
		outs = append(outs, total)
	}
	return train(ctx, dev, c, g, loss, outs, steps, lr, trains, start, stream, func(rng *rand.Rand, data [][]float64, _ int) numbers { return c.inputs(rng, data, alpha, differ) })
}

// lossRow is a step of a training: its loss as it is minimised and before it is scaled by itself.
type lossRow struct {
	stage          uint64
	step           int
	loss, unscaled float64
}

// train runs one training and returns all parameters, the averages of those that it trains, which are what sampling uses, and those of start
// for the others. draw gives the inputs of a step, points of data among them, which are the training set. outs is empty, or holds the loss
// before scaling, of which c.losses gets every step.
func train(ctx context.Context, dev *gpu.Device, c CheckerConfig, g *netdef.Graph, loss *netdef.Node, outs []*netdef.Node, steps int, lr float64, trains func(string) bool, start map[string][]float32, stream uint64, draw func(rng *rand.Rand, data [][]float64, step int) numbers) (params map[string][]float32, err error) {
	data := drawCheckerboard(rand.New(rand.NewPCG(c.Seed, 5)), c.Points)
	if err := g.Err(); err != nil {
		return nil, err
	}
	opt := optimiser{lr: lr, decay: c.Decay, ema: c.EMA, warmup: 100, steps: steps, cosine: true}
	if c.Authors {
		// An average of decay 0 is the live weights, in θ⁻ and in the evaluation.
		opt.ema, opt.warmup, opt.cosine = 0, 0, false
	}
	f, err := newFit(dev, g, loss, outs, trains, start, opt, c.Seed<<8|stream)
	if err != nil {
		return nil, err
	}
	defer f.close()
	rng := rand.New(rand.NewPCG(c.Seed, 100+stream))
	for step := range steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := f.next(draw(rng, data, step)); err != nil {
			return nil, err
		}
		if len(outs) > 0 {
			row := lossRow{stage: stream, step: step}
			if row.loss, err = f.value(0); err == nil {
				row.unscaled, err = f.value(1)
			}
			if err != nil {
				return nil, err
			}
			*c.losses = append(*c.losses, row)
		}
	}
	params = map[string][]float32{}
	for name, v := range start {
		params[name] = v
	}
	averaged, err := f.store.State("ema")
	if err != nil {
		return nil, err
	}
	for name, v := range averaged {
		params[name] = v
	}
	return params, nil
}

// differ is the share of points with r ≠ t in mean-flow training.
const differ = 0.25

func flowOnly(name string) bool    { return strings.HasPrefix(name, "flow/") }
func adapterOnly(name string) bool { return strings.HasPrefix(name, "adapter/") }
func everything(string) bool       { return true }

// pretrain is flow matching: the start of every run.
func pretrain(ctx context.Context, dev *gpu.Device, c CheckerConfig) (map[string][]float32, error) {
	if c.Pretrain == 0 {
		return nil, nil
	}
	return learn(ctx, dev, c, terms{meanFlow: 1}, 0, 0, c.Pretrain, c.FlowLR, everything, nil, 1)
}

// trainVariant trains one variant from the pre-trained flow map.
func trainVariant(ctx context.Context, dev *gpu.Device, c CheckerConfig, v Variant, start map[string][]float32) (map[string][]float32, error) {
	// The authors' θ⁻ without an average is still a copy that gets no gradient. The baselines have no θ⁻: one trains the flow map by the
	// observation, the other does not train it then.
	t := terms{obs: 0.5 / (c.Sigma * c.Sigma), ema: v.EMA || c.Authors && v.Tau > 0 && !v.Frozen, overTime: c.Authors}
	if v.KL {
		t.kl = 1
	}
	if v.Frozen {
		t.plain = c.Authors
		flow, err := learn(ctx, dev, c, terms{meanFlow: 1, overTime: c.Authors}, 0, differ, c.Steps, c.LR, flowOnly, start, 2)
		if err != nil {
			return nil, err
		}
		return learn(ctx, dev, c, t, 1, differ, c.Steps, c.LR, adapterOnly, flow, 3)
	}
	if v.Tau > 0 {
		t.meanFlow = 0.5 / (v.Tau * v.Tau)
	}
	return learn(ctx, dev, c, t, v.Alpha, differ, c.Steps, c.LR, everything, start, 4)
}

// RunChecker trains a variant and scores it for each K. start are pre-trained parameters from PretrainChecker.
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
	var out []CheckerScore
	for _, k := range ks {
		s, err := newSampler(dev, c, params, k)
		if err != nil {
			return nil, err
		}
		sc, err := score(c, v, k,
			func(y []float64, stream uint64) (cloud, error) { return s.run(s.cond, y, len(y), stream) },
			func(n int) (cloud, error) { return s.run(s.uncond, nil, n, 9) })
		sc.Seconds, sc.losses, sc.weights = took, losses, s.tensors(params)
		s.close()
		if err != nil {
			return nil, err
		}
		out = append(out, sc)
	}
	return slices.Clip(out), nil
}

// PretrainChecker trains the velocity by flow matching.
func PretrainChecker(ctx context.Context, dev *gpu.Device, c CheckerConfig) (map[string][]float32, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return pretrain(ctx, dev, c)
}
