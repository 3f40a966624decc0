package guidance

// DPS is Diffusion Posterior Sampling (Chung, Kim, McCann, Klasky and Ye, 2023, arXiv 2209.14687).
// It approximates p(y|x_t) by p(y|x̂₀) (Theorem 1), so that with Gaussian noise
//
//	∇ log p(y|x_t) ≈ −1/σ² · ∇_x ½‖y − A x̂₀(x_t)‖²   (eq. 16, with ρ = 1/σ² for half the square)
//
// and subtracts a multiple of this gradient, taken through the network, after each step of the
// sampler (Algorithm 1, line 7). The step here is that of the ODE and has no noise, as in the VFM
// paper (B.2.2).
//
// The rule Bayes follows from the posterior's own ODE. As v = −(x + t·∇log p_t)/(1−t), it has the
// velocity v − t/(1−t)·∇ log p(y|x_t).
type DPS struct{}

// Name implements Method.
func (DPS) Name() string { return "dps" }

// Rules implements Method.
func (DPS) Rules() []Rule { return []Rule{Plain, Unit, Bayes} }

// Validate implements Method.
func (DPS) Validate(Settings) error { return nil }

func (DPS) sample(r *run) ([]float64, error) { return r.ode(r.backpropagated(r.misfit)) }

// backpropagated is a step of the ODE followed by guidance with a gradient through the network.
// loss gives the gradient by x̂₀.
func (r *run) backpropagated(loss func(x0 []float64) []float64) func(x []float64, t, s float64) ([]float64, error) {
	return func(x []float64, t, s float64) ([]float64, error) {
		v, err := r.velocity(x, t)
		if err != nil {
			return nil, err
		}
		w := loss(combine(1, x, -t, v))
		g, err := r.through(x, t, w)
		if err != nil {
			return nil, err
		}
		r.clearRounding(g, w)
		next := combine(1, x, s-t, v)
		if r.Rule != Bayes {
			return r.push(next, g), nil
		}
		// The denominator only avoids 0/0 at t = 1, where the gradient is 0.
		weight := r.Strength * (t - s) * t / (max(1-t, (t-s)/2) * r.Sigma * r.Sigma)
		return combine(1, next, -weight, g), nil
	}
}

// clearRounding sets gradients to 0 that are nothing but the rounding errors of the network's
// float32 arithmetic, relative to w, of which they were made. x₁ says nothing of x₀, so at t = 1 the
// true gradient is 0, and the rule Unit must not enlarge what is left of it.
func (r *run) clearRounding(g, w []float64) {
	for i := range r.Batch {
		gi, wi := g[i*r.Dim:(i+1)*r.Dim], w[i*r.Dim:(i+1)*r.Dim]
		if norm(gi) < 1e-6*norm(wi) {
			clear(gi)
		}
	}
}
