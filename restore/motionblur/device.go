package motionblur

import (
	"context"
	"fmt"
	"slices"
)

// Runner runs a program on a device. in are the values of its inputs, which it must not keep. The
// first len(out) outputs are written to out.
type Runner func(ctx context.Context, p Program, in []Input, out [][]float32) error

// Input is a named input of a program.
type Input struct {
	Name   string
	Values []float32
}

// device is the Backend that runs programs.
type device struct {
	run           Runner
	signal        [len(spectrumShapes)][]float32
	observed      []float32
	logs          [2 * len(spectrumShapes)][]float32
	variance      [1]float32
	moments       [len(inMoments)][]float32
	width, height axis
	pictureWidth  int
	pictureHeight int
	columns       []int        // of the picture, for every column of a block
	rows          [3][]float32 // a row of each plane of the picture
	planes        []float32    // of a block: brightness and colour
	result        [2][]float32 // of a block; the filtered planes are the difference
	filter        Program

	powerIn, logSumsIn, mapsIn, filterIn     []Input
	powerOut, logSumsOut, mapsOut, filterOut [][]float32
}

// NewDevice returns a Backend whose transforms, filters and kernel network run on a device. Its
// results differ from those of package reference by rounding and, in pictures of at most 64×64
// pixels, by the influence of pixels that are more than 63 pixels apart, because the reference's
// filter reaches less far there. It fails if run fails.
func NewDevice(run Runner) Backend {
	lib := sharedLibrary()
	d := &device{run: run, observed: make([]float32, lib.binRows())}
	d.powerIn, d.powerOut = []Input{{inWindow, nil}}, make([][]float32, 2)
	d.logSumsIn, d.logSumsOut = []Input{{inObserved, d.observed}}, d.logs[:]
	for i := range d.logs {
		d.logs[i] = make([]float32, len(lib.kernels))
	}
	for i := range d.signal {
		d.signal[i] = make([]float32, lib.binRows())
		d.logSumsIn = append(d.logSumsIn, Input{fmt.Sprint(inSignal, i), d.signal[i]})
	}
	d.mapsIn, d.mapsOut = []Input{{inViews, nil}}, [][]float32{nil}
	d.filterIn = []Input{{inVariance, d.variance[:]}}
	for i, name := range inMoments {
		d.moments[i] = make([]float32, quarterSide*quarterSide)
		d.mapsOut, d.filterIn = append(d.mapsOut, d.moments[i]), append(d.filterIn, Input{name, d.moments[i]})
	}
	d.filterIn = append(d.filterIn, Input{inPlanes, nil})
	d.filterOut = [][]float32{nil, nil}
	for c := range d.rows {
		d.rows[c] = make([]float32, wholeMost)
	}
	return d
}

// NewDeviceEstimator returns an Estimator that computes by NewDevice.
func NewDeviceEstimator(run Runner) *Estimator { return NewEstimator(NewDevice(run)) }

func (d *device) PowerSpectrum(ctx context.Context, window []float32, power [2][]float32) error {
	d.powerIn[0].Values = window
	d.powerOut[0], d.powerOut[1] = power[0], power[1]
	return d.run(ctx, Program{Kind: Power}, d.powerIn, d.powerOut)
}

// LogSums computes the sums for powers in multiples of the noise. This adds the same number to all.
func (d *device) LogSums(ctx context.Context, l *Likelihood) error {
	for b, v := range l.Observed {
		d.observed[b] = float32(1 + v/l.Variance)
		for s := range d.signal {
			d.signal[s][b] = float32(l.Signal[s][b] / l.Variance)
		}
	}
	if err := d.run(ctx, Program{Kind: LogSums}, d.logSumsIn, d.logSumsOut); err != nil {
		return err
	}
	for s := range d.signal {
		for i, v := range d.logs[s] {
			l.SumObserved[s][i], l.SumExpected[s][i] = float64(v), float64(d.logs[len(d.signal)+s][i])
		}
	}
	return nil
}

func (d *device) Moments(ctx context.Context, _ *Posterior, views, maps []float32) (bool, error) {
	d.mapsIn[0].Values, d.mapsOut[0] = views, maps
	return true, d.run(ctx, Program{Kind: Maps}, d.mapsIn, d.mapsOut)
}

func (d *device) PrepareFilter(w, h int, variance float64) {
	d.width, d.height = newAxis(w), newAxis(h)
	d.filter = Program{Filter, d.width, d.height}
	d.variance[0] = float32(variance)
	_, rw := d.width.result()
	_, rh := d.height.result()
	d.columns = resized(d.columns, d.width.n)
	d.planes = resized(d.planes, 3*d.width.side()*d.height.side())
	clear(d.planes) // what rounds the sides up stays 0
	d.filterIn[len(d.filterIn)-1].Values = d.planes
	for i := range d.result {
		d.result[i] = resized(d.result[i], 3*rw*rh)
		d.filterOut[i] = d.result[i]
	}
	d.pictureWidth, d.pictureHeight = w, h
}

func (d *device) BlockSize() (w, h int) {
	return d.width.block(d.pictureWidth), d.height.block(d.pictureHeight)
}

func (d *device) FilterBlocks(ctx context.Context, count int, block func(i int) Block) error {
	for i := range count {
		if err := d.filterBlock(ctx, block(i)); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func resized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

func (d *device) filterBlock(ctx context.Context, b Block) error {
	d.load(b)
	if err := d.run(ctx, d.filter, d.filterIn, d.filterOut); err != nil {
		return err
	}
	_, stride := d.width.result()
	plane := len(d.result[0]) / 3
	for c := range 3 {
		p, q, s := float32(ColourAxes[0][c]), float32(ColourAxes[1][c]), float32(ColourAxes[2][c])
		for y := range b.H {
			out := b.Result[c*b.Plane+y*b.Stride:][:b.W]
			var v [3][2][]float32
			for i := range v {
				v[i] = [2][]float32{d.result[0][i*plane+y*stride:][:b.W], d.result[1][i*plane+y*stride:][:b.W]}
			}
			for x := range out {
				out[x] = p*(v[0][0][x]-v[0][1][x]) + q*(v[1][0][x]-v[1][1][x]) + s*(v[2][0][x]-v[2][1][x])
			}
		}
	}
	return nil
}

// load sets d.planes to the brightness and colour of a block with its margins.
func (d *device) load(b Block) {
	for x := range d.columns {
		d.columns[x] = d.width.source(b.X, x, b.Width)
	}
	left := slices.Min(d.columns)
	var rows [3][]float32
	for c := range rows {
		rows[c] = d.rows[c][:slices.Max(d.columns)+1-left]
	}
	stride, plane := d.width.side(), d.width.side()*d.height.side()
	for y := range d.height.n {
		for c, row := range rows {
			b.Src(row, c, d.height.source(b.Y, y, b.Height), left)
		}
		for i, a := range ColourAxes {
			u, v, w := float32(a[0]), float32(a[1]), float32(a[2])
			line := d.planes[i*plane+y*stride:][:len(d.columns)]
			for x, at := range d.columns {
				at -= left
				line[x] = u*rows[0][at] + v*rows[1][at] + w*rows[2][at]
			}
		}
	}
}
