package guidance

// PSLD is Posterior Sampling with Latent Diffusion (Rout, Raoof, Daras, Caramanis, Dimakis and
// Shakkottai, 2023, arXiv 2307.00619, Algorithm 2). It is DPS in a latent space with decoder D and
// encoder E, and a second term, the gluing objective
//
//	γ·∇‖ẑ₀ − E(Aᵀy + (I − AᵀA)·D(ẑ₀))‖²,
//
// which pulls the latent to one whose picture agrees with the observation. (The source writes
// AᵀA·x₀* for Aᵀy.)
//
// The flows here are of pixels: there is no decoder. With the identity for D and E the gluing term
// becomes γ·∇‖Aᵀ(A x̂₀ − y)‖². That is a second misfit, weighted by AAᵀ: the same as the first for
// masks, where AAᵀ is the identity on what is observed, and small at the frequencies that a blur
// suppresses. So for inpainting, PSLD is DPS with a strength of 1 + γ, and for blurs DPS that trusts
// strong frequencies a little more.
type PSLD struct{}

// gluing is γ/η: the VFM paper found the source's 1.0 for the misfit and 0.1 for the gluing term
// best (B.2.2).
const gluing = 0.1

// Name implements Method.
func (PSLD) Name() string { return "psld" }

// Rules implements Method.
func (PSLD) Rules() []Rule { return []Rule{Plain, Unit, Bayes} }

// Validate implements Method.
func (PSLD) Validate(Settings) error { return nil }

func (PSLD) sample(r *run) ([]float64, error) {
	return r.ode(r.backpropagated(func(x0 []float64) []float64 {
		w := r.misfit(x0)
		return combine(1, w, gluing, r.Operator.Adjoint(r.Operator.Apply(w)))
	}))
}
