package guidance

import (
	"errors"
	"math"
)

// Trial is a strength with its score; lower is better, and infinite if the samples diverged.
type Trial struct{ Strength, Score float64 }

// Factors of the search: coarse from trial to trial, then fine once about the best.
const coarse = 3

var fine = math.Sqrt(coarse)

// Search looks for the strength of the least score. From start it goes up or down by factors of 3 as
// long as the score falls. Then it tries the two neighbours of the best at a factor of √3. It makes
// at most limit trials. A strength whose samples diverge (ErrDiverged) gets an infinite score; other
// errors of score end the search.
func Search(start float64, limit int, score func(strength float64) (float64, error)) (best Trial, all []Trial, err error) {
	best.Score = math.Inf(1)
	try := func(strength float64) (better bool, err error) {
		if len(all) >= limit {
			return false, nil
		}
		s, err := score(strength)
		if errors.Is(err, ErrDiverged) || math.IsNaN(s) {
			s, err = math.Inf(1), nil
		}
		if err != nil {
			return false, err
		}
		t := Trial{strength, s}
		all = append(all, t)
		if better = len(all) == 1 || s < best.Score; better {
			best = t
		}
		return better, nil
	}
	walk := func(factor float64) error {
		for strength := best.Strength * factor; ; strength *= factor {
			better, err := try(strength)
			// As long as all trials diverge, only smaller strengths can help.
			if err != nil || len(all) >= limit || !better && !(factor < 1 && math.IsInf(best.Score, 1)) {
				return err
			}
		}
	}
	if _, err := try(start); err != nil {
		return best, all, err
	}
	if err := walk(1. / coarse); err != nil {
		return best, all, err
	}
	if best.Strength == start && !math.IsInf(best.Score, 1) {
		if err := walk(coarse); err != nil {
			return best, all, err
		}
	}
	centre := best.Strength
	for _, factor := range []float64{fine, 1 / fine} {
		if _, err := try(centre * factor); err != nil {
			return best, all, err
		}
	}
	return best, all, nil
}

// Start is a strength from which to search, for methods of so many steps.
func Start(m Method, r Rule, steps int) float64 {
	switch {
	case r == Bayes && m.Name() == DefaultDAPS().Name():
		return 1
	case r == Bayes:
		return 0.3
	case r == Unit:
		return 1
	case m.Name() == FlowDPS{Noise: true}.Name():
		return 0.3 // each step forgets a part of those before
	}
	return 3 / float64(steps)
}
