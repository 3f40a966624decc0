package shake

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/task"
)

const (
	// kernelSide is that of the paper's kernels; halves of the library are drawn by the paper's law and by the trainer's, which also knows small shakes.
	kernelSide   = 61
	libraryFull  = 1024
	librarySmall = 512
	librarySeed  = 20261124
	libraryParts = 32 // that it is made in, of pairs of kernels
	// The library is compared on a grid of scoreGrid² frequencies, between lowest and highest cycles per pixel: below, a picture's few large forms decide, above is
	// only noise.
	scoreGrid       = 128
	lowest, highest = 0.012, 0.25
)

// library holds the kernels that a picture is compared with.
type library struct {
	kernels []kernel
	bins    []bin
	power   []float32 // |K|² of every kernel at every bin
	// The prior's moments: mean kernel (even), and the mean autocorrelation on scoreGrid.
	mean []float64
	auto []float64
}

// kernel is a list of weights, row by row in a square of kernelSide.
type kernel []weight

type weight struct {
	at int32
	w  float32
}

// bin is a frequency: its place on scoreGrid, half a plane of them.
type bin struct{ fy, fx int }

// shared is made once, when it is needed first: it takes about a second of one core.
var shared = sync.OnceValue(newLibrary)

func newLibrary() *library {
	l := &library{kernels: make([]kernel, libraryFull+librarySmall), bins: scoreBins()}
	n := len(l.kernels)
	l.power = make([]float32, n*len(l.bins))
	l.mean = make([]float64, kernelSide*kernelSide)
	// Sums by parts of fixed size, so that they do not depend on the number of cores.
	t := team.New(0)
	grids, sums := make([]*grid, t.Workers()), make([][]float64, libraryParts)
	_ = t.Each(context.Background(), libraryParts, func(worker, part int) {
		if grids[worker] == nil {
			grids[worker] = newGrid(scoreGrid, nil)
		}
		g := grids[worker]
		sums[part] = make([]float64, scoreGrid*scoreGrid)
		for i := part * n / libraryParts; i < (part+1)*n/libraryParts; i += 2 {
			l.kernels[i], l.kernels[i+1] = drawKernel(i), drawKernel(i+1)
			g.pair(l.kernels[i], l.kernels[i+1])
			for b, at := range l.bins {
				p, q := g.powers(g.wrapped(at.fy, at.fx))
				l.power[i*len(l.bins)+b], l.power[(i+1)*len(l.bins)+b] = float32(p), float32(q)
			}
			g.addPowers(sums[part], 1/float64(n), 1/float64(n))
		}
	})
	for _, sum := range sums[1:] {
		for i, v := range sum {
			sums[0][i] += v
		}
	}
	for _, k := range l.kernels {
		k.addEven(l.mean, 1/float64(n))
	}
	l.auto = make([]float64, scoreGrid*scoreGrid)
	newGrid(scoreGrid, nil).autocorrelation(l.auto, sums[0])
	return l
}

// drawKernel is the i-th of the library, the same on every machine.
func drawKernel(i int) (k kernel) {
	rng := rand.New(rand.NewPCG(librarySeed, uint64(i)))
	draw := task.Draw
	if i >= libraryFull {
		draw = task.DrawTraining
	}
	p, err := draw(rng, task.MotionDeblur, kernelSide, kernelSide, 1)
	if err != nil {
		panic(err) // the law's arguments are constants
	}
	for at, w := range p.Kernel.W {
		if w != 0 {
			k = append(k, weight{int32(at), w})
		}
	}
	return k
}

func scoreBins() (bins []bin) {
	reach := int(math.Floor(highest * scoreGrid))
	for fy := -reach; fy <= reach; fy++ {
		for fx := 0; fx <= reach; fx++ {
			f := math.Hypot(float64(fx), float64(fy)) / scoreGrid
			if f > lowest && f < highest && (fx > 0 || fy > 0) {
				bins = append(bins, bin{fy, fx})
			}
		}
	}
	return bins
}

// addEven adds share times the mean of the kernel and its half-turn.
func (k kernel) addEven(sum []float64, share float64) {
	last := len(sum) - 1
	for _, t := range k {
		v := share / 2 * float64(t.w)
		sum[t.at] += v
		sum[last-int(t.at)] += v
	}
}

// pair transforms two kernels at once, as real and imaginary part.
func (g *grid) pair(a, b kernel) {
	clear(g.v)
	const half = kernelSide / 2
	for _, t := range a {
		g.v[g.wrapped(int(t.at)/kernelSide-half, int(t.at)%kernelSide-half)] += complex(float64(t.w), 0)
	}
	for _, t := range b {
		g.v[g.wrapped(int(t.at)/kernelSide-half, int(t.at)%kernelSide-half)] += complex(0, float64(t.w))
	}
	g.forward()
}

// addPowers adds a·|A|² + b·|B|² of a pair to sum.
func (g *grid) addPowers(sum []float64, a, b float64) {
	for i := range sum {
		p, q := g.powers(i)
		sum[i] += a*p + b*q
	}
}

// autocorrelation gives what the power spectrum of a real signal is the transform of.
func (g *grid) autocorrelation(auto, power []float64) {
	for i, v := range power {
		g.v[i] = complex(v, 0)
	}
	g.inverse()
	for i, v := range g.v {
		auto[i] = real(v)
	}
}
