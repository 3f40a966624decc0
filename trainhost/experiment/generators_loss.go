package experiment

import (
	"math"

	"github.com/vfmrestore/restore/netdef"
)

// The losses of the one-step generators. All are of the same network u(x, r, t) of average
// velocities and the same straight paths x_t = (1 − t)·x + t·z from data (t = 0) to noise (t = 1),
// with velocity v = z − x. The formulas of sources with other paths are rewritten to these: sources
// with the opposite direction of time, and sources that add noise to data without shrinking it (x +
// σz, which is (1 + σ)·x_t at t = σ/(1 + σ)).
//
// Every loss is a mean over points. Its times and weights are inputs, which the functions in
// generators_draw.go draw.

// velocity is a network u(x, r, t): from points x [1,1,B,8] and times r ≤ t [1,1,B,1] to average
// velocities [1,1,B,8].
type velocity func(g *netdef.Graph, x, r, t *netdef.Node) *netdef.Node

// points is a batch of pairs of data and noise.
type points struct {
	g    *netdef.Graph
	x, z *netdef.Node // [1,1,n,8]
	n    int
}

// newPoints makes the inputs "x" and "key" of a graph and draws the noise.
func newPoints(g *netdef.Graph, c CheckerConfig) points {
	s := netdef.Shape{1, 1, c.Batch, 8}
	return points{g, g.Input("x", s), c.Flow.Coordinates(g, g.Normal(s, g.Input("key", netdef.KeyShape), 1)), c.Batch}
}

// part is the points from index from to index to, exclusively.
func (p points) part(from, to int) points {
	crop := func(n *netdef.Node) *netdef.Node { return p.g.Crop2D(n, 0, from, 1, to-from) }
	return points{p.g, crop(p.x), crop(p.z), to - from}
}

// number is an input of one number for each point.
func (p points) number(name string) *netdef.Node {
	return p.g.Input(name, netdef.Shape{1, 1, p.n, 1})
}

// v is the velocity.
func (p points) v() *netdef.Node { return p.g.Sub(p.z, p.x) }

// at is x_t.
func (p points) at(t *netdef.Node) *netdef.Node { return p.g.Add(p.x, p.g.Mul(p.v(), t)) }

// square is ‖a − b‖² of each point, [1,1,n,1].
func square(g *netdef.Graph, a, b *netdef.Node) *netdef.Node {
	return g.Sum(g.Square(g.Sub(a, b)), netdef.AxC)
}

// jump is the flow map x − (t − r)·u(x, r, t).
func jump(g *netdef.Graph, u velocity, x, r, t *netdef.Node) *netdef.Node {
	return g.Sub(x, g.Mul(u(g, x, r, t), g.Sub(t, r)))
}

// flowMatching is ‖u(x_t, t, t) − v‖² of each point.
func flowMatching(p points, u velocity, t *netdef.Node) *netdef.Node {
	return square(p.g, u(p.g, p.at(t), t, t), p.v())
}

// meanFlow is ‖u − sg(v − (t − r)·du/dt)‖² of each point: equations 9 and 10 of Mean Flows for
// One-step Generative Modeling (Geng et al. 2025, arXiv 2505.13447), which follow from its MeanFlow
// identity, equation 6. du/dt = v·∂u/∂x + ∂u/∂t is its equation 8.
func meanFlow(p points, u velocity, r, t *netdef.Node) *netdef.Node {
	g, x, v := p.g, p.at(t), p.v()
	mean := u(g, x, r, t)
	d, err := g.Tangent([]*netdef.Node{mean}, []*netdef.Node{x, t}, []*netdef.Node{v, g.BroadcastTo(g.Const("1", netdef.Scalar, []float32{1}), t.Shape)})
	if err != nil {
		return g.Fail(err)
	}
	return square(g, mean, g.StopGradient(g.Sub(v, g.Mul(d[0], g.Sub(t, r)))))
}

// meanFlowLoss weights each point by 1/sg(error + 10⁻³), the adaptive loss of that paper with p = 1
// (section 4.3 and appendix B).
func meanFlowLoss(p points, u velocity) *netdef.Node {
	g := p.g
	e := meanFlow(p, u, p.number("r"), p.number("t"))
	return g.Mean(g.Div(e, g.StopGradient(g.Offset(e, 1e-3))), netdef.AxAll)
}

// plainMeanFlowLoss has no weights.
func plainMeanFlowLoss(p points, u velocity) *netdef.Node {
	return p.g.Mean(meanFlow(p, u, p.number("r"), p.number("t")), netdef.AxAll)
}

// huberWidth is c of the pseudo-Huber distance: 0.00054·√d in d = 2 dimensions.
var huberWidth = 0.00054 * math.Sqrt2

// consistencyLoss is improved consistency training (iCT: Song & Dhariwal 2023, arXiv 2310.14189,
// table 1): λ(σ_i)·d(f(x_t, t), sg f(x_s, s)) with neighbours s < t of the discretisation on one
// path. The teacher is the student itself (no average). The distance is pseudo-Huber, d(a, b) =
// √(‖a − b‖² + c²) − c. The input "weight" is λ = 1/(σ_{i+1} − σ_i). f(x, t) = x − t·u(x, 0, t) is
// the identity at t = 0.
func consistencyLoss(p points, u velocity) *netdef.Node {
	g := p.g
	t, s := p.number("t"), p.number("s")
	zero := g.BroadcastTo(g.Const("0", netdef.Scalar, []float32{0}), t.Shape)
	student := jump(g, u, p.at(t), zero, t)
	teacher := g.StopGradient(jump(g, u, p.at(s), zero, s))
	d := g.Offset(g.Sqrt(g.Offset(square(g, student, teacher), huberWidth*huberWidth)), -huberWidth)
	return g.Mean(g.Mul(d, p.number("weight")), netdef.AxAll)
}

// One of shortcutShare points learns self-consistency, the others flow matching.
const shortcutShare = 4

// shortcutLoss is equation 5 of One Step Diffusion via Shortcut Models (Frans et al. 2025, arXiv
// 2410.12557). A quarter of the points learns that a step of 2d equals two steps of d (equation 4;
// the point between them by equation 3), with targets from the averaged network. The others learn
// flow matching, which is d = 0. For steps of the smallest d the network gets d = 0, so the input
// "query" is d or 0.
func shortcutLoss(p points, u velocity) *netdef.Node {
	g := p.g
	n := p.n / shortcutShare
	a := p.part(0, p.n-n)
	match := flowMatching(a, u, a.number("t"))
	q := p.part(p.n-n, p.n)
	from, to, query := q.number("t2"), q.number("r2"), q.number("query")
	x := q.at(from)
	done := g.Scope("ema:")
	half := g.Scale(g.Sub(from, to), 0.5)
	mid := g.Sub(from, half)
	first := u(g, x, g.Sub(from, query), from)
	second := u(g, g.Sub(x, g.Mul(first, half)), g.Sub(mid, query), mid)
	done()
	target := g.StopGradient(g.Scale(g.Add(first, second), 0.5))
	consistent := square(g, u(g, x, to, from), target)
	sum := g.Add(g.Sum(match, netdef.AxAll), g.Sum(consistent, netdef.AxAll))
	return g.Scale(sum, 1/float64(p.n))
}

// Inductive moment matching: particles in a group, and the least distance in its kernel.
const (
	particles   = 4
	kernelFloor = 1e-8
)

// momentLoss is inductive moment matching (Zhou, Ermon & Song 2025, arXiv 2503.07565): w(s, t)·MMD²
// between two sets of points that the map makes at time s. One is made of points at t, the other,
// without gradient, of points at r between s and t on the same paths (L_IMM with groups of 4
// particles, which share their times). The kernel is the paper's Laplace kernel exp(−w̃·max(‖a −
// b‖, ε)/D) with w̃ = 1/c_out, the input "scale". The network is the paper's Euler parameterisation
// for flow matching, f = x − (t − s)·u. The input "weight" is w.
func momentLoss(p points, u velocity) *netdef.Node {
	g := p.g
	s, r, t := p.number("s"), p.number("r"), p.number("t")
	far := jump(g, u, p.at(t), s, t)
	near := g.StopGradient(jump(g, u, p.at(r), s, r))
	// Particle j of group i is point j·(n/4) + i: [4,1,n/4,8].
	q := p.n / particles
	split := func(y *netdef.Node) *netdef.Node {
		return g.Reshape(y, netdef.Shape{particles, 1, q, y.Shape[3]})
	}
	scale := g.Scale(split(p.number("scale")), -1.0/2)
	floor := g.Const("floor", netdef.Scalar, []float32{kernelFloor * kernelFloor})
	// kernel is the mean over the particles of b of their kernel with each particle of a, in groups
	// of equal times, [4,1,n/4,1].
	kernel := func(a, b *netdef.Node) (sum *netdef.Node) {
		for j := range particles {
			d := g.Sqrt(g.Max(square(g, split(a), g.Slice(split(b), 0, j, j+1)), floor))
			k := g.Exp(g.Mul(d, scale))
			if sum != nil {
				k = g.Add(sum, k)
			}
			sum = k
		}
		return g.Scale(sum, 1.0/particles)
	}
	mmd := g.Add(g.Sub(kernel(far, far), g.Scale(kernel(far, near), 2)), kernel(near, near))
	return g.Mean(g.Mul(mmd, split(p.number("weight"))), netdef.AxAll)
}

// decoupledLoss is Decoupled MeanFlow (Lee, Yu & Shin 2025, arXiv 2510.24474, and DMFLoss of its
// public code). Half of the points learn flow matching and half the mean flow, each with the loss
// log(error/σ² + 0.01) + log σ²: the paper's Cauchy loss with a learned log σ²(r, t). The method
// also includes the network nets.MLPDecoupled, and flow matching before this loss.
func decoupledLoss(p points, u velocity) *netdef.Node {
	g := p.g
	return decoupled(p, u, func(e, r, t *netdef.Node) *netdef.Node {
		lv := logVariance(g, r, t)
		e = g.Mul(g.Scale(e, 0.5), g.Exp(g.Neg(lv))) // a mean over the two coordinates
		return g.Add(g.Log(g.Offset(e, 0.01)), lv)
	})
}

// plainDecoupledLoss is the same with squared errors.
func plainDecoupledLoss(p points, u velocity) *netdef.Node {
	return decoupled(p, u, func(e, _, _ *netdef.Node) *netdef.Node { return e })
}

// decoupled is the mean over both halves of a loss per point, which depends on the error ‖…‖² and
// the times.
func decoupled(p points, u velocity, point func(e, r, t *netdef.Node) *netdef.Node) *netdef.Node {
	g, half := p.g, p.n/2
	a, b := p.part(0, half), p.part(half, p.n)
	now, r, t := a.number("now"), b.number("r"), b.number("t")
	match := g.Mean(point(flowMatching(a, u, now), now, now), netdef.AxAll)
	return g.Scale(g.Add(match, g.Mean(point(meanFlow(b, u, r, t), r, t), netdef.AxAll)), 0.5)
}

// logVariance is a small network of the times, [1,1,n,1], 0 before training. Parameters are named
// "weight/...".
func logVariance(g *netdef.Graph, r, t *netdef.Node) *netdef.Node {
	defer g.Scope("weight")()
	const width = 32
	row := func(name string, init netdef.Init) *netdef.Node {
		return g.Param(name, netdef.Shape{1, 1, 1, width}, init)
	}
	h := g.Add(g.Add(g.Mul(t, row("t", netdef.Normal{Std: 1})), g.Mul(r, row("r", netdef.Normal{Std: 1}))), row("b", netdef.Normal{Std: 1}))
	return g.Sum(g.Mul(g.SiLU(h), row("out", netdef.Zeros)), netdef.AxC)
}
