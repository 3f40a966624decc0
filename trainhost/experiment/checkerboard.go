package experiment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/metric"
	"github.com/vfmrestore/restore/weights"
)

// CheckerConfig is the size of the checkerboard experiment: points x are uniform on the filled
// cells of a 4×4 checkerboard on [-2, 2]², and the first coordinate is observed with noise σ.
type CheckerConfig struct {
	Flow, Adapter nets.MLPConfig
	Points        int // of the training set
	Batch         int // a multiple of 8
	Pretrain      int // steps of flow matching, from which every run starts
	Steps         int // of a run
	FlowLR, LR    float64
	Decay, EMA    float64
	Sigma         float64
	// Evaluation: observations for NLPD and CRPS, samples of each, and samples for MMD and support
	// accuracy.
	Observations, Draws, Cloud int
	Seed                       uint64
	// Authors trains and evaluates as the authors' public code does where that differs from the
	// paper. The mean-flow term is divided by t − r + 10⁻⁶. θ⁻ is a copy of the live weights that
	// gets no gradient (an average of decay 0). The learning rate is constant. The live weights are
	// evaluated. The adapter of the frozen-θ baseline has no adaptive weight.
	Authors bool
	// Y is the observation of the figures, and of the posterior's MMD and support accuracy.
	Y float64
	// Record keeps losses and weights for ExportChecker.
	Record  bool
	losses  *[]lossRow // gets the losses of every step; nil: not recorded
	network velocity   // the flow map; nil: nets.MLPFlowMap of Flow
}

// PaperChecker is the paper's size (B.1), for a GPU.
func PaperChecker() CheckerConfig {
	return CheckerConfig{
		Flow: nets.MLPConfig{Layers: 6, Width: 512, Dim: 2}, Adapter: nets.MLPConfig{Layers: 4, Width: 256, Dim: 2},
		Points: 20000, Batch: 2048, Pretrain: 50000, Steps: 50000, FlowLR: 2e-4, LR: 2e-4, Decay: 1e-4, EMA: 0.999, Sigma: 0.1,
		Observations: 10000, Draws: 100, Cloud: 10000, Y: 0.5, Seed: 1,
	}
}

// SmallChecker takes minutes a run on two cores.
func SmallChecker() CheckerConfig {
	c := PaperChecker()
	c.Flow.Layers, c.Flow.Width = 4, 128
	c.Adapter.Layers, c.Adapter.Width = 3, 64
	c.Batch, c.Pretrain, c.Steps, c.FlowLR, c.LR = 512, 12000, 20000, 1e-3, 1e-3
	c.Observations, c.Draws, c.Cloud = 1000, 50, 4000
	return c
}

// Validate reports a size that is out of range.
func (c CheckerConfig) Validate() error {
	for _, m := range []nets.MLPConfig{c.Flow, c.Adapter} {
		if m.Layers < 1 || m.Layers > 64 || m.Width < 8 || m.Width > 8192 || m.Width%8 != 0 || m.Dim != 2 {
			return fmt.Errorf("checkerboard: a network of %d layers of width %d: must be 1 to 64 layers, and a width that is a multiple of 8 and at most 8192", m.Layers, m.Width)
		}
	}
	if c.Points < 1 || c.Batch < 8 || c.Batch%8 != 0 || c.Pretrain < 0 || c.Steps < 1 || !(c.Sigma > 0) || !(c.LR > 0) || !(c.FlowLR > 0) ||
		math.IsInf(c.Sigma, 0) || !(math.Abs(c.Y) <= 2) || c.Observations < 1 || c.Draws < 2 || c.Cloud < 8 || c.Cloud%8 != 0 || c.Observations*c.Draws%8 != 0 {
		return fmt.Errorf("checkerboard: a number is out of range: points %d, batch %d, steps %d and %d, rates %g and %g, σ %g, y %g, observations %d of %d draws, cloud %d",
			c.Points, c.Batch, c.Pretrain, c.Steps, c.FlowLR, c.LR, c.Sigma, c.Y, c.Observations, c.Draws, c.Cloud)
	}
	return nil
}

// Variant is one way to train.
type Variant struct {
	Name  string
	Tau   float64 // of eq. 11; 0: no mean-flow term (unconstrained-θ)
	Alpha float64
	EMA   bool // θ⁻ in the observation term
	KL    bool
	// Frozen first trains the mean flow without observations, and then the adapter alone.
	Frozen bool
}

// Variants are the paper's: the two baselines, the sweeps over τ (Figs. 5, 6, 8) and α (Fig. 9),
// and the ablations (Fig. 7).
func Variants() []Variant {
	vs := []Variant{
		{Name: "frozen-theta", Tau: 1, Frozen: true, KL: true},
		{Name: "unconstrained-theta", Alpha: 1, KL: true},
	}
	for _, alpha := range []float64{0.5, 1} {
		for _, tau := range []float64{0.01, 0.1, 1, 10, 100} {
			vs = append(vs, vfm(tau, alpha))
		}
	}
	for _, alpha := range []float64{0, 0.25, 0.75} {
		vs = append(vs, vfm(100, alpha))
	}
	noEMA, noKL := vfm(100, 1), vfm(100, 1)
	noEMA.Name, noEMA.EMA = noEMA.Name+"-no-ema", false
	noKL.Name, noKL.KL = noKL.Name+"-no-kl", false
	return append(vs, noEMA, noKL)
}

// OwnVariant is VFM with τ = tau and the share alpha of latents from the adapter.
func OwnVariant(tau, alpha float64) (Variant, error) {
	if !(tau > 0) || math.IsInf(tau, 0) || !(alpha >= 0 && alpha <= 1) {
		return Variant{}, fmt.Errorf("checkerboard: τ = %g, α = %g: τ must be positive, α from 0 to 1", tau, alpha)
	}
	return vfm(tau, alpha), nil
}

func vfm(tau, alpha float64) Variant {
	return Variant{Name: fmt.Sprintf("vfm-tau%g-alpha%g", tau, alpha), Tau: tau, Alpha: alpha, EMA: true, KL: true}
}

// parity chooses which half of the checkerboard is filled.
const parity = 0

// drawCheckerboard draws points of the prior p(x).
func drawCheckerboard(rng *rand.Rand, n int) [][]float64 {
	out := make([][]float64, 0, n)
	for len(out) < n {
		x := []float64{4*rng.Float64() - 2, 4*rng.Float64() - 2}
		if metric.Checkerboard(x[0], x[1], parity) {
			out = append(out, x)
		}
	}
	return out
}

// drawPosterior draws from p(x|y) exactly, by rejection as in the paper's Algorithm 3. The
// proposals of x₁ are from N(y, σ²) instead of the prior, so that most are accepted.
func drawPosterior(rng *rand.Rand, y, sigma float64, n int) [][]float64 {
	out := make([][]float64, 0, n)
	for tries := 0; len(out) < n && tries < 1000*n; tries++ {
		x := []float64{y + sigma*rng.NormFloat64(), 4*rng.Float64() - 2}
		if metric.Checkerboard(x[0], x[1], parity) {
			out = append(out, x)
		}
	}
	return out
}

// CheckerScore holds the metrics of B.1.3 of one variant in K steps.
type CheckerScore struct {
	Variant                Variant
	K                      int
	NLPD, CRPS             float64
	SupportPosterior       float64 // at the observation Y, as MMDPosterior
	SupportPrior           float64
	MMDPosterior, MMDPrior float64
	// SupportAll and MMDAll are of the posterior: means over all observations of the evaluation, as
	// in the authors' code. MMDAll compares the draws for an observation with the same number of
	// exact ones. It is clamped at 0 for each observation, so even exact draws have a positive
	// mean.
	SupportAll, MMDAll float64
	Seconds            float64 // of training
	y                  float64
	prior, posterior   cloud
	truePoints         [][]float64
	losses             []lossRow
	weights            []weights.Tensor
}

// score computes the metrics of a sampler: draw gives one sample of the posterior for every y,
// prior gives n samples of the prior.
func score(c CheckerConfig, v Variant, k int, draw func(y []float64, stream uint64) (cloud, error), prior func(n int) (cloud, error)) (s CheckerScore, err error) {
	s = CheckerScore{Variant: v, K: k, y: c.Y}
	rng := rand.New(rand.NewPCG(c.Seed, 77))
	truth := drawCheckerboard(rng, c.Observations)
	ys := make([]float64, 0, c.Observations*c.Draws)
	fresh := make([]float64, c.Observations)
	for i, x := range truth {
		y := x[0] + c.Sigma*rng.NormFloat64()
		fresh[i] = x[0] + c.Sigma*rng.NormFloat64()
		for range c.Draws {
			ys = append(ys, y)
		}
	}
	inside := func(x []float64) bool { return metric.Checkerboard(x[0], x[1], parity) }
	exactly := rand.New(rand.NewPCG(c.Seed, 80))
	all, err := draw(ys, 1)
	if err != nil {
		return s, err
	}
	for i := range truth {
		samples := all.x[i*c.Draws : (i+1)*c.Draws]
		seen := make([][]float64, len(samples))
		for j, x := range samples {
			seen[j] = x[:1]
		}
		nlpd, err := metric.NLPD([]float64{fresh[i]}, seen, c.Sigma)
		if err != nil {
			return s, err
		}
		crps, err := metric.CRPS(truth[i], samples, false)
		if err != nil {
			return s, err
		}
		exact := drawPosterior(exactly, ys[i*c.Draws], c.Sigma, c.Draws)
		support, err := metric.SupportAccuracy(samples, inside)
		if err != nil {
			return s, err
		}
		mmd, err := metric.MMD(samples, exact, 0)
		if err != nil {
			return s, err
		}
		s.NLPD += nlpd / float64(len(truth))
		s.CRPS += crps / float64(len(truth))
		s.SupportAll += support / float64(len(truth))
		s.MMDAll += mmd / float64(len(truth))
	}
	if s.posterior, err = draw(slices.Repeat([]float64{c.Y}, c.Cloud), 2); err != nil {
		return s, err
	}
	if s.prior, err = prior(c.Cloud); err != nil {
		return s, err
	}
	s.truePoints = drawPosterior(rng, c.Y, c.Sigma, c.Cloud)
	if s.SupportPosterior, err = metric.SupportAccuracy(s.posterior.x, inside); err != nil {
		return s, err
	}
	if s.SupportPrior, err = metric.SupportAccuracy(s.prior.x, inside); err != nil {
		return s, err
	}
	if s.MMDPosterior, err = metric.MMD(s.posterior.x, s.truePoints, 0); err != nil {
		return s, err
	}
	s.MMDPrior, err = metric.MMD(s.prior.x, drawCheckerboard(rng, c.Cloud), 0)
	if math.IsNaN(s.CRPS + s.NLPD + s.MMDPrior + s.MMDPosterior + s.MMDAll) {
		return s, fmt.Errorf("checkerboard: %s: a metric is not a number", v.Name)
	}
	return s, err
}
