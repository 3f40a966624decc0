package motionblur

import (
	"context"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

// Estimator deblurs pictures. It keeps its memory and is for one goroutine at a time. After the
// first picture of a size it allocates nothing.
type Estimator struct {
	backend Backend
	lib     *library

	// The picture: its size, its source, and which pixels are excluded (nil: none).
	w, h     int
	src      task.Source
	excluded func(i int) bool
	variance float64 // of its noise

	periodogram periodogram
	likelihood  Likelihood
	scores      []float64 // log-likelihood of every blur kernel of the library, tempered
	ranking     []candidate
	posterior   Posterior
	views       viewBuilder
	// Input and output of the kernel network.
	viewMaps, maps []float32

	// What Deblur and Blocks write to. The functions are method values that are made once, as
	// making one allocates memory.
	img                     *planar.Image
	dst                     []float32   // of Deblur
	numbers                 []int       // of Blocks
	results                 [][]float32 // of Blocks
	imageSource             task.Source
	imageBlock, listedBlock func(i int) Block
}

// NewEstimator returns an Estimator that computes by a Backend. The first one in a process makes
// the library of blur kernels, which takes 0.4 seconds of one core (see CacheLibrary).
func NewEstimator(b Backend) *Estimator {
	e := &Estimator{backend: b, lib: sharedLibrary()}
	kernels, bins := len(e.lib.kernels), len(e.lib.bins)
	e.periodogram = newPeriodogram(bins)
	e.likelihood = Likelihood{KernelPower: e.lib.power, Observed: make([]float64, bins)}
	for _, s := range spectrumShapes {
		signal := make([]float64, bins)
		for i, b := range e.lib.bins {
			signal[i] = s.at(float64(b.fx)/scoreGrid, float64(b.fy)/scoreGrid)
		}
		l := &e.likelihood
		l.Signal = append(l.Signal, signal)
		l.SumExpected = append(l.SumExpected, make([]float64, kernels))
		l.SumObserved = append(l.SumObserved, make([]float64, kernels))
	}
	e.scores, e.ranking = make([]float64, kernels), make([]candidate, kernels)
	e.posterior = newPosterior()
	e.views = newViewBuilder()
	e.viewMaps = make([]float32, mapSide*mapSide*nets.KernelViews)
	e.maps = make([]float32, mapSide*mapSide*nets.KernelParts)
	e.imageSource = func(dst []float32, c, y, x int) { copy(dst, e.img.Pix[(c*e.h+y)*e.w+x:]) }
	e.imageBlock, e.listedBlock = e.blockOfImage, e.blockOfList
	return e
}

// Deblur writes the linear estimate of the sharp picture to dst, three planes of the size of img.
// img must be valid (planar.Image.Check); it is continued by reflection beyond its edges. sigma is
// the standard deviation of its noise in units of planar.Image. The result is not clamped. A pixel
// of it depends on all of the picture through the posterior, and on the pixels up to FilterReach
// away. Deblur fails with ctx.Err() and with the errors of the Backend.
func (e *Estimator) Deblur(ctx context.Context, dst []float32, img *planar.Image, sigma float64) error {
	e.img, e.dst = img, dst
	defer func() { e.img, e.dst = nil, nil }()
	if err := e.Begin(ctx, img.W, img.H, e.imageSource, sigma); err != nil {
		return err
	}
	_, _, across, down := e.Grid()
	return e.backend.FilterBlocks(ctx, across*down, e.imageBlock)
}

// Begin is the part of Deblur before anything is filtered, for a picture of w×h pixels that is read
// from src. Blocks does the rest. Errors are those of Deblur.
func (e *Estimator) Begin(ctx context.Context, w, h int, src task.Source, sigma float64) error {
	e.w, e.h, e.src = w, h, src
	if err := e.estimate(ctx, sigma); err != nil {
		return err
	}
	e.makeViews(e.viewMaps)
	mapped, err := e.backend.Moments(ctx, &e.posterior, e.viewMaps, e.maps)
	if err != nil {
		return err
	}
	if mapped {
		e.posterior.setMean(e.maps)
	}
	e.backend.PrepareFilter(w, h, e.variance)
	return nil
}

// ExcludePixels tells Begin which pixels of the next picture, counted along its rows, are filled
// in, so that they say nothing about the blur kernel. It holds until End.
func (e *Estimator) ExcludePixels(excluded func(i int) bool) { e.excluded = excluded }

// Grid says how the picture of Begin is cut into blocks: down rows of across blocks of w×h pixels.
// Blocks at the right and at the bottom may be smaller.
func (e *Estimator) Grid() (w, h, across, down int) {
	w, h = e.backend.BlockSize()
	return w, h, (e.w + w - 1) / w, (e.h + h - 1) / h
}

// Area is the place and size of block i in the picture of Begin, in pixels. Blocks are counted
// along the rows of the grid.
func (e *Estimator) Area(i int) (x, y, w, h int) {
	bw, bh, across, _ := e.Grid()
	x, y = i%across*bw, i/across*bh
	return x, y, min(bw, e.w-x), min(bh, e.h-y)
}

// Blocks writes the blocks with the given numbers of Deblur's result to dst, each as three planes
// of the block's size. After it returns, src is not read until the next call. Errors are those of
// Deblur.
func (e *Estimator) Blocks(ctx context.Context, numbers []int, dst [][]float32) error {
	e.numbers, e.results = numbers, dst
	defer func() { e.numbers, e.results = nil, nil }()
	return e.backend.FilterBlocks(ctx, len(numbers), e.listedBlock)
}

// Views writes what the kernel network sees of a picture to dst, [64][64][8] (nets.KernelMaps), for
// its training. img, sigma and errors are as for Deblur.
func (e *Estimator) Views(ctx context.Context, dst []float32, img *planar.Image, sigma float64) error {
	e.img = img
	defer func() { e.img = nil }()
	e.w, e.h, e.src = img.W, img.H, e.imageSource
	if err := e.estimate(ctx, sigma); err != nil {
		return err
	}
	e.makeViews(dst)
	return nil
}

// Kernel returns the mean blur kernel of the last picture's posterior. It is even: the mean of a
// blur kernel and its half-turn.
func (e *Estimator) Kernel() *task.Kernel {
	k := &task.Kernel{Size: KernelSide, W: make([]float32, len(e.posterior.Mean))}
	for i, v := range e.posterior.Mean {
		k.W[i] = float32(v)
	}
	return k
}

// End forgets the source of Begin and the excluded pixels, so that an Estimator that is kept does
// not keep the picture.
func (e *Estimator) End() { e.src, e.excluded = nil, nil }

// block describes block i but for its result.
func (e *Estimator) block(i int) Block {
	b := Block{Src: e.src, Width: e.w, Height: e.h}
	b.X, b.Y, b.W, b.H = e.Area(i)
	return b
}

// blockOfImage is block i with its place in the whole picture as its result.
func (e *Estimator) blockOfImage(i int) Block {
	b := e.block(i)
	b.Result, b.Plane, b.Stride = e.dst[b.Y*e.w+b.X:], e.w*e.h, e.w
	return b
}

// blockOfList is the i-th block that Blocks was called for.
func (e *Estimator) blockOfList(i int) Block {
	b := e.block(e.numbers[i])
	b.Result, b.Plane, b.Stride = e.results[i], b.W*b.H, b.W
	return b
}
