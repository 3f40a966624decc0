package picture

import (
	"image"
	"image/color"
	"io"
)

// Waiter waits until the first `rows` rows of a picture are final. An error means that they will
// never be.
type Waiter func(rows int) error

// EncodesByRow tells whether EncodeRows encodes p row by row in format f. Otherwise it first waits
// for all rows.
func (p *Picture) EncodesByRow(f Format) bool { return f == PNG && p.Levels != nil }

// rowImage presents a picture with Levels to encoders that read every pixel once, from top to
// bottom, as image/png does. (It first asks whether all pixels are opaque, so that is computed in
// advance.) A row is converted when its first pixel is read. So there is no second copy of the
// picture, and rows may be made while the encoder works on those above.
type rowImage struct {
	p      *Picture
	wait   Waiter
	model  color.Model
	opaque bool
	err    error // of wait; pixels are undefined after it
	y      int
	row    []uint16 // four channels per pixel
	pixel  rowPixel
}

// rowPixel is an opaque colour. One is reused for every pixel, because a new one would be
// allocated.
type rowPixel struct{ r, g, b uint32 }

func (c *rowPixel) RGBA() (r, g, b, a uint32) { return c.r, c.g, c.b, 0xffff }

func newRowImage(p *Picture, wait Waiter) *rowImage {
	m := &rowImage{p: p, wait: wait, opaque: true, y: -1, row: make([]uint16, 4*p.W)}
	switch gray := p.Gray && p.Alpha == nil; {
	case gray && p.Depth == 16:
		m.model = color.Gray16Model
	case gray:
		m.model = color.GrayModel
	case p.Depth == 16:
		m.model = color.NRGBA64Model
	default:
		m.model = color.NRGBAModel
	}
	for i := range p.Alpha {
		m.opaque = m.opaque && p.alpha(i, m.most()) == m.most()
	}
	return m
}

func (m *rowImage) most() float64 { return float64(int(1)<<m.p.Depth - 1) }

func (m *rowImage) ColorModel() color.Model { return m.model }
func (m *rowImage) Bounds() image.Rectangle { return image.Rect(0, 0, m.p.W, m.p.H) }
func (m *rowImage) Opaque() bool            { return m.opaque }

func (m *rowImage) At(x, y int) color.Color {
	if y != m.y {
		m.load(y)
	}
	v := m.row[4*x : 4*x+4]
	switch m.model {
	case color.GrayModel:
		return color.Gray{Y: uint8(v[0])}
	case color.Gray16Model:
		return color.Gray16{Y: v[0]}
	case color.NRGBAModel:
		if m.opaque {
			m.pixel = rowPixel{0x101 * uint32(v[0]), 0x101 * uint32(v[1]), 0x101 * uint32(v[2])}
			return &m.pixel
		}
		return color.NRGBA{R: uint8(v[0]), G: uint8(v[1]), B: uint8(v[2]), A: uint8(v[3])}
	}
	if m.opaque {
		m.pixel = rowPixel{uint32(v[0]), uint32(v[1]), uint32(v[2])}
		return &m.pixel
	}
	return color.NRGBA64{R: v[0], G: v[1], B: v[2], A: v[3]}
}

// load waits for row y and converts it.
func (m *rowImage) load(y int) {
	m.y = y
	if m.err == nil && m.wait != nil {
		m.err = m.wait(y + 1)
	}
	if m.err != nil {
		return
	}
	p, most := m.p, m.most()
	n := p.W * p.H
	for x := range p.W {
		i, v := y*p.W+x, m.row[4*x:4*x+4]
		if p.Gray && p.Alpha == nil {
			v[0] = uint16(quantise(p.gray(i), most))
			continue
		}
		for c := range 3 {
			v[c] = uint16(quantise(p.value(c*n+i), most))
		}
		if !m.opaque {
			v[3] = uint16(p.alpha(i, most))
		}
	}
}

// stopper makes an encoder stop after an error of wait: its writes fail.
type stopper struct {
	w io.Writer
	m *rowImage
}

func (s stopper) Write(b []byte) (int, error) {
	if s.m.err != nil {
		return 0, s.m.err
	}
	return s.w.Write(b)
}
