package jpegbound

import "math"

// Grid is how a file keeps luminance.
type Grid struct {
	X, Y  int     // pixels before the first whole block, 0 to 7
	Steps [64]int // Q of the coefficients, by row and column of frequency, in levels of 255
}

// Bound moves coefficients of luminance towards their cells.
type Bound struct {
	grid  Grid
	whole curves
	// For blocks in which something was clipped at black or white, so that their coefficients are not
	// the file's any more.
	clipped curves
}

// curves are those of all coefficients; nil: the coefficient stays.
type curves struct {
	mean   [64]*curve // of E[x]
	sample [64]*curve // of samples
}

// Errors says how far coefficients of the denoising network's result are from the truth: the
// standard deviation of row v and column u, with a step of Q, is Scale·Q^Power·(1+u+v)^Fall, in
// levels of 255.
type Errors struct{ Scale, Power, Fall float64 }

// Errors of the embedded networks, found on training photographs: by least squares over files of
// quality 10 to 40 for the one for noise, and by internal/tools/jpegeval -fit for the one for JPEG,
// which keeps to the cells of coarse steps by itself.
var (
	NoiseNetwork = Errors{Scale: 5.58, Power: 0.38, Fall: -0.68}
	JPEGNetwork  = Errors{Scale: 4.57, Power: -0.02, Fall: 0.12}
)

// Of gives the standard deviation for the coefficient at a place, by row and column.
func (e Errors) Of(place, step int) float64 {
	return e.Scale * math.Pow(float64(step), e.Power) * math.Pow(float64(1+place/side+place%side), e.Fall)
}

// fineSteps is the step below which a cell tells nothing: values that were rounded to 8 bits and
// turned to RGB do not give k any more.
const fineSteps = 4

// New makes the Bound of a file for results with such errors. noise is the standard deviation of
// noise that the picture had before it was compressed, in levels of 255 (see Noise); with +Inf
// nothing is bounded.
func New(g Grid, e Errors, noise float64) *Bound {
	b := &Bound{grid: g}
	for i, q := range g.Steps {
		if q < fineSteps || math.IsInf(noise, 1) {
			continue
		}
		step := float64(q)
		for c, sd := range map[*curves]float64{&b.whole: noise, &b.clipped: math.Hypot(noise, clipNoise)} {
			c.mean[i] = newCurve(e.Of(i, q)/step, sd/step)
			c.sample[i] = newClip(2 * sd / step)
		}
	}
	return b
}

// clipNoise is the standard deviation, in levels of 255, that clipping is taken to change a
// coefficient by.
const clipNoise = 2

// Grid is what the Bound was made of.
func (b *Bound) Grid() Grid { return b.grid }

// Strip moves the luminance of a strip of 8 rows, which begins where blocks begin, towards its
// cells. given is the picture of the file and result its restoration, planes of R, G and B with w
// values in [−1, 1] to a row. The three planes of result get the same change. Blocks whose
// coefficients are not near multiples of their steps are not the file's, and left alone; but where
// something was clipped, cells are taken to lie around the coefficients as they are. With sample the
// result is one draw of several, and is only brought into the cells.
func (b *Bound) Strip(given, result [3][]float32, w int, sample bool) {
	var y, x block
	for x0 := b.grid.X; x0+side <= w; x0 += side {
		y.load(given, w, x0)
		y.transform()
		curves, clipped := &b.whole, false
		if !b.multiples(&y) {
			if clipped = clips(given, w, x0); !clipped {
				continue
			}
			curves = &b.clipped
		}
		table := &curves.mean
		if sample {
			table = &curves.sample
		}
		x.load(result, w, x0)
		x.transform()
		var change block
		some := false
		for i, c := range table {
			if c == nil {
				continue
			}
			q := float32(b.grid.Steps[i])
			k := y[i] / q
			if !clipped {
				k = round(k)
			}
			place := x[i]/q - k
			if d := c.at(place) - place; d != 0 {
				change[i], some = d*q, true
			}
		}
		if !some {
			continue
		}
		change.back()
		for v := range side {
			for p := range result {
				row := result[p][v*w+x0:][:side]
				for u := range row {
					row[u] += change[v*side+u] / 127.5
				}
			}
		}
	}
}

// clips tells whether a block has a value at black or white.
func clips(p [3][]float32, w, x0 int) bool {
	for c := range p {
		for v := range side {
			for _, x := range p[c][v*w+x0:][:side] {
				if x <= -1 || x >= 1 {
					return true
				}
			}
		}
	}
	return false
}

// multiples tells whether the coefficients of a block are multiples of their steps, but for rounding.
func (b *Bound) multiples(y *block) bool {
	for i, q := range b.grid.Steps {
		if q < fineSteps {
			continue
		}
		if off := y[i] - float32(q)*round(y[i]/float32(q)); off > mostRounding || off < -mostRounding {
			return false
		}
	}
	return true
}

// mostRounding is how far, in levels of 255, a coefficient may be from a multiple of its step:
// rounding of 64 values of 8 bits to R, G and B gives standard deviations of 0.35, and the
// transforms of decoders differ by a little more.
const mostRounding = 1.5

// load reads the luminance of a block (ITU-T T.871) from three planes.
func (b *block) load(p [3][]float32, w, x0 int) {
	for v := range side {
		at := v*w + x0
		r, g, bl := p[0][at:at+side], p[1][at:at+side], p[2][at:at+side]
		for u := range side {
			b[v*side+u] = 127.5*(0.299*r[u]+0.587*g[u]+0.114*bl[u]) - 0.5
		}
	}
}

func round(v float32) float32 { return float32(math.RoundToEven(float64(v))) }
