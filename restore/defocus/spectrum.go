package defocus

import (
	"math"
	"math/cmplx"
	"slices"
)

// window is the side of the squares that are transformed, in pixels. It is a power of two.
const window = 128

const (
	singleRings = 24 // rings of the spectrum that are one feature each
	ringGroup   = 3  // further rings that are one feature together
	rings       = window/2 - 1
	spectral    = singleRings + (rings-singleRings)/ringGroup
)

// floorPower is the power of a quarter of an 8-bit step. Differences far below it do not matter.
const floorPower = (0.25 / 255) * (0.25 / 255)

// Tables of the transform and of the Hann window.
var (
	hann     [window]float64
	hannSum  float64 // sum of squares of the two-dimensional window
	twiddle  [window / 2]complex128
	reversed [window]int
	ringAt   [window * window]uint8 // ring of each frequency; 0: none
)

func init() {
	bits := 0
	for 1<<bits < window {
		bits++
	}
	sum := 0.0
	for i := range window {
		hann[i] = 0.5 - 0.5*math.Cos(2*math.Pi*(float64(i)+0.5)/window)
		sum += hann[i] * hann[i]
		for b := range bits {
			reversed[i] |= (i >> b & 1) << (bits - 1 - b)
		}
	}
	hannSum = sum * sum
	for i := range twiddle {
		twiddle[i] = cmplx.Exp(complex(0, -2*math.Pi*float64(i)/window))
	}
	for y := range window {
		for x := range window {
			u, v := (x+window/2)%window-window/2, (y+window/2)%window-window/2
			if r := int(math.Round(math.Hypot(float64(u), float64(v)))); r <= rings {
				ringAt[y*window+x] = uint8(r)
			}
		}
	}
}

// fft transforms window values in place. They are stride apart.
func fft(v []complex128, stride int) {
	for i, j := range reversed {
		if i < j {
			v[i*stride], v[j*stride] = v[j*stride], v[i*stride]
		}
	}
	for size := 2; size <= window; size *= 2 {
		half, step := size/2, window/size
		for start := 0; start < window; start += size {
			for k := range half {
				a, b := (start+k)*stride, (start+k+half)*stride
				t := v[b] * twiddle[k*step]
				v[a], v[b] = v[a]+t, v[a]-t
			}
		}
	}
}

// spectrum appends the mean logarithms of the power in rings of the spectrum, relative to that of
// the lowest rings, and the latter. It uses the half of the windows with most detail, because skies
// show only noise.
func (p *plane) spectrum(dst []float32) []float32 {
	type place struct {
		x, y   int
		energy float64
	}
	var at []place
	places := func(n int) (s []int) {
		for x := 0; x < n-window; x += window / 2 {
			s = append(s, x)
		}
		return append(s, n-window)
	}
	for _, y := range places(p.h) {
		for _, x := range places(p.w) {
			at = append(at, place{x, y, p.energy(x, y, window)})
		}
	}
	slices.SortStableFunc(at, func(a, b place) int {
		if a.energy > b.energy {
			return -1
		}
		if a.energy < b.energy {
			return 1
		}
		return 0
	})
	at = at[:(len(at)+1)/2]
	var level, count [rings + 1]float64
	z := make([]complex128, window*window)
	for i := 0; i < len(at); i += 2 {
		pair := at[i:min(i+2, len(at))] // two real windows make one complex one
		clear(z)
		for k, a := range pair {
			part := complex(1, 0)
			if k == 1 {
				part = complex(0, 1)
			}
			mean := 0.0
			for y := range window {
				for _, v := range p.pix[(a.y+y)*p.w+a.x:][:window] {
					mean += float64(v) / (window * window)
				}
			}
			for y := range window {
				for x, v := range p.pix[(a.y+y)*p.w+a.x:][:window] {
					z[y*window+x] += part * complex((float64(v)-mean)*hann[x]*hann[y], 0)
				}
			}
		}
		for y := range window {
			fft(z[y*window:], 1)
		}
		for x := range window {
			fft(z[x:], window)
		}
		for j, r := range ringAt {
			if r == 0 {
				continue
			}
			x, y := j%window, j/window
			a, b := z[j], cmplx.Conj(z[(window-y)%window*window+(window-x)%window])
			for k := range pair {
				s := (a + b) / 2
				if k == 1 {
					s = (a - b) / 2
				}
				power := (real(s)*real(s) + imag(s)*imag(s)) / hannSum
				level[r] += math.Log(power + floorPower)
				count[r]++
			}
		}
	}
	for r := 1; r <= rings; r++ {
		level[r] /= count[r]
	}
	low := (level[2] + level[3] + level[4] + level[5]) / 4
	for r := 1; r <= singleRings; r++ {
		dst = append(dst, float32(level[r]-low))
	}
	for r := singleRings + 1; r+ringGroup-1 <= rings; r += ringGroup {
		sum := 0.0
		for i := range ringGroup {
			sum += level[r+i]
		}
		dst = append(dst, float32(sum/ringGroup-low))
	}
	return append(dst, float32(low))
}
