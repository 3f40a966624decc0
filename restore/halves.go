package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/pyramid"
	"github.com/vfmrestore/restore/restore/task"
)

// A network with nets.Traits.Coarse restores the half of a picture first, where movements are half
// as long. Its second view is the picture plus the enlarged change that this made.

// readsHalf reports whether a job's second view comes from the picture's half. part is what the
// network was trained for.
func (j *job) readsHalf(part task.Task) bool {
	return part == movement && j.req.halvings < j.loaded.Config.Traits().Coarse && pyramid.CanHalve(j.w, j.h)
}

// prepareHalf restores the half of the job's picture and prepares the second view.
func (m *Model) prepareHalf(ctx context.Context, j *job) error {
	half := pyramid.Halve(j.w, j.h, j.input().Row)
	pic := picture.New(half.W, half.H, half.Pix)
	pic.Gray = j.pic.Gray
	profile := j.profile.Halved()
	result, err := m.Restore(ctx, pic, Request{
		Task: task.Denoise, Profile: &profile, byMovementNetwork: true, halvings: j.req.halvings + 1,
	})
	if err != nil {
		return err
	}
	restored := &planar.Image{W: half.W, H: half.H, Pix: result.Picture.Pix}
	change := pyramid.Difference(restored, half)
	j.secondReader = tile.NewMirrorReader(j.w, j.h, 3, func(dst []float32, r tile.Rect) {
		j.input().Read(dst, r)
		pyramid.AddEnlarged(dst, change, r.X, r.Y, r.W, r.H)
	})
	return nil
}
