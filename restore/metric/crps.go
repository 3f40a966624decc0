package metric

import (
	"math"
	"slices"

	"github.com/vfmrestore/restore/restore/planar"
)

// CRPS returns the continuous ranked probability score of J sample vectors and the true vector (eq.
// 98; for vectors also called energy score), in the units of the data. Lower is better:
//
//	1/J Σ_j ‖x_j − x†‖ − 1/(2J²) Σ_jk ‖x_j − x_k‖
//
// This estimate penalises small J: its expectation falls as J grows. If fair is true, the second
// factor is 1/(2J(J−1)), and the expectation does not depend on J; this needs two samples. The
// paper uses eq. 98.
func CRPS(truth []float64, samples [][]float64, fair bool) (float64, error) {
	if err := sameVectors("sample", len(truth), samples); err != nil {
		return 0, err
	}
	j := len(samples)
	if fair && j < 2 {
		return 0, shapef("the fair CRPS needs two samples; %d given", j)
	}
	to, between := 0.0, 0.0
	for i, s := range samples {
		to += distance(s, truth)
		for _, r := range samples[:i] {
			between += distance(s, r)
		}
	}
	return to/float64(j) - between/pairs(j, fair), nil
}

// pairs returns the divisor of the sum over pairs j < k, which counts each pair of eq. 98 once: J²,
// or J(J−1) if fair.
func pairs(j int, fair bool) float64 {
	if fair {
		return float64(j) * float64(j-1)
	}
	return float64(j) * float64(j)
}

// ImageCRPS returns the CRPS of single values (eq. 98 in one dimension), averaged over all pixels
// and channels. It judges the distribution of each value alone, not the samples' spatial structure.
// fair is like that of CRPS.
func ImageCRPS(truth *planar.Image, samples []*planar.Image, fair bool) (float64, error) {
	if len(samples) == 0 {
		return 0, shapef("no samples")
	}
	if err := sameImages(truth, samples...); err != nil {
		return 0, err
	}
	j := len(samples)
	if fair && j < 2 {
		return 0, shapef("the fair CRPS needs two samples; %d given", j)
	}
	total := 0.0
	v := make([]float64, j)
	for i, x := range truth.Pix {
		to, between := 0.0, 0.0
		for k, s := range samples {
			v[k] = float64(s.Pix[i])
			to += math.Abs(v[k] - float64(x))
		}
		// of the sorted values, the k-th appears in k differences with + and in J−1−k with −
		slices.Sort(v)
		for k, s := range v {
			between += s * float64(2*k-j+1)
		}
		total += to/float64(j) - between/pairs(j, fair)
	}
	return total / float64(len(truth.Pix)), nil
}

// distance returns the Euclidean distance of two vectors of the same length.
func distance(a, b []float64) float64 { return math.Sqrt(distance2(a, b)) }

func distance2(a, b []float64) float64 {
	s := 0.0
	for i, v := range a {
		d := v - b[i]
		s += d * d
	}
	return s
}
