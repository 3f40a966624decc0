package restore

import (
	"github.com/vfmrestore/restore/restore/internal/tile"
)

// putGrain puts a share of what denoising took away back, luminance and chroma apart, in the own part of a tile's planes: r + g·(y − r)
// for the result r and the picture given y, along the axis (1,1,1)/√3 and across it.
func (j *job) putGrain(t tile.Tile, src []float32) {
	luma, chroma := float32(j.req.Grain[0]), float32(j.req.Grain[1])
	if luma == 0 && chroma == 0 {
		return
	}
	given := j.input()
	x0, y0 := max(t.Own.X, 0), max(t.Own.Y, 0)
	x1, y1 := min(t.Own.X+t.Own.W, j.w), min(t.Own.Bottom(), j.h)
	if x0 >= x1 {
		return
	}
	var rows, out [3][]float32
	for c := range rows {
		rows[c] = make([]float32, x1-x0)
	}
	for y := y0; y < y1; y++ {
		for c := range rows {
			given.Row(rows[c], c, y, x0)
			at := (c*t.At.H+y-t.At.Y)*t.At.W + x0 - t.At.X
			out[c] = src[at : at+x1-x0]
		}
		for x := range rows[0] {
			r, g, b := rows[0][x]-out[0][x], rows[1][x]-out[1][x], rows[2][x]-out[2][x]
			mean := (r + g + b) / 3
			out[0][x] += luma*mean + chroma*(r-mean)
			out[1][x] += luma*mean + chroma*(g-mean)
			out[2][x] += luma*mean + chroma*(b-mean)
		}
	}
}
