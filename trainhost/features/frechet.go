package features

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Frechet returns the squared Fréchet distance of the normal distributions with the means and
// covariances (unbiased, divided by n−1) of two sets of at least two vectors:
//
//	‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2 (Σ₁Σ₂)^½)
//
// (Heusel et al., GANs Trained by a Two Time-Scale Update Rule, 2017, eq. 6). It is computed in
// float64. If there are fewer vectors than they have values, the covariances have no full rank; the
// distance is exact all the same.
func Frechet(x, y [][]float64) (float64, error) {
	mx, a, err := centred(x)
	if err != nil {
		return 0, err
	}
	my, b, err := centred(y)
	if err != nil {
		return 0, err
	}
	dim := len(mx)
	if dim != len(my) {
		return 0, fmt.Errorf("vectors of %d and %d values", dim, len(my))
	}
	if len(x) >= dim && len(y) >= dim {
		var sx, sy mat.SymDense
		sx.SymOuterK(1, a.T())
		sy.SymOuterK(1, b.T())
		return FrechetOfNormals(mx, &sx, my, &sy)
	}
	// Σ₁ = AᵀA and Σ₂ = BᵀB, and the eigenvalues of Σ₁Σ₂ are the squares of the singular values of
	// ABᵀ.
	var product mat.Dense
	product.Mul(a, b.T())
	root, err := nuclear(&product)
	return distance2(mx, my) + squares(a) + squares(b) - 2*root, err
}

// FrechetOfNormals is Frechet of normal distributions with given means and covariances.
func FrechetOfNormals(mx []float64, sx mat.Symmetric, my []float64, sy mat.Symmetric) (float64, error) {
	a, err := root(sx)
	if err != nil {
		return 0, err
	}
	b, err := root(sy)
	if err != nil {
		return 0, err
	}
	// tr (Σ₁Σ₂)^½ is the sum of the singular values of Σ₁^½ Σ₂^½.
	var product mat.Dense
	product.Mul(a, b)
	trace, err := nuclear(&product)
	return distance2(mx, my) + mat.Trace(sx) + mat.Trace(sy) - 2*trace, err
}

// root returns the symmetric square root of a covariance. Eigenvalues below 0, which come from
// rounding, count as 0.
func root(s mat.Symmetric) (*mat.Dense, error) {
	var eigen mat.EigenSym
	if !eigen.Factorize(s, true) {
		return nil, fmt.Errorf("the eigenvalues of a covariance of %d features could not be computed", s.SymmetricDim())
	}
	values := eigen.Values(nil)
	for i, v := range values {
		values[i] = math.Sqrt(max(v, 0))
	}
	var v, scaled, out mat.Dense
	eigen.VectorsTo(&v)
	scaled.Mul(&v, mat.NewDiagDense(len(values), values))
	out.Mul(&scaled, v.T())
	return &out, nil
}

// nuclear is the sum of the singular values of a matrix.
func nuclear(m *mat.Dense) (sum float64, err error) {
	var svd mat.SVD
	if !svd.Factorize(m, mat.SVDNone) {
		r, c := m.Dims()
		return 0, fmt.Errorf("the singular values of a matrix of %d×%d could not be computed", r, c)
	}
	for _, v := range svd.Values(nil) {
		sum += v
	}
	return sum, nil
}

// centred returns the mean of vectors, and as rows of a matrix their differences from it, divided
// by √(n−1).
func centred(x [][]float64) (mean []float64, rows *mat.Dense, err error) {
	n := len(x)
	if n < 2 {
		return nil, nil, fmt.Errorf("the Fréchet distance needs two pictures on each side, not %d", n)
	}
	mean = make([]float64, len(x[0]))
	if len(mean) == 0 {
		return nil, nil, fmt.Errorf("there are no features")
	}
	for _, v := range x {
		if len(v) != len(mean) {
			return nil, nil, fmt.Errorf("vectors of %d and %d values", len(mean), len(v))
		}
		for i, f := range v {
			mean[i] += f / float64(n)
		}
	}
	rows = mat.NewDense(n, len(mean), nil)
	for k, v := range x {
		row := rows.RawRowView(k)
		for i, f := range v {
			row[i] = (f - mean[i]) / math.Sqrt(float64(n-1))
		}
	}
	return mean, rows, nil
}

func distance2(a, b []float64) (s float64) {
	for i, v := range a {
		s += (v - b[i]) * (v - b[i])
	}
	return s
}

// squares is the sum of the squares of a matrix.
func squares(m *mat.Dense) (s float64) {
	for _, v := range m.RawMatrix().Data {
		s += v * v
	}
	return s
}
