package reference

import (
	"context"
	"math"

	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/motionblur"
)

// Network is a kernel network: it sets maps [64][64][8] from views [64][64][8]
// (motionblur.KernelMaps).
type Network func(views, maps []float32) error

// Backend is a motionblur.Backend in float64. It keeps about 20 MB of memory per worker, and
// allocates nothing after the first picture of a size.
type Backend struct {
	team         *team.Team
	network      Network
	window       *grid
	mean, second []float64 // E[K] and E|K|² at the window's frequencies
	spectrum     []float64 // motionblur.Spectrum at the window's frequencies

	grids   []*grid // for blocks, one per worker
	workers []worker
	// The gains of the filters for brightness and for colour, at the blocks' frequencies.
	gainY, gainC []float64

	// What the functions below work on. They are made once, as making one allocates memory.
	likelihood *motionblur.Likelihood
	block      func(i int) motionblur.Block
	sumOne     func(worker, i int)
	filterOne  func(worker, i int)
}

// worker has the memory of one worker for reading pixels.
type worker struct {
	columns []int        // of the picture, for every column of a block
	rows    [3][]float32 // a row of each plane of the picture
}

// New returns a Backend that uses at most the given number of cores; 0 means all. Without a network
// (nil) the moments are those of the library's posterior.
func New(workers int, network Network) *Backend {
	t := team.New(workers)
	b := &Backend{team: t, network: network, window: newGrid(motionblur.WindowSide, t)}
	n := len(b.window.v)
	b.mean, b.second, b.spectrum = make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range b.spectrum {
		g := b.window
		b.spectrum[i] = motionblur.Spectrum(g.frequency(i%g.n), g.frequency(i/g.n))
	}
	b.grids, b.workers = make([]*grid, t.Workers()), make([]worker, t.Workers())
	for i := range b.workers {
		for c := range b.workers[i].rows {
			b.workers[i].rows[c] = make([]float32, largestBlock)
		}
	}
	b.sumOne = func(_, i int) { b.sumLogs(i) }
	b.filterOne = func(worker, i int) { b.filterBlock(worker, b.block(i)) }
	return b
}

// NewEstimator returns an Estimator without a kernel network.
func NewEstimator(workers int) *motionblur.Estimator {
	return motionblur.NewEstimator(New(workers, nil))
}

// PowerSpectrum implements motionblur.Backend.
func (b *Backend) PowerSpectrum(_ context.Context, window []float32, power [2][]float32) error {
	g := b.window
	for i, v := range window {
		g.v[i] = complex(float64(v), 0)
	}
	g.forward()
	for x := range motionblur.PowerSide {
		for y := range motionblur.PowerSide {
			for s, fy := range [2]int{y, -y} {
				power[s][x*motionblur.PowerSide+y] = float32(absSquare(g.v[g.index(fy, x)]))
			}
		}
	}
	return nil
}

// LogSums implements motionblur.Backend.
func (b *Backend) LogSums(ctx context.Context, l *motionblur.Likelihood) error {
	b.likelihood = l
	defer func() { b.likelihood = nil }()
	return b.team.Each(ctx, len(l.SumExpected[0]), b.sumOne)
}

// sumLogs computes the sums of the i-th blur kernel.
func (b *Backend) sumLogs(i int) {
	l := b.likelihood
	n := len(l.Observed)
	power := l.KernelPower[i*n:][:n]
	for s := range l.Signal {
		signal := l.Signal[s][:n]
		// A sum of a few logarithms is the logarithm of a product. Its factors are between 1e-7 and
		// 1e7.
		sumD, sumT := 0.0, 0.0
		for at := 0; at < n; at += 8 {
			d, t := 1.0, 1.0
			for j := at; j < min(at+8, n); j++ {
				v := float64(power[j])*signal[j] + l.Variance
				d *= v
				t *= v + l.Observed[j]
			}
			sumD += math.Log(d)
			sumT += math.Log(t)
		}
		l.SumExpected[s][i], l.SumObserved[s][i] = sumD, sumT
	}
}

func absSquare(v complex128) float64 { return real(v)*real(v) + imag(v)*imag(v) }
