package patch

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/vfmrestore/restore/internal/team"
)

// MinDepth is the least distance, in pixels, from the middle of a hole to the known pixels for Fill
// to fill it. In narrower holes a network does better.
const MinDepth = 6

// MaxPixels is the number of pixels of the largest hole that is filled. This takes about half a
// minute of two cores.
const MaxPixels = 1 << 20

const (
	side = 7        // of a patch
	half = side / 2 // from its middle to its edge
	// Patches are searched for up to surroundings times the hole's size around it, but at least
	// leastAround and at most mostAround pixels.
	surroundings = 2
	leastAround  = 96
	mostAround   = 320
	leastSources = 64 // patches of the known picture that are needed
)

// Picture is what Fill works on.
type Picture struct {
	W, H    int
	Missing []bool // pixels to fill, row by row
	// Hidden says which pixels are not to be used although they are known. nil means none.
	Hidden func(i int) bool
	// Row reads a row of plane c from column x on. In holes it reads what the search starts from.
	Row func(dst []float32, c, y, x int)
	// Put writes a value. Pixels are counted along the rows.
	Put func(plane, pixel int, v float32)
}

// Holes are the wide holes of a mask, from top to bottom.
type Holes []hole

// hole is a set of missing pixels that are connected, or nearly.
type hole struct {
	number         int // among all wide holes, including those that are too large
	x0, y0, x1, y1 int // the smallest rectangle around it
	pixels         []int32
	depth          int // largest distance of a pixel to the known ones, in steps to one of 8 neighbours
}

// Find finds the holes of a picture of w×h pixels that Fill fills: those that are wide (MinDepth)
// and have at most MaxPixels pixels. If no pixel of the picture is known, there are none. A scratch
// that leads into a hole does not belong to it. It fails if the mask has another size.
func Find(w, h int, missing []bool) (list Holes, err error) {
	if w < 1 || h < 1 || len(missing) != w*h {
		return nil, fmt.Errorf("mask of %d pixels for a picture of %d×%d: it must have one value per pixel, and at least one", len(missing), w, h)
	}
	wide, number := open(w, h, missing, MinDepth), 0
	for start := range wide {
		if !wide[start] {
			continue
		}
		o := hole{number: number, x0: w, y0: h}
		o.grow(w, h, start, wide)
		if o.depth = o.deepest(w, h); o.depth == 0 {
			continue
		}
		number++
		if len(o.pixels) <= MaxPixels {
			list = append(list, o)
		}
	}
	return list, nil
}

// grow adds all pixels that are connected with a pixel to the hole, and removes them from the mask.
func (o *hole) grow(w, h, start int, mask []bool) {
	stack := []int32{int32(start)}
	mask[start] = false
	for len(stack) > 0 {
		i := int(stack[len(stack)-1])
		stack = stack[:len(stack)-1]
		x, y := i%w, i/w
		o.pixels = append(o.pixels, int32(i))
		o.x0, o.y0, o.x1, o.y1 = min(o.x0, x), min(o.y0, y), max(o.x1, x+1), max(o.y1, y+1)
		// Holes whose patches would overlap are one hole.
		for v := max(y-half, 0); v <= min(y+half, h-1); v++ {
			for u := max(x-half, 0); u <= min(x+half, w-1); u++ {
				if k := v*w + u; mask[k] {
					mask[k] = false
					stack = append(stack, int32(k))
				}
			}
		}
	}
}

// Fill fills the holes of a picture, which Find found in its mask. It does not change known pixels,
// other holes, and holes around which hardly anything is known.
//
// It fails with ctx.Err(). Then some holes may already be filled.
func (list Holes) Fill(ctx context.Context, p Picture, seed uint64) error {
	t := team.New(0)
	for _, o := range list {
		if err := o.fill(ctx, t, p, seed+uint64(o.number)<<32); err != nil {
			return err
		}
	}
	return nil
}

// open is the morphological opening of a mask, erosion and then dilation: it keeps what is covered
// by squares of 2r+1 pixels a side that are in the mask. Beyond the picture counts as in the mask.
func open(w, h int, mask []bool, r int) []bool {
	out := slices.Clone(mask)
	line := func(start, step, n int, grow int) {
		// A run of set pixels becomes longer by grow at both ends, except at the picture's edges.
		for from := 0; from < n; {
			if !out[start+from*step] {
				from++
				continue
			}
			to := from
			for to < n && out[start+to*step] {
				to++
			}
			if grow < 0 {
				for k := range -grow {
					if from > 0 && from+k < to {
						out[start+(from+k)*step] = false
					}
					if to < n && to-1-k >= from {
						out[start+(to-1-k)*step] = false
					}
				}
				from = to
				continue
			}
			for k := max(0, from-grow); k < from; k++ {
				out[start+k*step] = true
			}
			end := min(n, to+grow)
			for next := to; next < end; next++ {
				if out[start+next*step] { // the next run begins
					end = next
					break
				}
				out[start+next*step] = true
			}
			from = end
		}
	}
	for _, grow := range [2]int{-r, r} {
		for y := range h {
			line(y*w, 1, w, grow)
		}
		for x := range w {
			line(x, w, h, grow)
		}
	}
	return out
}

// deepest is the number of steps from the known pixels to the middle of the hole, in a picture of
// w×h pixels. It is 0 if nothing is known.
func (o *hole) deepest(w, h int) int {
	// With one more pixel on every side, where the picture continues.
	x0, y0, x1, y1 := max(o.x0-1, 0), max(o.y0-1, 0), min(o.x1+1, w), min(o.y1+1, h)
	in := make([]bool, (x1-x0)*(y1-y0))
	for _, i := range o.pixels {
		in[(int(i)/w-y0)*(x1-x0)+int(i)%w-x0] = true
	}
	if deepest := int(slices.Max(depths(x1-x0, y1-y0, in))); deepest < far {
		return deepest
	}
	return 0 // nothing is known
}

// far is more steps than there are in any picture.
const far = math.MaxInt32 / 2

// depths counts the steps from every missing pixel to the nearest known one. Beyond the picture
// nothing is known.
func depths(w, h int, missing []bool) []int32 {
	d := make([]int32, w*h)
	at := func(x, y int) int32 {
		if x < 0 || y < 0 || x >= w || y >= h {
			return far
		}
		return d[y*w+x]
	}
	for i, m := range missing {
		if x, y := i%w, i/w; m {
			d[i] = min(at(x-1, y), at(x-1, y-1), at(x, y-1), at(x+1, y-1)) + 1
		}
	}
	for i := w*h - 1; i >= 0; i-- {
		if x, y := i%w, i/w; missing[i] {
			d[i] = min(d[i], at(x+1, y)+1, at(x+1, y+1)+1, at(x, y+1)+1, at(x-1, y+1)+1)
		}
	}
	return d
}

// fill fills one hole from its surroundings.
func (o *hole) fill(ctx context.Context, t *team.Team, p Picture, seed uint64) error {
	around := max(leastAround, min(mostAround, surroundings*max(o.x1-o.x0, o.y1-o.y0)))
	x0, y0, x1, y1 := max(o.x0-around, 0), max(o.y0-around, 0), min(o.x1+around, p.W), min(o.y1+around, p.H)
	l := newLevel(x1-x0, y1-y0)
	row := make([]float32, l.w)
	for y := range l.h {
		for c := range 3 {
			p.Row(row, c, y0+y, x0)
			for x, v := range row {
				l.pix[(y*l.w+x)*channels+c] = v
			}
		}
		for x := range l.w {
			i := (y0+y)*p.W + x0 + x
			l.unknown[y*l.w+x] = p.Missing[i] || p.Hidden != nil && p.Hidden(i)
		}
	}
	place := func(i int32) int { return (int(i)/p.W-y0)*l.w + int(i)%p.W - x0 }
	for _, i := range o.pixels {
		l.target[place(i)] = true
	}
	levels, err := pyramid(l, o.depth)
	if levels == nil {
		return err
	}
	if err := complete(ctx, t, levels, seed); err != nil {
		return err
	}
	for _, i := range o.pixels {
		for c, v := range l.pix[place(i)*channels:][:3] {
			p.Put(c, int(i), v)
		}
	}
	return nil
}
