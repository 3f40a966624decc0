package guidance

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
)

// LinearConfig is the comparison of all methods on random linear-Gaussian problems, with the exact
// velocity.
type LinearConfig struct {
	Problems, Samples, Steps int
	Dim, Observed            int
	Seed                     uint64
}

// DefaultLinear takes two minutes of processor time.
func DefaultLinear() LinearConfig {
	return LinearConfig{Problems: 5, Samples: 2000, Steps: 100, Dim: 8, Observed: 3, Seed: 1}
}

// Validate reports a number that is out of range.
func (c LinearConfig) Validate() error {
	if c.Problems < 1 || c.Samples < 10*c.Dim || c.Observed < 1 || c.Observed >= c.Dim || c.Dim > 512 || c.Samples > 1_000_000 || c.Steps < 1 {
		return fmt.Errorf("guidance: %d linear problems of %d dimensions, %d observed, %d samples, %d steps: there must be a problem and a step, at least one dimension that is not observed, at most 512 dimensions, and 10 samples for each, at most a million",
			c.Problems, c.Dim, c.Observed, c.Samples, c.Steps)
	}
	return nil
}

// CompareLinear writes a table to w: for each method and rule the strength that Search finds for the
// least mean KL over the problems, and the mean scores at it; for the rule Bayes also those of
// strength 1. The first rows are of plain sampling, with the posterior's own flow and with the
// prior's. When ctx is done it returns its error.
func CompareLinear(ctx context.Context, w io.Writer, c LinearConfig) error {
	if err := c.Validate(); err != nil {
		return err
	}
	var problems []*LinearProblem
	for i := range c.Problems {
		problems = append(problems, DrawLinear(rand.New(rand.NewPCG(c.Seed, uint64(i))), c.Dim, c.Observed))
	}
	score := func(m Method, s Settings, flow func(*LinearProblem) (Flow, error)) (LinearScore, error) {
		var mean LinearScore
		for i, p := range problems {
			if err := ctx.Err(); err != nil {
				return mean, err
			}
			b, err := p.Problem(c.Samples)
			if err != nil {
				return mean, err
			}
			if flow != nil {
				if b.Flow, err = flow(p); err != nil {
					return mean, err
				}
			}
			s.Steps, s.Seed = c.Steps, c.Seed<<8|uint64(i)
			x, _, err := Sample(b, m, s)
			if err != nil {
				return mean, err
			}
			mu, cov := Moments(x, c.Dim)
			one, err := p.Score(mu, cov)
			if err != nil {
				return mean, err
			}
			n := float64(c.Problems)
			mean.Mean += one.Mean / n
			mean.Observed += one.Observed / n
			mean.Hidden += one.Hidden / n
			mean.KL += one.KL / n
		}
		return mean, nil
	}
	row := func(name, rule, strength string, s LinearScore) {
		fmt.Fprintf(w, "| %s | %s | %s | %.2f | %.2f | %.2f | %.3f |\n", name, rule, strength, s.Mean, s.Observed, s.Hidden, s.KL)
	}
	fmt.Fprint(w, "| method | rule | strength | error of the mean | spread, observed | spread, hidden | KL |\n|---|---|---|---|---|---|---|\n")
	none := Settings{Rule: Plain}
	s, err := score(MPGD{}, none, func(p *LinearProblem) (Flow, error) {
		mean, cov, err := p.Posterior()
		if err != nil {
			return nil, err
		}
		return NewGaussian(mean, cov)
	})
	if err != nil {
		return err
	}
	row("posterior's flow", "", "", s)
	if s, err = score(MPGD{}, none, nil); err != nil {
		return err
	}
	row("prior's flow", "", "0", s)
	for _, m := range Methods() {
		for _, r := range m.Rules() {
			best, _, err := Search(Start(m, r, c.Steps), 12, func(strength float64) (float64, error) {
				s, err := score(m, Settings{Rule: r, Strength: strength}, nil)
				return s.KL, err
			})
			if err != nil {
				return err
			}
			strengths := []float64{best.Strength}
			if r == Bayes && best.Strength != 1 {
				strengths = append(strengths, 1)
			}
			for _, strength := range strengths {
				if s, err = score(m, Settings{Rule: r, Strength: strength}, nil); err != nil {
					return err
				}
				row(m.Name(), string(r), fmt.Sprintf("%.2g", strength), s)
			}
		}
	}
	return nil
}
