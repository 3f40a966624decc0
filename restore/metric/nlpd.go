package metric

import "math"

// NLPD returns the negative log predictive density of a new observation y' (eq. 97): −log(1/J Σ_j
// N(y' | A x_j, σ² I)) with predictions[j] = A x_j and observation noise σ. It sums in the log
// domain, so bad predictions give large numbers, not infinity.
func NLPD(y []float64, predictions [][]float64, sigma float64) (float64, error) {
	if err := sameVectors("prediction", len(y), predictions); err != nil {
		return 0, err
	}
	if !(sigma > 0) {
		return 0, shapef("noise σ = %v: must be above 0", sigma)
	}
	logs := make([]float64, len(predictions))
	top := math.Inf(-1)
	for j, p := range predictions {
		logs[j] = -distance2(y, p) / (2 * sigma * sigma)
		top = max(top, logs[j])
	}
	s := 0.0
	for _, l := range logs {
		s += math.Exp(l - top)
	}
	norm := float64(len(y)) * (math.Log(sigma) + 0.5*math.Log(2*math.Pi))
	return norm - top - math.Log(s/float64(len(predictions))), nil
}

// Checkerboard tells whether (x₁, x₂) is in a filled cell of the paper's checkerboard: 4×4
// alternating unit squares on [-2, 2]². The paper does not say which half is filled. Parity 0 fills
// cells whose column and row number, from 0 at the lower left corner, have an even sum; parity 1
// fills the others. Cells contain their lower and left edges.
func Checkerboard(x1, x2 float64, parity int) bool {
	i, j := math.Floor(x1)+2, math.Floor(x2)+2
	if !(i >= 0 && i < 4 && j >= 0 && j < 4) {
		return false
	}
	return (int(i)+int(j)+parity)%2 == 0
}

// SupportAccuracy returns the share of samples in the support of the true distribution (eq. 102),
// which inside decides. For the paper's checkerboard inside is func(x []float64) bool { return
// Checkerboard(x[0], x[1], parity) }.
func SupportAccuracy(samples [][]float64, inside func(x []float64) bool) (float64, error) {
	if len(samples) == 0 {
		return 0, shapef("no samples")
	}
	n := 0
	for _, s := range samples {
		if inside(s) {
			n++
		}
	}
	return float64(n) / float64(len(samples)), nil
}
