package jpegbound

import "math"

// side is the side of JPEG's blocks in pixels.
const side = 8

// block holds the values or the coefficients of a block, at 8·row + column.
type block [side * side]float32

// basis holds the orthonormal DCT-II of 8 values: row u, column x.
var basis = func() (m [side][side]float32) {
	for u := range side {
		scale := math.Sqrt(2.0 / side)
		if u == 0 {
			scale = math.Sqrt(1.0 / side)
		}
		for x := range side {
			m[u][x] = float32(scale * math.Cos(math.Pi*float64(u)*(2*float64(x)+1)/(2*side)))
		}
	}
	return m
}()

// transform turns the values of a block into coefficients, in place. JPEG's scale is that of the
// orthonormal DCT.
func (b *block) transform() {
	b.rows(func(u, x int) float32 { return basis[u][x] })
}

// inverse turns coefficients into values, in place.
func (b *block) inverse() {
	b.rows(func(x, u int) float32 { return basis[u][x] })
}

// rows multiplies a block with a matrix from the left, and with its transpose from the right.
func (b *block) rows(m func(to, from int) float32) {
	var t block
	for y := range side {
		row := b[y*side : y*side+side : y*side+side]
		for u := range side {
			sum := float32(0)
			for x, v := range row {
				sum += m(u, x) * v
			}
			t[y*side+u] = sum
		}
	}
	for v := range side {
		for u := range side {
			sum := float32(0)
			for y := range side {
				sum += m(v, y) * t[y*side+u]
			}
			b[v*side+u] = sum
		}
	}
}
