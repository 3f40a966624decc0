package metric

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/restore/planar"
)

// ensemble draws truth and n samples of each value from the same distribution N(m, s²), with its
// own m and s. The samples' spread is multiplied by factor.
func ensemble(rng *rand.Rand, w, h, n int, factor float64) (*planar.Image, []*planar.Image) {
	truth := planar.New(w, h)
	samples := make([]*planar.Image, n)
	for k := range samples {
		samples[k] = planar.New(w, h)
	}
	for i := range truth.Pix {
		m, s := rng.NormFloat64(), 0.05+rng.Float64()
		truth.Pix[i] = float32(m + s*rng.NormFloat64())
		for _, x := range samples {
			x.Pix[i] = float32(m + factor*s*rng.NormFloat64())
		}
	}
	return truth, samples
}

func TestCoverageOfCalibratedEnsemble(t *testing.T) {
	rng := fresh(t)
	const w, h = 120, 80 // 28,800 values: one standard deviation is 0.3 %
	for _, c := range []struct {
		n int
		p float64
	}{{2, 0.5}, {10, 0.9}, {10, 0.5}, {19, 0.9}, {39, 0.9}, {25, 0.8}} {
		truth, samples := ensemble(rng, w, h, c.n, 1)
		got, err := Coverage(truth, samples, c.p)
		if err != nil {
			t.Fatal(err)
		}
		isNear(t, "coverage", got, ExpectedCoverage(c.n, c.p), 0.018)
		sure, _ := Coverage(truth, func() []*planar.Image {
			_,
				s := ensemble(rng, w, h, c.n, 1)
			return s
		}(), c.p)
		if sure > got && c.n > 2 {
			t.Errorf("samples of something else cover more: %v > %v", sure, got)
		}
	}
	isNear(t, "expected for 10 at 0.9", ExpectedCoverage(10, 0.9), 9.0/11, 1e-12)
	isNear(t, "expected for 19 at 0.9", ExpectedCoverage(19, 0.9), 0.9, 1e-12)
	truth, samples := ensemble(rng, 5, 5, 3, 1)
	for _, err := range []error{second(Coverage(truth, samples[:1], 0.9)),
		second(Coverage(truth, samples, 1)), second(Coverage(planar.New(5, 6), samples, 0.9))} {
		if err == nil {
			t.Error("bad arguments accepted")
		}
	}
}

func TestQuantile(t *testing.T) {
	v := []float64{10, 20, 30, 40}
	for _, c := range [][2]float64{{0.2, 10}, {0.4, 20}, {0.5, 25}, {0.7, 35}, {0.01, 10},
		{0.99, 40}} {
		isNear(t, "quantile", quantile(v, c[0]), c[1], 1e-9)
	}
}

func TestMomentsAndSpread(t *testing.T) {
	rng := fresh(t)
	samples := []*planar.Image{planar.New(2, 1), planar.New(2, 1), planar.New(2, 1)}
	for k, v := range []float32{0.1, 0.2, 0.6} {
		samples[k].Pix[4] = v
	}
	mean, std, err := Moments(samples)
	if err != nil {
		t.Fatal(err)
	}
	isNear(t, "mean", float64(mean.Pix[4]), 0.3, 1e-6)
	isNear(t, "std", float64(std.Pix[4]), math.Sqrt((0.04+0.01+0.09)/2), 1e-6)

	const n = 10
	for _, factor := range []float64{1, 0.5} {
		truth, samples := ensemble(rng, 200, 100, n, factor)
		s, err := SpreadError(truth, samples)
		if err != nil {
			t.Fatal(err)
		}
		// E s² of s = 0.05 + U(0,1)
		rms := math.Sqrt(0.0025 + 0.05 + 1.0/3)
		isNear(t, "std", s.Std, factor*rms, 0.02)
		isNear(t, "error", s.Error, rms*math.Sqrt(1+factor*factor/n), 0.02)
		isNear(t, "ratio", s.Ratio, factor*math.Sqrt((1+1.0/n)/(1+factor*factor/n)), 0.03)
		if s.Correlation < 0.3 || s.Correlation > 0.7 {
			t.Errorf("correlation %v", s.Correlation)
		}
	}
	// |error| proportional to the spread without scatter: correlation 1
	truth := planar.New(40, 30)
	a, b := truth.Clone(), truth.Clone()
	for i := range truth.Pix {
		s := rng.Float32()
		a.Pix[i], b.Pix[i], truth.Pix[i] = -s, s, 3*s
	}
	s, err := SpreadError(truth, []*planar.Image{a, b})
	if err != nil {
		t.Fatal(err)
	}
	isNear(t, "perfect correlation", s.Correlation, 1, 1e-6)
	if s, _ := SpreadError(truth, []*planar.Image{a, a}); s.Std != 0 || s.Correlation != 0 {
		t.Errorf("collapsed samples: %+v", s)
	}
	if _, _, err := Moments(samples[:1]); err == nil {
		t.Error("one sample accepted")
	}
	if _, err := SpreadError(truth, samples); err == nil {
		t.Error("truth of another size accepted")
	}
}
