package trainhost

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
)

// Times is a distribution of the two times of the mean-flow term.
type Times string

const (
	// LogitNormal is the authors' distribution: t = sigmoid N(0,1) where r = t, else the sorted
	// pair of sigmoid N(0.4,1) and sigmoid N(−1.2,1).
	LogitNormal Times = "logit-normal"
	// Uniform draws the times from U(0,1), sorted.
	Uniform Times = "uniform"
)

// MeanFlow is the mean-flow term of the loss (eq. 16–17), which teaches u_θ the
// average velocity between any two times, and with it multi-step and
// unconditional sampling.
type MeanFlow struct {
	// Weight is 1/(2τ²); 0 leaves the term out.
	Weight float64 `json:"weight"`
	// Alpha is the share of pictures with z from the adapter; the others have z ~ N(0, I).
	Alpha float64 `json:"alpha"`
	// Match is the share of pictures with r = t: flow matching.
	Match float64 `json:"match"`
	// Corner is the share of pictures at (r, t) = (0, 1), the times of one-step sampling, which are
	// rare among the other draws.
	Corner float64 `json:"corner"`
	// Times is the distribution of the times of the other pictures.
	Times Times `json:"times"`
}

// PaperMeanFlow is the term as the authors' image code has it.
func PaperMeanFlow() MeanFlow {
	return MeanFlow{Weight: 1, Alpha: 0.5, Match: 0.5, Times: LogitNormal}
}

func (m MeanFlow) validate() error {
	if m.Weight == 0 {
		return nil
	}
	if m.Times != LogitNormal && m.Times != Uniform {
		return fmt.Errorf("mean flow: times %q: must be logit-normal or uniform", m.Times)
	}
	if !(m.Weight >= 0) {
		return fmt.Errorf("mean flow: weight %v must not be negative", m.Weight)
	}
	for name, v := range map[string]float64{"alpha": m.Alpha, "match": m.Match, "corner": m.Corner} {
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("mean flow: %s is %v, must be 0 to 1", name, v)
		}
	}
	if m.Match+m.Corner > 1 {
		return fmt.Errorf("mean flow: match %v and corner %v add up to more than 1", m.Match, m.Corner)
	}
	return nil
}

// Inputs of the term, [B,1,1,1] each: the times 0 ≤ r ≤ t ≤ 1, and 1 where z
// comes from the adapter.
const (
	inR    = "r"
	inT    = "t"
	inFrom = "from-adapter"
)

// draw adds the inputs of the term for n pictures to a batch.
func (m MeanFlow) draw(b batch, rng *rand.Rand, n int) {
	b[inR], b[inT], b[inFrom] = make([]float32, n), make([]float32, n), make([]float32, n)
	for i := range n {
		r, t := m.times(rng)
		b[inR][i], b[inT][i] = float32(r), float32(t)
		if rng.Float64() < m.Alpha {
			b[inFrom][i] = 1
		}
	}
}

// times draws the times of a picture.
func (m MeanFlow) times(rng *rand.Rand) (r, t float64) {
	logit := func(mean float64) float64 { return 1 / (1 + math.Exp(-mean-rng.NormFloat64())) }
	kind := rng.Float64()
	switch {
	case kind < m.Corner:
		return 0, 1
	case kind < m.Corner+m.Match:
		t = rng.Float64()
		if m.Times == LogitNormal {
			t = logit(0)
		}
		return t, t
	}
	pair := []float64{rng.Float64(), rng.Float64()}
	if m.Times == LogitNormal {
		pair = []float64{logit(0.4), logit(-1.2)}
	}
	slices.Sort(pair)
	return pair[0], pair[1]
}

// term builds ‖u_θ(x_t, r, t) − sg(v − (t−r)·du_θ/dt)‖² per picture, [B,1,1,1],
// a mean over dimensions, for clean pictures x and the adapter's draws z, both
// [B,h,w,48] in flow space. Gradients reach θ through u and φ through x_t.
func (m MeanFlow) term(g *netdef.Graph, cfg nets.EdgeConfig, x, z, noise *netdef.Node) *netdef.Node {
	scalar := netdef.Shape{x.Shape[0], 1, 1, 1}
	r, t, from := g.Input(inR, scalar), g.Input(inT, scalar), g.Input(inFrom, scalar)
	z = g.Add(noise, g.Mul(from, g.Sub(z, noise)))
	v := g.Sub(z, x)
	xt := g.Add(x, g.Mul(t, v))
	u := nets.FlowMap(g, cfg, xt, r, t)
	du, err := nets.TotalDerivative(g, u, xt, t, v)
	if err != nil {
		return g.Fail(err)
	}
	target := g.StopGradient(g.Sub(v, g.Mul(g.Sub(t, r), du)))
	return g.Mean(g.Square(g.Sub(u, target)), netdef.AxHWC)
}
