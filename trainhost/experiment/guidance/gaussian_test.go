package guidance

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// affine is a random vector after some steps, each of the form x → M·x + b + noise.
type affine struct {
	mean *mat.VecDense
	cov  *mat.Dense
}

func mul(ms ...mat.Matrix) *mat.Dense {
	out := mat.DenseCopyOf(ms[0])
	for _, m := range ms[1:] {
		var next mat.Dense
		next.Mul(out, m)
		out = &next
	}
	return out
}

// sum is a·x + b·y.
func sum(a float64, x mat.Matrix, b float64, y mat.Matrix) *mat.Dense {
	var p, q, out mat.Dense
	p.Scale(a, x)
	q.Scale(b, y)
	out.Add(&p, &q)
	return &out
}

func eye(n int) *mat.Dense {
	d := mat.NewDense(n, n, nil)
	for i := range n {
		d.Set(i, i, 1)
	}
	return d
}

func vec(m *mat.Dense) *mat.VecDense { return mat.VecDenseCopyOf(m.ColView(0)) }

// step returns M·x + b + noise·ε.
func (a affine) step(m *mat.Dense, b mat.Matrix, noise float64) affine {
	n, _ := m.Dims()
	return affine{vec(sum(1, mul(m, a.mean), 1, b)), sum(1, mul(m, a.cov, m.T()), noise*noise, eye(n))}
}

// linearMap is x → M·x + b.
type linearMap struct{ m, b *mat.Dense }

func (f linearMap) after(g linearMap) linearMap {
	return linearMap{mul(f.m, g.m), sum(1, mul(f.m, g.b), 1, f.b)}
}

func mixed(p float64, f linearMap, q float64, g linearMap) linearMap {
	return linearMap{sum(p, f.m, q, g.m), sum(p, f.b, q, g.b)}
}

// predict computes mean and covariance of a method's samples without drawing any, from the
// formulas of the methods' papers as matrices. v(x, t) = E[x₁ − x₀ | x_t] comes from the joint
// Gaussian of (x₁ − x₀, x_t).
func predict(p *LinearProblem, method Method, c Settings) affine {
	n := len(p.Mean)
	id := linearMap{eye(n), mat.NewDense(n, 1, nil)}
	m := mat.NewDense(n, 1, p.Mean)
	velocity := func(t float64) linearMap {
		s := sum((1-t)*(1-t), p.Cov, t*t, eye(n))
		cross := sum(t, eye(n), -(1 - t), p.Cov)
		var inv mat.Dense
		if err := inv.Inverse(s); err != nil {
			panic(err)
		}
		j := mul(cross, &inv)
		return linearMap{j, sum(-1, m, -(1 - t), mul(j, m))}
	}
	normal := mul(p.A.T(), p.A)
	misfit := linearMap{normal, sum(0, m, -1, mul(p.A.T(), mat.NewDense(len(p.Y), 1, p.Y)))}
	var svd mat.SVD
	svd.Factorize(p.A, mat.SVDNone)
	gain := svd.Values(nil)[0]
	x := affine{mat.NewVecDense(n, nil), eye(n)}
	if d, ok := method.(DAPS); ok {
		times := c.Steps / d.ODE
		for k := range times {
			time := func(k int) float64 {
				if k == times {
					return 0
				}
				f := float64(k) / float64(times-1)
				level := math.Pow((1-f)*math.Pow(100, 1./7)+f*math.Pow(0.1, 1./7), 7)
				return level / (1 + level)
			}
			t, s := time(k), time(k+1)
			estimate := id
			for j := range d.ODE {
				from, to := t*(1-float64(j)/float64(d.ODE)), t*(1-float64(j+1)/float64(d.ODE))
				estimate = mixed(1, id, to-from, velocity(from)).after(estimate)
			}
			x = x.step(estimate.m, estimate.b, 0)
			width := t / (1 - t)
			if d.Spread != nil {
				width = d.Spread(t)
			}
			prior, like := 1/(width*width), c.Strength/(p.Sigma*p.Sigma)
			h := d.Step / (prior + like*gain*gain)
			// The chain's target depends on where it starts, x̂₀: x ← F·x + h·prior·x̂₀ + …
			chain, pull := eye(n), mat.NewDense(n, n, nil)
			shift, cov := mat.NewDense(n, 1, nil), mat.NewDense(n, n, nil)
			f := sum(1-h*prior, eye(n), -h*like, normal)
			for range d.Langevin {
				chain = mul(f, chain)
				pull = sum(1, mul(f, pull), h*prior, eye(n))
				shift = sum(1, mul(f, shift), -h*like, misfit.b)
				cov = sum(1, mul(f, cov, f), 2*h, eye(n))
			}
			x = x.step(sum(1, chain, 1, pull), shift, 0)
			x.cov = sum(1, x.cov, 1, cov)
			x = x.step(sum(1-s, eye(n), 0, eye(n)), sum(0, shift, 0, shift), s)
		}
		return x
	}
	for k := range c.Steps {
		t, s := 1-float64(k)/float64(c.Steps), 1-float64(k+1)/float64(c.Steps)
		v := velocity(t)
		x0, x1 := mixed(1, id, -t, v), mixed(1, id, 1-t, v)
		g := misfit.after(x0)
		noise := 0.0
		var next linearMap
		switch method := method.(type) {
		case DPS, PSLD:
			if method.Name() == "psld" {
				g = mixed(1, g, 0.1, linearMap{normal, sum(0, m, 0, m)}.after(g))
			}
			g = linearMap{mul(x0.m.T(), g.m), mul(x0.m.T(), g.b)}
			weight := c.Strength
			if c.Rule == Bayes {
				h := 1 / float64(c.Steps)
				weight *= h * t / math.Max(1-t, h/2) / (p.Sigma * p.Sigma)
			}
			next = mixed(1, mixed(1-s, x0, s, x1), -weight, g)
		case MPGD:
			next = mixed(1-s, mixed(1, x0, -c.Strength, g), s, x1)
		case FlowChef:
			next = mixed(1, mixed(1, id, s-t, v), -c.Strength, g)
		case FlowDPS:
			near := x0
			for range 3 {
				near = mixed(1, near, -c.Strength, misfit.after(near))
			}
			if method.Noise {
				x1, noise = mixed(math.Sqrt(s), x1, 0, x1), s*math.Sqrt(1-s)
			}
			next = mixed(1-s, mixed(1-t, x0, t, near), s, x1)
		}
		x = x.step(next.m, next.b, noise)
	}
	return x
}

// symmetric is the covariance as a symmetric matrix.
func (a affine) symmetric() *mat.SymDense {
	n, _ := a.cov.Dims()
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i + 1 {
			s.SetSym(i, j, (a.cov.At(i, j)+a.cov.At(j, i))/2)
		}
	}
	return s
}

func (a affine) score(t *testing.T, p *LinearProblem) LinearScore {
	t.Helper()
	s, err := p.Score(a.mean.RawVector().Data, a.symmetric())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// affineRules are the rules under which a step is an affine map.
func affineRules(m Method) (out []Rule) {
	for _, r := range m.Rules() {
		if r != Unit {
			out = append(out, r)
		}
	}
	return out
}

// The samples of every method have the mean and the covariance that the formulas of its paper give,
// computed as matrices: within five standard errors of 2000 draws in every component.
func TestMomentsOfSamples(t *testing.T) {
	const draws = 2000
	p := DrawLinear(rand.New(rand.NewPCG(7, 1)), 6, 2)
	b, err := p.Problem(draws)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range Methods() {
		for _, r := range affineRules(m) {
			t.Run(fmt.Sprint(m.Name(), " ", r), func(t *testing.T) {
				c := Settings{Steps: 20, Rule: r, Strength: 0.3, Seed: 5}
				if r == Plain {
					c.Strength = 0.05
				}
				x, calls, err := Sample(b, m, c)
				if err != nil {
					t.Fatal(err)
				}
				mean, cov := Moments(x, 6)
				want := predict(p, m, c)
				for i := range 6 {
					sd := math.Sqrt(want.cov.At(i, i))
					if e := math.Abs(mean[i]-want.mean.AtVec(i)) / sd * math.Sqrt(draws); !(e < 5) {
						t.Errorf("mean %d: %.4f, want %.4f: %.1f standard errors", i, mean[i], want.mean.AtVec(i), e)
					}
					for j := range i + 1 {
						w := want.cov.At(i, j)
						se := math.Sqrt((want.cov.At(i, i)*want.cov.At(j, j) + w*w) / draws)
						if e := math.Abs(cov.At(i, j)-w) / se; !(e < 5) {
							t.Errorf("covariance %d, %d: %.4f, want %.4f: %.1f standard errors", i, j, cov.At(i, j), w, e)
						}
					}
				}
				gradients := 0
				if m.Name() == "dps" || m.Name() == "psld" {
					gradients = 20
				}
				if calls != (Calls{20, gradients}) {
					t.Errorf("%+v", calls)
				}
			})
		}
	}
}

// testProblems draws problems of several sizes.
func testProblems() (ps []*LinearProblem) {
	for seed := range uint64(4) {
		ps = append(ps, DrawLinear(rand.New(rand.NewPCG(seed, 2)), 8, 2+int(seed)))
	}
	return ps
}

// The errors of the exact sampler, which come from the steps alone, vanish as 1/steps: with the
// posterior's own flow the moments tend to the posterior's.
func TestPosteriorFlow(t *testing.T) {
	for i, p := range testProblems() {
		mean, cov, err := p.Posterior()
		if err != nil {
			t.Fatal(err)
		}
		own := *p
		own.Mean, own.Cov = mean, cov
		coarse := predict(&own, MPGD{}, Settings{Steps: 100}).score(t, p)
		if s := predict(&own, MPGD{}, Settings{Steps: 400}).score(t, p); !(s.Mean < 1e-6) || !(math.Abs(s.Observed-1) < 0.03) || !(math.Abs(s.Hidden-1) < 0.01) || !(s.KL < coarse.KL/4) {
			t.Errorf("problem %d: %+v, with 100 steps %+v", i, s, coarse)
		}
	}
}

// What is known of the methods on linear-Gaussian problems, by their moments without sampling
// noise:
//
//   - DPS with the likelihood's own weight is overconfident, as it ignores the covariance of x₀
//     given x_t: the spread in observed directions is less than two thirds of the posterior's. PSLD,
//     which here adds to the same misfit, is narrower still.
//   - In all methods that take gradient steps, a larger strength narrows the observed directions,
//     to less than a fifth of the posterior's spread; they tend to a point estimate. In between is
//     a strength with the posterior's spread.
//   - Directions that A does not see keep nearly the right spread (within a fifth), because the
//     exact flow handles the correlations.
//   - The source's noise in FlowDPS narrows the prior itself: without guidance, the hidden spread is
//     below that of the deterministic sampler.
//   - DAPS with the width t/(1−t) is too wide in hidden directions, where the ODE's endpoint already
//     has the whole spread of the prior and the Langevin steps add to it.
func TestKnownErrors(t *testing.T) {
	for i, p := range testProblems() {
		at := func(m Method, r Rule, strength float64) LinearScore {
			return predict(p, m, Settings{Steps: 100, Rule: r, Strength: strength}).score(t, p)
		}
		dps, psld := at(DPS{}, Bayes, 1), at(PSLD{}, Bayes, 1)
		if !(dps.Observed < 2./3) || !(psld.Observed < dps.Observed) {
			t.Errorf("problem %d: at weight 1 DPS has %+v, PSLD %+v", i, dps, psld)
		}
		for _, m := range []Method{DPS{}, PSLD{}, MPGD{}, FlowChef{}, FlowDPS{}} {
			last := math.Inf(1)
			first := at(m, Plain, 0).Observed
			for _, strength := range []float64{0.001, 0.003, 0.01, 0.03, 0.1, 0.3} {
				s := at(m, Plain, strength)
				if !(s.Observed < last) || !(math.Abs(s.Hidden-1) < 0.2) {
					t.Errorf("problem %d: %s with strength %g: %+v, the one before has an observed spread of %.3f", i, m.Name(), strength, s, last)
				}
				last = s.Observed
			}
			if !(first > 1) || !(last < 0.2) {
				t.Errorf("problem %d: %s: the observed spread goes from %.3f to %.3f", i, m.Name(), first, last)
			}
		}
		quiet, noisy := at(FlowDPS{}, Plain, 0).Hidden, at(FlowDPS{Noise: true}, Plain, 0).Hidden
		if !(noisy < 0.95*quiet) {
			t.Errorf("problem %d: without guidance FlowDPS has a hidden spread of %.3f with noise, %.3f without", i, noisy, quiet)
		}
		if s := at(DefaultDAPS(), Bayes, 1); !(s.Hidden > 1.2) {
			t.Errorf("problem %d: DAPS: %+v", i, s)
		}
	}
}

// DAPS is exact where its assumptions hold (its Proposition 1): the prior is isotropic, so that
// p(x₀|x_t) is an isotropic Gaussian about x̂₀ of one step, its width is the true one, and the chain
// is long and its step small. Then the posterior's mean and covariance come out.
func TestExactDAPS(t *testing.T) {
	p := DrawLinear(rand.New(rand.NewPCG(3, 3)), 6, 3)
	const c = 1.7
	for i := range 6 {
		for j := range i + 1 {
			p.Cov.SetSym(i, j, 0)
		}
		p.Cov.SetSym(i, i, c)
	}
	exact := DAPS{ODE: 1, Langevin: 4000, Step: 0.02, Spread: func(t float64) float64 {
		return math.Sqrt(c * t * t / (t*t + c*(1-t)*(1-t)))
	}}
	s := predict(p, exact, Settings{Steps: 10, Rule: Bayes, Strength: 1}).score(t, p)
	if !(s.Mean < 1e-3) || !(math.Abs(s.Observed-1) < 0.01) || !(math.Abs(s.Hidden-1) < 0.01) || !(s.KL < 1e-4) {
		t.Errorf("%+v", s)
	}
	if s := predict(p, DefaultDAPS(), Settings{Steps: 50, Rule: Bayes, Strength: 1}).score(t, p); !(s.KL > 0.01) {
		t.Errorf("the default is exact as well: %+v", s)
	}
}

// The pullback is the transposed Jacobian of the velocity, by central differences.
func TestGaussianPullback(t *testing.T) {
	p := DrawLinear(rand.New(rand.NewPCG(1, 4)), 5, 2)
	flow, err := NewGaussian(p.Mean, p.Cov)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 5))
	x, w, d := make([]float64, 10), make([]float64, 10), make([]float64, 10)
	for i := range x {
		x[i], w[i], d[i] = rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()
	}
	for _, at := range []float64{0, 0.3, 1} {
		const h = 1e-5
		up, _ := flow.Velocity(combine(1, x, h, d), at)
		down, _ := flow.Velocity(combine(1, x, -h, d), at)
		back, _ := flow.Pullback(x, at, w)
		left, right := 0.0, 0.0
		for i := range x {
			left += w[i] * (up[i] - down[i]) / (2 * h)
			right += back[i] * d[i]
		}
		if !(math.Abs(left-right) < 1e-7) {
			t.Errorf("t = %g: %g by differences, %g by the pullback", at, left, right)
		}
	}
}
