package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/patch"
	"github.com/vfmrestore/restore/restore/picture"
)

// Wide holes are filled from the picture's own patches (package patch), with what the network makes
// of them as the start: for z = μ that is a mean of all that might be there, which no picture looks
// like, and samples vary by blocks only.

// wideHoles finds the holes of the job's mask that are filled so.
func (j *job) findHoles() (patch.Holes, error) {
	if !j.task.Masked() || j.req.Expected || j.req.Mask == nil {
		return nil, nil
	}
	return patch.Find(j.pic.W, j.pic.H, j.req.Mask)
}

// fill fills the wide holes of a restoration, as a picture of its own for every number.
func (j *job) fillHoles(ctx context.Context, p *picture.Picture, number uint64) error {
	if j.holes == nil {
		return nil
	}
	at := tile.Planes{W: p.W, H: p.H, Data: p.Pix, Levels: p.Levels}
	low, high := -1-j.req.Below, 1+j.req.Above
	n := p.W * p.H
	q := patch.Picture{W: p.W, H: p.H, Missing: j.req.Mask, Row: at.Row, Put: func(plane, pixel int, v float32) {
		if j.original != nil && !visible(j.original, pixel) {
			return // what is hidden stays as it was given
		}
		if v = min(max(v, low), high); p.Levels != nil {
			p.Levels.Write(plane*n+pixel, []float32{v})
		} else {
			p.Pix[plane*n+pixel] = v
		}
	}}
	if j.original != nil {
		q.Hidden = func(i int) bool { return !visible(j.original, i) }
	}
	return j.holes.Fill(ctx, q, j.req.Seed<<16+number)
}
