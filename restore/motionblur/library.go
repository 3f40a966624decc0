package motionblur

import (
	"context"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"sync"

	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/task"
)

const (
	// kernelSide is that of the paper's kernels; halves of the library are drawn by the paper's law and by the trainer's, which also knows small shakes.
	kernelSide   = 61
	autoReach    = kernelSide - 1
	autoSide     = 2*autoReach + 1 // of a kernel's autocorrelation
	libraryFull  = 1024
	librarySmall = 512
	librarySeed  = 20261124
	libraryParts = 32 // that it is made in
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
	// The prior's moments: mean kernel (even), and the mean autocorrelation in autoSide rows.
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

// shared is made once, when it is needed first: it takes 0.4 seconds of one core, or 0.02 where it is kept in a file.
var shared = sync.OnceValue(func() *library {
	path, _ := keptAt.Load().(string)
	if l := readLibrary(path); l != nil {
		return l
	}
	l := newLibrary()
	l.keep(path)
	return l
})

// emptyLibrary has room for all, and the bins.
func emptyLibrary() *library {
	l := &library{kernels: make([]kernel, libraryFull+librarySmall), bins: scoreBins()}
	l.power = make([]float32, len(l.kernels)*len(l.bins))
	l.mean = make([]float64, kernelSide*kernelSide)
	l.auto = make([]float64, autoSide*autoSide)
	return l
}

// powerOf is |K|² of the i-th kernel at the bins.
func (l *library) powerOf(i int) []float32 { return l.power[i*len(l.bins):][:len(l.bins)] }

func newLibrary() *library {
	l := emptyLibrary()
	n := len(l.kernels)
	// Sums by parts of fixed size, so that they do not depend on the number of cores.
	t := team.New(0)
	sums := make([][]float64, libraryParts)
	_ = t.Each(context.Background(), libraryParts, func(_, part int) {
		sums[part] = make([]float64, autoSide*autoSide)
		var s spectrometer
		for i := part * n / libraryParts; i < (part+1)*n/libraryParts; i++ {
			k := drawKernel(i)
			l.kernels[i] = k
			s.powers(l.powerOf(i), l.bins, k)
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

// addAuto adds share times the kernel's autocorrelation.
func (k kernel) addAuto(sum []float64, share float64) {
	const middle = autoReach*autoSide + autoReach
	for _, a := range k {
		w := share * float64(a.w)
		from := middle + int(a.at)/kernelSide*autoSide + int(a.at)%kernelSide
		for _, b := range k {
			sum[from-int(b.at)/kernelSide*autoSide-int(b.at)%kernelSide] += w * float64(b.w)
		}
	}
}

// bands is the number of frequencies ≥ 0 of the bins in a direction.
const bands = scoreGrid/4 + 1

// spectrometer computes |K|² at the bins: rows first, and of those columns.
type spectrometer struct {
	rows [kernelSide][bands]complex128
}

// unit is e^(−2πi·k/scoreGrid).
var unit = func() (u [scoreGrid]complex128) {
	for k := range u {
		u[k] = cmplx.Rect(1, -2*math.Pi*float64(k)/scoreGrid)
	}
	return u
}()

func (s *spectrometer) powers(dst []float32, bins []bin, k kernel) {
	s.rows = [kernelSide][bands]complex128{}
	var used [kernelSide]bool
	for _, t := range k {
		y, x := int(t.at)/kernelSide, int(t.at)%kernelSide
		used[y] = true
		w := complex(float64(t.w), 0)
		for f := range s.rows[y] {
			s.rows[y][f] += w * unit[f*x%scoreGrid]
		}
	}
	// Σ_y R_y·e^(−iφy) for φ and −φ at once, of cosines and sines.
	var plus, minus [bands][bands]float32
	for fy := range bands {
		var c, d [bands]complex128 // Σ R·cos, −Σ R·sin
		for y, r := range s.rows {
			if !used[y] {
				continue
			}
			u := unit[fy*y%scoreGrid]
			for f, v := range r {
				c[f] += complex(real(v)*real(u), imag(v)*real(u))
				d[f] += complex(real(v)*imag(u), imag(v)*imag(u))
			}
		}
		for f := range c {
			// c + i·d and c − i·d.
			re, im := real(c[f])-imag(d[f]), imag(c[f])+real(d[f])
			plus[fy][f] = float32(re*re + im*im)
			re, im = real(c[f])+imag(d[f]), imag(c[f])-real(d[f])
			minus[fy][f] = float32(re*re + im*im)
		}
	}
	for i, b := range bins {
		if b.fy >= 0 {
			dst[i] = plus[b.fy][b.fx]
		} else {
			dst[i] = minus[-b.fy][b.fx]
		}
	}
}

// LawPower is E|K|² under the law that the library is drawn by, at a frequency in cycles per 256 pixels, −128 to 128.
func LawPower(fx, fy int) float64 { return lawPower()[(fy&(window-1))*window+fx&(window-1)] }

// lawPower is that of all frequencies, as a grid of window's side holds them.
var lawPower = sync.OnceValue(func() []float64 {
	g := newGrid(window, nil)
	for i, v := range shared().auto {
		g.v[g.wrapped(i/autoSide-autoReach, i%autoSide-autoReach)] = complex(v, 0)
	}
	g.forward()
	p := make([]float64, len(g.v))
	for i, v := range g.v {
		p[i] = max(0, real(v))
	}
	return p
})
