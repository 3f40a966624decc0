package jpegbound

import "math"

// Grid describes the luminance blocks of a JPEG file.
type Grid struct {
	X, Y  int     // column and row of the first whole block, 0 to 7
	Steps [64]int // quantisation steps Q, at 8·row + column of frequency, in levels of 255
}

// Bound moves coefficients of luminance towards their cells. It is safe for concurrent use.
type Bound struct {
	grid  Grid
	whole curves
	// For blocks with values clipped at black or white, whose coefficients differ from the file's.
	clipped curves
}

// curves holds the curves of all coefficients. With nil a coefficient stays unchanged.
type curves struct {
	mean   [64]*curve // for E[x]
	sample [64]*curve // for samples
}

// Errors models the error of coefficients of the denoising network's result. In row v and column u,
// with step Q, its standard deviation is Scale·Q^Power·(1+u+v)^Fall, in levels of 255.
type Errors struct{ Scale, Power, Fall float64 }

// Errors of the embedded networks, measured on training photographs: for the network for noise by
// least squares over files of quality 10 to 40, for the network for JPEG by internal/tools/jpegeval
// -fit. The latter stays within the cells of coarse steps by itself.
var (
	NoiseNetwork = Errors{Scale: 5.58, Power: 0.38, Fall: -0.68}
	JPEGNetwork  = Errors{Scale: 4.57, Power: -0.02, Fall: 0.12}
)

// Std gives the standard deviation for a coefficient. place is 8·row + column, step its Q.
func (e Errors) Std(place, step int) float64 {
	return e.Scale * math.Pow(float64(step), e.Power) * math.Pow(float64(1+place/side+place%side),
		e.Fall)
}

// minStep is the smallest step whose cells are used. For smaller steps k cannot be recovered from
// pixels that were converted to RGB and rounded to 8 bits.
const minStep = 4

// New makes the Bound of a file for a network with errors e. noise is the standard deviation, in
// levels of 255, of the noise before compression (see Noise). With +Inf nothing is changed.
func New(g Grid, e Errors, noise float64) *Bound {
	b := &Bound{grid: g}
	for i, q := range g.Steps {
		if q < minStep || math.IsInf(noise, 1) {
			continue
		}
		step := float64(q)
		for c, sd := range map[*curves]float64{&b.whole: noise,
			&b.clipped: math.Hypot(noise, clipNoise)} {
			c.mean[i] = newCurve(e.Std(i, q)/step, sd/step)
			c.sample[i] = newClip(2 * sd / step)
		}
	}
	return b
}

// clipNoise is the assumed standard deviation, in levels of 255, of a coefficient's change by
// clipping.
const clipNoise = 2

// Grid gives the grid that the Bound was made for.
func (b *Bound) Grid() Grid { return b.grid }

// Strip moves the luminance of a strip of 8 rows towards its cells. The strip must begin at a row
// of blocks. given is the decoded picture and result its restoration: planes R, G and B with w
// values in [−1, 1] per row. The three planes of result get the same change. Blocks whose
// coefficients are not near multiples of their steps are not from the file and stay unchanged. An
// exception are blocks with clipped values: their cells are centred at the coefficients. If sample
// is true, result is one of several samples, and is only brought into the cells.
func (b *Bound) Strip(given, result [3][]float32, w int, sample bool) {
	var y, x block
	for x0 := b.grid.X; x0+side <= w; x0 += side {
		y.load(given, w, x0)
		y.transform()
		curves, clipped := &b.whole, false
		if !b.onGrid(&y) {
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
		change.inverse()
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

// clips tells whether a block has a value at black or at white.
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

// onGrid tells whether the coefficients of a block are multiples of their steps, up to rounding.
func (b *Bound) onGrid(y *block) bool {
	for i, q := range b.grid.Steps {
		if q < minStep {
			continue
		}
		if off := y[i] - float32(q)*round(y[i]/float32(q)); off > maxRounding ||
			off < -maxRounding {
			return false
		}
	}
	return true
}

// maxRounding is the largest distance, in levels of 255, of a coefficient from a multiple of its
// step. Rounding 64 values to R, G and B of 8 bits gives a standard deviation of 0.35, and the
// transforms of decoders differ by a little more.
const maxRounding = 1.5

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
