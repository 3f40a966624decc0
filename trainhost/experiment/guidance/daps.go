package guidance

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// DAPS is Decoupled Annealing Posterior Sampling (Zhang, Chu, Berner, Meng, Anandkumar and Song,
// 2025, arXiv 2407.01521, Algorithm 1). For falling times it estimates x̂₀ by some steps of the ODE
// from x_t to 0, draws from
//
//	p(x₀|x_t, y) ∝ N(x₀; x̂₀, r_t²·I) · N(y; A x₀, σ²·I)
//
// by Langevin dynamics that start at x̂₀, and noises the draw to the next time. If the draw is exact,
// so is the distribution at every time (its Proposition 1). The errors are those of the Gaussian
// with the heuristic width r_t, and of the few Langevin steps.
//
// The times are those of the source's noise levels t/(1−t): from 100 to 0.1, equally spaced in their
// seventh roots. A network step is one of the ODEs, so there are Settings.Steps/ODE times. Strength
// multiplies the likelihood's weight 1/σ².
type DAPS struct {
	ODE      int     // steps of each ODE
	Langevin int     // steps of each Langevin chain
	Step     float64 // step of the chain, in units of the inverse of the largest curvature, below 2
	// Spread is r_t. If it is nil it is the source's: the noise level t/(1−t) of x_t/(1−t).
	Spread func(t float64) float64
}

// DefaultDAPS has the numbers of steps of the VFM paper (B.2.2).
func DefaultDAPS() DAPS { return DAPS{ODE: 5, Langevin: 50, Step: 0.5} }

// Noise levels t/(1−t) of the first and the last time, and the exponent of their spacing.
const (
	noiseMost, noiseLeast = 100, 0.1
	noiseExponent         = 7
)

// annealing returns the times of DAPS, from late to early.
func annealing(n int) (times []float64) {
	most, least := math.Pow(noiseMost, 1./noiseExponent), math.Pow(noiseLeast, 1./noiseExponent)
	for k := range n {
		level := math.Pow(most+(least-most)*float64(k)/float64(max(1, n-1)), noiseExponent)
		times = append(times, level/(1+level))
	}
	return times
}

// Name implements Method.
func (DAPS) Name() string { return "daps" }

// Rules implements Method.
func (DAPS) Rules() []Rule { return []Rule{Bayes} }

// Validate implements Method.
func (m DAPS) Validate(c Settings) error {
	if m.ODE < 1 || m.Langevin < 1 || !(m.Step > 0 && m.Step < 2) {
		return fmt.Errorf("guidance: DAPS with %d steps of the ODE and %d Langevin steps of %g: must be at least 1, 1 and between 0 and 2", m.ODE, m.Langevin, m.Step)
	}
	if c.Steps%m.ODE != 0 {
		return fmt.Errorf("guidance: DAPS with %d network steps: must be a multiple of the %d steps of its ODE", c.Steps, m.ODE)
	}
	return nil
}

func (m DAPS) sample(r *run) (x []float64, err error) {
	times, gains := append(annealing(r.Steps/m.ODE), 0), r.gains()
	x = r.noise() // x_t at the first time, up to the hundredth part of x₀ in it
	for k, t := range times[:len(times)-1] {
		x0 := x
		for j := range m.ODE {
			from, to := t*stepTime(j, m.ODE), t*stepTime(j+1, m.ODE)
			v, err := r.velocity(x0, from)
			if err != nil {
				return nil, err
			}
			x0 = combine(1, x0, to-from, v)
		}
		x0 = m.langevin(r, x0, t, gains)
		s := times[k+1]
		x = combine(1-s, x0, s, r.noise())
	}
	return x, nil
}

// langevin draws from the Gaussian about x0 times the likelihood. gains are those of the operators.
func (m DAPS) langevin(r *run, x0 []float64, t float64, gains []float64) []float64 {
	width := t / (1 - t)
	if m.Spread != nil {
		width = m.Spread(t)
	}
	prior, likelihood := 1/(width*width), r.Strength/(r.Sigma*r.Sigma)
	x := x0
	for range m.Langevin {
		g, noise := r.misfit(x), r.noise()
		next := make([]float64, len(x))
		for i, gain := range gains {
			step := m.Step / (prior + likelihood*gain)
			spread := math.Sqrt(2 * step)
			for j := i * r.Dim; j < (i+1)*r.Dim; j++ {
				next[j] = x[j] - step*(likelihood*g[j]+prior*(x[j]-x0[j])) + spread*noise[j]
			}
		}
		x = next
	}
	return x
}

// gains estimates the largest eigenvalue of AᵀA for every vector of the batch, by power iteration
// from one random vector. It is at most a little too small.
func (r *run) gains() []float64 {
	rng := rand.New(rand.NewPCG(1, 1))
	start := make([]float64, r.Dim)
	for j := range start {
		start[j] = rng.NormFloat64()
	}
	var x []float64
	for range r.Batch {
		x = append(x, start...)
	}
	gains := make([]float64, r.Batch)
	for range 20 {
		next := r.Operator.Adjoint(r.Operator.Apply(x))
		for i := range gains {
			at := next[i*r.Dim : (i+1)*r.Dim]
			gains[i] = norm(at) / max(norm(x[i*r.Dim:(i+1)*r.Dim]), 1e-30) // A may be 0
			for j := range at {
				at[j] /= max(gains[i], 1e-30)
			}
		}
		x = next
	}
	return gains
}
