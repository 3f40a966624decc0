package motionblur

import (
	"context"
	"math"
)

const (
	// temperature flattens the posterior: the log-likelihood is divided by it. Neighbouring
	// frequencies are not independent, and a photograph does not have the mean spectrum.
	temperature = 100
	// leastSigma is the standard deviation of noise that is always there: rounding, compression.
	leastSigma = 0.004
	// tailWeight is 2/ν for the ν = 2.5 degrees of freedom of the likelihood's tails.
	tailWeight = 0.8
)

// spectrumShape is what a picture's own spectrum may be relative to Spectrum: gain·(f/0.05)^slope.
type spectrumShape struct{ gain, slope float64 }

var spectrumShapes = [...]spectrumShape{{0.3, -0.4}, {0.3, 0.3}, {1, -0.4}, {1, 0.3}}

// at is the power at a frequency in cycles per pixel.
func (s spectrumShape) at(fx, fy float64) float64 {
	return s.gain * math.Pow(math.Hypot(fx, fy)/0.05, s.slope) * Spectrum(fx, fy)
}

// estimate fills e.posterior from the picture, whose noise has standard deviation sigma.
func (e *Estimator) estimate(ctx context.Context, sigma float64) error {
	e.variance = square(max(sigma, leastSigma))
	if err := e.measure(ctx); err != nil {
		return err
	}
	if err := e.score(ctx); err != nil {
		return err
	}
	e.weigh()
	return nil
}

// score sets e.scores to the tempered log-likelihood of every blur kernel, summed over the shapes
// of spectra. The likelihood has the heavy tails of a scale mixture: for the power P of a bin whose
// expected power is D, its logarithm is 2·(−2·log D − 4.5·log(1 + tailWeight·P/D)), but for a
// constant. With T = tailWeight·P this is −2·(4.5·log(D + T) − 2.5·log D).
func (e *Estimator) score(ctx context.Context) error {
	l := &e.likelihood
	l.Variance = e.variance
	for b, v := range e.periodogram.observed {
		l.Observed[b] = tailWeight * v
	}
	if err := e.backend.LogSums(ctx, l); err != nil {
		return err
	}
	// Small pictures have fewer independent frequencies.
	inverse := 1 / float64(temperature) * min(1, float64(e.w*e.h)/(WindowSide*WindowSide))
	for i := range e.scores {
		var each [len(spectrumShapes)]float64
		for s := range each {
			each[s] = -2 * inverse * (4.5*l.SumObserved[s][i] - 2.5*l.SumExpected[s][i])
		}
		e.scores[i] = logSumExp(each)
	}
	return nil
}

// logSumExp is log Σ exp(v).
func logSumExp(v [len(spectrumShapes)]float64) float64 {
	top := math.Inf(-1)
	for _, v := range v {
		top = max(top, v)
	}
	sum := 0.0
	for _, v := range v {
		sum += math.Exp(v - top)
	}
	return top + math.Log(sum)
}

func square(v float64) float64 { return v * v }
