package trainhost

import (
	"errors"
	"fmt"
	"slices"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
)

// Classes is the number of inverse problems of METHOD §4; a batch holds
// pictures of each (Counts), in the order of their class indices.
const Classes = 6

// Class indices, in the order of a batch.
const (
	clsDenoise = iota
	clsRandom
	clsBox
	clsSuper
	clsGauss
	clsMotion
)

// DataTerm is a kind of data term (eq. 13).
type DataTerm string

const (
	// DataEnergy is the energy score of two draws of z.
	DataEnergy DataTerm = "es"
	// DataRegression is the squared error at z = μ.
	DataRegression DataTerm = "l2"
	// DataNone leaves the term out. With the mean-flow term, which bounds it from above (Prop.
	// 3.2), that is the paper's own objective.
	DataNone DataTerm = "none"
)

// Term names a term of the loss in logs.
type Term string

const (
	TermData     Term = "data"
	TermMean     Term = "mean" // regression at z = μ, added to the energy score
	TermMeanFlow Term = "mf"
	TermObs      Term = "obs" // observation, L_obs
	TermKL       Term = "kl"
)

// allTerms are the terms in the order of logs.
var allTerms = []Term{TermData, TermMean, TermMeanFlow, TermObs, TermKL}

// Objective selects the terms of the loss and their weights. All terms are means
// over dimensions, per picture.
type Objective struct {
	Data       DataTerm `json:"data"`
	DataWeight float64  `json:"data_weight"`
	// Mean is the weight of the regression term 50‖x − f(μ)‖², which is added to the energy score.
	// The product returns z = μ by default, and the draws alone train that picture only indirectly.
	// The term has an adaptive weight of its own, so that it counts the same for tasks of small and
	// of large error.
	Mean float64 `json:"mean,omitempty"`
	// Obs is the weight of L_obs = ‖y − A f(z)‖²; 1/(2σ²) = 200 at σ = 0.05.
	Obs float64 `json:"obs"`
	// ObsEMA evaluates L_obs with the averaged θ⁻, as in Algorithm 2, instead of θ.
	ObsEMA bool `json:"obs_ema"`
	// MeanFlow is the term L_MF.
	MeanFlow MeanFlow `json:"mean_flow"`
	// KL is the weight of KL(q(z|y) ‖ N(0, I)).
	KL float64 `json:"kl"`
	// Frozen trains the adapter alone and keeps the flow map: the paper's frozen-θ baseline.
	Frozen bool `json:"frozen,omitempty"`
	// Spread trains the adapter's log-variance alone, so z = μ stays what it is: the layer that
	// makes it from the features, and its offset. It needs the energy score as the only term.
	Spread bool `json:"spread,omitempty"`
	// Gamma is added to a picture's loss before it is divided by itself
	// (adaptive weight, p = 1); negative: no adaptive weight.
	Gamma float64 `json:"gamma"`
}

// unscaled is the weighted sum of the terms' values, without adaptive weights.
func (o Objective) unscaled(terms map[Term]float64) float64 {
	return o.DataWeight*terms[TermData] + o.Mean*regressionWeight*terms[TermMean] + o.MeanFlow.Weight*terms[TermMeanFlow] + o.Obs*terms[TermObs] + o.KL*terms[TermKL]
}

// regressionWeight is the weight of the squared error.
const regressionWeight = 50

// EnergyScore is the objective of the shipped weights.
func EnergyScore() Objective {
	return Objective{Data: DataEnergy, DataWeight: 20, Mean: 1, Obs: 200, KL: 1, Gamma: 0.01}
}

// SpreadOnly is the objective that trains the adapter's log-variance and keeps z = μ.
func SpreadOnly() Objective {
	return Objective{Data: DataEnergy, DataWeight: 20, Gamma: 0.01, Spread: true}
}

// FlowMatching is the objective of pre-training: the flow map alone, z ~ N(0, I), r = t.
func FlowMatching() Objective {
	return Objective{Data: DataNone, MeanFlow: MeanFlow{Weight: 1, Match: 1, Times: LogitNormal}, Gamma: 0.01}
}

// Joint is the paper's objective (eq. 19) as the authors' image code weighs it: mean flow,
// observation with θ⁻, KL.
func Joint() Objective {
	return Objective{Data: DataNone, Obs: 200, ObsEMA: true, KL: 1, MeanFlow: PaperMeanFlow(), Gamma: 0.01}
}

// Validate reports the first field that is out of range.
func (o Objective) Validate() error {
	if o.Data != DataEnergy && o.Data != DataRegression && o.Data != DataNone {
		return fmt.Errorf("objective: data term %q: must be es, l2 or none", o.Data)
	}
	for name, v := range map[string]float64{"data_weight": o.DataWeight, "mean": o.Mean, "obs": o.Obs, "kl": o.KL} {
		if !(v >= 0) {
			return fmt.Errorf("objective: %s is %v: must not be negative", name, v)
		}
	}
	if o.Spread && (o.Data != DataEnergy || o.Mean != 0 || o.Obs != 0 || o.KL != 0 || o.MeanFlow.Weight != 0) {
		return errors.New("objective: training of the spread alone needs the energy score (es) without other terms")
	}
	if o.Data == DataNone && o.MeanFlow.Weight == 0 && o.Obs == 0 {
		return errors.New("objective: no data term, no mean-flow term and no observation term: nothing to learn from")
	}
	return o.MeanFlow.validate()
}

// stepGraph is the training step as a graph.
type stepGraph struct {
	g    *netdef.Graph
	loss *netdef.Node // what is minimised, [1,1,1,1]
	// terms are the values for logs per picture, [B,1,1,1], of the terms that the loss has. They
	// are not multiplied by their weights.
	terms map[Term]*netdef.Node
	// network has the outputs of the adapter and of the flow map. The weights file must hold their
	// parameters, whether the loss uses them or not.
	network []*netdef.Node
	// mse is the mean squared error of the picture in [-1,1], [B,1,1,1]: of f(μ) if the loss has
	// it, else of the first draw.
	mse *netdef.Node
}

// Input names of the step.
const (
	inX      = "x"      // [B,3,P,P] clean crops
	inSigma  = "sigma"  // [B,1,1,1]
	inNoise  = "noise"  // [B,1,1,16], for networks that are told the shape of the noise
	inNoisy  = "noisy"  // [n,3,P,P], for these: the observations of denoising, made on the host
	inMask   = "mask"   // [2n,1,P,P], 1 = known
	inKernel = "kernel" // [n,1,side,side rounded up to 8]
	inKey    = "key"
	// For networks that take a guess for motion blur: the observations, and the guesses that
	// package motionblur makes of them, [n,3,P,P].
	inBlurred = "blurred"
	inGuess   = "guess"
	// On the host only: 1 for every picture of motion blur that already has a guess.
	inGuessed = "guessed"
)

// buildStep builds the graph of one training step: per pictures of the classes,
// crops of side pixels, motion kernels of kernelSide pixels.
func buildStep(cfg nets.EdgeConfig, obj Objective, per Counts, side, kernelSide int) (*stepGraph, error) {
	if err := obj.Validate(); err != nil {
		return nil, err
	}
	g := netdef.NewGraph()
	b := per.Total()
	x := g.Input(inX, netdef.Shape{b, 3, side, side})
	sigma := g.Input(inSigma, netdef.Shape{b, 1, 1, 1})
	key := g.Input(inKey, netdef.KeyShape)
	ops := newOperators(g, per, side, kernelSide)
	if cfg.Guess && per[clsMotion] > 0 {
		ops.blurred = g.Input(inBlurred, netdef.Shape{per[clsMotion], 3, side, side})
	}
	if cfg.Noise && per[clsDenoise] > 0 {
		ops.noisy = g.Input(inNoisy, netdef.Shape{per[clsDenoise], 3, side, side})
	}
	task := g.Const("task", netdef.Shape{b, 1, 1, nets.Tasks}, oneHot(per))

	// y in image space and the adapter's view of it, class by class.
	noise := g.Normal(x.Shape, key, 1)
	ys := ops.observe(x, noise, sigma)
	views := ops.views(ys)
	view := ops.join(views)
	mask := ops.join(ops.masks())

	flow := func(img *netdef.Node) *netdef.Node { return nets.ToFlow(g, cfg, g.Patchify(img)) }
	yf := flow(view)
	target := flow(x)
	var guess *netdef.Node
	if cfg.Guess {
		guesses := slices.Clone(views)
		if v := views[clsMotion]; v != nil {
			guesses[clsMotion] = g.Input(inGuess, v.Shape)
		}
		guess = flow(ops.join(guesses))
	}
	in := nets.AdapterInput{Y: yf, Mask: g.Patchify(mask), Task: task, Sigma: sigma, Guess: guess}
	if cfg.Noise {
		in.Noise = g.Input(inNoise, netdef.Shape{b, 1, 1, nets.NoiseNumbers})
	}
	mu, logvar := nets.Adapter(g, cfg, in)
	if obj.Spread {
		mu = g.StopGradient(mu) // its layer is also that of the log-variance
	}

	out := &stepGraph{g: g, terms: map[Term]*netdef.Node{}, network: []*netdef.Node{mu, logvar, nets.OneStep(g, cfg, mu)}}
	var total *netdef.Node
	add := func(name Term, weight float64, term *netdef.Node) {
		out.terms[name] = term
		if term = g.Scale(term, weight); total != nil {
			term = g.Add(total, term)
		}
		total = term
	}
	draw := func(stream uint32) *netdef.Node {
		std := g.Exp(g.Scale(logvar, 0.5))
		return g.Add(mu, g.Mul(std, g.Normal(mu.Shape, key, stream)))
	}
	l2 := func(f *netdef.Node) *netdef.Node { return g.Mean(g.Square(g.Sub(target, f)), netdef.AxHWC) }
	var z1, sample *netdef.Node // L_obs is of these
	switch obj.Data {
	case DataRegression:
		z1, sample = mu, nets.OneStep(g, cfg, mu)
		out.mse = l2(sample)
		add(TermData, obj.DataWeight, out.mse)
	case DataEnergy:
		zs := []*netdef.Node{draw(2), draw(3)}
		if obj.Mean > 0 {
			zs = append(zs, mu)
		}
		fs := oneSteps(g, cfg, zs)
		z1, sample = zs[0], fs[0]
		out.mse = l2(sample)
		add(TermData, obj.DataWeight, energyScore(g, target, fs[0], fs[1]))
		if obj.Mean > 0 {
			out.mse = l2(fs[2])
			out.terms[TermMean] = out.mse
		}
	case DataNone:
		z1 = draw(2)
		sample = nets.OneStep(g, cfg, z1)
		out.mse = l2(sample)
	}
	if m := obj.MeanFlow; m.Weight > 0 {
		add(TermMeanFlow, m.Weight, m.term(g, cfg, target, draw(2), g.Normal(target.Shape, key, 4)))
	}
	if obj.KL > 0 {
		add(TermKL, obj.KL, klTerm(g, mu, logvar))
	}
	if obj.Obs > 0 {
		f := sample
		if obj.ObsEMA {
			done := g.Scope("ema:")
			f = nets.OneStep(g, cfg, z1)
			done()
		}
		add(TermObs, obj.Obs, ops.misfit(g.Unpatchify(nets.FromFlow(g, cfg, f)), ys))
	}
	adaptive := func(l *netdef.Node) *netdef.Node {
		if obj.Gamma < 0 {
			return l
		}
		return g.Div(l, g.StopGradient(g.Offset(g.Abs(l), obj.Gamma)))
	}
	total = adaptive(total)
	if m := out.terms[TermMean]; m != nil {
		total = g.Add(total, g.Scale(adaptive(g.Scale(m, regressionWeight)), obj.Mean))
	}
	out.loss = g.Mean(total, netdef.AxAll)
	return out, g.Err()
}

// oneSteps maps several draws of z in one pass: the pictures of a longer batch take fewer, larger
// dispatches.
func oneSteps(g *netdef.Graph, cfg nets.EdgeConfig, zs []*netdef.Node) []*netdef.Node {
	f := nets.OneStep(g, cfg, g.Concat(0, zs...))
	b := zs[0].Shape[0]
	out := make([]*netdef.Node, len(zs))
	for i := range out {
		out[i] = g.Slice(f, 0, i*b, (i+1)*b)
	}
	return out
}

// energyScore is ½|x−f₁| + ½|x−f₂| − ½|f₁−f₂| with the norm over the 48
// channels of a site, averaged over sites: a proper score, so that minimising it
// rewards both accuracy and the right spread. [B,1,1,1].
func energyScore(g *netdef.Graph, x, f1, f2 *netdef.Node) *netdef.Node {
	norm := func(a, b *netdef.Node) *netdef.Node {
		return g.Sqrt(g.Offset(g.Sum(g.Square(g.Sub(a, b)), netdef.AxC), 1e-6))
	}
	s := g.Sub(g.Add(norm(x, f1), norm(x, f2)), norm(f1, f2))
	return g.Scale(g.Mean(s, netdef.AxHW), 0.5)
}

// klTerm is KL(N(μ, σ²) ‖ N(0, I)) per dimension, [B,1,1,1].
func klTerm(g *netdef.Graph, mu, logvar *netdef.Node) *netdef.Node {
	t := g.Sub(g.Add(g.Square(mu), g.Exp(logvar)), g.Offset(logvar, 1))
	return g.Scale(g.Mean(t, netdef.AxHWC), 0.5)
}

func oneHot(per Counts) []float32 {
	v := make([]float32, per.Total()*nets.Tasks)
	for i := range per.Total() {
		v[i*nets.Tasks+per.Class(i)] = 1
	}
	return v
}
