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

	blocks       []*grid   // one per worker
	columns      [][]int   // of the picture, for every column of a block
	gainY, gainC []float64 // the filters' gains on the blocks' grid
	img          *planar.Image
	dst          []float32
	scoreOne     func(worker, i int)
	blockOne     func(worker, i int)

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
	e.blocks, e.columns = make([]*grid, e.team.Workers()), make([][]int, e.team.Workers())
	e.prior = make([]float64, window*window)
	for i := range e.prior {
		e.prior[i] = Spectrum(e.middle.frequency(i%window), e.middle.frequency(i/window))
	}
	e.scoreOne, e.blockOne = e.score, e.block
	return e
}

// Warm begins to make the library of kernels, for programs that will need it soon.
func Warm() { go shared() }

// Deblur writes the linear estimate of the sharp picture to dst, three planes of the size of img, which must be a picture (planar.Image.Check) and is
// continued by reflection beyond its edges. sigma is the standard deviation of its noise in units of planar.Image. Values are not clamped.
// The result at a place depends on the picture by its posterior, and by the pixels up to 127 away. It fails with ctx.Err() only.
func (e *Estimator) Deblur(ctx context.Context, dst []float32, img *planar.Image, sigma float64) error {
	if err := e.estimate(ctx, img, sigma); err != nil {
		return err
	}
	return e.apply(ctx, dst, img)
}

// Kernel returns the posterior mean kernel of the last picture, together with its half-turn.
func (e *Estimator) Kernel() *task.Kernel {
	k := &task.Kernel{Size: kernelSide, W: make([]float32, len(e.post.mean))}
	for i, v := range e.post.mean {
		k.W[i] = float32(v)
	}
	return k
}

// apply filters by e.post.
func (e *Estimator) apply(ctx context.Context, dst []float32, img *planar.Image) error {
	e.filter(blockSide(img.W, img.H))
	return e.blockwise(ctx, dst, img)
}

func (e *Estimator) blockwise(ctx context.Context, dst []float32, img *planar.Image) error {
	e.img, e.dst = img, dst
	defer func() { e.img, e.dst = nil, nil }()
	count := e.across() * e.down()
	if count == 1 { // the team works inside of the block
		e.blocks[0].team = e.team
		e.block(0, 0)
		return ctx.Err()
	}
	e.blocks[0].team = nil
	return e.team.Each(ctx, count, e.blockOne)
}
