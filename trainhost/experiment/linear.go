package experiment

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/netdef"
)

// dim is the dimension of x and z, and of y with its empty components. Tensors need a multiple of
// 8.
const dim = 8

// LinearConfig says which linear-Gaussian problems are drawn, and how they are trained.
type LinearConfig struct {
	Problems   int
	Observed   int     // components of y that are observed, 1 to 8
	Sigma, Tau float64 // σ of eq. 12, τ of eq. 11
	Steps      int
	Batch      int // draws per step, a multiple of 8
	LR         float64
	Seed       uint64
}

// DefaultLinear takes about a minute on two cores.
func DefaultLinear() LinearConfig {
	return LinearConfig{Problems: 5, Observed: 3, Sigma: 0.3, Tau: 1, Steps: 3000, Batch: 2048, LR: 5e-3, Seed: 1}
}

// linearProblem is x ~ N(m, C), y = A x + σε with C = U Λ² Uᵀ.
type linearProblem struct {
	cfg    LinearConfig
	m      []float64
	u      *mat.Dense // eigenvectors of C
	lambda []float64  // square roots of its eigenvalues
	a      *mat.Dense // [dim, dim], rows from Observed on are 0
	q0     *mat.Dense // the fixed rotation of separate training
}

func drawLinear(cfg LinearConfig, rng *rand.Rand) *linearProblem {
	p := &linearProblem{cfg: cfg, u: orthogonal(rng), q0: orthogonal(rng), a: mat.NewDense(dim, dim, nil)}
	for range dim {
		p.m = append(p.m, rng.NormFloat64())
		p.lambda = append(p.lambda, 0.4+1.6*rng.Float64())
	}
	for i := range cfg.Observed {
		for j := range dim {
			p.a.Set(i, j, rng.NormFloat64()/math.Sqrt(dim))
		}
	}
	return p
}

// orthogonal draws an orthogonal matrix from the Haar measure.
func orthogonal(rng *rand.Rand) *mat.Dense {
	g := mat.NewDense(dim, dim, nil)
	for i := range dim {
		for j := range dim {
			g.Set(i, j, rng.NormFloat64())
		}
	}
	var qr mat.QR
	qr.Factorize(g)
	var q, r mat.Dense
	qr.QTo(&q)
	qr.RTo(&r)
	for j := range dim {
		if r.At(j, j) < 0 {
			for i := range dim {
				q.Set(i, j, -q.At(i, j))
			}
		}
	}
	return &q
}

// ul is U Λ.
func (p *linearProblem) ul() *mat.Dense { return mul(p.u, mat.NewDiagDense(dim, p.lambda)) }

func mul(ms ...mat.Matrix) *mat.Dense {
	out := mat.DenseCopyOf(ms[0])
	for _, m := range ms[1:] {
		var next mat.Dense
		next.Mul(out, m)
		out = &next
	}
	return out
}

func add(a, b mat.Matrix, scale float64) *mat.Dense {
	var s, out mat.Dense
	s.Scale(scale, b)
	out.Add(a, &s)
	return &out
}

func inverse(m mat.Matrix) *mat.Dense {
	var out mat.Dense
	if err := out.Inverse(m); err != nil {
		panic(fmt.Sprintf("experiment: %v", err)) // all are sums with the identity, and never singular
	}
	return &out
}

// identity is the identity matrix.
func identity() *mat.Dense {
	return mat.DenseCopyOf(mat.NewDiagDense(dim, []float64{1, 1, 1, 1, 1, 1, 1, 1}))
}

// closed holds the closed forms for a generator x = Kθ z + m.
type closed struct {
	precision *mat.Dense // P, the inverse of eq. 41
	gain      *mat.Dense // Kφ of eq. 42 with the full Σφ: the optimal mean without constraints
	kalman    *mat.Dense // Kalman gain K
	sy        *mat.Dense // covariance of y
}

func (p *linearProblem) closed(k mat.Matrix) closed {
	s2, t2 := p.cfg.Sigma*p.cfg.Sigma, p.cfg.Tau*p.cfg.Tau
	c := mul(p.ul(), p.ul().T())
	var f closed
	f.precision = add(add(identity(), mul(k.T(), k), 1/t2), mul(k.T(), p.a.T(), p.a, k), 1/s2)
	f.sy = add(mul(p.a, c, p.a.T()), identity(), s2)
	f.kalman = mul(c, p.a.T(), inverse(f.sy))
	right := add(scaled(p.a.T(), 1/s2), f.kalman, 1/t2)
	f.gain = mul(inverse(f.precision), k.T(), right)
	return f
}

func scaled(m mat.Matrix, s float64) *mat.Dense {
	var out mat.Dense
	out.Scale(s, m)
	return &out
}

// tied is eq. 42 with the diagonal covariance instead of the full one, as in the proof of A.18.
func (p *linearProblem) tied(k mat.Matrix, f closed) *mat.Dense {
	inv := make([]float64, dim)
	for i := range inv {
		inv[i] = 1 / f.precision.At(i, i)
	}
	right := add(scaled(p.a.T(), 1/(p.cfg.Sigma*p.cfg.Sigma)), f.kalman, 1/(p.cfg.Tau*p.cfg.Tau))
	return mul(mat.NewDiagDense(dim, inv), k.T(), right)
}

// meanError is the root mean square of Kθ Kφ (y − Am) − K (y − Am) over p(y), relative to that of K
// (y − Am).
func meanError(k, gain mat.Matrix, f closed) float64 {
	d := add(mul(k, gain), f.kalman, -1)
	return math.Sqrt(mat.Trace(mul(d, f.sy, d.T())) / mat.Trace(mul(f.kalman, f.sy, f.kalman.T())))
}

// hadamard is the optimality gap of a diagonal covariance in nats: ½(Σ log P_ii − log |P|), from
// the proof of A.15.
func hadamard(f closed) float64 {
	det, _ := mat.LogDet(f.precision)
	s := 0.0
	for i := range dim {
		s += math.Log(f.precision.At(i, i))
	}
	return (s - det) / 2
}

// covarianceError is the relative error of Kθ Σφ Kθᵀ in the Frobenius norm, compared with the full
// Σφ of eq. 41.
func covarianceError(k mat.Matrix, variance []float64, f closed) float64 {
	want := mul(k, inverse(f.precision), k.T())
	return mat.Norm(add(mul(k, mat.NewDiagDense(dim, variance), k.T()), want, -1), 2) / mat.Norm(want, 2)
}

// LinearResult is one problem with one kind of training.
type LinearResult struct {
	Problem int
	Joint   bool
	// MeanError is measured on the trained adapter: the relative error of E_q[f(z)] against the
	// Kalman mean, over p(y).
	MeanError float64
	// GainError is ‖Kφ − eq. 42‖/‖eq. 42‖ for the generator that was trained. VarianceError is the
	// relative error of σφ² against its diagonal optimum 1/P_ii.
	GainError, VarianceError float64
	// CovarianceError: see covarianceError. Gap is the optimality gap in nats of a diagonal
	// covariance for this generator.
	CovarianceError, Gap float64
	// TiedError is the mean error of eq. 82, which the proof of A.18 predicts with a gain that is
	// tied to the diagonal covariance.
	TiedError float64
}

// Linear trains adapters with diagonal covariance on random problems by the sampled loss (12), and
// compares them with the closed forms. The rotation of the generator is fixed in separate training
// (A.7) and learned in joint training (A.8), where x = U Λ Q z + m keeps the constraint Kθ Kθᵀ = C.
// It writes a Markdown table to w.
func Linear(ctx context.Context, dev *gpu.Device, w io.Writer, cfg LinearConfig) ([]LinearResult, error) {
	if cfg.Problems < 1 || cfg.Observed < 1 || cfg.Observed > dim || !(cfg.Sigma > 0) || !(cfg.Tau > 0) || cfg.Steps < 1 || cfg.Batch < 8 || cfg.Batch%8 != 0 {
		return nil, fmt.Errorf("linear-gaussian: problems %d, observed %d, sigma %g, tau %g, steps %d or batch %d is out of range", cfg.Problems, cfg.Observed, cfg.Sigma, cfg.Tau, cfg.Steps, cfg.Batch)
	}
	rng := rand.New(rand.NewPCG(cfg.Seed, 31))
	var out []LinearResult
	fmt.Fprintln(w, "| problem | training | mean error | gain vs (42) | σ² vs 1/P_ii | covariance error | gap (nats) | tied gain (82) |\n|---|---|---|---|---|---|---|---|")
	for i := range cfg.Problems {
		p := drawLinear(cfg, rng)
		for _, joint := range []bool{false, true} {
			r, err := p.train(ctx, dev, joint, cfg.Seed+uint64(i))
			if err != nil {
				return nil, err
			}
			r.Problem = i + 1
			out = append(out, r)
			fmt.Fprintf(w, "| %d | %s | %.4f | %.4f | %.4f | %.4f | %.4f | %.4f |\n", r.Problem, kindName(joint), r.MeanError, r.GainError, r.VarianceError, r.CovarianceError, r.Gap, r.TiedError)
		}
	}
	for _, joint := range []bool{false, true} {
		var v [6][]float64
		for _, r := range out {
			if r.Joint == joint {
				for k, x := range []float64{r.MeanError, r.GainError, r.VarianceError, r.CovarianceError, r.Gap, r.TiedError} {
					v[k] = append(v[k], x)
				}
			}
		}
		fmt.Fprintf(w, "| mean ± std | %s |", kindName(joint))
		for _, x := range v {
			m, s := stat.MeanStdDev(x, nil)
			fmt.Fprintf(w, " %.4f ± %.4f |", m, s)
		}
		fmt.Fprintln(w)
	}
	return out, nil
}

// kindName names the kind of training.
func kindName(joint bool) string {
	if joint {
		return "joint"
	}
	return "separate"
}

// matrixConst is a matrix as a constant [1,1,dim,dim].
func matrixConst(g *netdef.Graph, name string, m mat.Matrix) *netdef.Node {
	return g.Const(name, netdef.Shape{1, 1, dim, dim}, flat(m))
}

func flat(m mat.Matrix) []float32 {
	r, c := m.Dims()
	var v []float32
	for i := range r {
		for j := range c {
			v = append(v, float32(m.At(i, j)))
		}
	}
	return v
}

// rotation makes a free matrix orthogonal by Newton–Schulz iterations Q ← 1.5 Q − 0.5 Q Qᵀ Q, which
// converge for singular values below √3.
func rotation(g *netdef.Graph, free *netdef.Node) *netdef.Node {
	norm := g.Sqrt(g.Sum(g.Square(free), netdef.AxAll))
	q := g.Scale(g.Div(free, norm), 0.6*math.Sqrt(dim))
	for range 14 {
		q = g.Sub(g.Scale(q, 1.5), g.Scale(g.MatMul(g.MatMul(q, g.Transpose(q)), q), 0.5))
	}
	return q
}

// graph builds the sampled loss (12) with sums over dimensions. Vectors are rows, so matrices are
// transposed. q is the rotation.
func (p *linearProblem) graph(joint bool) (g *netdef.Graph, loss, q *netdef.Node) {
	g = netdef.NewGraph()
	key := g.Input("key", netdef.KeyShape)
	rows, vec := netdef.Shape{1, 1, p.cfg.Batch, dim}, netdef.Shape{1, 1, 1, dim}
	noise := func(stream uint32) *netdef.Node { return g.Normal(rows, key, stream) }
	m := g.Const("m", vec, flat(mat.NewDense(1, dim, p.m)))
	at := matrixConst(g, "At", p.a.T())
	ulT := matrixConst(g, "ULt", p.ul().T())
	x := g.Add(g.MatMul(noise(1), ulT), m)
	y := g.Add(g.MatMul(x, at), g.Scale(noise(2), p.cfg.Sigma))

	square := netdef.Shape{1, 1, dim, dim}
	mu := g.Add(g.MatMul(y, g.Param("gainT", square, netdef.Zeros)), g.Param("bias", vec, netdef.Zeros))
	logstd := g.Param("logstd", vec, netdef.Zeros)
	std := g.Exp(logstd)
	z := g.Add(mu, g.Mul(noise(3), std))
	if joint {
		q = rotation(g, g.Param("free", square, netdef.Data{Values: flat(p.q0)}))
	} else {
		q = matrixConst(g, "Q", p.q0)
	}
	f := g.Add(g.MatMul(g.MatMul(z, g.Transpose(q)), ulT), m)
	kl := g.Sub(g.Scale(g.Offset(g.Add(g.Square(mu), g.Square(std)), -1), 0.5), logstd)
	total := g.Add(g.Scale(g.Square(g.Sub(x, f)), 0.5/(p.cfg.Tau*p.cfg.Tau)), g.Scale(g.Square(g.Sub(y, g.MatMul(f, at))), 0.5/(p.cfg.Sigma*p.cfg.Sigma)))
	loss = g.Scale(g.Mean(g.Add(total, kl), netdef.AxAll), dim)
	return g, loss, q
}

func (p *linearProblem) train(ctx context.Context, dev *gpu.Device, joint bool, seed uint64) (r LinearResult, err error) {
	g, loss, q := p.graph(joint)
	f := fit{graph: g, loss: loss, outs: []*netdef.Node{q}, adamw: adamw(p.cfg.LR, p.cfg.Steps), seed: seed}
	f.adamw.EMA, f.adamw.Warmup = 0.99, 20
	trained, err := f.run(ctx, dev)
	if err != nil {
		return r, err
	}
	defer trained.Close()
	params, err := trained.Store().Get()
	if err != nil {
		return r, err
	}
	qv, err := trained.Output(1)
	if err != nil {
		return r, err
	}
	dense := func(v []float32) *mat.Dense {
		d := mat.NewDense(dim, dim, nil)
		for i := range dim {
			for j := range dim {
				d.Set(i, j, float64(v[i*dim+j]))
			}
		}
		return d
	}
	k := mul(p.ul(), dense(qv))
	gain := mat.DenseCopyOf(dense(params["gainT"]).T())
	variance := make([]float64, dim)
	c := p.closed(k)
	var dv, nv float64
	for i, l := range params["logstd"] {
		variance[i] = math.Exp(2 * float64(l))
		want := 1 / c.precision.At(i, i)
		dv += (variance[i] - want) * (variance[i] - want)
		nv += want * want
	}
	r = LinearResult{
		Joint: joint, MeanError: meanError(k, gain, c), GainError: mat.Norm(add(gain, c.gain, -1), 2) / mat.Norm(c.gain, 2),
		VarianceError: math.Sqrt(dv / nv), CovarianceError: covarianceError(k, variance, c), Gap: hadamard(c), TiedError: meanError(k, p.tied(k, c), c),
	}
	return r, nil
}
