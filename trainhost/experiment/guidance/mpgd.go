package guidance

// MPGD is Manifold Preserving Guided Diffusion (He, Murata, Lai, Takida, Uesaka, Kim, Liao,
// Mitsufuji, Kolter, Salakhutdinov and Ermon, 2024, arXiv 2311.16424). Its shortcut (Algorithm 1)
// moves the estimate x̂₀ by the gradient with respect to x̂₀ itself, without the network's Jacobian,
// and continues with a DDIM step from there:
//
//	x̂₀' = x̂₀ − c·∇_{x̂₀} ½‖y − A x̂₀‖²,   x_s = (1−s)·x̂₀' + s·x̂₁.
//
// This is the variant without projection by an autoencoder, as in the VFM paper, and with DDIM's
// deterministic step.
type MPGD struct{}

// Name implements Method.
func (MPGD) Name() string { return "mpgd" }

// Rules implements Method.
func (MPGD) Rules() []Rule { return []Rule{Plain, Unit} }

// Validate implements Method.
func (MPGD) Validate(Settings) error { return nil }

func (MPGD) sample(r *run) ([]float64, error) {
	return r.ode(func(x []float64, t, s float64) ([]float64, error) {
		x0, x1, err := r.estimates(x, t)
		if err != nil {
			return nil, err
		}
		return combine(1-s, r.push(x0, r.misfit(x0)), s, x1), nil
	})
}
