package motionblur

import (
	"context"
	"fmt"

	"github.com/vfmrestore/restore/internal/team"
)

// Runner runs a program on a device: in are values of its inputs, which it must not keep; out gets its outputs, as many as are given.
type Runner func(ctx context.Context, p Program, in []Input, out [][]float32) error

// Input is a named input of a program.
type Input struct {
	Name   string
	Values []float32
}

// remote is what an Estimator needs to work on a device.
type remote struct {
	run           Runner
	signal        [len(spectra)][]float32
	observed      []float32
	logs          [2 * len(spectra)][]float32
	variance      [1]float32
	moments       [len(inMoments)][]float32
	width, height axis
	columns       []int        // of the picture, for every column of a block
	planes        []float32    // of a block: brightness and colour
	result        [2][]float32 // filtered: the difference

	powerIn, misfitIn, mapsIn, filterIn     []Input
	powerOut, misfitOut, mapsOut, filterOut [][]float32
}

// NewDeviceEstimator returns an Estimator whose transforms, filters and kernel network run on a
// device. Its results differ from those of an Estimator on the host in three ways: by the network, by
// rounding and, in pictures of at most 64×64 pixels, by the influence of pixels that are more than 63
// pixels apart, because the host's filter reaches less far there (see reachOf). Begin, Blocks and
// Deblur also fail if run fails.
func NewDeviceEstimator(run Runner) *Estimator {
	e := newEstimator(team.New(1))
	r := &remote{run: run, observed: make([]float32, e.lib.binRows())}
	r.powerIn, r.powerOut = []Input{{inWindow, e.piece}}, e.power[:]
	r.misfitIn, r.misfitOut = []Input{{inObserved, r.observed}}, r.logs[:]
	for i := range r.logs {
		r.logs[i] = make([]float32, len(e.lib.kernels))
	}
	for i := range r.signal {
		r.signal[i] = make([]float32, e.lib.binRows())
		r.misfitIn = append(r.misfitIn, Input{fmt.Sprint(inSignal, i), r.signal[i]})
	}
	r.mapsIn, r.mapsOut = []Input{{inViews, e.views}}, [][]float32{e.maps}
	r.filterIn = []Input{{inVariance, r.variance[:]}}
	for i, name := range inMoments {
		r.moments[i] = make([]float32, quarter*quarter)
		r.mapsOut, r.filterIn = append(r.mapsOut, r.moments[i]), append(r.filterIn, Input{name, r.moments[i]})
	}
	r.filterIn = append(r.filterIn, Input{inPlanes, nil})
	r.filterOut = [][]float32{nil, nil}
	e.remote = r
	e.ask = func(ctx context.Context, _, _ []float32) error {
		return run(ctx, Program{Kind: Maps}, r.mapsIn, r.mapsOut)
	}
	return e
}

// scores sets e.scores as Estimator.score does.
func (r *remote) scores(ctx context.Context, e *Estimator) error {
	for b, v := range e.observed {
		r.observed[b] = float32(1 + tail*v/e.variance)
		for s := range r.signal {
			r.signal[s][b] = float32(e.expected[s][b] / e.variance)
		}
	}
	if err := r.run(ctx, Program{Kind: Misfit}, r.misfitIn, r.misfitOut); err != nil {
		return err
	}
	for i := range e.scores {
		var each [len(spectra)]float64
		for s := range each {
			each[s] = misfit(float64(r.logs[len(spectra)+s][i]), float64(r.logs[s][i]))
		}
		e.scores[i] = logOfSum(each, -2*e.cool)
	}
	return nil
}

// filter prepares for blocks of the picture.
func (r *remote) filter(e *Estimator) {
	r.width, r.height = axisOf(e.w), axisOf(e.h)
	r.variance[0] = float32(e.variance)
	_, w := r.width.result()
	_, h := r.height.result()
	r.columns = resized(r.columns, r.width.n)
	r.planes = resized(r.planes, 3*r.width.side()*r.height.side())
	clear(r.planes) // what rounds the sides up stays so
	r.filterIn[len(r.filterIn)-1].Values = r.planes
	for i := range r.result {
		r.result[i] = resized(r.result[i], 3*w*h)
		r.filterOut[i] = r.result[i]
	}
}

func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// block filters a block.
func (r *remote) block(ctx context.Context, e *Estimator, to place) error {
	x0, y0, w, h := e.Area(to.block)
	for x := range r.columns {
		r.columns[x] = r.width.source(x0, x, e.w)
	}
	rows, left := e.span(0, r.columns)
	stride, plane := r.width.side(), r.width.side()*r.height.side()
	for y := range r.height.n {
		for c, row := range rows {
			e.src(row, c, r.height.source(y0, y, e.h), left)
		}
		for i, a := range axes {
			u, v, w := float32(a[0]), float32(a[1]), float32(a[2])
			line := r.planes[i*plane+y*stride:][:len(r.columns)]
			for x, at := range r.columns {
				at -= left
				line[x] = u*rows[0][at] + v*rows[1][at] + w*rows[2][at]
			}
		}
	}
	if err := r.run(ctx, Program{Filter, r.width, r.height}, r.filterIn, r.filterOut); err != nil {
		return err
	}
	_, stride = r.width.result()
	plane = len(r.result[0]) / 3
	for c := range 3 {
		p, q, s := float32(axes[0][c]), float32(axes[1][c]), float32(axes[2][c])
		for y := range h {
			out := to.dst[c*to.plane+y*to.stride:][:w]
			var v [3][2][]float32
			for i := range v {
				v[i] = [2][]float32{r.result[0][i*plane+y*stride:][:w], r.result[1][i*plane+y*stride:][:w]}
			}
			for x := range out {
				out[x] = p*(v[0][0][x]-v[0][1][x]) + q*(v[1][0][x]-v[1][1][x]) + s*(v[2][0][x]-v[2][1][x])
			}
		}
	}
	return nil
}
