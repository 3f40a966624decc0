package metric

import (
	"math"
	"runtime"
	"slices"
	"sync"
)

// medianPoints limits the number of samples in MedianLength.
const medianPoints = 2000

// MMD returns the maximum mean discrepancy of two sets of samples (at least two each, all of the
// same length): the square root of the unbiased estimate of MMD² (eq. 101) with the kernel
// exp(−‖u−v‖²/(2ℓ²)) (eq. 100). For equal distributions the estimate scatters about 0; negative
// values are clamped to 0. If length ≤ 0, ℓ is MedianLength(x, y). Time grows with the square of
// the number of samples.
func MMD(x, y [][]float64, length float64) (float64, error) {
	v, err := MMD2(x, y, length)
	return math.Sqrt(max(0, v)), err
}

// MMD2 returns the unbiased estimate of MMD² (eq. 101), which may be negative. Arguments are those
// of MMD.
func MMD2(x, y [][]float64, length float64) (float64, error) {
	if len(x) < 2 || len(y) < 2 {
		return 0, shapef("MMD needs two samples on each side; %d and %d given", len(x), len(y))
	}
	for _, set := range [][][]float64{x, y} {
		if err := sameVectors("sample", len(x[0]), set); err != nil {
			return 0, err
		}
	}
	if !(length > 0) {
		var err error
		if length, err = MedianLength(x, y); err != nil {
			return 0, err
		}
	}
	// If most samples coincide, the median is 0. Then the kernel is 1 for equal points and 0 for
	// others.
	length = max(length, 1e-150)
	n, m := float64(len(x)), float64(len(y))
	gamma := 1 / (2 * length * length)
	xx := (kernelSum(x, x, gamma) - n) / (n * (n - 1)) // the diagonal is n times exp(0)
	yy := (kernelSum(y, y, gamma) - m) / (m * (m - 1))
	return xx + yy - 2*kernelSum(x, y, gamma)/(n*m), nil
}

// kernelSum returns Σ_ij exp(−γ‖x_i − y_j‖²). Each row is summed separately, so the result does not
// depend on the number of cores.
func kernelSum(x, y [][]float64, gamma float64) float64 {
	rows := make([]float64, len(x))
	parts := min(runtime.GOMAXPROCS(0), len(x))
	var wg sync.WaitGroup
	for p := 0; p < parts; p++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := p; i < len(x); i += parts {
				for _, v := range y {
					rows[i] += math.Exp(-gamma * distance2(x[i], v))
				}
			}
		}()
	}
	wg.Wait()
	s := 0.0
	for _, r := range rows {
		s += r
	}
	return s
}

// MedianLength returns ℓ of eq. 100 by the median heuristic: the median of the Euclidean distances
// between all pairs of the pooled samples. If there are more than 2000, it uses 2000 at even
// strides.
func MedianLength(x, y [][]float64) (float64, error) {
	pool := append(slices.Clone(x), y...)
	if len(pool) < 2 {
		return 0, shapef("the median heuristic needs two samples; %d given", len(pool))
	}
	if err := sameVectors("sample", len(pool[0]), pool); err != nil {
		return 0, err
	}
	if n := len(pool); n > medianPoints {
		for i := 0; i < medianPoints; i++ {
			pool[i] = pool[i*n/medianPoints]
		}
		pool = pool[:medianPoints]
	}
	var d []float64
	for i, v := range pool {
		for _, u := range pool[:i] {
			d = append(d, distance2(u, v))
		}
	}
	slices.Sort(d)
	return (math.Sqrt(d[(len(d)-1)/2]) + math.Sqrt(d[len(d)/2])) / 2, nil
}
