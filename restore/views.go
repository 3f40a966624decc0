package restore

import (
	"context"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/deblur"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/task"
)

// prepareViews prepares what the adapter reads, which is then made tile by tile. The caller calls
// releaseViews in the end.
func (m *Model) prepareViews(ctx context.Context, j *job) error {
	p, err := task.NewPieces(j.task, j.pic.W, j.pic.H, j.req.Mask, j.input().Row)
	if err != nil {
		return err
	}
	j.view = tile.NewMirrorReader(j.w, j.h, 3, func(dst []float32, r tile.Rect) {
		p.Read(dst, r.X, r.Y, r.W, r.H)
	})
	if j.req.memory != nil {
		j.view.ReuseScratch(&j.req.memory.view)
	}
	switch {
	case !j.hasSecondView:
		return nil
	case j.fromHalf:
		return m.prepareHalf(ctx, j)
	case j.blur != nil && j.blur.Kernel != nil:
		return j.deconvolveView(ctx)
	}
	return m.prepareSecondView(ctx, j)
}

// releaseViews releases what prepareViews took.
func (m *Model) releaseViews(j *job) {
	if j.secondView != nil {
		j.secondView.estimator.End()
		m.estimators.Put(j.secondView.estimator)
	}
}

// deconvolveView makes the second view by deconvolution with the known kernel.
func (j *job) deconvolveView(ctx context.Context) error {
	x, err := deblur.Deconvolve(ctx, j.deblurInput(), j.blur.Field, j.profile, j.blur.Given)
	if err != nil {
		return err
	}
	j.kernel = j.blur.Kernel
	j.secondReader = tile.NewMirrorReader(j.w, j.h, 3, tile.Planes{W: j.w, H: j.h, Data: x}.Read)
	return nil
}

// prepareSecondView prepares the second view from the posterior over kernels.
func (m *Model) prepareSecondView(ctx context.Context, j *job) (err error) {
	e, _ := m.estimators.Get().(*deviceEstimator)
	if e == nil {
		if e, err = m.newDeviceEstimator(); err != nil {
			return err
		}
	}
	e.runner.session = &j.session
	if j.original != nil {
		e.ExcludePixels(func(i int) bool { return !visible(j.original, i) })
	}
	if err := e.Begin(ctx, j.pic.W, j.pic.H, j.input().Row, task.Sigma(j.noise)); err != nil {
		return err
	}
	if j.pic.W*j.pic.H > largePicture {
		if err := m.dropMotionBlurPrograms(ctx); err != nil {
			return err
		}
	}
	j.secondView, j.kernel = newSecondView(ctx, e, j.w, j.h), e.Kernel()
	return nil
}

// adapterInputs are the inputs of the programs with the adapter.
func (j *job) adapterInputs() []input {
	known := func(_ tile.Rect, dst []float32) {
		for i := range dst {
			dst[i] = 1
		}
	}
	if j.req.Mask != nil {
		m := tile.NewMirrorReader(j.w, j.h, 1, j.writeKnown)
		if j.req.memory != nil {
			m.ReuseScratch(&j.req.memory.known)
		}
		known = m.Read
	}
	ins := []input{
		{name: "view", fill: j.view.Read}, {name: "known", fill: known},
		constant("task", j.oneHot()...), constant("sigma", float32(task.Sigma(j.noise))),
	}
	if j.loaded.Config.Traits().Noise {
		ins = append(ins, constant("noise", j.noiseVector()...))
	}
	if j.secondReader != nil {
		ins = append(ins, input{name: "guess", fill: j.secondReader.Read})
	}
	if j.secondView != nil {
		ins = append(ins, input{
			name: "guess", fill: j.secondView.readTile,
			planTiles: j.secondView.planTiles, prepareTile: j.secondView.prepareTile,
		})
	}
	return ins
}

// oneHot is the task as the adapter reads it.
func (j *job) oneHot() []float32 {
	v := make([]float32, nets.Tasks)
	v[j.class] = 1
	return v
}

// writeKnown writes 1 for the known pixels of a rectangle, 0 for the missing ones.
func (j *job) writeKnown(dst []float32, r tile.Rect) {
	for y := range r.H {
		for x, missing := range j.req.Mask[(r.Y+y)*j.w+r.X:][:r.W] {
			dst[y*r.W+x] = 1
			if missing {
				dst[y*r.W+x] = 0
			}
		}
	}
}

// knownValues turns a mask of missing pixels into 1 for known pixels and 0 for missing ones.
func knownValues(missing []bool) []float32 {
	known := make([]float32, len(missing))
	for i, m := range missing {
		if !m {
			known[i] = 1
		}
	}
	return known
}
