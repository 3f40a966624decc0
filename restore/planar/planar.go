// Package planar has the picture type of the numerical packages of restore: three float32 planes in
// [-1, 1].
//
// Package picture handles files: orientation, profiles, alpha, 16 bits.
package planar

import (
	"fmt"
	"image"
	"math"
)

// Image is a picture of three planes (red, green, blue), one after the other, each with H rows of W
// values. Values are nominally in [-1, 1]: -1 is 8-bit 0, +1 is 8-bit 255. Noisy observations may
// leave that range; only Clamp limits them.
type Image struct {
	W, H int
	Pix  []float32 // length 3*W*H; value of channel c at column x of row y: Pix[(c*H+y)*W+x]
}

// SizeError says that the sides of a picture do not fit its number of values.
type SizeError struct {
	W, H, Len int // Len is the number of values present
}

func (e *SizeError) Error() string {
	if e.W < 1 || e.H < 1 {
		return fmt.Sprintf("picture of %d×%d pixels: width and height must be at least 1", e.W, e.H)
	}
	return fmt.Sprintf("picture of %d×%d pixels holds %d values; three planes need %d", e.W, e.H,
		e.Len, 3*e.W*e.H)
}

// New returns a picture of w×h pixels with all values 0 (middle grey). It panics if w or h is below
// 1.
func New(w, h int) *Image {
	if w < 1 || h < 1 {
		panic(&SizeError{W: w, H: h})
	}
	return &Image{W: w, H: h, Pix: make([]float32, 3*w*h)}
}

// Check returns a *SizeError if len(Pix) is not 3·W·H or a side is below 1.
func (m *Image) Check() error {
	if m.W < 1 || m.H < 1 || len(m.Pix) != 3*m.W*m.H {
		return &SizeError{W: m.W, H: m.H, Len: len(m.Pix)}
	}
	return nil
}

// Plane returns channel c (0 red, 1 green, 2 blue) as H rows of W values; it shares memory with m.
func (m *Image) Plane(c int) []float32 {
	n := m.W * m.H
	return m.Pix[c*n : (c+1)*n : (c+1)*n]
}

// At returns the value of channel c at column x of row y.
func (m *Image) At(c, x, y int) float32 { return m.Pix[(c*m.H+y)*m.W+x] }

// Set writes the value of channel c at column x of row y.
func (m *Image) Set(c, x, y int, v float32) { m.Pix[(c*m.H+y)*m.W+x] = v }

// Clone returns a copy that shares nothing with m.
func (m *Image) Clone() *Image {
	return &Image{W: m.W, H: m.H, Pix: append([]float32(nil), m.Pix...)}
}

// Clamp limits every value to [-1, 1] in place, NaN to 0, and returns m.
func (m *Image) Clamp() *Image {
	for i, v := range m.Pix {
		switch {
		case v > 1:
			m.Pix[i] = 1
		case v < -1:
			m.Pix[i] = -1
		case v != v:
			m.Pix[i] = 0
		}
	}
	return m
}

// Crop returns a copy of the rectangle r. It fails if r is empty or not inside the picture.
func (m *Image) Crop(r image.Rectangle) (*Image, error) {
	if r.Empty() || !r.In(image.Rect(0, 0, m.W, m.H)) {
		return nil, fmt.Errorf("crop %v is not inside a picture of %d×%d pixels", r, m.W, m.H)
	}
	out := New(r.Dx(), r.Dy())
	for c := 0; c < 3; c++ {
		src, dst := m.Plane(c), out.Plane(c)
		for y := 0; y < out.H; y++ {
			from := (r.Min.Y+y)*m.W + r.Min.X
			copy(dst[y*out.W:(y+1)*out.W], src[from:from+out.W])
		}
	}
	return out, nil
}

// FromNRGBA converts an 8-bit picture: 0 → -1, 255 → 1. Alpha is ignored. It panics on an empty
// picture.
func FromNRGBA(p *image.NRGBA) *Image {
	b := p.Bounds()
	m := New(b.Dx(), b.Dy())
	for y := 0; y < m.H; y++ {
		row := p.Pix[p.PixOffset(b.Min.X, b.Min.Y+y):]
		for x := 0; x < m.W; x++ {
			for c := 0; c < 3; c++ {
				m.Set(c, x, y, float32(row[4*x+c])/127.5-1)
			}
		}
	}
	return m
}

// ToNRGBA converts to an opaque 8-bit picture. It clamps values and rounds them to the nearest
// level. NaN becomes middle grey.
func (m *Image) ToNRGBA() *image.NRGBA {
	p := image.NewNRGBA(image.Rect(0, 0, m.W, m.H))
	for y := 0; y < m.H; y++ {
		row := p.Pix[p.PixOffset(0, y):]
		for x := 0; x < m.W; x++ {
			for c := 0; c < 3; c++ {
				row[4*x+c] = To8(m.At(c, x, y))
			}
			row[4*x+3] = 255
		}
	}
	return p
}

// To8 returns the 8-bit level (0 to 255) nearest to a value in [-1, 1]. Values outside are clamped.
// NaN gives 128.
func To8(v float32) uint8 {
	f := math.Round((float64(v) + 1) * 127.5)
	switch {
	case f != f:
		return 128
	case f < 0:
		return 0
	case f > 255:
		return 255
	}
	return uint8(f)
}

// Mirror maps any position to 0 … n−1 (n ≥ 1) by reflection at the first and the last, which are
// not repeated (… c b | a b c …). Pictures continue like this beyond their edges.
func Mirror(i, n int) int {
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	i %= period
	if i < 0 {
		i += period
	}
	return min(i, period-i)
}
