package guidance

import (
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// maskProblem observes some coordinates as they are, so that A Aᵀ is the identity.
func maskProblem(t *testing.T, n int) Problem {
	t.Helper()
	p := DrawLinear(rand.New(rand.NewPCG(9, 9)), 6, 2)
	p.A = mat.NewDense(2, 6, nil)
	p.A.Set(0, 1, 1)
	p.A.Set(1, 4, 1)
	b, err := p.Problem(n)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sample(t *testing.T, p Problem, m Method, c Settings) []float64 {
	t.Helper()
	x, _, err := Sample(p, m, c)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func equal(t *testing.T, what string, x, y []float64) {
	t.Helper()
	for i := range x {
		if !(math.Abs(x[i]-y[i]) < 1e-9*(1+math.Abs(y[i]))) {
			t.Fatalf("%s: value %d is %g and %g", what, i, x[i], y[i])
		}
	}
}

// With the identity for a decoder, PSLD's gluing term on a mask is a second misfit: PSLD is DPS of
// 1.1 times the strength, and the same where the gradient is normalised.
func TestPSLDOnMasks(t *testing.T) {
	p := maskProblem(t, 5)
	for _, r := range []Rule{Plain, Bayes, Unit} {
		c := Settings{Steps: 12, Rule: r, Strength: 0.1, Seed: 3}
		got := sample(t, p, PSLD{}, c)
		if r != Unit {
			c.Strength *= 1.1
		}
		equal(t, string(r), got, sample(t, p, DPS{}, c))
	}
}

// MPGD's and FlowChef's steps differ by the factor 1 − s, so a single step to s = 0 is the same.
// Without guidance all deterministic methods are the ODE.
func TestRelations(t *testing.T) {
	p := maskProblem(t, 5)
	for _, r := range []Rule{Plain, Unit} {
		c := Settings{Steps: 1, Rule: r, Strength: 0.2, Seed: 3}
		equal(t, "one step", sample(t, p, MPGD{}, c), sample(t, p, FlowChef{}, c))
	}
	c := Settings{Steps: 9, Rule: Plain, Seed: 4}
	ode := sample(t, p, MPGD{}, c)
	for _, m := range []Method{DPS{}, PSLD{}, FlowChef{}, FlowDPS{}} {
		equal(t, m.Name(), sample(t, p, m, c), ode)
	}
}

// A vector's sample depends on the seed and its place, not on the others.
func TestNoiseOfABatch(t *testing.T) {
	few, many := maskProblem(t, 3), maskProblem(t, 7)
	for _, m := range Methods() {
		c := Settings{Steps: 10, Rule: m.Rules()[0], Strength: 0.1, Seed: 8}
		equal(t, m.Name(), sample(t, few, m, c), sample(t, many, m, c)[:3*6])
	}
}

// An observation of nothing leaves the prior to DAPS, whose step depends on the size of A.
func TestObservationOfNothing(t *testing.T) {
	p := maskProblem(t, 4)
	p.Operator = Matrix{mat.NewDense(2, 6, nil)}
	for _, v := range sample(t, p, DefaultDAPS(), Settings{Steps: 100, Rule: Bayes, Strength: 1, Seed: 2}) {
		if !(math.Abs(v) < 50) {
			t.Errorf("value %g", v)
		}
	}
}

// The rule Unit moves every vector by a root mean square of Strength in all steps together.
func TestUnit(t *testing.T) {
	r := &run{Problem: maskProblem(t, 2), Settings: Settings{Steps: 4, Rule: Unit, Strength: 3}}
	g := []float64{0, 5, 0, 0, 0, 0, 1e-9, 0, 0, 1e-9, 0, 0}
	moved := r.push(make([]float64, 12), g)
	for i := range 2 {
		square := 0.0
		for j, v := range moved[6*i : 6*i+6] {
			square += v * v
			if v*g[6*i+j] > 0 {
				t.Errorf("moved up the gradient: %g", v)
			}
		}
		if rms := 4 * math.Sqrt(square/6); math.Abs(rms-3) > 1e-9 {
			t.Errorf("vector %d moves by a root mean square of %g, want 3", i, rms)
		}
	}
	if zero := r.push(make([]float64, 12), make([]float64, 12)); mat.Norm(mat.NewVecDense(12, zero), 2) != 0 {
		t.Error("a gradient of 0 moves the sample")
	}
}

// broken is a flow that fails.
type broken struct{ Flow }

var errBroken = errors.New("broken")

func (broken) Velocity([]float64, float64) ([]float64, error) { return nil, errBroken }

// Settings that are out of range, a strength that lets the samples diverge, and a flow that fails
// are reported.
func TestErrors(t *testing.T) {
	p := maskProblem(t, 2)
	ok := Settings{Steps: 5, Rule: Plain, Strength: 0.1}
	for name, c := range map[string]struct {
		m    Method
		c    Settings
		want string
	}{
		"rule":     {MPGD{}, Settings{Steps: 5, Rule: Bayes}, "no rule"},
		"steps":    {DPS{}, Settings{Rule: Plain}, "0 steps"},
		"strength": {DPS{}, Settings{Steps: 5, Rule: Plain, Strength: math.NaN()}, "NaN"},
		"times":    {DefaultDAPS(), Settings{Steps: 7, Rule: Bayes, Strength: 1}, "multiple of the 5"},
		"chain":    {DAPS{ODE: 1, Langevin: 1, Step: 2}, Settings{Steps: 5, Rule: Bayes, Strength: 1}, "between 0 and 2"},
	} {
		if _, _, err := Sample(p, c.m, c.c); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	if _, _, err := Sample(Problem{Flow: p.Flow}, DPS{}, ok); err == nil {
		t.Error("an empty problem was accepted")
	}
	large := ok
	large.Steps, large.Strength = 50, 1e3
	if _, _, err := Sample(p, FlowChef{}, large); !errors.Is(err, ErrDiverged) {
		t.Errorf("strength 1000: %v", err)
	}
	p.Flow = broken{p.Flow}
	if _, _, err := Sample(p, DPS{}, ok); !errors.Is(err, errBroken) {
		t.Errorf("a broken flow: %v", err)
	}
}

// The search finds the least of a function of the logarithm, from above and from below, passes
// strengths that diverge, and keeps to its limit.
func TestSearch(t *testing.T) {
	for _, start := range []float64{1e-3, 0.2, 50} {
		trials := 0
		best, all, err := Search(start, 30, func(s float64) (float64, error) {
			trials++
			if s > 5 {
				return 0, ErrDiverged
			}
			return math.Abs(math.Log(s / 0.3)), nil
		})
		if err != nil || len(all) != trials || !(best.Score <= math.Log(3)/4+1e-9) {
			t.Errorf("from %g: %+v after %d trials, %v", start, best, trials, err)
		}
	}
	if _, all, _ := Search(1, 3, func(s float64) (float64, error) { return s, nil }); len(all) != 3 {
		t.Errorf("%d trials, the limit is 3", len(all))
	}
	if _, _, err := Search(1, 3, func(float64) (float64, error) { return 0, errBroken }); !errors.Is(err, errBroken) {
		t.Errorf("error %v", err)
	}
}

// The table has a row for every rule, and two more for the rule Bayes at strength 1 where that is
// not the best.
func TestCompareLinear(t *testing.T) {
	var text strings.Builder
	c := LinearConfig{Problems: 1, Samples: 60, Steps: 5, Dim: 4, Observed: 2, Seed: 1}
	if err := CompareLinear(t.Context(), &text, c); err != nil {
		t.Fatal(err)
	}
	rules := 0
	for _, m := range Methods() {
		rules += len(m.Rules())
		if !strings.Contains(text.String(), "| "+m.Name()+" |") {
			t.Errorf("no row of %s", m.Name())
		}
	}
	if n := strings.Count(text.String(), "\n"); n < 4+rules || n > 4+rules+3 {
		t.Errorf("%d lines for %d rules:\n%s", n, rules, text.String())
	}
	c.Observed = 4
	if err := CompareLinear(t.Context(), io.Discard, c); err == nil {
		t.Error("a problem without hidden directions was accepted")
	}
}
