package nets

import (
	"math"

	"github.com/vfmrestore/restore/netdef"
)

// What all architectures share: their inputs, and the closed forms that hold for pictures whose
// channels in flow space are independent Gaussians. Networks compute corrections to these.

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
	// resolution enlarged. h and w are multiples of Align/4.
	Y *netdef.Node
	// Mask [B,h,w,16] is 1 where a pixel was observed (patchified), else 0.
	Mask *netdef.Node
	// Task [B,1,1,8] is the one-hot task vector.
	Task *netdef.Node
	// Sigma [B,1,1,1] is the standard deviation of the observation's noise, for pictures in [-1,1].
	// It is clamped to at least MinSigma.
	Sigma *netdef.Node
	// Noise [B,1,1,16] is the shape of the noise (see NoiseNumbers and package restore/noise), for
	// networks with Traits.Noise. Zeros or nil mean white noise.
	Noise *netdef.Node
	// Guess [B,h,w,48] is another estimate of the picture in flow space, for networks with
	// Traits.Guess. It is computed from Y by other means (by restore/motionblur for motion blur).
	// The adapter reads Guess − Y; nil means Guess = Y.
	Guess *netdef.Node
}

// observation is an observation y = x + σε of the adapter, normalised.
type observation struct {
	in        AdapterInput
	sd        [FlowChannels]float32
	variance  *netdef.Node // σ², per channel if the shape of the noise is known
	total     *netdef.Node // sd² + σ² [B,1,1,48]
	rootTotal *netdef.Node
	normal    *netdef.Node // y/√(sd²+σ²)
	// level is σ on a logarithmic scale, about -1 to 0.5 for common levels.
	level *netdef.Node
}

func observe(g *netdef.Graph, sd [FlowChannels]float32, in AdapterInput) *observation {
	o := &observation{in: in, sd: sd}
	sigma := g.Clamp(in.Sigma, MinSigma, 10)
	o.variance = noiseVariance(g, sigma, in.Noise)
	o.total = g.Add(o.variance, channelConst(g, "sd2", square(sd)))
	o.rootTotal = g.Sqrt(o.total)
	o.normal = g.Div(in.Y, o.rootTotal)
	o.level = g.Scale(g.Log(g.Scale(sigma, 1/0.05)), 0.25)
	return o
}

// second returns the normalised difference of the guess and the observation, or nil without a
// guess.
func (o *observation) second(g *netdef.Graph) *netdef.Node {
	if o.in.Guess == nil {
		return nil
	}
	return g.Div(g.Sub(o.in.Guess, o.in.Y), o.rootTotal)
}

// posterior returns the mean and the log-variance of the latent z; see Adapter for the formulas.
// mean is added to the mean. logvar builds what is added to the log-variance. more is what second
// returned.
func (o *observation) posterior(g *netdef.Graph, mean, more *netdef.Node, logvar func() *netdef.Node) (mu, lv *netdef.Node) {
	table := netdef.Shape{1, 1, Tasks, FlowChannels}
	gain := g.Div(channelConst(g, "sd", o.sd), o.rootTotal)
	gain = g.Mul(gain, g.Conv2D(o.in.Task, g.Param("gain", table, netdef.Ones), 1))
	mu = g.Add(g.Mul(o.normal, gain), mean)
	if more != nil {
		mu = g.Add(mu, g.Mul(more, g.Param("guess", netdef.Shape{1, 1, 1, FlowChannels}, netdef.Fill{Value: guessGain})))
	}
	start := g.Log(g.Div(o.variance, o.total))
	start = g.Add(start, g.Conv2D(o.in.Task, g.Param("logvar", table, netdef.Zeros), 1))
	return mu, g.Clamp(g.Add(logvar(), start), MinLogVar, MaxLogVar)
}

// meanFlow returns the average velocity u(x, r, t); see FlowMap for the formulas. net builds the
// network.
func meanFlow(g *netdef.Graph, sd [FlowChannels]float32, x, r, t *netdef.Node, net func(x, r, t *netdef.Node) *netdef.Node) *netdef.Node {
	sd2 := channelConst(g, "sd2", square(sd))
	st, sr := pathSD(g, t, sd2), pathSD(g, r, sd2)
	// s_t² - s_r² = (t-r)·[(t+r) - (2-t-r)·sd²], so t-r cancels: k = [(t+r) -
	// (2-t-r)·sd²]/((s_t+s_r)·s_t), which is defined at r = t.
	sum := g.Add(t, r)
	top := g.Sub(sum, g.Mul(g.Offset(g.Neg(sum), 2), sd2))
	k := g.Div(top, g.Mul(g.Add(st, sr), st))
	v := net(g.Div(x, st), r, t)
	return g.Add(g.Mul(x, k), g.Mul(v, g.Div(channelConst(g, "sd", sd), st)))
}

// oneStep returns z - u(z, 0, 1) = sd·(z - net(z; 1, 0)) of meanFlow.
func oneStep(g *netdef.Graph, sd [FlowChannels]float32, z *netdef.Node, net func(x, r, t *netdef.Node) *netdef.Node) *netdef.Node {
	zero := g.Const("0", netdef.Scalar, []float32{0})
	one := g.Const("1", netdef.Scalar, []float32{1})
	return g.Mul(g.Sub(z, net(z, zero, one)), channelConst(g, "sd", sd))
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

func square(v [FlowChannels]float32) (sq [FlowChannels]float32) {
	for i, x := range v {
		sq[i] = float32(math.Pow(float64(x), 2))
	}
	return sq
}
