package nets

import (
	"fmt"
	"math"

	"github.com/vfmrestore/restore/netdef"
)

// Limits of the adapter's outputs and inputs.
const (
	// MinLogVar and MaxLogVar bound the adapter's log-variance.
	MinLogVar, MaxLogVar = -10, 2
	// MinSigma is the lowest noise level that the adapter distinguishes from no noise. It is an
	// eighth of a step of 8-bit pictures.
	MinSigma = 1e-3
	// guessGain is the weight of a guess before training. A network that had been trained without
	// guesses worked best with one half.
	guessGain = 0.5
)

// AdapterInput holds the inputs of the adapter.
type AdapterInput struct {
	// Y [B,h,w,48] is the observation in flow space (see ToFlow), with holes filled and low
	// resolution enlarged. h and w are multiples of cfg.Align()/4.
	Y *netdef.Node
	// Mask [B,h,w,16] is 1 where a pixel was observed (patchified), else 0.
	Mask *netdef.Node
	// Task [B,1,1,8] is the one-hot task vector.
	Task *netdef.Node
	// Sigma [B,1,1,1] is the standard deviation of the observation's noise, for pictures in [-1,1].
	// It is clamped to at least MinSigma.
	Sigma *netdef.Node
	// Noise [B,1,1,16] is the shape of the noise (see NoiseNumbers and package restore/noise), for
	// networks with cfg.Noise. Zeros or nil mean white noise.
	Noise *netdef.Node
	// Guess [B,h,w,48] is another estimate of the picture in flow space, for networks with
	// cfg.Guess. It is computed from Y by other means (by restore/motionblur for motion blur). The
	// adapter reads Guess − Y; nil means Guess = Y.
	Guess *netdef.Node
}

// Adapter builds the noise adapter q(z|y,task) = N(mu, exp(logvar)): the posterior of the latent z
// of flow space, whose prior is N(0, I).
//
// mu is the mean and logvar = log σ_φ² the log-variance (not that of the standard deviation) of
// every element. Both are [B,h,w,48]; logvar is clamped to [MinLogVar, MaxLogVar].
//
// Before training this is the exact posterior for a picture whose channels are independent
// Gaussians of standard deviation sd, observed with noise σ. From x = sd·z and y = x + σε follow
// the mean sd·y/(sd²+σ²), which is the Wiener gain sd/√(sd²+σ²) times the normalised observation
// y/√(sd²+σ²), and the variance σ²/(sd²+σ²). The network's output, a learned factor of the mean and
// a learned offset of logvar, both per task and channel, have no effect before training. If there
// is a guess other than y, it moves the mean by guessGain of the difference.
//
// Parameters are named "adapter/..." under the current scope.
func Adapter(g *netdef.Graph, cfg EdgeConfig, in AdapterInput) (mu, logvar *netdef.Node) {
	defer g.Scope("adapter")()
	if err := checkInputs(g, cfg, in.Y); err != nil {
		return g.Fail(err), g.Fail(err)
	}
	y, task, noise := in.Y, in.Task, in.Noise
	if !cfg.Noise {
		noise = nil
	}
	sigma := g.Clamp(in.Sigma, MinSigma, 10)
	variance := noiseVariance(g, sigma, noise)
	total := g.Add(variance, channelConst(g, "sd2", square(cfg.SD))) // [B,1,1,48]
	rootTotal := g.Sqrt(total)
	normal := g.Div(y, rootTotal)

	// The noise level on a logarithmic scale, about -1 to 0.5 for common levels.
	level := g.Scale(g.Log(g.Scale(sigma, 1/0.05)), 0.25)
	nDown, nUp := cfg.filmCounts()
	f := newFilm(g, "emb", cfg, level, task, noise, nDown+nUp)
	var more *netdef.Node
	if cfg.Guess && in.Guess != nil {
		more = g.Div(g.Sub(in.Guess, y), rootTotal)
	}
	features := unet(g, cfg, []*netdef.Node{normal, in.Mask}, more, f, f)
	// Before training the network's output is 0.
	net := func(half int) *netdef.Node {
		return linearTo(g, "out", features, 2*FlowChannels, netdef.Zeros, half*FlowChannels, (half+1)*FlowChannels)
	}
	mean := addFine(g, cfg, net(0), features, normal, f)

	table := netdef.Shape{1, 1, Tasks, FlowChannels}
	gain := g.Div(channelConst(g, "sd", cfg.SD), rootTotal)
	gain = g.Mul(gain, g.Conv2D(task, g.Param("gain", table, netdef.Ones), 1))
	mu = g.Add(g.Mul(normal, gain), mean)
	if more != nil {
		mu = g.Add(mu, g.Mul(more, g.Param("guess", netdef.Shape{1, 1, 1, FlowChannels}, netdef.Fill{Value: guessGain})))
	}

	start := g.Log(g.Div(variance, total))
	start = g.Add(start, g.Conv2D(task, g.Param("logvar", table, netdef.Zeros), 1))
	logvar = g.Clamp(g.Add(net(1), start), MinLogVar, MaxLogVar)
	return mu, logvar
}

// FlowMap builds the average velocity u(x, r, t) of the mean flow (docs/MODEL.md) for x [B,h,w,48]
// in flow space and times r ≤ t [B,1,1,1] (or [1,1,1,1]) in [0,1]. r = t is allowed.
//
//	u = k(r,t)·x + (sd/s_t)·net(x/s_t; t, r),  s_t = √(t² + (1-t)²sd²),
//	k = (s_t - s_r)/((t-r)·s_t)
//
// k is the exact mean flow of independent Gaussians of standard deviation sd, and net is 0 before
// training. The blocks on the way down and in the middle are conditioned on t, the blocks on the
// way up on r. Parameters are named "flow/..." under the current scope.
func FlowMap(g *netdef.Graph, cfg EdgeConfig, x, r, t *netdef.Node) (u *netdef.Node) {
	defer g.Scope("flow")()
	if err := checkInputs(g, cfg, x); err != nil {
		return g.Fail(err)
	}
	sd2 := channelConst(g, "sd2", square(cfg.SD))
	st, sr := pathSD(g, t, sd2), pathSD(g, r, sd2)
	// s_t² - s_r² = (t-r)·[(t+r) - (2-t-r)·sd²], so t-r cancels: k = [(t+r) -
	// (2-t-r)·sd²]/((s_t+s_r)·s_t), which is defined at r = t.
	sum := g.Add(t, r)
	top := g.Sub(sum, g.Mul(g.Offset(g.Neg(sum), 2), sd2))
	k := g.Div(top, g.Mul(g.Add(st, sr), st))
	net := flowNet(g, cfg, g.Div(x, st), r, t)
	return g.Add(g.Mul(x, k), g.Mul(net, g.Div(channelConst(g, "sd", cfg.SD), st)))
}

// OneStep builds f(z) = z - u(z, 0, 1) = sd·(z - net(z; 1, 0)): the picture in flow space
// [B,h,w,48] to which one step maps the latent z. It shares its parameters with FlowMap. Before
// training it is exactly sd·z.
func OneStep(g *netdef.Graph, cfg EdgeConfig, z *netdef.Node) *netdef.Node {
	defer g.Scope("flow")()
	if err := checkInputs(g, cfg, z); err != nil {
		return g.Fail(err)
	}
	zero := g.Const("0", netdef.Scalar, []float32{0})
	one := g.Const("1", netdef.Scalar, []float32{1})
	return g.Mul(g.Sub(z, flowNet(g, cfg, z, zero, one)), channelConst(g, "sd", cfg.SD))
}

func flowNet(g *netdef.Graph, cfg EdgeConfig, x, r, t *netdef.Node) *netdef.Node {
	nDown, nUp := cfg.filmCounts()
	encode := newFilm(g, "emb-t", cfg, t, nil, nil, nDown)
	decode := newFilm(g, "emb-r", cfg, r, nil, nil, nUp)
	features := unet(g, cfg, []*netdef.Node{x}, nil, encode, decode)
	return addFine(g, cfg, linear(g, "out", features, FlowChannels, netdef.Zeros), features, x, decode)
}

// noiseVariance returns the variance of the noise. Without a shape of the noise it is σ²,
// [B,1,1,1]. With a shape [B,1,1,16] it is the variance in every channel of flow space, [B,1,1,48].
func noiseVariance(g *netdef.Graph, sigma, noise *netdef.Node) *netdef.Node {
	if noise == nil {
		return g.Square(sigma)
	}
	// log σ_c² − log σ² is twice the logarithm of the band's relative level.
	w := make([]float32, NoiseNumbers*FlowChannels)
	for i, c := range Channels {
		from := noiseLuma
		if c.Colour > 0 {
			from = noiseChroma
		}
		w[(from+noiseBand(c.Band))*FlowChannels+i] = 2
	}
	log := g.Conv2D(noise, g.Const("noise bands", netdef.Shape{1, 1, NoiseNumbers, FlowChannels}, w), 1)
	return g.Mul(g.Exp(log), g.Square(sigma))
}

func noiseBand(b Band) int {
	switch b {
	case D1:
		return bandD1
	case H1, V1:
		return bandHV1
	case LL2:
		return bandLL
	}
	return band2
}

// pathSD returns s_t = √(t² + (1-t)²·sd²), the standard deviation of x_t, per channel.
func pathSD(g *netdef.Graph, t, sd2 *netdef.Node) *netdef.Node {
	left := g.Offset(g.Neg(t), 1)
	return g.Sqrt(g.Add(g.Square(t), g.Mul(g.Square(left), sd2)))
}

// checkInputs returns the graph's earlier error, or an error for a bad configuration or an input
// whose size does not fit its levels.
func checkInputs(g *netdef.Graph, cfg EdgeConfig, x *netdef.Node) error {
	if err := g.Err(); err != nil {
		return err
	}
	if err := cfg.Validate(); err != nil {
		return err
	}
	n := cfg.Align() / 4
	if s := x.Shape; s[3] != FlowChannels || s[1]%n != 0 || s[2]%n != 0 {
		return fmt.Errorf("nets: edge network: input %q is %v, want 48 channels and sides that are multiples of %d sites (%d pixels)",
			x.Name, s, n, cfg.Align())
	}
	return nil
}

func square(v [FlowChannels]float32) (sq [FlowChannels]float32) {
	for i, x := range v {
		sq[i] = float32(math.Pow(float64(x), 2))
	}
	return sq
}
