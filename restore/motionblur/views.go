package motionblur

import (
	"math"

	"github.com/vfmrestore/restore/netdef/nets"
)

// What the kernel network sees are maps over displacements of a picture, −32..31 pixels each way. Half of them tell what the library's posterior says, half
// what the picture's own spectrum says, of which the library, being finite, knows only the coarse:
//
//   - mean kernel and mean autocorrelation under the posterior, and under the posterior sharpened to the likeliest kernels;
//   - the autocorrelation of the picture, whitened by the spectrum of photographs: that of the kernel, in the mean. Once more at every second displacement;
//   - the cepstrum, the transform of log |Y|²: picture and kernel are added in it, and what the dark lines of a kernel leave in it is its form. Once more
//     likewise.
const (
	viewMean = iota // times viewMeanScale: the first estimate of E[k], to which the network's first map is added
	viewSharpMean
	viewAuto
	viewSharpAuto
	viewWhite
	viewCepstrumWide
	viewCepstrum
	viewWhiteWide
)

const (
	side    = nets.KernelSide
	half    = side / 2
	sharpen = 4 // the power that sharpens the posterior
	// Frequencies count as in a Gaussian window of this width in cycles per pixel; those of maps at every second displacement by a narrower one. For whitened maps
	// those below lowCut do not: few large forms decide there.
	passWidth, passNarrow, lowCut = 0.25, 0.12, 0.012
)

// viewMeanScale times the first estimate of E[k] is the view viewMean.
const viewMeanScale = 40

// lens makes views. What depends on frequencies only is worked out once.
type lens struct {
	smooth      [2][]float64   // the picture's power, each frequency with its neighbours, as Estimator.power is laid out
	prior       []float64      // Spectrum
	pass, wide  []float64      // weights of frequencies, and what narrows them for maps at every second displacement
	cut         []float64      // weight for whitened maps
	white, ceps [2][]float64   // what is transformed
	cos, sin    [2][][]float64 // of displacements ≥ 0 times 1 and 2: [displacement][frequency]
	plane       []float64      // a map
	mean, auto  []float64      // sharpened
	c, s        []float64      // rows of a transform: [displacement][frequency]
}

func newLens() *lens {
	n := powerSide * powerSide
	l := &lens{
		prior: make([]float64, n), pass: make([]float64, n), wide: make([]float64, n), cut: make([]float64, n), plane: make([]float64, side*side),
		mean: make([]float64, kernelSide*kernelSide), auto: make([]float64, autoSide*autoSide),
		c: make([]float64, (half+1)*powerSide), s: make([]float64, (half+1)*powerSide),
	}
	for i := range 2 {
		l.smooth[i], l.white[i], l.ceps[i] = make([]float64, n), make([]float64, n), make([]float64, n)
		l.cos[i], l.sin[i] = make([][]float64, half+1), make([][]float64, half+1)
		for d := range half + 1 {
			l.cos[i][d], l.sin[i][d] = make([]float64, powerSide), make([]float64, powerSide)
			for f := range powerSide {
				l.sin[i][d][f], l.cos[i][d][f] = math.Sincos(windowAngle(d*(i+1), f))
			}
		}
	}
	for i := range n {
		fx, fy := float64(i/powerSide)/window, float64(i%powerSide)/window
		f := fx*fx + fy*fy
		l.prior[i] = Spectrum(fx, fy)
		l.pass[i] = math.Exp(-f / square(passWidth))
		l.wide[i] = math.Exp(-f / square(passNarrow))
		l.cut[i] = f / (f + square(lowCut))
	}
	l.pass[0] = 0
	return l
}

// look fills views, [64][64][8], from the posterior and the picture's power.
func (e *Estimator) look(views []float32) {
	l := e.lens
	clear(l.mean)
	clear(l.auto)
	sum, n := 0.0, 0
	for n < len(e.order) && math.Pow(e.order[n].w, sharpen) > negligible {
		sum += math.Pow(e.order[n].w, sharpen)
		n++
	}
	for _, c := range e.order[:n] {
		share := math.Pow(c.w, sharpen) / sum
		e.lib.kernels[c.index].addEven(l.mean, share)
		e.lib.kernels[c.index].addAuto(l.auto, share)
	}
	middle(views, viewMean, e.post.mean, kernelSide/2, viewMeanScale)
	middle(views, viewSharpMean, l.mean, kernelSide/2, 20)
	middle(views, viewAuto, e.post.auto, autoReach, 40)
	middle(views, viewSharpAuto, l.auto, autoReach, 20)

	sum, weight := 0.0, 0.0
	for s := range 2 {
		for x := range powerSide {
			for y := range powerSide {
				i := x*powerSide + y
				l.white[s][i], l.ceps[s][i] = 0, 0
				if s == 1 && (x == 0 || y == 0) || i == 0 { // of frequencies and their negatives each once; nothing is known at 0
					continue
				}
				v := l.smooth[s][i]
				l.white[s][i] = l.pass[i] * l.cut[i] * (v - e.variance) / (l.prior[i] + 4*e.variance)
				l.ceps[s][i] = math.Log((v + 0.5*e.variance) / (0.1*l.prior[i] + 1.5*e.variance))
				sum += l.pass[i] * l.ceps[s][i]
				weight += l.pass[i]
			}
		}
	}
	mean := sum / weight // without it the zero displacement would outshine the others
	for s := range 2 {
		for i := range l.ceps[s] {
			if s == 1 && (i < powerSide || i%powerSide == 0) {
				continue
			}
			l.ceps[s][i] = l.pass[i] * (l.ceps[s][i] - mean)
		}
	}
	e.lags(views, viewWhite, &l.white, 1)
	e.lags(views, viewWhiteWide, &l.white, 2)
	e.lags(views, viewCepstrum, &l.ceps, 1)
	for s := range 2 {
		for i, w := range l.wide {
			l.ceps[s][i] *= w
		}
	}
	e.lags(views, viewCepstrumWide, &l.ceps, 2)
}

// middle puts the middle of a square of (2·reach+1)² into a view.
func middle(views []float32, view int, v []float64, reach int, scale float64) {
	for y := -half; y < half; y++ {
		for x := -half; x < half; x++ {
			w := 0.0
			if max(y, -y) <= reach && max(x, -x) <= reach {
				w = scale * v[(y+reach)*(2*reach+1)+x+reach]
			}
			views[((y+half)*side+x+half)*nets.KernelViews+view] = float32(w)
		}
	}
}

// lags puts the transform of a spectrum into a view, at displacements of so many pixels: Σ P(f)·cos(f·d), of mean 0 and standard deviation 1.
func (e *Estimator) lags(views []float32, view int, p *[2][]float64, step int) {
	l := e.lens
	cos, sin := l.cos[step-1], l.sin[step-1]
	// Σ over fy, which is even in the row's displacement for cosines and odd for sines.
	for d := range half + 1 {
		for x := range powerSide {
			a, b := p[0][x*powerSide:][:powerSide], p[1][x*powerSide:][:powerSide]
			c, s := 0.0, 0.0
			for f, u := range cos[d] {
				c += (a[f] + b[f]) * u
				s += (a[f] - b[f]) * sin[d][f]
			}
			l.c[d*powerSide+x], l.s[d*powerSide+x] = c, s
		}
	}
	for y := range half + 1 {
		c, s := l.c[y*powerSide:][:powerSide], l.s[y*powerSide:][:powerSide]
		for x := range half + 1 {
			even, odd := 0.0, 0.0
			for f, u := range cos[x] {
				even += c[f] * u
				odd += s[f] * sin[x][f]
			}
			for _, at := range [4][3]int{{y, x, -1}, {-y, -x, -1}, {y, -x, 1}, {-y, x, 1}} {
				if at[0] < half && at[1] < half {
					l.plane[(at[0]+half)*side+at[1]+half] = even + float64(at[2])*odd
				}
			}
		}
	}
	sum, sq := 0.0, 0.0
	for _, v := range l.plane {
		sum += v
		sq += v * v
	}
	mean := sum / (side * side)
	scale := 1 / (math.Sqrt(max(0, sq/(side*side)-mean*mean)) + 1e-12)
	for i, v := range l.plane {
		views[i*nets.KernelViews+view] = float32((v - mean) * scale)
	}
}
