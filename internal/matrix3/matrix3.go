// Package matrix3 has the arithmetic of 3×3 matrices, for linear colours.
package matrix3

import "math"

// Matrix is a 3×3 matrix in rows.
type Matrix [9]float64

// Identity is the identity matrix.
var Identity = Matrix{1, 0, 0, 0, 1, 0, 0, 0, 1}

// Times gives the product m·n.
func (m Matrix) Times(n Matrix) (p Matrix) {
	for i := range p {
		for k := range 3 {
			p[i] += m[i/3*3+k] * n[3*k+i%3]
		}
	}
	return p
}

// Apply gives the product m·v.
func (m Matrix) Apply(v [3]float64) (out [3]float64) {
	for i, x := range m {
		out[i/3] += x * v[i%3]
	}
	return out
}

// Inverse inverts the matrix by its cofactors. ok is false if its determinant is below 1e-6.
func (m Matrix) Inverse() (v Matrix, ok bool) {
	minor := func(r, c int) float64 {
		a, b, x, y := (r+1)%3, (r+2)%3, (c+1)%3, (c+2)%3
		return m[3*a+x]*m[3*b+y] - m[3*a+y]*m[3*b+x]
	}
	det := m[0]*minor(0, 0) + m[1]*minor(0, 1) + m[2]*minor(0, 2)
	if !(math.Abs(det) > 1e-6) {
		return v, false
	}
	for i := range v {
		v[i%3*3+i/3] = minor(i/3, i%3) / det
	}
	return v, true
}

// NormaliseRows divides each row by its sum, so that equal values (white) stay equal. ok is false
// if a sum is not from 1e-6 to 1e6.
func (m Matrix) NormaliseRows() (v Matrix, ok bool) {
	for i := range m {
		r := i / 3 * 3
		sum := m[r] + m[r+1] + m[r+2]
		if !(sum > 1e-6 && sum < 1e6) {
			return v, false
		}
		v[i] = m[i] / sum
	}
	return v, true
}
