package metric

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/restore/planar"
)

func gaussians(rng *rand.Rand, n, dim int, mean, std float64) [][]float64 {
	out := make([][]float64, n)
	for i := range out {
		out[i] = make([]float64, dim)
		for k := range out[i] {
			out[i][k] = mean + std*rng.NormFloat64()
		}
	}
	return out
}

// gaussianCRPS is the closed form of the CRPS of N(0, 1) at x (Gneiting and Raftery 2007, eq. 21).
func gaussianCRPS(x float64) float64 {
	density := math.Exp(-x*x/2) / math.Sqrt(2*math.Pi)
	return x*math.Erf(x/math.Sqrt2) + 2*density - 1/math.Sqrt(math.Pi)
}

func TestCRPSOfGaussian(t *testing.T) {
	rng := fresh(t)
	for _, x := range []float64{0, -0.7, 2.5} {
		big, err := CRPS([]float64{x}, gaussians(rng, 1500, 1, 0, 1), false)
		if err != nil {
			t.Fatal(err)
		}
		isNear(t, "CRPS of 1500 samples", big, gaussianCRPS(x), 0.12)
		// the fair score of small ensembles is unbiased; eq. 98 is too large by E|x−x'|/(2J)
		const n, j = 8000, 4
		fair, standard := 0.0, 0.0
		for i := 0; i < n; i++ {
			s := gaussians(rng, j, 1, 0, 1)
			f, err := CRPS([]float64{x}, s, true)
			if err != nil {
				t.Fatal(err)
			}
			v, _ := CRPS([]float64{x}, s, false)
			fair, standard = fair+f/n, standard+v/n
		}
		isNear(t, "mean fair CRPS of 4 samples", fair, gaussianCRPS(x), 0.04)
		isNear(t, "mean CRPS of 4 samples", standard, gaussianCRPS(x)+2/math.Sqrt(math.Pi)/(2*j),
			0.04)
	}
}

func TestCRPSByHand(t *testing.T) {
	truth := []float64{0, 0}
	samples := [][]float64{{3, 4}, {0, 0}, {-3, -4}}
	// distances to the truth 5, 0, 5; between samples 5, 5, 10
	got, err := CRPS(truth, samples, false)
	if err != nil {
		t.Fatal(err)
	}
	isNear(t, "eq. 98", got, 10.0/3-2*20.0/(2*9), 1e-12)
	got, _ = CRPS(truth, samples, true)
	isNear(t, "fair", got, 10.0/3-2*20.0/(2*6), 1e-12)
	one, _ := CRPS(truth, samples[:1], false)
	isNear(t, "one sample", one, 5, 1e-12)
	var shape *ShapeError
	for _, err := range []error{
		second(CRPS(truth, samples[:1], true)), second(CRPS(truth, nil, false)),
		second(CRPS([]float64{1}, samples, false)),
	} {
		if !errors.As(err, &shape) {
			t.Errorf("bad arguments: %v", err)
		}
	}
}

func second(_ float64, err error) error { return err }

func TestImageCRPS(t *testing.T) {
	rng := fresh(t)
	truth := randomImage(rng, 1+rng.IntN(9), 1+rng.IntN(9))
	var samples []*planar.Image
	for i := 0; i < 7; i++ {
		samples = append(samples, randomImage(rng, truth.W, truth.H))
	}
	for _, fair := range []bool{false, true} {
		got, err := ImageCRPS(truth, samples, fair)
		if err != nil {
			t.Fatal(err)
		}
		want := 0.0
		for i, x := range truth.Pix {
			var s [][]float64
			for _, m := range samples {
				s = append(s, []float64{float64(m.Pix[i])})
			}
			v, _ := CRPS([]float64{float64(x)}, s, fair)
			want += v / float64(len(truth.Pix))
		}
		isNear(t, "ImageCRPS", got, want, 1e-12)
	}
	if _, err := ImageCRPS(truth, []*planar.Image{planar.New(30, 30)}, false); err == nil {
		t.Error("samples of another size accepted")
	}
	if _, err := ImageCRPS(truth, samples[:1], true); err == nil {
		t.Error("fair score of one sample accepted")
	}
}

func TestMMD(t *testing.T) {
	rng := fresh(t)
	// by hand, ℓ = 1: k(0,1) = e^{-1/2}, k(0,2) = e^{-2}
	x, y := [][]float64{{0}, {1}}, [][]float64{{0}, {2}}
	e1, e2 := math.Exp(-0.5), math.Exp(-2)
	got, err := MMD2(x, y, 1)
	if err != nil {
		t.Fatal(err)
	}
	isNear(t, "MMD² by hand", got, e1+e2-2.0/4*(1+e2+e1+e1), 1e-12)

	// two Gaussians N(0, I), N(a, I) in d dimensions: MMD² = 2 (ℓ²/(ℓ²+2))^{d/2} (1 −
	// exp(−a²/(2(ℓ²+2))))
	const n, d, shift = 600, 2, 1.0
	a, b := gaussians(rng, n, d, 0, 1), gaussians(rng, n, d, 0, 1)
	for i := range b {
		b[i][0] += shift
	}
	got, _ = MMD2(a, b, 1)
	isNear(t, "MMD² of shifted Gaussians", got,
		2*math.Pow(1.0/3, d/2.0)*(1-math.Exp(-shift*shift/6)), 0.05)

	equal, err := MMD(a, gaussians(rng, n, d, 0, 1), 0)
	if err != nil {
		t.Fatal(err)
	}
	isNear(t, "MMD of equal distributions", equal, 0, 0.08)
	if v, _ := MMD(a, a, 0); v != 0 {
		t.Errorf("MMD of a set and itself is %v; the unbiased MMD² is negative and must be clamped",
			v)
	}
	same := [][]float64{{3}, {3}, {3}}
	// six against two: most distances, and so the median, are 0
	many := append(append([][]float64{}, same...), same...)
	if v, _ := MMD(many, [][]float64{{4}, {4}}, 0); math.Abs(v-math.Sqrt2) > 1e-12 {
		t.Errorf("MMD of two different points is %v", v)
	}
	if v, _ := MMD(same, same, 0); v != 0 {
		t.Errorf("MMD of one point and itself is %v", v)
	}
	for _, err := range []error{second(MMD(x, y[:1], 1)),
		second(MMD(x, [][]float64{{1, 2}, {3, 4}}, 1))} {
		var shape *ShapeError
		if !errors.As(err, &shape) {
			t.Errorf("bad arguments: %v", err)
		}
	}
}

func TestMedianLength(t *testing.T) {
	rng := fresh(t)
	got, err := MedianLength([][]float64{{0, 0}, {3, 4}}, [][]float64{{0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	isNear(t, "median of 5, 1, √18", got, math.Sqrt(18), 1e-12)
	// the distance of two N(0, I₂) is Rayleigh with scale √2: median √2·√(2 ln 2); 2500 + 2500
	// samples are thinned out
	got, _ = MedianLength(gaussians(rng, 2500, 2, 0, 1), gaussians(rng, 2500, 2, 0, 1))
	isNear(t, "median distance of Gaussians", got, math.Sqrt2*math.Sqrt(2*math.Ln2), 0.1)
	if _, err := MedianLength([][]float64{{1}}, nil); err == nil {
		t.Error("one sample accepted")
	}
}

func TestNLPD(t *testing.T) {
	rng := fresh(t)
	// one prediction: the Gaussian density itself
	got, err := NLPD([]float64{1, 2}, [][]float64{{1.5, 2}}, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	isNear(t, "one prediction", got, 0.5+math.Log(2*math.Pi*0.25), 1e-12)
	// x ~ N(0, s²), y' = x + ε: the predictive density is N(0, s² + σ²)
	const s, sigma, y = 1.0, 0.5, 0.8
	got, _ = NLPD([]float64{y}, gaussians(rng, 20000, 1, 0, s), sigma)
	v := s*s + sigma*sigma
	isNear(t, "Gaussian predictive", got, 0.5*math.Log(2*math.Pi*v)+y*y/(2*v), 0.05)
	far, _ := NLPD([]float64{1000}, [][]float64{{0}, {0}}, 0.1)
	isNear(t, "far prediction", far, 1e6/0.02+math.Log(0.1*math.Sqrt(2*math.Pi)), 1e-3)
	if _, err := NLPD([]float64{0}, [][]float64{{0}}, 0); err == nil {
		t.Error("σ = 0 accepted")
	}
	if _, err := NLPD([]float64{0}, nil, 1); err == nil {
		t.Error("no predictions accepted")
	}
}

func TestSupportAccuracy(t *testing.T) {
	rng := fresh(t)
	uniform := make([][]float64, 40000)
	for i := range uniform {
		uniform[i] = []float64{6*rng.Float64() - 3, 6*rng.Float64() - 3}
	}
	total := 0.0
	for parity := 0; parity < 2; parity++ {
		got, err := SupportAccuracy(uniform,
			func(x []float64) bool { return Checkerboard(x[0], x[1], parity) })
		if err != nil {
			t.Fatal(err)
		}
		// 8 unit cells of 36 units of area
		isNear(t, "share of a uniform sample", got, 8.0/36, 0.015)
		total += got
	}
	isNear(t, "both halves", total, 16.0/36, 0.02)
	for _, c := range []struct {
		x, y   float64
		parity int
		want   bool
	}{{-1.5, -1.5, 0, true}, {-0.5, -1.5, 0, false}, {-0.5, -1.5, 1, true}, {1.9, 1.9, 0, true},
		{2, 1.5, 0, false}, {-2, -2, 0, true}, {math.NaN(), 0, 0, false}} {
		if got := Checkerboard(c.x, c.y, c.parity); got != c.want {
			t.Errorf("(%v, %v), parity %d: %v", c.x, c.y, c.parity, got)
		}
	}
	if _, err := SupportAccuracy(nil, nil); err == nil {
		t.Error("no samples accepted")
	}
}
