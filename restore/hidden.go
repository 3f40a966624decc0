package restore

import (
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// Where alpha is 0 nobody sees a colour, and what stands there is often black, or the remains of something: a task would draw it into what is seen. So the networks are
// shown the visible colours continued there (push-pull), estimates leave these pixels out, and in the result the given values stand there again.

// visible tells whether a pixel of a picture is, if only a little.
func visible(pic *picture.Picture, i int) bool { return pic.Alpha == nil || pic.Alpha[i] > 0 }

// uncovered is pic with its hidden pixels filled from those that are visible and known; pic itself if none is hidden.
func fillHidden(pic *picture.Picture, known func(i int) bool) (*picture.Picture, error) {
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
	given := tile.Planes{W: pic.W, H: pic.H, Data: pic.Pix, Levels: pic.Levels}
	source := make([]bool, len(hidden))
	for i, h := range hidden {
		source[i] = h || !known(i)
	}
	fill, err := task.NewPieces(task.Inpaint, pic.W, pic.H, source, given.Row)
	if err != nil {
		return nil, err
	}
	n := pic.W * pic.H
	q := *pic
	to := tile.Planes{W: pic.W, H: pic.H}
	if pic.Levels != nil {
		q.Levels = picture.NewLevels(pic.Depth, 3*n)
		to.Levels = q.Levels
	} else {
		q.Pix = make([]float32, 3*n)
		to.Data = q.Pix
	}
	const rows = 16
	strip, row := make([]float32, 3*rows*pic.W), make([]float32, pic.W)
	level := picture.NewLevels(pic.Depth, pic.W) // what is filled in stands in the file's steps, so that pictures with Levels are not other ones
	for y := 0; y < pic.H; y += rows {
		h := min(rows, pic.H-y)
		fill.Read(strip[:3*h*pic.W], 0, y, pic.W, h)
		for c := range 3 {
			for v := range h {
				given.Row(row, c, y+v, 0)
				filled := strip[(c*h+v)*pic.W:][:pic.W]
				level.Write(0, filled)
				level.Read(filled, 0)
				for x, hidden := range hidden[(y+v)*pic.W:][:pic.W] {
					if hidden {
						row[x] = filled[x]
					}
				}
				at := (c*pic.H + y + v) * pic.W
				if to.Levels != nil {
					to.Levels.Write(at, row)
				} else {
					copy(to.Data[at:], row)
				}
			}
		}
	}
	return &q, nil
}

// hide puts the given values back where the result, p, cannot be seen, in a rectangle that may reach beyond it. Where the picture grew they are repeated.
func (j *job) putHiddenBack(p tile.Planes, r tile.Rect) {
	if j.original == nil {
		return
	}
	from := tile.Planes{W: j.original.W, H: j.original.H, Data: j.original.Pix, Levels: j.original.Levels}
	scale, n := p.W/from.W, p.W*p.H
	var one [1]float32
	for y := max(r.Y, 0); y < min(r.Bottom(), p.H); y++ {
		for x := max(r.X, 0); x < min(r.X+r.W, p.W); x++ {
			i := y*p.W + x
			if j.resultAlpha[i] > 0 {
				continue
			}
			for c := range 3 {
				if scale == 1 {
					p.CopyValue(from, c*n+i)
					continue
				}
				from.Row(one[:], c, y/scale, x/scale)
				if p.Levels != nil {
					p.Levels.Write(c*n+i, one[:])
				} else {
					p.Data[c*n+i] = one[0]
				}
			}
		}
	}
}
