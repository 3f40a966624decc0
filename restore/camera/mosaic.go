package camera

import (
	"math"

	"github.com/vfmrestore/restore/restore/planar"
)

// bayerColour is the plane that a Bayer mosaic measures at a pixel: 0 (red) at (even, even), 2
// (blue) at (odd, odd), else 1 (green).
func bayerColour(x, y int) int { return x&1 + y&1 }

// Beyond their edges pictures continue by planar.Mirror. It keeps the parity of positions, and with
// it the colour in the mosaic.

// demosaicBilinear replaces, in place, the values of some planes that the mosaic does not measure:
// each becomes the mean of the nearest measured values of its colour.
func demosaicBilinear(img *planar.Image, px, py int, planes ...int) {
	w, h := img.W, img.H
	for _, ch := range planes {
		p := img.Plane(ch)
		for y := range h {
			up, down := planar.Mirror(y-1, h)*w, planar.Mirror(y+1, h)*w
			for x := range w {
				left, right := planar.Mirror(x-1, w), planar.Mirror(x+1, w)
				at := y * w
				here := bayerColour(x+px, y+py)
				switch {
				case here == ch:
				case ch == 1:
					p[at+x] = (p[at+left] + p[at+right] + p[up+x] + p[down+x]) / 4
				case here == 1: // red or blue at green: two neighbours, in the row or in the column
					if bayerColour(left+px, y+py) == ch {
						p[at+x] = (p[at+left] + p[at+right]) / 2
					} else {
						p[at+x] = (p[up+x] + p[down+x]) / 2
					}
				default:
					p[at+x] = (p[up+left] + p[up+right] + p[down+left] + p[down+right]) / 4
				}
			}
		}
	}
}

// demosaicEdges follows Hamilton and Adams, in place: green along the direction of the smaller
// gradient, corrected by the second difference of the other colour; then red and blue by their
// difference from green, which is interpolated bilinearly.
func demosaicEdges(img *planar.Image, px, py int) {
	w, h := img.W, img.H
	r, g, b := img.Plane(0), img.Plane(1), img.Plane(2)
	abs := func(v float32) float32 { return float32(math.Abs(float64(v))) }
	for y := range h {
		var rows [5]int
		for k := range rows {
			rows[k] = planar.Mirror(y-2+k, h) * w
		}
		for x := range w {
			var p []float32
			switch bayerColour(x+px, y+py) {
			case 0:
				p = r
			case 2:
				p = b
			default:
				continue
			}
			at := rows[2]
			l2, l1 := planar.Mirror(x-2, w), planar.Mirror(x-1, w)
			r1, r2 := planar.Mirror(x+1, w), planar.Mirror(x+2, w)
			here := p[at+x]
			across, along := 2*here-p[at+l2]-p[at+r2], 2*here-p[rows[0]+x]-p[rows[4]+x]
			dx := abs(g[at+l1]-g[at+r1]) + abs(across)
			dy := abs(g[rows[1]+x]-g[rows[3]+x]) + abs(along)
			horizontal := (g[at+l1]+g[at+r1])/2 + across/4
			vertical := (g[rows[1]+x]+g[rows[3]+x])/2 + along/4
			switch {
			case dx < dy:
				g[at+x] = horizontal
			case dy < dx:
				g[at+x] = vertical
			default:
				g[at+x] = (horizontal + vertical) / 2
			}
		}
	}
	for _, p := range [][]float32{r, b} {
		for i, v := range g {
			p[i] -= v
		}
	}
	demosaicBilinear(img, px, py, 0, 2)
	for _, p := range [][]float32{r, b} {
		for i, v := range g {
			p[i] += v
		}
	}
}

// Interpolate demosaics img in place. On entry plane 0 (red) has values at pixels where x+px and
// y+py are even, plane 2 (blue) where both are odd, and plane 1 (green) at the others. Other values
// are not read. NoMosaic changes nothing. px and py are 0 or 1. The picture continues beyond its
// edges by reflection; its sides must be at least 2. An interpolated value depends on no pixel more
// than 3 rows or columns away.
func (d Demosaicing) Interpolate(img *planar.Image, px, py int) {
	switch d {
	case Bilinear:
		demosaicBilinear(img, px, py, 0, 1, 2)
	case EdgeDirected:
		demosaicEdges(img, px, py)
	}
}
