package guidance

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Gaussian is the exact Flow of x₀ ~ N(mean, Cov) with Cov = V·diag(values)·Vᵀ.
type Gaussian struct {
	mean    []float64
	vectors *mat.Dense // V, orthogonal
	values  []float64
}

// NewGaussian returns the flow of N(mean, cov). It fails if cov is not positive definite.
func NewGaussian(mean []float64, cov mat.Symmetric) (*Gaussian, error) {
	g := &Gaussian{mean: mean, vectors: &mat.Dense{}}
	var eig mat.EigenSym
	if !eig.Factorize(cov, true) {
		return nil, fmt.Errorf("guidance: the covariance has no eigenvectors")
	}
	eig.VectorsTo(g.vectors)
	g.values = eig.Values(nil)
	if len(mean) != len(g.values) || !(g.values[0] > 0) {
		return nil, fmt.Errorf("guidance: a covariance of %d dimensions with the least eigenvalue %g, and a mean of %d: the covariance must be positive definite, and both must have the same size",
			len(g.values), g.values[0], len(mean))
	}
	return g, nil
}

// Velocity implements Flow: E[x₁ − x₀ | x_t = x] = −m + (t·I − (1−t)·C)·S⁻¹·(x − (1−t)·m) with S =
// (1−t)²·C + t²·I, the covariance of x_t.
func (g *Gaussian) Velocity(x []float64, t float64) ([]float64, error) {
	d := len(g.mean)
	centred := make([]float64, len(x))
	for i, v := range x {
		centred[i] = v - (1-t)*g.mean[i%d]
	}
	out, err := g.Pullback(x, t, centred)
	for i := range out {
		out[i] -= g.mean[i%d]
	}
	return out, err
}

// Pullback implements Flow. The Jacobian is symmetric.
func (g *Gaussian) Pullback(_ []float64, t float64, w []float64) ([]float64, error) {
	d := len(g.mean)
	rows := mat.NewDense(len(w)/d, d, w)
	var turned, out mat.Dense
	turned.Mul(rows, g.vectors)
	turned.Apply(func(_, j int, v float64) float64 {
		c := g.values[j]
		return v * (t - (1-t)*c) / ((1-t)*(1-t)*c + t*t)
	}, &turned)
	out.Mul(&turned, g.vectors.T())
	return out.RawMatrix().Data, nil
}

// Matrix is the Operator that multiplies every vector by a matrix A.
type Matrix struct{ A *mat.Dense }

// Apply implements Operator.
func (m Matrix) Apply(x []float64) []float64 { return timesRows(x, m.A.T()) }

// Adjoint implements Operator.
func (m Matrix) Adjoint(y []float64) []float64 { return timesRows(y, m.A) }

// timesRows multiplies every row of a batch by b from the right.
func timesRows(x []float64, b mat.Matrix) []float64 {
	n, _ := b.Dims()
	var out mat.Dense
	out.Mul(mat.NewDense(len(x)/n, n, x), b)
	return out.RawMatrix().Data
}

// LinearProblem is x₀ ~ N(Mean, Cov), y = A x₀ + ε with ε ~ N(0, Sigma²·I), and one observation Y.
// Its posterior is known.
type LinearProblem struct {
	Mean  []float64
	Cov   *mat.SymDense
	A     *mat.Dense
	Sigma float64
	Y     []float64
}

// DrawLinear draws a problem of dim dimensions. The standard deviations of the prior are between
// 0.4 and 2 along axes of random directions; A has observed rows of random directions, and singular
// values between 0.5 and 1; σ is 0.3.
func DrawLinear(rng *rand.Rand, dim, observed int) *LinearProblem {
	p := &LinearProblem{Cov: mat.NewSymDense(dim, nil), A: mat.NewDense(observed, dim, nil), Sigma: 0.3}
	axes := rotation(rng, dim)
	for k := range dim {
		sd := 0.4 + 1.6*rng.Float64()
		p.Cov.SymRankOne(p.Cov, sd*sd, axes.ColView(k))
		p.Mean = append(p.Mean, rng.NormFloat64())
	}
	left, right := rotation(rng, observed), rotation(rng, dim)
	for k := range observed {
		gain := 0.5 + 0.5*rng.Float64()
		p.A.RankOne(p.A, gain, left.ColView(k), right.ColView(k))
	}
	var root mat.Cholesky
	root.Factorize(p.Cov)
	x0 := mat.NewVecDense(dim, nil)
	for k := range dim {
		x0.SetVec(k, rng.NormFloat64())
	}
	var lower mat.TriDense
	root.LTo(&lower)
	x0.MulVec(&lower, x0)
	x0.AddVec(x0, mat.NewVecDense(dim, p.Mean))
	var y mat.VecDense
	y.MulVec(p.A, x0)
	for k := range observed {
		p.Y = append(p.Y, y.AtVec(k)+p.Sigma*rng.NormFloat64())
	}
	return p
}

// rotation draws an orthogonal matrix.
func rotation(rng *rand.Rand, n int) *mat.Dense {
	g := mat.NewDense(n, n, nil)
	g.Apply(func(int, int, float64) float64 { return rng.NormFloat64() }, g)
	var qr mat.QR
	qr.Factorize(g)
	var q mat.Dense
	qr.QTo(&q)
	return &q
}

// Posterior returns mean and covariance of p(x₀|y): m + K·(y − A m) and C − K·A·C with the Kalman
// gain K = C Aᵀ (A C Aᵀ + σ²·I)⁻¹.
func (p *LinearProblem) Posterior() (mean []float64, cov *mat.SymDense, err error) {
	var ac, s, gain, down, shift mat.Dense
	ac.Mul(p.A, p.Cov)
	s.Mul(&ac, p.A.T())
	for k := range p.Y {
		s.Set(k, k, s.At(k, k)+p.Sigma*p.Sigma)
	}
	if err := gain.Solve(&s, &ac); err != nil { // Kᵀ, as s is symmetric
		return nil, nil, err
	}
	residual := make([]float64, len(p.Y))
	for k := range residual {
		residual[k] = p.Y[k] - mat.Dot(p.A.RowView(k), mat.NewVecDense(len(p.Mean), p.Mean))
	}
	shift.Mul(gain.T(), mat.NewVecDense(len(residual), residual))
	down.Mul(gain.T(), &ac)
	n := len(p.Mean)
	cov = mat.NewSymDense(n, nil)
	for i := range n {
		mean = append(mean, p.Mean[i]+shift.At(i, 0))
		for j := range i + 1 {
			cov.SetSym(i, j, p.Cov.At(i, j)-(down.At(i, j)+down.At(j, i))/2)
		}
	}
	return mean, cov, nil
}

// Problem returns n copies of the problem with the exact flow of its prior.
func (p *LinearProblem) Problem(n int) (Problem, error) {
	flow, err := NewGaussian(p.Mean, p.Cov)
	if err != nil {
		return Problem{}, err
	}
	out := Problem{Flow: flow, Operator: Matrix{p.A}, Sigma: p.Sigma, Batch: n, Dim: len(p.Mean)}
	for range n {
		out.Y = append(out.Y, p.Y...)
	}
	return out, nil
}

// Moments returns mean and covariance of a batch of vectors of length dim.
func Moments(x []float64, dim int) (mean []float64, cov *mat.SymDense) {
	rows := mat.NewDense(len(x)/dim, dim, x)
	cov = mat.NewSymDense(dim, nil)
	stat.CovarianceMatrix(cov, rows, nil)
	for j := range dim {
		mean = append(mean, stat.Mean(mat.Col(nil, j, rows), nil))
	}
	return mean, cov
}

// LinearScore compares a Gaussian with the posterior of a LinearProblem.
type LinearScore struct {
	// Mean is the error of the mean in posterior standard deviations: the root mean square over all
	// directions.
	Mean float64
	// Observed and Hidden are the ratios of standard deviations in the row space of A, which y
	// tells something of, and in its null space: the root of the ratio of traces. Below 1 is too
	// narrow.
	Observed, Hidden float64
	// KL is KL(N(mean, cov) ‖ posterior) per dimension in nats.
	KL float64
}

// Score compares mean and covariance with the posterior's.
func (p *LinearProblem) Score(mean []float64, cov mat.Symmetric) (s LinearScore, err error) {
	want, wantCov, err := p.Posterior()
	if err != nil {
		return s, err
	}
	n := len(want)
	var chol, own mat.Cholesky
	if !chol.Factorize(wantCov) {
		return s, fmt.Errorf("guidance: the posterior is degenerate")
	}
	diff := mat.NewVecDense(n, nil)
	diff.SubVec(mat.NewVecDense(n, mean), mat.NewVecDense(n, want))
	var scaled mat.VecDense
	if err := chol.SolveVecTo(&scaled, diff); err != nil {
		return s, err
	}
	square := mat.Dot(diff, &scaled)
	s.Mean = math.Sqrt(square / float64(n))
	var svd mat.SVD
	if !svd.Factorize(p.A, mat.SVDFullV) {
		return s, fmt.Errorf("guidance: the operator has no singular value decomposition")
	}
	var v mat.Dense
	svd.VTo(&v)
	ratio := func(from, to int) float64 {
		have, should := 0.0, 0.0
		for k := from; k < to; k++ {
			have += mat.Inner(v.ColView(k), cov, v.ColView(k))
			should += mat.Inner(v.ColView(k), wantCov, v.ColView(k))
		}
		return math.Sqrt(have / should)
	}
	s.Observed, s.Hidden = ratio(0, len(p.Y)), ratio(len(p.Y), n)
	s.KL = math.Inf(1)
	if own.Factorize(cov) {
		var product mat.Dense
		if err := chol.SolveTo(&product, cov); err != nil {
			return s, err
		}
		s.KL = (mat.Trace(&product) + square - float64(n) + chol.LogDet() - own.LogDet()) / float64(2*n)
	}
	return s, nil
}
