package shake

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/vfmrestore/restore/restore/planar"
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
	post     Posterior
	prior    []float64 // Spectrum, on window

	blocks       []*grid   // one per worker
	columns      [][]int   // of the picture, for every column of a block
	gainY, gainC []float64 // the filters' gains on the blocks' grid
	img          *planar.Image
	dst          []float32
	scoreOne     func(worker, i int)
	blockOne     func(worker, i int)

	// Of each: what is stored once so that nothing is allocated per picture.
	workers int
	run     []func()
	wait    sync.WaitGroup
	next    atomic.Int64
	count   int
	job     func(worker, i int)
	ctx     context.Context
}

// NewEstimator returns an Estimator that uses at most the given number of cores; 0 means all. The first in a process makes the library of kernels, which
// takes about a second of one core.
func NewEstimator(workers int) *Estimator {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	e := &Estimator{lib: shared(), workers: workers, small: newGrid(scoreGrid), middle: newGrid(window)}
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
	e.post = Posterior{Mean: make([]float64, kernelSide*kernelSide), auto: make([]float64, scoreGrid*scoreGrid)}
	e.blocks, e.columns = make([]*grid, workers), make([][]int, workers)
	e.prior = make([]float64, window*window)
	for i := range e.prior {
		e.prior[i] = Spectrum(e.middle.frequency(i%window), e.middle.frequency(i/window))
	}
	e.scoreOne, e.blockOne = e.score, e.block
	for w := range workers {
		e.run = append(e.run, func() {
			defer e.wait.Done()
			e.work(w)
		})
	}
	return e
}

// Warm begins to make the library of kernels, for programs that will need it soon.
func Warm() { go shared() }

// Estimate returns what a picture whose noise has standard deviation sigma (in units of planar.Image) tells about its kernel. The result is valid until
// the next call. The picture must be one (planar.Image.Check).
func (e *Estimator) Estimate(img *planar.Image, sigma float64) *Posterior {
	e.ctx = context.Background()
	e.estimate(img, sigma)
	return &e.post
}

// Deblur writes the linear estimate of the sharp picture to dst, three planes of the size of img, which must be a picture (planar.Image.Check) and is
// continued by reflection beyond its edges. sigma is the standard deviation of its noise in units of planar.Image. Values are not clamped.
// The result at a place depends on the picture by its posterior, and by the pixels up to 127 away. It fails with ctx.Err() only.
func (e *Estimator) Deblur(ctx context.Context, dst []float32, img *planar.Image, sigma float64) error {
	e.ctx = ctx
	e.estimate(img, sigma)
	e.apply(dst, img)
	return ctx.Err()
}

// apply filters by e.post.
func (e *Estimator) apply(dst []float32, img *planar.Image) {
	e.filter(blockSide(img.W, img.H))
	e.img, e.dst = img, dst
	e.each(e.across()*e.down(), e.blockOne)
	e.img, e.dst = nil, nil
}

// each calls f for 0..count-1 on the workers, as long as ctx lasts.
func (e *Estimator) each(count int, f func(worker, i int)) {
	e.count, e.job = count, f
	e.next.Store(0)
	n := min(e.workers, count)
	e.wait.Add(n - 1)
	for w := 1; w < n; w++ {
		go e.run[w]()
	}
	e.work(0)
	e.wait.Wait()
}

func (e *Estimator) work(w int) {
	for {
		i := int(e.next.Add(1)) - 1
		if i >= e.count || e.ctx.Err() != nil {
			return
		}
		e.job(w, i)
	}
}
