package restore

import "github.com/vfmrestore/restore/restore/picture"

// canvas is a result while tiles are put on it, from top to bottom.
type canvas struct {
	planes
	pic   *picture.Picture
	final int // rows from the top that are as they will be, where nothing is projected or bounded
	// Rows from the top with which job.finishRows is done.
	finished int
	sample   bool                                // it is one draw of several
	rows     func(p *picture.Picture, final int) // Request.Rows
}

// canvas makes memory for a result.
func (j *job) canvas() *canvas {
	c := &canvas{planes: planes{w: j.w, h: j.h}, pic: j.pic.Like(j.w, j.h, nil)}
	if j.pic.Levels != nil {
		c.levels = picture.NewLevels(j.pic.Depth, 3*j.w*j.h)
		c.pic.Levels = c.levels
	} else {
		if ws := j.req.memory; ws != nil && len(ws.out) == 3*j.w*j.h {
			c.data = ws.out
		} else {
			c.data = make([]float32, 3*j.w*j.h)
		}
		c.pic.Pix = c.data
	}
	return c
}

// writer puts tiles of the network's output on a canvas, as values of the picture, but for the projection, which needs the whole. Final rows stay as they are
// if they come again, in smaller tiles after memory ran short, as somebody may be reading them already.
func (j *job) writer(c *canvas) func(t tile, src []float32) {
	if j.op != nil {
		return c.write
	}
	return func(t tile, src []float32) {
		j.tone(src)
		if j.bound == nil && (c.sample || !j.req.unfinished) {
			j.putGrain(t, src)
		}
		if t.own.y < c.final {
			t.own.h = max(bottom(t.own)-c.final, 0)
			t.own.y = c.final
		}
		c.write(t, src)
		j.keepKnown(c.planes, t.own)
		j.hide(c.planes, t.own)
		if end := min(bottom(t.own), c.h); end > c.final && t.own.x+t.own.w >= c.w {
			c.final = end
			if j.finishes(c) {
				end = j.finishRows(c, end)
			}
			if c.rows != nil && end > 0 {
				c.rows(c.pic, end)
			}
		}
	}
}

// whole makes the picture of a result that was made at once, three planes, which are changed.
func (j *job) whole(pix []float32) *picture.Picture {
	c := j.canvas()
	c.rows = j.req.Rows
	all := rect{0, 0, j.w, j.h}
	j.writer(c)(tile{all, all}, pix)
	return j.finish(c)
}

// finish makes the picture of a canvas.
func (j *job) finish(c *canvas) *picture.Picture {
	if j.op != nil {
		c.pic.Pix = j.settle(planes{w: j.w, h: j.h, data: j.project(c.data)})
	}
	return c.pic
}

// settle turns the network's output for a whole picture into its values, in place.
func (j *job) settle(p planes) []float32 {
	j.tone(p.data)
	j.keepKnown(p, rect{0, 0, p.w, p.h})
	j.hide(p, rect{0, 0, p.w, p.h})
	return p.data
}

// keepKnown puts the known pixels of a rectangle back, which may reach beyond the picture, if the request keeps them.
func (j *job) keepKnown(p planes, r rect) {
	if !j.keep {
		return
	}
	given, n := j.given(), p.w*p.h
	for y := max(r.y, 0); y < min(bottom(r), p.h); y++ {
		for i := y*p.w + max(r.x, 0); i < y*p.w+min(r.x+r.w, p.w); i++ {
			if !j.req.Mask[i] {
				for c := range 3 {
					p.take(given, c*n+i)
				}
			}
		}
	}
}

// tone limits the values of three planes and makes grey pictures grey.
func (j *job) tone(pix []float32) {
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
