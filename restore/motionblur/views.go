package motionblur

import (
	"math"

	"github.com/vfmrestore/restore/netdef/nets"
)

// The kernel network sees maps over displacements of −32 … 31 pixels along each axis. Half of them
// show the library's posterior. The others show the picture's own spectrum, because the library is
// finite and knows only what is coarse:
//
//   - the mean blur kernel and the mean autocorrelation under the posterior, and under the posterior
//     sharpened to the most likely blur kernels;
//   - the picture's autocorrelation, whitened by the spectrum of photographs: in the mean that of
//     the blur kernel. It is there twice, at every displacement and at every second one;
//   - the cepstrum, the transform of log |Y|²: in it, picture and blur kernel are added, and the dark
//     lines that a blur kernel leaves in the spectrum become its shape. It is there twice too.
const (
	viewMean = iota // times viewMeanScale; the network's first map is added to it
	viewSharpMean
	viewAuto
	viewSharpAuto
	viewWhite
	viewCepstrumWide
	viewCepstrum
	viewWhiteWide
)

const (
	mapSide = nets.KernelSide
	mapHalf = mapSide / 2
	sharpen = 4 // exponent that sharpens the posterior
	// Frequencies are weighted by a Gaussian of this width in cycles per pixel. Maps at every
	// second displacement have a narrower one. Whitened maps leave out frequencies below lowCut,
	// where few large shapes decide.
	passWidth, passNarrow, lowCut = 0.25, 0.12, 0.012
	// viewMeanScale times the mean blur kernel is the view viewMean.
	viewMeanScale = 40
)

// viewBuilder makes views. What depends only on frequencies is computed once. Spectra are laid out
// as in Backend.PowerSpectrum.
type viewBuilder struct {
	prior    []float64      // Spectrum
	pass     []float64      // weights of frequencies
	narrow   []float64      // factor of the weights for maps at every second displacement
	cut      []float64      // factor of the weights for whitened maps
	white    [2][]float64   // the whitened spectrum
	cepstrum [2][]float64   // the spectrum's logarithm
	cos, sin [2][][]float64 // at displacements ≥ 0 times 1 and times 2: [displacement][frequency]
	plane    []float64      // a map
	mean     []float64      // of the sharpened posterior
	auto     []float64      // of the sharpened posterior
	c, s     []float64      // transforms along rows: [displacement][frequency]
}

func newViewBuilder() viewBuilder {
	n := PowerSide * PowerSide
	v := viewBuilder{
		prior: make([]float64, n), pass: make([]float64, n), narrow: make([]float64, n), cut: make([]float64, n),
		plane: make([]float64, mapSide*mapSide),
		mean:  make([]float64, KernelSide*KernelSide), auto: make([]float64, AutoSide*AutoSide),
		c: make([]float64, (mapHalf+1)*PowerSide), s: make([]float64, (mapHalf+1)*PowerSide),
	}
	for i := range 2 {
		v.white[i], v.cepstrum[i] = make([]float64, n), make([]float64, n)
		v.cos[i], v.sin[i] = make([][]float64, mapHalf+1), make([][]float64, mapHalf+1)
		for d := range mapHalf + 1 {
			v.cos[i][d], v.sin[i][d] = make([]float64, PowerSide), make([]float64, PowerSide)
			for f := range PowerSide {
				v.sin[i][d][f], v.cos[i][d][f] = math.Sincos(windowAngle(d*(i+1), f))
			}
		}
	}
	for i := range n {
		fx, fy := float64(i/PowerSide)/WindowSide, float64(i%PowerSide)/WindowSide
		f := fx*fx + fy*fy
		v.prior[i] = Spectrum(fx, fy)
		v.pass[i] = math.Exp(-f / square(passWidth))
		v.narrow[i] = math.Exp(-f / square(passNarrow))
		v.cut[i] = f / (f + square(lowCut))
	}
	v.pass[0] = 0
	return v
}

// makeViews fills dst, [64][64][8], from the posterior and the picture's power spectrum.
func (e *Estimator) makeViews(dst []float32) {
	v := &e.views
	e.sharpen()
	setSquare(dst, viewMean, e.posterior.Mean, KernelSide/2, viewMeanScale)
	setSquare(dst, viewSharpMean, v.mean, KernelSide/2, 20)
	setSquare(dst, viewAuto, e.posterior.Auto, autoReach, 40)
	setSquare(dst, viewSharpAuto, v.auto, autoReach, 20)
	v.setSpectra(&e.periodogram.smooth, e.variance)
	v.transform(dst, viewWhite, &v.white, 1)
	v.transform(dst, viewWhiteWide, &v.white, 2)
	v.transform(dst, viewCepstrum, &v.cepstrum, 1)
	for s := range 2 {
		for i, w := range v.narrow {
			v.cepstrum[s][i] *= w
		}
	}
	v.transform(dst, viewCepstrumWide, &v.cepstrum, 2)
}

// sharpen sets mean and auto to the moments of the sharpened posterior.
func (e *Estimator) sharpen() {
	v := &e.views
	clear(v.mean)
	clear(v.auto)
	sum, n := 0.0, 0
	for n < len(e.ranking) && math.Pow(e.ranking[n].weight, sharpen) > leastWeight {
		sum += math.Pow(e.ranking[n].weight, sharpen)
		n++
	}
	for _, c := range e.ranking[:n] {
		w := math.Pow(c.weight, sharpen) / sum
		e.lib.kernels[c.index].addEven(v.mean, w)
		e.lib.kernels[c.index].addAuto(v.auto, w)
	}
}

// setSpectra sets white and cepstrum from the picture's smoothed power spectrum and the variance of
// its noise.
func (v *viewBuilder) setSpectra(smooth *[2][]float64, variance float64) {
	sum, weight := 0.0, 0.0
	for s := range 2 {
		for x := range PowerSide {
			for y := range PowerSide {
				i := x*PowerSide + y
				v.white[s][i], v.cepstrum[s][i] = 0, 0
				// A frequency and its negative count once, and nothing is known at 0.
				if s == 1 && (x == 0 || y == 0) || i == 0 {
					continue
				}
				p := smooth[s][i]
				v.white[s][i] = v.pass[i] * v.cut[i] * (p - variance) / (v.prior[i] + 4*variance)
				v.cepstrum[s][i] = math.Log((p + 0.5*variance) / (0.1*v.prior[i] + 1.5*variance))
				sum += v.pass[i] * v.cepstrum[s][i]
				weight += v.pass[i]
			}
		}
	}
	mean := sum / weight // it is subtracted, or displacement 0 would outshine the others
	for s := range 2 {
		for i := range v.cepstrum[s] {
			if s == 1 && (i < PowerSide || i%PowerSide == 0) {
				continue
			}
			v.cepstrum[s][i] = v.pass[i] * (v.cepstrum[s][i] - mean)
		}
	}
}

// setSquare sets a view to the middle of a square of (2·reach+1)² values, times scale.
func setSquare(dst []float32, view int, values []float64, reach int, scale float64) {
	for y := -mapHalf; y < mapHalf; y++ {
		for x := -mapHalf; x < mapHalf; x++ {
			w := 0.0
			if max(y, -y) <= reach && max(x, -x) <= reach {
				w = scale * values[(y+reach)*(2*reach+1)+x+reach]
			}
			dst[((y+mapHalf)*mapSide+x+mapHalf)*nets.KernelViews+view] = float32(w)
		}
	}
}

// transform sets a view to the transform of a spectrum P at displacements d of step pixels,
// Σ P(f)·cos(f·d), scaled to mean 0 and standard deviation 1.
func (v *viewBuilder) transform(dst []float32, view int, p *[2][]float64, step int) {
	cos, sin := v.cos[step-1], v.sin[step-1]
	// The sum over fy is even in the row's displacement for cosines and odd for sines.
	for d := range mapHalf + 1 {
		for x := range PowerSide {
			a, b := p[0][x*PowerSide:][:PowerSide], p[1][x*PowerSide:][:PowerSide]
			c, s := 0.0, 0.0
			for f, u := range cos[d] {
				c += (a[f] + b[f]) * u
				s += (a[f] - b[f]) * sin[d][f]
			}
			v.c[d*PowerSide+x], v.s[d*PowerSide+x] = c, s
		}
	}
	for y := range mapHalf + 1 {
		c, s := v.c[y*PowerSide:][:PowerSide], v.s[y*PowerSide:][:PowerSide]
		for x := range mapHalf + 1 {
			even, odd := 0.0, 0.0
			for f, u := range cos[x] {
				even += c[f] * u
				odd += s[f] * sin[x][f]
			}
			for _, at := range [4][3]int{{y, x, -1}, {-y, -x, -1}, {y, -x, 1}, {-y, x, 1}} {
				if at[0] < mapHalf && at[1] < mapHalf {
					v.plane[(at[0]+mapHalf)*mapSide+at[1]+mapHalf] = even + float64(at[2])*odd
				}
			}
		}
	}
	sum, squares := 0.0, 0.0
	for _, u := range v.plane {
		sum += u
		squares += u * u
	}
	mean := sum / (mapSide * mapSide)
	scale := 1 / (math.Sqrt(max(0, squares/(mapSide*mapSide)-mean*mean)) + 1e-12)
	for i, u := range v.plane {
		dst[i*nets.KernelViews+view] = float32((u - mean) * scale)
	}
}
