package guidance

import "math"

// FlowDPS is Flow-Driven Posterior Sampling (Kim, Kim and Ye, 2025, arXiv 2503.08136). It writes a
// step of the flow's ODE as a mixture of x̂₀ and x̂₁ (its flow version of Tweedie's formula), moves
// x̂₀ by three gradient steps towards the observation, weights the result by the time, and, in the
// source, renews a part of x̂₁:
//
//	x̄₀ = (1−t)·x̂₀ + t·x̂₀(y),   x̃₁ = √s·x̂₁ + √(1−s)·ε,   x_s = (1−s)·x̄₀ + s·x̃₁.
//
// Noise selects x̃₁; without it x̃₁ = x̂₁, which the VFM paper found better (B.2.2).
type FlowDPS struct{ Noise bool }

// consistencySteps is the number of gradient steps from x̂₀ to x̂₀(y).
const consistencySteps = 3

// Name implements Method.
func (m FlowDPS) Name() string {
	if m.Noise {
		return "flowdps-noise"
	}
	return "flowdps"
}

// Rules implements Method.
func (FlowDPS) Rules() []Rule { return []Rule{Plain, Unit} }

// Validate implements Method.
func (FlowDPS) Validate(Settings) error { return nil }

func (m FlowDPS) sample(r *run) ([]float64, error) {
	return r.ode(func(x []float64, t, s float64) ([]float64, error) {
		x0, x1, err := r.estimates(x, t)
		if err != nil {
			return nil, err
		}
		near := x0
		for range consistencySteps {
			near = r.push(near, r.misfit(near))
		}
		if m.Noise {
			x1 = combine(math.Sqrt(s), x1, math.Sqrt(1-s), r.noise())
		}
		return combine(1-s, combine(1-t, x0, t, near), s, x1), nil
	})
}
