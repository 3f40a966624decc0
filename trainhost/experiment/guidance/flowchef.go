package guidance

// FlowChef (Patel, Wen, Metaxas and Yang, 2025, arXiv 2412.00100) steers x_t by the gradient of the
// misfit of x̂₀ with respect to x̂₀, which it calls gradient skipping: for rectified flows it takes
// the Jacobian of x̂₀ by x_t to be near the identity (Algorithm 1):
//
//	x_s = x_t − (t−s)·v − c·∇_{x̂₀} ½‖y − A x̂₀‖².
//
// MPGD's step differs by a factor: as its x_s contains x̂₀' (1−s) times, its c is (1−s)·c here.
type FlowChef struct{}

// Name implements Method.
func (FlowChef) Name() string { return "flowchef" }

// Rules implements Method.
func (FlowChef) Rules() []Rule { return []Rule{Plain, Unit} }

// Validate implements Method.
func (FlowChef) Validate(Settings) error { return nil }

func (FlowChef) sample(r *run) ([]float64, error) {
	return r.ode(func(x []float64, t, s float64) ([]float64, error) {
		x0, x1, err := r.estimates(x, t)
		if err != nil {
			return nil, err
		}
		return r.push(combine(1-s, x0, s, x1), r.misfit(x0)), nil
	})
}
