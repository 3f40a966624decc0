package task

// Matrix is a dense float32 matrix, row-major: element (i, j) is Data[i*Cols+j].
//
// The functions below return one axis of an operator as a matrix F with one row per input and one
// column per output. A plane X of h×w values is mapped to Y = F(h)ᵀ · X · F(w).
type Matrix struct {
	Rows, Cols int
	Data       []float32
}

// Transpose returns the transposed matrix.
func (m Matrix) Transpose() Matrix {
	t := Matrix{Rows: m.Cols, Cols: m.Rows, Data: make([]float32, len(m.Data))}
	for i := 0; i < m.Rows; i++ {
		for j := 0; j < m.Cols; j++ {
			t.Data[j*t.Cols+i] = m.Data[i*m.Cols+j]
		}
	}
	return t
}

// Grow returns a larger matrix of zeros with this one in its upper left corner, for layouts whose
// sides are multiples of 8. It panics if rows or cols is smaller than the matrix.
func (m Matrix) Grow(rows, cols int) Matrix {
	if rows < m.Rows || cols < m.Cols {
		panic("task: Matrix.Grow to a smaller size")
	}
	g := Matrix{Rows: rows, Cols: cols, Data: make([]float32, rows*cols)}
	for i := 0; i < m.Rows; i++ {
		copy(g.Data[i*cols:], m.Data[i*m.Cols:(i+1)*m.Cols])
	}
	return g
}

// DownMatrix is super-resolve's operator, antialiased bicubic reduction by 4 (Keys a = −½, PIL's
// and torch antialias=True's edges): [n][⌈n/4⌉].
func DownMatrix(n int) Matrix { return downFilter(n).matrix() }

// UpMatrix is bicubic enlargement by 4 (same kernel and edges), the view of a super-resolution
// input: [n][4n].
func UpMatrix(n int) Matrix { return upFilter(n).matrix() }

// GaussMatrix is gaussian-deblur's operator, 61 taps of standard deviation 3 with reflected edges:
// [n][n].
func GaussMatrix(n int) Matrix { return gaussFilter(n).matrix() }

// ReflectPadMatrix lengthens an axis by pad reflected values on either side: [n][n+2·pad]. With
// multipleOf8 the number of outputs is rounded up to a multiple of 8, and the additional ones are
// 0.
func ReflectPadMatrix(n, pad int, multipleOf8 bool) Matrix {
	total := n + 2*pad
	if multipleOf8 {
		total = (total + 7) / 8 * 8
	}
	return reflectPadFilter(n, pad, total).matrix()
}

// PoolMatrix averages neighbours in pairs, one axis of the 2×2 pooling of push-pull: [n][⌈n/2⌉] of
// ½. The last output of an odd n is half of the last input, as if a pixel of weight 0 followed.
func PoolMatrix(n int) Matrix { return poolFilter(n).matrix() }

// UpPool2Matrix enlarges ⌈n/2⌉ values to n by linear interpolation, one axis of the push of
// push-pull: [⌈n/2⌉][n]. Output i lies at (i+½)/2 − ½ of the coarse grid, so the weights are ¾ and
// ¼; beyond the first and last value the axis continues as a constant.
func UpPool2Matrix(n int) Matrix { return spreadFilter(n).matrix() }
