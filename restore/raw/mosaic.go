// Package raw develops what a sensor under a Bayer pattern saw: mosaics in memory, packed as
// cameras pack them, and those of DNG files.
//
// A Mosaic is developed by the camera model of package camera (black and white level, white
// balance, demosaicing along edges, colour matrix, tone curve), by which the denoising network was
// trained. Where the sensor's gain and read noise are known, Mosaic.Profile tells the network what
// noise there is in the developed picture.
package raw

import (
	"fmt"
	"math"
)

// Pattern is the arrangement of a Bayer mosaic's colours: those of the first two pixels of the
// first row, then of the second.
type Pattern uint8

const (
	RGGB Pattern = iota
	GRBG
	GBRG
	BGGR
)

func (p Pattern) String() string {
	if p > BGGR {
		return fmt.Sprintf("Pattern(%d)", uint8(p))
	}
	return [...]string{"RGGB", "GRBG", "GBRG", "BGGR"}[p]
}

// phase is where the mosaic lies on that of package camera, whose first pixel is red.
func (p Pattern) phase() (px, py int) { return int(p) & 1, int(p) >> 1 }

// colour is that of a pixel: 0 red, 1 green, 2 blue.
func (p Pattern) colour(x, y int) int {
	px, py := p.phase()
	return (x+px)&1 + (y+py)&1
}

// shifted is the pattern of a part that begins at (x, y).
func (p Pattern) shifted(x, y int) Pattern { return p ^ Pattern(x&1|y&1<<1) }

// Mosaic is what a sensor under a Bayer pattern saw, in its own linear levels.
type Mosaic struct {
	W, H    int      // at least 2 each
	Pix     []uint16 // H rows of W levels
	Pattern Pattern
	// Black holds the levels that no light gives, of pixels at even and odd columns of even rows,
	// then of odd rows. White is the level of a full pixel; more counts as that.
	Black [4]float64
	White float64
	// Gains are those of white balance, of red, green and blue: what makes white have equal values.
	// Only their ratios count. All 0: none.
	Gains [3]float64
	// Matrix takes colours after white balance to linear sRGB, row by row; its rows should have the
	// sum 1. All 0: none.
	Matrix [9]float64
	// Exposure multiplies the light after highlights are clipped; 0 means 1.
	Exposure float64
	// Noise is that of the sensor; nil if it is not known.
	Noise *Noise
}

// Noise is the noise of a sensor whose levels are scaled to 0 (black) to 1 (white): a value v has
// the variance Shot·v + Read, for red, green and blue.
type Noise struct{ Shot, Read [3]float64 }

// NoiseOf is the noise of a sensor by its gain, in levels per electron, and its read noise, the
// standard deviation of black in levels. black and white are the levels of the mosaic.
func NoiseOf(gain, read, black, white float64) Noise {
	var n Noise
	span := white - black
	for c := range 3 {
		n.Shot[c], n.Read[c] = gain/span, read*read/(span*span)
	}
	return n
}

// valid tells whether all numbers can be variances.
func (n *Noise) valid() bool {
	for c := range 3 {
		if !(n.Shot[c] >= 0 && n.Shot[c] <= 1e3) || !(n.Read[c] >= 0 && n.Read[c] <= 1e3) {
			return false
		}
	}
	return true
}

// Error says why a mosaic or a raw file cannot be developed.
type Error struct{ What string }

func (e *Error) Error() string { return e.What }

func wrong(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// Check tells whether the fields fit together; the error is an [*Error].
func (m *Mosaic) Check() error {
	switch {
	case m.W < 2 || m.H < 2 || m.W > 1<<20 || m.H > 1<<20:
		return wrong("a mosaic of %d×%d pixels; sides are 2 to %d", m.W, m.H, 1<<20)
	case len(m.Pix) != m.W*m.H:
		return wrong("a mosaic of %d×%d pixels needs %d levels, not %d", m.W, m.H, m.W*m.H, len(m.Pix))
	}
	return m.checkLevels()
}

// checkLevels is the part of Check that is not about the pixels.
func (m *Mosaic) checkLevels() error {
	if m.Pattern > BGGR {
		return wrong("there is no mosaic of %v", m.Pattern)
	}
	for _, b := range m.Black {
		if !(b >= 0 && m.White-b >= 1 && m.White <= 1<<16) {
			return wrong("levels from %g for black to %g for white; black is 0 or more, and white at least 1 above it and at most 65536", b, m.White)
		}
	}
	for _, g := range m.Gains {
		if m.Gains != [3]float64{} && !(g >= 1e-3 && g <= 1e3) {
			return wrong("gains of white balance of %v; they are from 0.001 to 1000", m.Gains)
		}
	}
	for _, v := range m.Matrix {
		if !(math.Abs(v) <= 100) {
			return wrong("a colour matrix with the value %g; they are from -100 to 100", v)
		}
	}
	switch {
	case !(m.Exposure >= 0 && m.Exposure <= 256):
		return wrong("an exposure of %g; it is from 0 to 256", m.Exposure)
	case m.Noise != nil && !m.Noise.valid():
		return wrong("noise of %v; its numbers are from 0 to 1000", *m.Noise)
	}
	return nil
}
