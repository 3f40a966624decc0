package metric

import "math"

// PolynomialMMD2 returns the unbiased estimate of MMD² (eq. 101) with the kernel (u·v/d + 1)³, where
// d is the length of the vectors: the kernel inception distance of Bińkowski et al., Demystifying
// MMD GANs, 2018, section 3. Of features it wants at least two samples on each side. It may be
// negative.
func PolynomialMMD2(x, y [][]float64) (float64, error) {
	if len(x) < 2 || len(y) < 2 {
		return 0, shapef("MMD needs two samples on each side; %d and %d given", len(x), len(y))
	}
	dim := len(x[0])
	for _, set := range [][][]float64{x, y} {
		if err := sameVectors("sample", dim, set); err != nil {
			return 0, err
		}
	}
	if dim == 0 {
		return 0, shapef("the samples have no values")
	}
	kernel := func(u, v []float64) float64 {
		s := 0.0
		for i := range u {
			s += u[i] * v[i]
		}
		k := s/float64(dim) + 1
		return k * k * k
	}
	within := func(set [][]float64) float64 {
		s := 0.0
		for i, u := range set {
			for _, v := range set[:i] {
				s += 2 * kernel(u, v)
			}
		}
		return s / (float64(len(set)) * float64(len(set)-1))
	}
	between := 0.0
	for _, u := range x {
		for _, v := range y {
			between += kernel(u, v)
		}
	}
	return within(x) + within(y) - 2*between/(float64(len(x))*float64(len(y))), nil
}

// FeatureMap holds the features of a picture in one layer of a network: H rows of W sites of C
// channels, channels last.
type FeatureMap struct {
	H, W, C int
	Data    []float32
}

// normEps keeps the division by the length of a site's features finite, as in the authors' code.
const normEps = 1e-10

// PerceptualDistance returns LPIPS (Zhang et al., The Unreasonable Effectiveness of Deep Features as
// a Perceptual Metric, 2018, eq. 1) between two pictures with features a and b in the same layers:
//
//	Σ_l 1/(H_l·W_l) Σ_hw Σ_c w_lc (â_lhwc − b̂_lhwc)²
//
// where â and b̂ are a and b scaled to length 1 at every site. weights[l][c] are the w, those of the
// squares as in the authors' files; a layer without weights (nil), and all layers if weights is
// nil, have w = 1. With such weights the value is not that of the published metric.
func PerceptualDistance(a, b []FeatureMap, weights [][]float64) (float64, error) {
	if len(a) == 0 || len(a) != len(b) {
		return 0, shapef("features of %d and %d layers", len(a), len(b))
	}
	if weights != nil && len(weights) != len(a) {
		return 0, shapef("weights of %d layers for features of %d", len(weights), len(a))
	}
	total := 0.0
	for l, x := range a {
		y := b[l]
		sites := x.H * x.W
		if x.H != y.H || x.W != y.W || x.C != y.C || sites*x.C < 1 || len(x.Data) != sites*x.C || len(y.Data) != sites*x.C {
			return 0, shapef("layer %d: features of %d×%d×%d (%d values) and %d×%d×%d (%d values)", l,
				x.H, x.W, x.C, len(x.Data), y.H, y.W, y.C, len(y.Data))
		}
		var w []float64
		if weights != nil {
			if w = weights[l]; w != nil && len(w) != x.C {
				return 0, shapef("layer %d: %d weights for %d channels", l, len(w), x.C)
			}
		}
		sum := 0.0
		for i := range sites {
			u, v := x.Data[i*x.C:(i+1)*x.C], y.Data[i*x.C:(i+1)*x.C]
			nu, nv := length(u)+normEps, length(v)+normEps
			for c := range u {
				d := float64(u[c])/nu - float64(v[c])/nv
				if w != nil {
					d *= d * w[c]
				} else {
					d *= d
				}
				sum += d
			}
		}
		total += sum / float64(sites)
	}
	return total, nil
}

// length is the Euclidean length of a vector.
func length(v []float32) float64 {
	s := 0.0
	for _, x := range v {
		s += float64(x) * float64(x)
	}
	return math.Sqrt(s)
}
