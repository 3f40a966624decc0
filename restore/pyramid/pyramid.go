// Package pyramid halves pictures and enlarges what was changed in the halves. In a picture of half
// the size a long blur is half as long, and its noise is half as strong.
package pyramid

import (
	"math"

	"github.com/vfmrestore/restore/restore/planar"
)

// MinSide is the least side of a halved picture, in pixels, in which blur can be found.
const MinSide = 96

// RowsOf reads the rows of a picture: len(dst) values of channel c, from column x of row y on.
func RowsOf(m *planar.Image) func(dst []float32, c, y, x int) {
	return func(dst []float32, c, y, x int) { copy(dst, m.Pix[(c*m.H+y)*m.W+x:]) }
}

// CanHalve reports whether the half of a picture of w×h pixels is large enough.
func CanHalve(w, h int) bool { return min(w, h) >= 2*MinSide }

// Halve makes a picture of ⌈w/2⌉×⌈h/2⌉ pixels from one of w×h, whose rows row reads (see RowsOf):
// means of 2×2 pixels. Where a side is odd, the last pixels are means of the pixels that there are.
func Halve(w, h int, row func(dst []float32, c, y, x int)) *planar.Image {
	out := planar.New((w+1)/2, (h+1)/2)
	rows := [2][]float32{make([]float32, 2*out.W), make([]float32, 2*out.W)}
	for c := range 3 {
		dst := out.Plane(c)
		for y := range out.H {
			for k, r := range rows {
				row(r[:w], c, min(2*y+k, h-1), 0)
				r[2*out.W-1] = r[w-1]
			}
			for x := range out.W {
				dst[y*out.W+x] = (rows[0][2*x] + rows[0][2*x+1] + rows[1][2*x] + rows[1][2*x+1]) / 4
			}
		}
	}
	return out
}

// AddEnlarged adds the bilinear enlargement of m to a rectangle of a picture that is twice as
// large: w×h pixels from column x0 and row y0 on, three planes one after the other. Beyond the
// centres of the outermost pixels of m their values continue.
func AddEnlarged(dst []float32, m *planar.Image, x0, y0, w, h int) {
	left, right, share := make([]int, w), make([]int, w), make([]float32, w)
	for i := range w {
		left[i], right[i], share[i] = neighbours(x0+i, m.W)
	}
	for c := range 3 {
		src := m.Plane(c)
		for j := range h {
			top, bottom, s := neighbours(y0+j, m.H)
			a, b := src[top*m.W:][:m.W], src[bottom*m.W:][:m.W]
			out := dst[(c*h+j)*w:][:w]
			for i, l := range left {
				r, t := right[i], share[i]
				upper, lower := a[l]+t*(a[r]-a[l]), b[l]+t*(b[r]-b[l])
				out[i] += upper + s*(lower-upper)
			}
		}
	}
}

// neighbours returns the two pixels of a row of n between whose centres pixel i of the enlarged row
// lies, and the share of the second.
func neighbours(i, n int) (first, second int, share float32) {
	at := (float64(i)+0.5)/2 - 0.5
	low := math.Floor(at)
	first = min(max(int(low), 0), n-1)
	second = min(max(int(low)+1, 0), n-1)
	return first, second, float32(at - low)
}
