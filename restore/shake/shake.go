package shake

import (
	"context"

	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// Estimator deblurs pictures. It keeps its memory (about 20 MB a worker) and is for one goroutine at a time. After the first picture of a size it allocates nothing.
type Estimator struct {
	lib      *library
	expected [][]float64 // of every shape of spectra, at every bin
	observed []float64
	scores   []float64
	order    []candidate
	power    []float64 // on scoreGrid
	hx, hy   []float64
	variance float64
	cool     float64
	small    *grid // scoreGrid
	middle   *grid // window
	post     posterior
	prior    []float64 // Spectrum, on window

	blocks       []*grid     // one per worker
	columns      [][]int     // of the picture, for every column of a block
	lines        [][]float32 // of the picture, three rows of a block
	gainY, gainC []float64   // the filters' gains on the blocks' grid
	w, h         int         // of the picture
	src          task.Source // and its values
	img          *planar.Image
	dst          []float32 // of Deblur
	which        []int     // of Blocks
	each         [][]float32
	scoreOne     func(worker, i int)
	blockOne     func(worker, i int)
	someOne      func(worker, i int)
	ofImage      task.Source

	team *team.Team
}

// NewEstimator returns an Estimator that uses at most the given number of cores; 0 means all. The first in a process makes the library of kernels, which
// takes about a second of one core.
func NewEstimator(workers int) *Estimator {
	t := team.New(workers)
	e := &Estimator{lib: shared(), team: t, small: newGrid(scoreGrid, t), middle: newGrid(window, t)}
	n := len(e.lib.bins)
	e.observed = make([]float64, n)
	for _, s := range spectra {
		v := make([]float64, n)
		for i, b := range e.lib.bins {
			v[i] = s.at(float64(b.fx)/scoreGrid, float64(b.fy)/scoreGrid)
		}
		e.expected = append(e.expected, v)
	}
	e.scores = make([]float64, len(e.lib.kernels))
	e.order = make([]candidate, len(e.lib.kernels))
	e.power = make([]float64, scoreGrid*scoreGrid)
	e.post = posterior{mean: make([]float64, kernelSide*kernelSide), auto: make([]float64, scoreGrid*scoreGrid)}
	e.blocks, e.columns, e.lines = make([]*grid, t.Workers()), make([][]int, t.Workers()), make([][]float32, t.Workers())
	for i := range e.lines {
		e.lines[i] = make([]float32, 3*largestBlock)
	}
	e.prior = make([]float64, window*window)
	for i := range e.prior {
		e.prior[i] = Spectrum(e.middle.frequency(i%window), e.middle.frequency(i/window))
	}
	e.scoreOne, e.blockOne, e.someOne = e.score, e.whole, e.some
	e.ofImage = func(dst []float32, c, y, x int) { copy(dst, e.img.Pix[(c*e.h+y)*e.w+x:]) }
	return e
}

// Warm begins to make the library of kernels, for programs that will need it soon.
func Warm() { go shared() }

// Deblur writes the linear estimate of the sharp picture to dst, three planes of the size of img, which must be a picture (planar.Image.Check) and is
// continued by reflection beyond its edges. sigma is the standard deviation of its noise in units of planar.Image. Values are not clamped.
// The result at a place depends on the picture by its posterior, and by the pixels up to 127 away. It fails with ctx.Err() only.
func (e *Estimator) Deblur(ctx context.Context, dst []float32, img *planar.Image, sigma float64) error {
	e.img = img
	err := e.Begin(ctx, img.W, img.H, e.ofImage, sigma)
	if err == nil {
		err = e.blockwise(ctx, dst)
	}
	e.img = nil
	return err
}

// Begin is the part of Deblur before anything is filtered, for a picture of w×h pixels that is read from src; Blocks does the rest. It fails with ctx.Err() only.
func (e *Estimator) Begin(ctx context.Context, w, h int, src task.Source, sigma float64) error {
	e.w, e.h, e.src = w, h, src
	if err := e.estimate(ctx, sigma); err != nil {
		return err
	}
	e.filter(blockSide(w, h))
	return nil
}

// Grid is how the picture of Begin is cut: into rows of so many blocks, from top to bottom, whose sides are inner pixels, less at the right and at the bottom.
func (e *Estimator) Grid() (inner, across, down int) { return e.inner(), e.across(), e.down() }

// Blocks writes blocks of Deblur's result to dst, each as three planes of its size; which are their numbers in the grid. Afterwards src is not read until the
// next call. It fails with ctx.Err() only.
func (e *Estimator) Blocks(ctx context.Context, which []int, dst [][]float32) error {
	e.which, e.each = which, dst
	defer func() { e.which, e.each = nil, nil }()
	return e.teamwork(ctx, len(which), e.someOne)
}

// Kernel returns the posterior mean kernel of the last picture, together with its half-turn.
func (e *Estimator) Kernel() *task.Kernel {
	k := &task.Kernel{Size: kernelSide, W: make([]float32, len(e.post.mean))}
	for i, v := range e.post.mean {
		k.W[i] = float32(v)
	}
	return k
}

// End forgets the source of Begin, so that an Estimator that is kept does not keep the picture.
func (e *Estimator) End() { e.src = nil }

// blockwise filters the whole picture.
func (e *Estimator) blockwise(ctx context.Context, dst []float32) error {
	e.dst = dst
	defer func() { e.dst = nil }()
	return e.teamwork(ctx, e.across()*e.down(), e.blockOne)
}

func (e *Estimator) teamwork(ctx context.Context, count int, job func(worker, i int)) error {
	if count == 1 { // the team works inside of the block
		e.blocks[0].team = e.team
		job(0, 0)
		return ctx.Err()
	}
	e.blocks[0].team = nil
	return e.team.Each(ctx, count, job)
}

// rows is a worker's memory for a row of each plane.
func (e *Estimator) rows(worker, width int) (r [3][]float32) {
	for c := range r {
		r[c] = e.lines[worker][c*largestBlock:][:width]
	}
	return r
}

// whole and some filter block i of the picture, and of e.which.
func (e *Estimator) whole(worker, i int) {
	w, h, inner := e.w, e.h, e.inner()
	e.block(worker, i, e.dst[i/e.across()*inner*w+i%e.across()*inner:], w, w*h)
}

func (e *Estimator) some(worker, i int) {
	w, h := e.sides(e.which[i])
	e.block(worker, e.which[i], e.each[i], w, w*h)
}
