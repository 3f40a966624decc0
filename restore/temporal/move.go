package temporal

import "math"

// move warps a row of blocks of the average, and its weights, to their positions in the frame, and
// computes the distance of the frame from it.
func (f *Filter) move(by int) {
	across := f.match.across(0)
	n := f.w * f.h
	for bx := range across {
		v := f.match.found[0][by*across+bx]
		b := f.newWarp(bx, by, v)
		for c := range 3 {
			f.warpBlock(c*n, &b)
		}
		scale := float32(1. / 3)
		if !b.whole() {
			scale *= fractionPenalty
		}
		nearX, nearY := int(math.Round(float64(v.x))), int(math.Round(float64(v.y)))
		for y := b.y0; y < b.y1; y++ {
			for x := b.x0; x < b.x1; x++ {
				i := y*f.w + x
				u, t := x+nearX, y+nearY
				f.weight[1][i] = 0
				if u >= 0 && t >= 0 && u < f.w && t < f.h {
					f.weight[1][i] = f.weight[0][t*f.w+u]
					if !b.whole() {
						f.weight[1][i] = min(f.weight[1][i], shortMemory)
					}
				}
				d := float32(0)
				for c := range 3 {
					d += float32(math.Abs(float64(f.frame[c*n+i] - f.moved[c*n+i])))
				}
				f.distance[i] = d * scale
			}
		}
	}
}

// cubic gives the weights of four neighbours for a position t after the second (Catmull-Rom
// spline).
func cubic(t float32) [4]float32 {
	if t == 0 {
		return [4]float32{0, 1, 0, 0}
	}
	t2, t3 := t*t, t*t*t
	return [4]float32{(-t3 + 2*t2 - t) / 2, (3*t3 - 5*t2 + 2) / 2, (-3*t3 + 4*t2 + t) / 2,
		(t3 - t2) / 2}
}

// warp describes how a block of the average is moved.
type warp struct {
	x0, y0, x1, y1 int        // the block, inside the picture
	left, top      int        // whole pixels of the vector, rounded down
	cx, cy         [4]float32 // weights of the fractions
}

func (f *Filter) newWarp(bx, by int, v vector) (b warp) {
	b.x0, b.y0 = bx*side, by*side
	b.x1, b.y1 = min(b.x0+side, f.w), min(b.y0+side, f.h)
	b.left, b.top = int(math.Floor(float64(v.x))), int(math.Floor(float64(v.y)))
	b.cx, b.cy = cubic(v.x-float32(b.left)), cubic(v.y-float32(b.top))
	return b
}

// whole tells whether the vector has whole pixels.
func (b *warp) whole() bool { return b.cx[1] == 1 && b.cy[1] == 1 }

// warpBlock moves a block of the plane that begins at index plane.
func (f *Filter) warpBlock(plane int, b *warp) {
	x0, y0, x1, y1, left, top, cx, cy := b.x0, b.y0, b.x1, b.y1, b.left, b.top, &b.cx, &b.cy
	from, to := f.average[plane:plane+f.w*f.h], f.moved[plane:plane+f.w*f.h]
	clampX := func(x int) int { return min(max(x, 0), f.w-1) }
	clampY := func(y int) int { return min(max(y, 0), f.h-1) }
	width := x1 - x0
	if b.whole() {
		for y := y0; y < y1; y++ {
			row := from[clampY(y+top)*f.w:][:f.w]
			if x0+left >= 0 && x1+left <= f.w {
				copy(to[y*f.w+x0:][:width], row[x0+left:])
				continue
			}
			for x := x0; x < x1; x++ {
				to[y*f.w+x] = row[clampX(x+left)]
			}
		}
		return
	}
	var rows [side + 3][side]float32 // interpolated horizontally
	for k := range y1 - y0 + 3 {
		row := from[clampY(y0+top-1+k)*f.w:][:f.w]
		if a := x0 + left - 1; a >= 0 && a+width+3 <= f.w {
			in := row[a:][:width+3]
			for x := range width {
				rows[k][x] = cx[0]*in[x] + cx[1]*in[x+1] + cx[2]*in[x+2] + cx[3]*in[x+3]
			}
			continue
		}
		for x := range width {
			sum := float32(0)
			for j := range 4 {
				sum += cx[j] * row[clampX(x0+x+left-1+j)]
			}
			rows[k][x] = sum
		}
	}
	for y := y0; y < y1; y++ {
		k := y - y0
		out := to[y*f.w+x0:][:width]
		for x := range out {
			out[x] = cy[0]*rows[k][x] + cy[1]*rows[k+1][x] + cy[2]*rows[k+2][x] + cy[3]*rows[k+3][x]
		}
	}
}
