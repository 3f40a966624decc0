package restore

import (
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// Where alpha is 0 nobody sees a colour, and what stands there is often black, or the remains of something: a task would draw it into what is seen. So the networks are
// shown the visible colours continued there (push-pull), estimates leave these pixels out, and in the result the given values stand there again.

// visible tells whether a pixel of a picture is, if only a little.
func visible(pic *picture.Picture, i int) bool { return pic.Alpha == nil || pic.Alpha[i] > 0 }

// uncovered is pic with its hidden pixels filled from those that are visible and known; pic itself if none is hidden.
func uncovered(pic *picture.Picture, known func(i int) bool) (*picture.Picture, error) {
	hidden := make([]bool, len(pic.Alpha))
	some := false
	for i := range hidden {
		if !visible(pic, i) {
			hidden[i], some = true, true
		}
	}
	if !some {
		return pic, nil
	}
	given := planes{w: pic.W, h: pic.H, data: pic.Pix, levels: pic.Levels}
	source := make([]bool, len(hidden))
	for i, h := range hidden {
		source[i] = h || !known(i)
	}
	fill, err := task.NewPieces(task.Inpaint, pic.W, pic.H, source, given.row)
	if err != nil {
		return nil, err
	}
	n := pic.W * pic.H
	q := *pic
	to := planes{w: pic.W, h: pic.H}
	if pic.Levels != nil {
		q.Levels = picture.NewLevels(pic.Depth, 3*n)
		to.levels = q.Levels
	} else {
		q.Pix = make([]float32, 3*n)
		to.data = q.Pix
	}
	const rows = 16
	strip, row := make([]float32, 3*rows*pic.W), make([]float32, pic.W)
	level := picture.NewLevels(pic.Depth, pic.W) // what is filled in stands in the file's steps, so that pictures with Levels are not other ones
	for y := 0; y < pic.H; y += rows {
		h := min(rows, pic.H-y)
		fill.Read(strip[:3*h*pic.W], 0, y, pic.W, h)
		for c := range 3 {
			for v := range h {
				given.row(row, c, y+v, 0)
				filled := strip[(c*h+v)*pic.W:][:pic.W]
				level.Write(0, filled)
				level.Read(filled, 0)
				for x, hidden := range hidden[(y+v)*pic.W:][:pic.W] {
					if hidden {
						row[x] = filled[x]
					}
				}
				at := (c*pic.H + y + v) * pic.W
				if to.levels != nil {
					to.levels.Write(at, row)
				} else {
					copy(to.data[at:], row)
				}
			}
		}
	}
	return &q, nil
}

// hide puts the given values back where the result, p, cannot be seen, in a rectangle that may reach beyond it. Where the picture grew they are repeated.
func (j *job) hide(p planes, r rect) {
	if j.covered == nil {
		return
	}
	from := planes{w: j.covered.W, h: j.covered.H, data: j.covered.Pix, levels: j.covered.Levels}
	scale, n := p.w/from.w, p.w*p.h
	var one [1]float32
	for y := max(r.y, 0); y < min(bottom(r), p.h); y++ {
		for x := max(r.x, 0); x < min(r.x+r.w, p.w); x++ {
			i := y*p.w + x
			if j.alpha[i] > 0 {
				continue
			}
			for c := range 3 {
				if scale == 1 {
					p.take(from, c*n+i)
					continue
				}
				from.row(one[:], c, y/scale, x/scale)
				if p.levels != nil {
					p.levels.Write(c*n+i, one[:])
				} else {
					p.data[c*n+i] = one[0]
				}
			}
		}
	}
}
