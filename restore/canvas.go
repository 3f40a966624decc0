package restore

import (
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/picture"
)

// canvas is a result while tiles are put on it, from top to bottom.
type resultCanvas struct {
	tile.Planes
	pic   *picture.Picture
	final int // rows from the top that are as they will be, where nothing is projected or bounded
	// Rows from the top with which job.finishRows is done.
	finished int
	sample   bool                                // it is one draw of several
	rows     func(p *picture.Picture, final int) // Request.Rows
}

// canvas makes memory for a result.
func (j *job) newCanvas() *resultCanvas {
	c := &resultCanvas{Planes: tile.Planes{W: j.w, H: j.h}, pic: j.pic.Like(j.w, j.h, nil)}
	if j.pic.Levels != nil {
		c.Levels = picture.NewLevels(j.pic.Depth, 3*j.w*j.h)
		c.pic.Levels = c.Levels
	} else {
		if ws := j.req.memory; ws != nil && len(ws.out) == 3*j.w*j.h {
			c.Data = ws.out
		} else {
			c.Data = make([]float32, 3*j.w*j.h)
		}
		c.pic.Pix = c.Data
	}
	return c
}

// writer puts tiles of the network's output on a canvas, as values of the picture, but for the projection, which needs the whole. Final rows stay as they are
// if they come again, in smaller tiles after memory ran short, as somebody may be reading them already.
func (j *job) tileWriter(c *resultCanvas) func(t tile.Tile, src []float32) {
	if j.projector != nil {
		return c.Write
	}
	return func(t tile.Tile, src []float32) {
		j.limitValues(src)
		if j.bound == nil && (c.sample || !j.req.skipFinish) {
			j.putGrain(t, src)
		}
		if t.Own.Y < c.final {
			t.Own.H = max(t.Own.Bottom()-c.final, 0)
			t.Own.Y = c.final
		}
		c.Write(t, src)
		j.keepKnown(c.Planes, t.Own)
		j.putHiddenBack(c.Planes, t.Own)
		if end := min(t.Own.Bottom(), c.H); end > c.final && t.Own.X+t.Own.W >= c.W {
			c.final = end
			if j.finishesRows(c) {
				end = j.finishRows(c, end)
			}
			if c.rows != nil && end > 0 {
				c.rows(c.pic, end)
			}
		}
	}
}

// whole makes the picture of a result that was made at once, three planes, which are changed.
func (j *job) pictureOf(pix []float32) *picture.Picture {
	c := j.newCanvas()
	c.rows = j.req.Rows
	all := tile.Rect{0, 0, j.w, j.h}
	j.tileWriter(c)(tile.Tile{all, all}, pix)
	return j.finishPicture(c)
}

// finish makes the picture of a canvas.
func (j *job) finishPicture(c *resultCanvas) *picture.Picture {
	if j.projector != nil {
		c.pic.Pix = j.finishValues(tile.Planes{W: j.w, H: j.h, Data: j.project(c.Data)})
	}
	return c.pic
}

// settle turns the network's output for a whole picture into its values, in place.
func (j *job) finishValues(p tile.Planes) []float32 {
	j.limitValues(p.Data)
	j.keepKnown(p, tile.Rect{0, 0, p.W, p.H})
	j.putHiddenBack(p, tile.Rect{0, 0, p.W, p.H})
	return p.Data
}

// keepKnown puts the known pixels of a rectangle back, which may reach beyond the picture, if the request keeps them.
func (j *job) keepKnown(p tile.Planes, r tile.Rect) {
	if !j.keepKnownPixels {
		return
	}
	given, n := j.input(), p.W*p.H
	for y := max(r.Y, 0); y < min(r.Bottom(), p.H); y++ {
		for i := y*p.W + max(r.X, 0); i < y*p.W+min(r.X+r.W, p.W); i++ {
			if !j.req.Mask[i] {
				for c := range 3 {
					p.CopyValue(given, c*n+i)
				}
			}
		}
	}
}

// tone limits the values of three planes and makes grey pictures grey.
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

func (j *job) like(pix []float32) *picture.Picture { return j.pic.Like(j.w, j.h, pix) }
