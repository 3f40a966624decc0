package motionblur

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"

	"github.com/vfmrestore/restore/internal/cachefile"
	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/task"
)

const (
	// Two thirds of the library are drawn from the paper's distribution, one third from that of the
	// training, which also has little motion blur.
	paperKernels    = 1024
	trainingKernels = 512
	librarySeed     = 20261124
	libraryParts    = 32 // that the library is made in
	// The library is compared with a picture at frequencies of a grid of scoreGrid², between lowest
	// and highest cycles per pixel. Below, the few large shapes of a picture decide; above there is
	// only noise.
	scoreGrid       = 128
	lowest, highest = 0.012, 0.25
)

// library holds the blur kernels that a picture is compared with.
type library struct {
	kernels []blurKernel
	bins    []bin
	power   []float32 // |K|² of every blur kernel at every bin
	// The moments of the prior, as in Posterior.
	mean []float64
	auto []float64
}

// bin is a frequency (fx, fy)/scoreGrid in cycles per pixel. The bins are in one half of the plane,
// as the power at a frequency and at its negative are the same.
type bin struct{ fy, fx int }

// sharedLibrary makes the library when it is first needed. This takes 0.4 seconds of one core, or
// 0.02 seconds if it is in a file.
var sharedLibrary = sync.OnceValue(func() *library {
	path, _ := libraryPath.Load().(string)
	if l := readLibrary(path); l != nil {
		return l
	}
	l := newLibrary()
	l.save(path)
	return l
})

// CacheLibrary has the library of blur kernels kept in a file of 12 MB in cacheDir, and read from
// there if it exists, once a picture needs it. "" is the user's cache directory, "-" means no file.
func CacheLibrary(cacheDir string) {
	libraryPath.Store(cachefile.Path(cacheDir, libraryFile))
}

// emptyLibrary has the bins, and memory for everything else.
func emptyLibrary() *library {
	l := &library{kernels: make([]blurKernel, paperKernels+trainingKernels), bins: scoreBins()}
	l.power = make([]float32, len(l.kernels)*len(l.bins))
	l.mean = make([]float64, KernelSide*KernelSide)
	l.auto = make([]float64, AutoSide*AutoSide)
	return l
}

// kernelPower is |K|² of the i-th blur kernel at the bins.
func (l *library) kernelPower(i int) []float32 { return l.power[i*len(l.bins):][:len(l.bins)] }

func newLibrary() *library {
	l := emptyLibrary()
	n := len(l.kernels)
	// The sums are made in parts of fixed size, so that they do not depend on the number of cores.
	sums := make([][]float64, libraryParts)
	_ = team.New(0).Each(context.Background(), libraryParts, func(_, part int) {
		sums[part] = make([]float64, AutoSide*AutoSide)
		var s spectrometer
		for i := part * n / libraryParts; i < (part+1)*n/libraryParts; i++ {
			k := drawKernel(i)
			l.kernels[i] = k
			s.powers(l.kernelPower(i), l.bins, k)
			k.addAuto(sums[part], 1/float64(n))
		}
	})
	for _, sum := range sums {
		for i, v := range sum {
			l.auto[i] += v
		}
	}
	for _, k := range l.kernels {
		k.addEven(l.mean, 1/float64(n))
	}
	return l
}

// drawKernel draws the i-th blur kernel of the library, the same one on every machine.
func drawKernel(i int) (k blurKernel) {
	rng := rand.New(rand.NewPCG(librarySeed, uint64(i)))
	draw := task.Draw
	if i >= paperKernels {
		draw = task.DrawTraining
	}
	p, err := draw(rng, task.MotionDeblur, KernelSide, KernelSide, 1)
	if err != nil {
		panic(err) // the arguments are constants
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
