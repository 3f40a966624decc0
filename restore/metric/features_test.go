package metric

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestPolynomialMMD compares with the moments of distributions: with the kernel (uv+1)³ of numbers,
// MMD² is Σ_j C(3,j) (E u^j − E v^j)².
func TestPolynomialMMD(t *testing.T) {
	// The unbiased estimate, averaged over all ways to draw two of three points on each side, is
	// that of all points.
	x, y := [][]float64{{0.3}, {-1}, {2}}, [][]float64{{0.5}, {1.5}, {-0.7}}
	all, err := PolynomialMMD2(x, y)
	if err != nil {
		t.Fatal(err)
	}
	mean := 0.0
	for i := range 3 {
		for k := range 3 {
			part, err := PolynomialMMD2([][]float64{x[i], x[(i+1)%3]}, [][]float64{y[k], y[(k+1)%3]})
			if err != nil {
				t.Fatal(err)
			}
			mean += part / 9
		}
	}
	if math.Abs(mean-all) > 1e-12 {
		t.Errorf("%g, the mean of parts is %g", all, mean)
	}
	// Normal numbers of mean 1 and of deviation 2: the moments are 0, 1, 0; 1, 2, 4; and 0, 4, 0.
	rng := rand.New(rand.NewPCG(3, 4))
	draw := func(mean, std float64) (v [][]float64) {
		for range 1500 {
			v = append(v, []float64{mean + std*rng.NormFloat64()})
		}
		return v
	}
	for _, c := range []struct{ mean, std, want float64 }{{1, 1, 3 + 3 + 16}, {0, 2, 3 * 9}, {0, 1, 0}} {
		got, err := PolynomialMMD2(draw(0, 1), draw(c.mean, c.std))
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got-c.want) > 0.15*c.want+0.1 {
			t.Errorf("mean %g, deviation %g: %g, want about %g", c.mean, c.std, got, c.want)
		}
	}
	for _, bad := range [][2][][]float64{{x[:1], y}, {x, {{1, 2}, {3, 4}}}, {{{}, {}}, {{}, {}}}} {
		if _, err := PolynomialMMD2(bad[0], bad[1]); err == nil {
			t.Error("no error for sets that do not fit")
		}
	}
}

// TestPerceptualDistance computes a distance by hand, and checks what it does not depend on.
func TestPerceptualDistance(t *testing.T) {
	a := []FeatureMap{
		{1, 2, 2, []float32{3, 4, 1, 0}}, // directions 0.6, 0.8 and 1, 0
		{1, 1, 1, []float32{5}},
	}
	b := []FeatureMap{{1, 2, 2, []float32{0, 2, 0, -1}}, {1, 1, 1, []float32{-2}}}
	for _, c := range []struct {
		weights [][]float64
		want    float64
	}{
		{nil, (0.36+0.04+1+1)/2 + 4},
		{[][]float64{{1, 0}, {0.5}}, (0.36+1)/2 + 2},
		{[][]float64{nil, {0}}, (0.36 + 0.04 + 1 + 1) / 2},
	} {
		got, err := PerceptualDistance(a, b, c.weights)
		if err != nil || math.Abs(got-c.want) > 1e-7 {
			t.Errorf("%v: %g, want %g (%v)", c.weights, got, c.want, err)
		}
	}
	scaled := []FeatureMap{{1, 2, 2, []float32{30, 40, 7, 0}}, {1, 1, 1, []float32{1}}}
	if d, err := PerceptualDistance(a, scaled, nil); err != nil || d > 1e-10 {
		t.Errorf("the distance depends on the length of features: %g (%v)", d, err)
	}
	zero := []FeatureMap{{1, 1, 3, make([]float32, 3)}}
	if d, err := PerceptualDistance(zero, zero, nil); err != nil || d != 0 {
		t.Errorf("features of zeros: %g (%v)", d, err)
	}
	for _, bad := range []struct {
		a, b []FeatureMap
		w    [][]float64
	}{
		{a, b[:1], nil}, {nil, nil, nil}, {a, b, [][]float64{nil}}, {a, b, [][]float64{{1}, nil}},
		{a, []FeatureMap{{2, 1, 2, a[0].Data}, a[1]}, nil}, {a, []FeatureMap{{1, 2, 2, nil}, a[1]}, nil},
	} {
		if _, err := PerceptualDistance(bad.a, bad.b, bad.w); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}
