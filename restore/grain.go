package restore

import (
	"github.com/vfmrestore/restore/restore/internal/tile"
)

// putGrain puts a share of the removed noise back, of luminance and of chroma, in the own part of a
// tile's planes: r + g·(y − r) for the result r and the picture given y, along the axis (1,1,1)/√3
// and across it.
func (j *job) putGrain(t tile.Tile, src []float32) {
	luma, chroma := float32(j.req.Grain[0]), float32(j.req.Grain[1])
	if luma == 0 && chroma == 0 {
		return
	}
	given := j.input()
	own := tile.Inside(t.Own, j.w, j.h)
	if own.W <= 0 {
		return
	}
	var rows, out [3][]float32
	for c := range rows {
		rows[c] = make([]float32, own.W)
	}
	for y := own.Y; y < own.Bottom(); y++ {
		for c := range rows {
			given.Row(rows[c], c, y, own.X)
			out[c] = src[(c*t.At.H+y-t.At.Y)*t.At.W+own.X-t.At.X:][:own.W]
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
