package metric

import (
	"math"
	"slices"

	"github.com/vfmrestore/restore/restore/planar"
)

// Coverage returns the share of true values (pixels × channels) inside the central p-interval of N
// samples of the same value, 0 < p < 1, ends included.
//
// The interval runs from the (1−p)/2 to the (1+p)/2 quantile. The q-quantile is at position (N+1)·q
// of the sorted samples 1 … N (Weibull; type 6 of Hyndman and Fan), linear between neighbours and
// clamped to the first and the last. If the truth has the samples' distribution, it falls between
// neighbours k and k+1 with probability 1/(N+1). So a perfectly calibrated model covers p if N ≥
// 2/(1−p) − 1. With fewer samples the interval is that from the smallest to the largest, which
// covers (N−1)/(N+1); see ExpectedCoverage. (Ten samples cover 0.818 at p = 0.9, not 0.9.)
func Coverage(truth *planar.Image, samples []*planar.Image, p float64) (float64, error) {
	if len(samples) < 2 {
		return 0, shapef("an interval needs two samples; %d given", len(samples))
	}
	if !(p > 0 && p < 1) {
		return 0, shapef("interval of probability %v: must lie between 0 and 1", p)
	}
	if err := sameImages(truth, samples...); err != nil {
		return 0, err
	}
	inside := 0
	v := make([]float64, len(samples))
	for i, x := range truth.Pix {
		for k, s := range samples {
			v[k] = float64(s.Pix[i])
		}
		slices.Sort(v)
		if t := float64(x); t >= quantile(v, (1-p)/2) && t <= quantile(v, (1+p)/2) {
			inside++
		}
	}
	return float64(inside) / float64(len(truth.Pix)), nil
}

// ExpectedCoverage returns the mean Coverage of n samples of a perfectly calibrated model: p, or
// (n−1)/(n+1) if that is less. It is exact if the interval's ends are samples (as for 10 samples
// and p = 0.9), or if the density is flat between neighbours.
func ExpectedCoverage(n int, p float64) float64 {
	return min(p, float64(n-1)/float64(n+1))
}

// quantile returns the q-quantile of sorted values by the convention of Coverage.
func quantile(sorted []float64, q float64) float64 {
	n := len(sorted)
	at := min(max(float64(n+1)*q-1, 0), float64(n-1))
	k := min(int(at), n-2)
	return sorted[k] + (at-float64(k))*(sorted[k+1]-sorted[k])
}

// Moments returns the mean of the samples and their standard deviation per value (divisor N−1), as
// pictures. It needs two samples.
func Moments(samples []*planar.Image) (mean, std *planar.Image, err error) {
	if len(samples) < 2 {
		return nil, nil, shapef("a standard deviation needs two samples; %d given", len(samples))
	}
	if err := sameImages(samples[0], samples[1:]...); err != nil {
		return nil, nil, err
	}
	mean, std = planar.New(samples[0].W, samples[0].H), planar.New(samples[0].W, samples[0].H)
	n := float64(len(samples))
	for i := range mean.Pix {
		m, q := 0.0, 0.0
		for _, s := range samples {
			m += float64(s.Pix[i])
		}
		m /= n
		for _, s := range samples {
			d := float64(s.Pix[i]) - m
			q += d * d
		}
		mean.Pix[i], std.Pix[i] = float32(m), float32(math.Sqrt(q/(n-1)))
	}
	return mean, std, nil
}

// Spread compares the spread of samples with the error of their mean.
type Spread struct {
	// root mean square, over all values, of the samples' standard deviation (divisor N−1)
	Std   float64
	Error float64 // root mean square error of the samples' mean
	Ratio float64 // Std·√(1+1/N) / Error: 1 if calibrated, below 1 if overconfident
	// Pearson's, of standard deviation and absolute error of the mean, over all values; 0 if one is
	// constant
	Correlation float64
}

// SpreadError returns the Spread of at least two samples about the truth. For a calibrated model
// E(mean − truth)² = (1 + 1/N)·Var, which Ratio accounts for.
func SpreadError(truth *planar.Image, samples []*planar.Image) (Spread, error) {
	mean, std, err := Moments(samples)
	if err != nil {
		return Spread{}, err
	}
	if err := sameImages(truth, mean); err != nil {
		return Spread{}, err
	}
	var s, e, ss, ee, se float64
	for i, x := range truth.Pix {
		a, b := float64(std.Pix[i]), math.Abs(float64(x)-float64(mean.Pix[i]))
		s, e, ss, ee, se = s+a, e+b, ss+a*a, ee+b*b, se+a*b
	}
	n := float64(len(truth.Pix))
	r := Spread{Std: math.Sqrt(ss / n), Error: math.Sqrt(ee / n)}
	r.Ratio = r.Std * math.Sqrt(1+1/float64(len(samples))) / r.Error
	if vs, ve := ss/n-s/n*s/n, ee/n-e/n*e/n; vs > 0 && ve > 0 {
		r.Correlation = (se/n - s/n*e/n) / math.Sqrt(vs*ve)
	}
	return r, nil
}
