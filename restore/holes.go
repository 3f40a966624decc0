package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/patch"
	"github.com/vfmrestore/restore/restore/picture"
)

// Wide holes are filled with the picture's own patches (package patch), beginning from the
// network's result. For z = μ that result is a mean of all that may be there, which looks like no
// picture, and samples vary between blocks only.

// findHoles finds the holes of the job's mask that are filled in this way.
func (j *job) findHoles() (patch.Holes, error) {
	if !j.task.Masked() || j.req.Expected || j.req.Mask == nil {
		return nil, nil
	}
	return patch.Find(j.pic.W, j.pic.H, j.req.Mask)
}

// fillHoles fills the wide holes of a restoration. Every number gives another filling.
func (j *job) fillHoles(ctx context.Context, p *picture.Picture, number uint64) error {
	if j.holes == nil {
		return nil
	}
	result := tile.PlanesOf(p)
	low, high := -1-j.req.Below, 1+j.req.Above
	n := p.W * p.H
	put := func(plane, pixel int, v float32) {
		if j.original != nil && !visible(j.original, pixel) {
			return // hidden pixels keep the given values
		}
		result.Put(plane*n+pixel, []float32{min(max(v, low), high)})
	}
	q := patch.Picture{W: p.W, H: p.H, Missing: j.req.Mask, Row: result.Row, Put: put}
	if j.original != nil {
		q.Hidden = func(i int) bool { return !visible(j.original, i) }
	}
	return j.holes.Fill(ctx, q, j.req.Seed<<16+number)
}
