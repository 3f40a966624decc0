package motionblur

import (
	"math"
	"math/cmplx"
)

// blurKernel is the list of a blur kernel's weights above 0, row by row in a square of KernelSide.
type blurKernel []weight

type weight struct {
	at int32
	w  float32
}

// addEven adds factor times the mean of the blur kernel and its half-turn to sum.
func (k blurKernel) addEven(sum []float64, factor float64) {
	last := len(sum) - 1
	for _, t := range k {
		v := factor / 2 * float64(t.w)
		sum[t.at] += v
		sum[last-int(t.at)] += v
	}
}

// addAuto adds factor times the autocorrelation of the blur kernel to sum.
func (k blurKernel) addAuto(sum []float64, factor float64) {
	const middle = autoReach*AutoSide + autoReach
	for _, a := range k {
		w := factor * float64(a.w)
		from := middle + int(a.at)/KernelSide*AutoSide + int(a.at)%KernelSide
		for _, b := range k {
			sum[from-int(b.at)/KernelSide*AutoSide-int(b.at)%KernelSide] += w * float64(b.w)
		}
	}
}

// bands is the number of frequencies ≥ 0 of the bins along an axis.
const bands = scoreGrid/4 + 1

// spectrometer computes |K|² at the bins: transforms along rows first, then along columns.
type spectrometer struct {
	rows [KernelSide][bands]complex128
}

// unit is e^(−2πi·k/scoreGrid).
var unit = func() (u [scoreGrid]complex128) {
	for k := range u {
		u[k] = cmplx.Rect(1, -2*math.Pi*float64(k)/scoreGrid)
	}
	return u
}()

func (s *spectrometer) powers(dst []float32, bins []bin, k blurKernel) {
	s.rows = [KernelSide][bands]complex128{}
	var used [KernelSide]bool
	for _, t := range k {
		y, x := int(t.at)/KernelSide, int(t.at)%KernelSide
		used[y] = true
		w := complex(float64(t.w), 0)
		for f := range s.rows[y] {
			s.rows[y][f] += w * unit[f*x%scoreGrid]
		}
	}
	// Σ_y R_y·e^(−iφy) for φ and −φ at once, from sums with cosines and with sines.
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
