package camera

import (
	"math"

	"github.com/vfmrestore/restore/restore/planar"
)

// filter is the colour of the Bayer mosaic at a pixel: red at (even, even), blue at (odd, odd), else green.
func filter(x, y int) int { return x&1 + y&1 }

// Pictures continue by planar.Mirror, which keeps the parity of positions and so the colour of the mosaic.

// demosaicBilinear fills in, in place, the values that the mosaic does not have: each is the mean of the nearest ones of its colour.
func demosaicBilinear(img *planar.Image, px, py int) {
	w, h := img.W, img.H
	for ch := range 3 {
		p := img.Plane(ch)
		for y := range h {
			up, down := planar.Mirror(y-1, h)*w, planar.Mirror(y+1, h)*w
			for x := range w {
				left, right := planar.Mirror(x-1, w), planar.Mirror(x+1, w)
				at := y * w
				here := filter(x+px, y+py)
				switch {
				case here == ch:
				case ch == 1:
					p[at+x] = (p[at+left] + p[at+right] + p[up+x] + p[down+x]) / 4
				case here == 1: // red or blue at green: two neighbours, in the row or in the column
					if filter(left+px, y+py) == ch {
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

// demosaicEdges is the method of Hamilton and Adams, in place: green along the direction of the smaller gradient, corrected by the
// second difference of the other colour; then red and blue by their difference from green, which is interpolated bilinearly.
func demosaicEdges(img *planar.Image, px, py int) {
	w, h := img.W, img.H
	r, g, b := img.Plane(0), img.Plane(1), img.Plane(2)
	abs := func(v float32) float32 { return float32(math.Abs(float64(v))) }
	for y := range h {
		rows := [5]int{planar.Mirror(y-2, h) * w, planar.Mirror(y-1, h) * w, y * w, planar.Mirror(y+1, h) * w, planar.Mirror(y+2, h) * w}
		for x := range w {
			var p []float32
			switch filter(x+px, y+py) {
			case 0:
				p = r
			case 2:
				p = b
			default:
				continue
			}
			at := rows[2]
			l2, l1, r1, r2 := planar.Mirror(x-2, w), planar.Mirror(x-1, w), planar.Mirror(x+1, w), planar.Mirror(x+2, w)
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
	demosaicBilinear(img, px, py) // green is complete where it is read, so only the differences change
	for _, p := range [][]float32{r, b} {
		for i, v := range g {
			p[i] += v
		}
	}
}

// remosaic throws away what a mosaic does not see of a picture, and fills it in bilinearly.
func remosaic(img *planar.Image, px, py int) { demosaicBilinear(img, px, py) }

// FillIn makes three colours of a mosaic, in place. Plane 0 (red) has values at pixels where x+px
// and y+py are even, plane 2 (blue) where both are odd, plane 1 (green) at the others; what stands
// elsewhere is not read, but for NoMosaic, which does nothing. px and py are 0 or 1. The picture
// continues beyond its edges by reflection; sides must be at least 2. A filled-in value depends on
// no pixel more than 3 rows or columns away.
func (d Demosaicing) FillIn(img *planar.Image, px, py int) {
	switch d {
	case Bilinear:
		demosaicBilinear(img, px, py)
	case EdgeDirected:
		demosaicEdges(img, px, py)
	}
}
