package restore

import (
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/task"
)

// Pixels whose alpha is 0 are hidden. Their colour is often black, or a remainder of something, and
// a task would draw it into what is visible. So the networks see the visible colours continued
// there (push-pull), estimates exclude these pixels, and the result has the given values there.

// visible reports whether a pixel of a picture is visible, at least a little.
func visible(pic *picture.Picture, i int) bool { return pic.Alpha == nil || pic.Alpha[i] > 0 }

// fillHidden returns pic with its hidden pixels filled from those that are visible and known. It
// returns pic itself if no pixel is hidden.
func fillHidden(pic *picture.Picture, known func(i int) bool) (*picture.Picture, error) {
	hidden := make([]bool, len(pic.Alpha))
	found := false
	for i := range hidden {
		if !visible(pic, i) {
			hidden[i], found = true, true
		}
	}
	if !found {
		return pic, nil
	}
	given := tile.PlanesOf(pic)
	excluded := make([]bool, len(hidden))
	for i, h := range hidden {
		excluded[i] = h || !known(i)
	}
	fill, err := task.NewPieces(task.Inpaint, pic.W, pic.H, excluded, given.Row)
	if err != nil {
		return nil, err
	}
	filled := *pic
	if pic.Levels != nil {
		filled.Levels = picture.NewLevels(pic.Depth, 3*pic.W*pic.H)
	} else {
		filled.Pix = make([]float32, 3*pic.W*pic.H)
	}
	to := tile.PlanesOf(&filled)
	const rows = 16
	strip, row := make([]float32, 3*rows*pic.W), make([]float32, pic.W)
	// Filled values are rounded to the file's steps, so that pictures with and without Levels are
	// filled with the same.
	level := picture.NewLevels(pic.Depth, pic.W)
	for y := 0; y < pic.H; y += rows {
		h := min(rows, pic.H-y)
		fill.Read(strip[:3*h*pic.W], 0, y, pic.W, h)
		for c := range 3 {
			for v := range h {
				given.Row(row, c, y+v, 0)
				values := strip[(c*h+v)*pic.W:][:pic.W]
				level.Write(0, values)
				level.Read(values, 0)
				for x, hidden := range hidden[(y+v)*pic.W:][:pic.W] {
					if hidden {
						row[x] = values[x]
					}
				}
				to.Put((c*pic.H+y+v)*pic.W, row)
			}
		}
	}
	return &filled, nil
}

// putHiddenBack puts the given values back into the hidden pixels of the result p, in a rectangle
// that may reach beyond it. If the picture was enlarged they are repeated.
func (j *job) putHiddenBack(p tile.Planes, r tile.Rect) {
	if j.original == nil {
		return
	}
	from := tile.PlanesOf(j.original)
	scale, n := p.W/from.W, p.W*p.H
	r = tile.Inside(r, p.W, p.H)
	var one [1]float32
	for y := r.Y; y < r.Bottom(); y++ {
		for x := r.X; x < r.Right(); x++ {
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
				p.Put(c*n+i, one[:])
			}
		}
	}
}
