// Package raw develops Bayer mosaics of sensors: mosaics in memory, packed in the formats of
// cameras, and those in DNG files.
//
// A Mosaic is developed by the camera model of package camera, with which the denoising network was
// trained: black and white level, white balance, demosaicing along edges, colour matrix, tone
// curve. If the sensor's gain and read noise are known, Mosaic.Profile gives the noise of the
// developed picture for the network.
package raw

import (
	"fmt"
	"math"
)

// Pattern is the arrangement of colours in a Bayer mosaic: the first two pixels of the first row,
// then those of the second.
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

// phase gives PhaseX and PhaseY of package camera, whose pattern is RGGB.
func (p Pattern) phase() (px, py int) { return int(p) & 1, int(p) >> 1 }

// colour is the colour that a pixel measures: 0 red, 1 green, 2 blue.
func (p Pattern) colour(x, y int) int {
	px, py := p.phase()
	return (x+px)&1 + (y+py)&1
}

// shifted is the pattern of a crop that begins at (x, y).
func (p Pattern) shifted(x, y int) Pattern { return p ^ Pattern(x&1|y&1<<1) }

// Mosaic holds the linear levels of a sensor under a Bayer pattern.
type Mosaic struct {
	W, H    int      // at least 2 each
	Pix     []uint16 // H rows of W levels
	Pattern Pattern
	// Black holds the levels without light: of even and odd columns in even rows, then in odd rows.
	// White is the level of a saturated pixel; higher levels count as White.
	Black [4]float64
	White float64
	// Gains are the factors of white balance for red, green and blue, which give white equal
	// values. Only their ratios matter. All 0 means none.
	Gains [3]float64
	// Matrix takes colours after white balance to linear sRGB, in rows. Each row should have the
	// sum 1. All 0 means none.
	Matrix [9]float64
	// Exposure multiplies the light after highlights are clipped; 0 means 1.
	Exposure float64
	// Noise is the noise of the sensor, or nil if it is not known.
	Noise *Noise
}

// Noise is the noise of a sensor for red, green and blue. With levels scaled to 0 (black) to 1
// (white), a value v has the variance Shot·v + Read.
type Noise struct{ Shot, Read [3]float64 }

// NewNoise gives the noise of a sensor from its gain, in levels per electron, and its read noise,
// the standard deviation of black in levels. black and white are the levels of the mosaic.
func NewNoise(gain, read, black, white float64) Noise {
	var n Noise
	span := white - black
	for c := range 3 {
		n.Shot[c], n.Read[c] = gain/span, read*read/(span*span)
	}
	return n
}

// valid tells whether all numbers are in range.
func (n *Noise) valid() bool {
	for c := range 3 {
		if !(n.Shot[c] >= 0 && n.Shot[c] <= 1e3) || !(n.Read[c] >= 0 && n.Read[c] <= 1e3) {
			return false
		}
	}
	return true
}

// Error says why a mosaic or a raw file cannot be developed.
type Error struct {
	What        string
	Unsupported bool // the file is of a kind that this package does not develop, and may be sound
}

func (e *Error) Error() string { return e.What }

func wrong(format string, args ...any) error {
	return &Error{What: fmt.Sprintf(format, args...)}
}

func unsupported(format string, args ...any) error {
	return &Error{What: fmt.Sprintf(format, args...), Unsupported: true}
}

// Check tells whether the fields fit together; the error is an [*Error].
func (m *Mosaic) Check() error {
	switch {
	case m.W < 2 || m.H < 2 || m.W > 1<<20 || m.H > 1<<20:
		return wrong("a mosaic of %d×%d pixels; sides are 2 to %d", m.W, m.H, 1<<20)
	case len(m.Pix) != m.W*m.H:
		return wrong("a mosaic of %d×%d pixels needs %d levels, not %d", m.W, m.H, m.W*m.H,
			len(m.Pix))
	}
	return m.checkLevels()
}

// checkLevels is Check without sides and pixels.
func (m *Mosaic) checkLevels() error {
	if m.Pattern > BGGR {
		return wrong("unknown pattern %v", m.Pattern)
	}
	for _, b := range m.Black {
		if !(b >= 0 && m.White-b >= 1 && m.White <= 1<<16) {
			return wrong("black level %g and white level %g; black must be 0 or more, and white "+
				"at least 1 above it and at most 65536", b, m.White)
		}
	}
	for _, g := range m.Gains {
		if m.Gains != [3]float64{} && !(g >= 1e-3 && g <= 1e3) {
			return wrong("gains of white balance of %v; they must be from 0.001 to 1000", m.Gains)
		}
	}
	for _, v := range m.Matrix {
		if !(math.Abs(v) <= 100) {
			return wrong("a colour matrix with the value %g; values must be from -100 to 100", v)
		}
	}
	switch {
	case !(m.Exposure >= 0 && m.Exposure <= 256):
		return wrong("an exposure of %g; it must be from 0 to 256", m.Exposure)
	case m.Noise != nil && !m.Noise.valid():
		return wrong("noise of %v; its values must be from 0 to 1000", *m.Noise)
	}
	return nil
}
