package restore

import (
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/picture"
)

// resultCanvas is a result to which tiles are written, from top to bottom.
type resultCanvas struct {
	tile.Planes
	pic *picture.Picture
	// written is the number of rows from the top that tiles have written for good. They may still
	// need the projection or finishRows.
	written  int
	finished int                                 // rows from the top that finishRows has finished
	sample   bool                                // it is one of the samples
	rows     func(p *picture.Picture, final int) // Request.Rows
}

// newCanvas allocates the memory of a result.
func (j *job) newCanvas() *resultCanvas {
	c := &resultCanvas{Planes: tile.Planes{W: j.w, H: j.h}, pic: j.pic.Like(j.w, j.h, nil)}
	if j.pic.Levels != nil {
		c.Levels = picture.NewLevels(j.pic.Depth, 3*j.w*j.h)
		c.pic.Levels = c.Levels
	} else {
		if memory := j.req.memory; memory != nil && len(memory.out) == 3*j.w*j.h {
			c.Data = memory.out
		} else {
			c.Data = make([]float32, 3*j.w*j.h)
		}
		c.pic.Pix = c.Data
	}
	return c
}

// tileWriter returns a function that writes tiles of the network's output to a canvas, as the final
// values of the picture. The projection is left to finishPicture, because it needs the whole
// picture. If memory runs short and rows come again in smaller tiles, the written rows are kept:
// somebody may be reading them.
func (j *job) tileWriter(c *resultCanvas) func(t tile.Tile, src []float32) {
	if j.projector != nil {
		return c.Write
	}
	return func(t tile.Tile, src []float32) {
		j.limitValues(src)
		if j.bound == nil && (c.sample || !j.req.skipFinish) {
			j.putGrain(t, src)
		}
		if t.Own.Y < c.written {
			t.Own.H = max(t.Own.Bottom()-c.written, 0)
			t.Own.Y = c.written
		}
		c.Write(t, src)
		j.keepKnown(c.Planes, t.Own)
		j.putHiddenBack(c.Planes, t.Own)
		if end := min(t.Own.Bottom(), c.H); end > c.written && t.Own.Right() >= c.W {
			c.written = end
			if j.finishesRows(c) {
				end = j.finishRows(c, end)
			}
			if c.rows != nil && end > 0 {
				c.rows(c.pic, end)
			}
		}
	}
}

// pictureOf makes the picture of a result that was computed at once, three planes, which it
// changes.
func (j *job) pictureOf(pix []float32) *picture.Picture {
	c := j.newCanvas()
	c.rows = j.req.Rows
	j.tileWriter(c)(tile.Whole(tile.Rect{W: j.w, H: j.h}), pix)
	return j.finishPicture(c)
}

// finishPicture makes the picture of a canvas.
func (j *job) finishPicture(c *resultCanvas) *picture.Picture {
	if j.projector != nil {
		c.pic.Pix = j.finishValues(tile.Planes{W: j.w, H: j.h, Data: j.project(c.Data)})
	}
	return c.pic
}

// finishValues turns the network's output for a whole picture into the final values, in place.
func (j *job) finishValues(p tile.Planes) []float32 {
	j.limitValues(p.Data)
	all := tile.Rect{W: p.W, H: p.H}
	j.keepKnown(p, all)
	j.putHiddenBack(p, all)
	return p.Data
}

// keepKnown puts the known pixels of a rectangle, which may reach beyond the picture, back into p
// if the job keeps them.
func (j *job) keepKnown(p tile.Planes, r tile.Rect) {
	if !j.keepKnownPixels {
		return
	}
	given, n := j.input(), p.W*p.H
	r = tile.Inside(r, p.W, p.H)
	for y := r.Y; y < r.Bottom(); y++ {
		for i := y*p.W + r.X; i < y*p.W+r.Right(); i++ {
			if !j.req.Mask[i] {
				for c := range 3 {
					p.CopyValue(given, c*n+i)
				}
			}
		}
	}
}

// limitValues limits the values of three planes to the range of the request, and makes grey
// pictures grey.
func (j *job) limitValues(pix []float32) {
	low, high := -1-j.req.Below, 1+j.req.Above
	for i, v := range pix {
		pix[i] = min(max(v, low), high)
	}
	if n := len(pix) / 3; j.pic.Gray {
		for i := range n {
			v := (pix[i] + pix[n+i] + pix[2*n+i]) / 3
			pix[i], pix[n+i], pix[2*n+i] = v, v, v
		}
	}
}

// like makes a picture of planes of the result's size.
func (j *job) like(pix []float32) *picture.Picture { return j.pic.Like(j.w, j.h, pix) }
