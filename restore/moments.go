package restore

import (
	"math"
)

// moments computes mean and standard deviation of vectors by Welford's recurrence, which has no
// cancellation however small the deviation is.
type moments struct {
	n    int
	mean []float32
	m2   []float32 // sum of squared deviations from the mean
}

func newMoments(size int) *moments {
	return &moments{mean: make([]float32, size), m2: make([]float32, size)}
}

func (m *moments) add(v []float32) {
	m.n++
	for i, x := range v {
		d := float64(x) - float64(m.mean[i])
		mean := float64(m.mean[i]) + d/float64(m.n)
		m.m2[i] += float32(d * (float64(x) - mean))
		m.mean[i] = float32(mean)
	}
}

// std returns the unbiased standard deviation, in the memory of m; nil for less than two vectors.
func (m *moments) std() []float32 {
	if m.n < 2 {
		return nil
	}
	for i, v := range m.m2 {
		m.m2[i] = float32(math.Sqrt(max(0, float64(v)) / float64(m.n-1)))
	}
	return m.m2
}

// areasAlong is the number of areas along a side of n pixels.
func areasAlong(n int) int { return (n + AreaSide - 1) / AreaSide }

// areaMeans returns the means of three planes of w×h values over areas.
func areaMeans(pix []float32, w, h int) []float32 {
	aw, ah := areasAlong(w), areasAlong(h)
	sums := make([]float64, 3*aw*ah)
	for i := range 3 * h {
		c, y := i/h, i%h
		row := sums[(c*ah+y/AreaSide)*aw:][:aw]
		for x, v := range pix[i*w:][:w] {
			row[x/AreaSide] += float64(v)
		}
	}
	means := make([]float32, len(sums))
	for i, sum := range sums {
		x, y := i%aw, i/aw%ah
		n := min(AreaSide, w-x*AreaSide) * min(AreaSide, h-y*AreaSide)
		means[i] = float32(sum / float64(n))
	}
	return means
}
