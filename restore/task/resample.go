package task

import (
	"context"

	"github.com/vfmrestore/restore/internal/team"
)

// resampler applies one filter along rows and one along columns to a plane, without allocating.
type resampler struct {
	team         *team.Team
	across, down *filter
	parts        int         // number of parts of the work
	acc          [][]float64 // a row for each worker
	between      []float32
	dst, src     []float32
	rows, cols   func(worker, i int)
}

func newResampler(t *team.Team, across, down *filter) *resampler {
	r := &resampler{team: t, across: across, down: down, acc: make([][]float64, t.Workers()), between: make([]float32, down.n*across.m)}
	work := across.m * (down.n*len(across.taps[0]) + down.m*len(down.taps[0]))
	r.parts = min(t.Workers(), 1+work/partWork)
	for i := range r.acc {
		r.acc[i] = make([]float64, across.m)
	}
	r.rows, r.cols = r.someRows, r.someColumns
	return r
}

// apply maps down.n rows of across.n values to down.m rows of across.m values.
func (r *resampler) apply(dst, src []float32) {
	r.dst, r.src = dst, src
	_ = r.team.Each(context.Background(), r.parts, r.rows)
	_ = r.team.Each(context.Background(), r.parts, r.cols)
	r.dst, r.src = nil, nil
}

func (r *resampler) someRows(_, i int) {
	someRows(r.across, r.between, r.src, i*r.down.n/r.parts, (i+1)*r.down.n/r.parts)
}

func (r *resampler) someColumns(worker, i int) {
	someColumns(r.down, r.dst, r.between, r.acc[worker], i*r.down.m/r.parts, (i+1)*r.down.m/r.parts)
}
