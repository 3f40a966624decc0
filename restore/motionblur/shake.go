package motionblur

import (
	"context"
	"slices"

	"github.com/vfmrestore/restore/internal/cachefile"
	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// Estimator deblurs pictures. It keeps its memory (on the host about 20 MB a worker) and is for one goroutine at a time. After the first picture of a size it allocates nothing.
type Estimator struct {
	lib      *library
	expected [][]float64 // of every shape of spectra, at every bin
	observed []float64
	scores   []float64
	order    []candidate
	hx, hy   []float64
	piece    []float32    // a window of the picture
	power    [2][]float32 // and of its spectrum
	variance float64
	cool     float64
	middle   *grid            // window
	spectrum [2][]float64     // mean power of the windows
	hidden   func(i int) bool // LeaveOut's; nil: none
	shares   [windowsMost * windowsMost]float64
	post     posterior
	lens     *lens
	// The kernel network, its input and output, and what its output is read with. Without, the library's posterior is all there is.
	ask          reader
	views, maps  []float32
	mean, second []float64 // E[K] and E|K|² on window; on the host
	prior        []float64 // Spectrum, on window

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
	ofImage      task.Source

	team   *team.Team
	remote *remote // nil: all is computed on the host
}

// NewEstimator returns an Estimator that computes on the host, on at most the given number of cores; 0 means all. It does without the kernel network: it is
// what the device's estimates are held against. The first in a process makes the library of kernels, which takes about a second of one core.
func NewEstimator(workers int) *Estimator {
	t := team.New(workers)
	e := newEstimator(t)
	e.middle = newGrid(window, t)
	e.mean, e.second = make([]float64, window*window), make([]float64, window*window)
	e.blocks, e.columns = make([]*grid, t.Workers()), make([][]int, t.Workers())
	e.prior = make([]float64, window*window)
	for i := range e.prior {
		e.prior[i] = Spectrum(e.middle.frequency(i%window), e.middle.frequency(i/window))
	}
	return e
}

// newEstimator has what does not depend on where is computed.
func newEstimator(t *team.Team) *Estimator {
	e := &Estimator{lib: shared(), team: t, piece: make([]float32, window*window)}
	e.observed = make([]float64, len(e.lib.bins))
	for _, s := range spectra {
		v := make([]float64, len(e.lib.bins))
		for i, b := range e.lib.bins {
			v[i] = s.at(float64(b.fx)/scoreGrid, float64(b.fy)/scoreGrid)
		}
		e.expected = append(e.expected, v)
	}
	for i := range e.power {
		e.power[i], e.spectrum[i] = make([]float32, powerSide*powerSide), make([]float64, powerSide*powerSide)
	}
	e.lens = newLens()
	e.views, e.maps = make([]float32, side*side*nets.KernelViews), make([]float32, side*side*nets.KernelParts)
	e.scores = make([]float64, len(e.lib.kernels))
	e.order = make([]candidate, len(e.lib.kernels))
	e.post = posterior{mean: make([]float64, kernelSide*kernelSide), auto: make([]float64, autoSide*autoSide)}
	e.lines = make([][]float32, t.Workers())
	for i := range e.lines {
		e.lines[i] = make([]float32, 3*largestBlock)
	}
	e.scoreOne = e.score
	e.blockOne = func(worker, i int) { e.block(worker, e.place(i)) }
	e.ofImage = func(dst []float32, c, y, x int) { copy(dst, e.img.Pix[(c*e.h+y)*e.w+x:]) }
	return e
}

// Warm begins to make the library of kernels, for programs that will need it soon, or to read it from a cache directory, in which it is kept then
// (12 MB; "": the user's cache directory, "-": none).
func Warm(cacheDir string) {
	keptAt.Store(cachefile.Path(cacheDir, libraryFile))
	go shared()
}

// Deblur writes the linear estimate of the sharp picture to dst, three planes of the size of img, which must be a picture (planar.Image.Check) and is
// continued by reflection beyond its edges. sigma is the standard deviation of its noise in units of planar.Image. Values are not clamped.
// The result at a place depends on the picture by its posterior, and by the pixels up to 127 away. It fails with ctx.Err(), and as the Runner does if there is one.
func (e *Estimator) Deblur(ctx context.Context, dst []float32, img *planar.Image, sigma float64) error {
	e.img = img
	err := e.Begin(ctx, img.W, img.H, e.ofImage, sigma)
	if err == nil {
		err = e.blockwise(ctx, dst)
	}
	e.img = nil
	return err
}

// Begin is the part of Deblur before anything is filtered, for a picture of w×h pixels that is read from src; Blocks does the rest. It fails as Deblur does.
func (e *Estimator) Begin(ctx context.Context, w, h int, src task.Source, sigma float64) error {
	e.w, e.h, e.src = w, h, src
	if err := e.estimate(ctx, sigma); err != nil {
		return err
	}
	if e.ask != nil {
		if err := e.read(ctx); err != nil {
			return err
		}
	}
	if e.remote != nil {
		e.remote.filter(e)
	} else {
		e.filter(blockSide(w, h))
	}
	return nil
}

// LeaveOut tells Begin which pixels of the next picture, counted along its rows, are filled in and so say nothing of its kernel. It holds for one picture.
func (e *Estimator) LeaveOut(hidden func(i int) bool) { e.hidden = hidden }

// Grid is how the picture of Begin is cut: into rows of so many blocks of w×h pixels, less at the right and at the bottom.
func (e *Estimator) Grid() (w, h, across, down int) {
	w, h = e.tile()
	return w, h, (e.w + w - 1) / w, (e.h + h - 1) / h
}

// Blocks writes blocks of Deblur's result to dst, each as three planes of its size; which are their numbers in the grid. Afterwards src is not read until the
// next call. It fails as Deblur does.
func (e *Estimator) Blocks(ctx context.Context, which []int, dst [][]float32) error {
	e.which, e.each = which, dst
	defer func() { e.which, e.each = nil, nil }()
	return e.filtered(ctx, len(which))
}

// Views writes what the kernel network sees of a picture of noise sigma to dst, [64][64][8] (nets.KernelMaps): for its training. Errors are those of Deblur.
func (e *Estimator) Views(ctx context.Context, dst []float32, img *planar.Image, sigma float64) error {
	e.img = img
	defer func() { e.img = nil }()
	e.w, e.h, e.src = img.W, img.H, e.ofImage
	if err := e.estimate(ctx, sigma); err != nil {
		return err
	}
	e.look(dst)
	return nil
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
func (e *Estimator) End() { e.src, e.hidden = nil, nil }

// blockwise filters the whole picture.
func (e *Estimator) blockwise(ctx context.Context, dst []float32) error {
	e.dst = dst
	defer func() { e.dst = nil }()
	_, _, across, down := e.Grid()
	return e.filtered(ctx, across*down)
}

// filtered filters as many blocks, to where place says.
func (e *Estimator) filtered(ctx context.Context, count int) error {
	switch {
	case e.remote != nil:
		for i := range count {
			if err := e.remote.block(ctx, e, e.place(i)); err != nil {
				return err
			}
		}
		return ctx.Err()
	case count == 1: // the team works inside of the block
		e.blocks[0].team = e.team
		e.blockOne(0, 0)
		return ctx.Err()
	}
	e.blocks[0].team = nil
	return e.team.Each(ctx, count, e.blockOne)
}

// place is where the i-th block goes: of the whole picture, or of those that Blocks was asked for.
func (e *Estimator) place(i int) place {
	if e.dst != nil {
		x, y, _, _ := e.Area(i)
		return place{i, e.dst[y*e.w+x:], e.w, e.w * e.h}
	}
	_, _, w, h := e.Area(e.which[i])
	return place{e.which[i], e.each[i], w, w * h}
}

// rows is a worker's memory for a row of each plane.
func (e *Estimator) rows(worker, width int) (r [3][]float32) {
	for c := range r {
		r[c] = e.lines[worker][c*largestBlock:][:width]
	}
	return r
}

// span is memory for rows that hold these columns of the picture, and the first of them.
func (e *Estimator) span(worker int, columns []int) (rows [3][]float32, left int) {
	left = slices.Min(columns)
	return e.rows(worker, slices.Max(columns)+1-left), left
}
