package experiment

import (
	"math"
	"math/rand/v2"
	"slices"
)

// The draws of times and weights for the losses in generators_loss.go; see drawTimes.

func sigmoid(v float64) float64 { return 1 / (1 + math.Exp(-v)) }

// fill draws n rows of numbers, with a number for each name.
func fill(n int, names []string, row func(i int) []float64) numbers {
	in := numbers{}
	for _, name := range names {
		in[name] = make([]float32, n)
	}
	for i := range n {
		for k, v := range row(i) {
			in[names[k]][i] = float32(v)
		}
	}
	return in
}

// matchTimes are the uniform times of flow matching before another loss.
func matchTimes(rng *rand.Rand, n int, _ float64) numbers {
	return fill(n, []string{"t"}, func(int) []float64 { return []float64{rng.Float64()} })
}

// meanFlowTimes draws two times from a distribution, sorted. Three quarters of the points have r =
// t.
func meanFlowTimes(draw func(rng *rand.Rand) float64) drawTimes {
	return func(rng *rand.Rand, n int, _ float64) numbers {
		return fill(n, []string{"r", "t"}, func(int) []float64 {
			a, b := draw(rng), draw(rng)
			if rng.Float64() >= differ {
				b = a
			}
			return []float64{min(a, b), max(a, b)}
		})
	}
}

// logitNormal is the mean-flow paper's distribution of times, sigmoid(N(−0.4, 1)).
func logitNormal(rng *rand.Rand) float64 { return sigmoid(-0.4 + rng.NormFloat64()) }

// decoupledTimes are those of the paper's training scripts: sigmoid(N(0, 1)) if r = t, else the
// sorted pair of sigmoid(N(0.4, 1)) and sigmoid(N(−1.2, 1)).
func decoupledTimes(rng *rand.Rand, n int, _ float64) numbers {
	return fill(n/2, []string{"now", "r", "t"}, func(int) []float64 {
		a, b := sigmoid(0.4+rng.NormFloat64()), sigmoid(-1.2+rng.NormFloat64())
		return []float64{sigmoid(rng.NormFloat64()), min(a, b), max(a, b)}
	})
}

// decoupledUniform draws the same from the uniform distribution.
func decoupledUniform(rng *rand.Rand, n int, _ float64) numbers {
	return fill(n/2, []string{"now", "r", "t"}, func(int) []float64 {
		a, b := rng.Float64(), rng.Float64()
		return []float64{rng.Float64(), min(a, b), max(a, b)}
	})
}

// shortcutLevels is the binary logarithm of the number of steps of the smallest d: 128 steps.
const shortcutLevels = 7

// shortcutTimes draws 2d = 1, 1/2, …, 1/64 with equal probability, and a time on its grid.
func shortcutTimes(rng *rand.Rand, n int, _ float64) numbers {
	short := n / shortcutShare
	in := fill(n-short, []string{"t"}, func(int) []float64 {
		return []float64{1 - float64(rng.IntN(1<<shortcutLevels))/(1<<shortcutLevels)}
	})
	for name, v := range fill(short, []string{"t2", "r2", "query"}, func(i int) []float64 {
		level := i % shortcutLevels
		step := 1 / float64(int(1)<<level)
		from := 1 - step*float64(rng.IntN(1<<level))
		query := step / 2
		if level == shortcutLevels-1 {
			query = 0
		}
		return []float64{from, from - step, query}
	}) {
		in[name] = v
	}
	return in
}

// dataDeviation is the standard deviation of a coordinate that is uniform on [-2, 2]. The sources
// give the noise levels of consistency training for data with the standard deviation 0.5, and the
// scale of moment matching in units of the standard deviation.
var dataDeviation = 2 / math.Sqrt(3)

// Noise levels of consistency training (table 1 of its paper), for data of standard deviation 0.5.
const (
	sigmaLeast, sigmaMost       = 0.002, 80.0
	sigmaPower                  = 7.0
	sigmaLogMean, sigmaLogStd   = -1.1, 2.0
	levelsFirst, levelsDoubling = 10, 7 // 10 to 1280 intervals
)

// sigmas are the noise levels σ_1 … σ_N of N − 1 intervals, for the data.
func sigmas(intervals int) []float64 {
	out := make([]float64, intervals+1)
	lo, hi := math.Pow(sigmaLeast, 1/sigmaPower), math.Pow(sigmaMost, 1/sigmaPower)
	for i := range out {
		out[i] = math.Pow(lo+float64(i)/float64(intervals)*(hi-lo), sigmaPower) * dataDeviation / 0.5
	}
	return out
}

// noiseTime is the time t at which x_t has the same proportion of data and noise as x + σz.
func noiseTime(sigma float64) float64 { return sigma / (1 + sigma) }

// consistencyTimes draws neighbours of the discretisation from the discretised log-normal
// distribution. The number of intervals doubles from 10 to 1280.
func consistencyTimes(rng *rand.Rand, n int, progress float64) numbers {
	level := min(int(progress*(levelsDoubling+1)), levelsDoubling)
	s := sigmas(levelsFirst << level)
	mean := sigmaLogMean + math.Log(dataDeviation/0.5)
	cdf := func(sigma float64) float64 { return math.Erf((math.Log(sigma) - mean) / (math.Sqrt2 * sigmaLogStd)) }
	sums := make([]float64, len(s)-1)
	for i := range sums {
		sums[i] = cdf(s[i+1]) - cdf(s[0])
	}
	return fill(n, []string{"s", "t", "weight"}, func(int) []float64 {
		i, _ := slices.BinarySearch(sums, rng.Float64()*sums[len(sums)-1])
		i = min(i, len(sums)-1)
		return []float64{noiseTime(s[i]), noiseTime(s[i+1]), 1 / (s[i+1] - s[i])}
	})
}

// Moment matching: the latest time, and b of the weight; its a is 1.
const (
	momentLatest = 0.994
	momentOffset = 5.0
)

// momentGap is the difference between η(t) = t/(1 − t) at t and at r.
var momentGap = momentLatest / (1 - momentLatest) / (1 << 12)

// momentTimes draws t, and s below it, for each group of particles.
func momentTimes(rng *rand.Rand, n int, _ float64) numbers {
	group := n / particles
	in := fill(group, []string{"s", "r", "t", "scale", "weight"}, func(int) []float64 {
		t := 1e-3 + rng.Float64()*(momentLatest-1e-3)
		s := rng.Float64() * t
		eta := max(t/(1-t)-momentGap, 0)
		r := max(s, eta/(1+eta))
		logSNR := 2 * math.Log((1-t)/t)
		// ½·sigmoid(b − λ)·(−dλ/dt)·α/(α² + σ²) with α = 1 − t, σ = t, dλ/dt = −2/(t(1 − t)).
		weight := sigmoid(momentOffset-logSNR) / t / ((1-t)*(1-t) + t*t)
		return []float64{s, r, t, 1 / (max(t-s, 1e-4) * dataDeviation), weight}
	})
	for name, v := range in {
		in[name] = slices.Repeat(v, particles)
	}
	return in
}
