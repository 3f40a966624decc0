package picture

import (
	"image"

	"github.com/vfmrestore/restore/restore/planar"
)

// Levels holds the values of a picture as integers of 8 or 16 bits, in the same order as the three
// planes of Picture.Pix. It takes a quarter or half of the memory, for large pictures. One of the
// two slices is nil.
type Levels struct {
	B8  []uint8
	B16 []uint16
}

// NewLevels makes n zero values with a depth of 8 or 16 bits.
func NewLevels(depth, n int) *Levels {
	if depth == 16 {
		return &Levels{B16: make([]uint16, n)}
	}
	return &Levels{B8: make([]uint8, n)}
}

// Len is the number of values.
func (l *Levels) Len() int { return len(l.B8) + len(l.B16) }

// Read copies len(dst) values from index i on to dst, as values in [-1, 1].
func (l *Levels) Read(dst []float32, i int) {
	if l.B16 != nil {
		for k, v := range l.B16[i : i+len(dst)] {
			dst[k] = level16(v)
		}
		return
	}
	for k, v := range l.B8[i : i+len(dst)] {
		dst[k] = levels8[v]
	}
}

// Write clamps the values of src to [-1, 1], rounds them to the nearest level, as Encode does, and
// stores them from index i on.
func (l *Levels) Write(i int, src []float32) {
	if l.B16 != nil {
		for k, v := range src {
			l.B16[i+k] = uint16(quantise(v, 65535))
		}
		return
	}
	for k, v := range src {
		l.B8[i+k] = uint8(quantise(v, 255))
	}
}

// Copy copies value i from other levels of the same depth and length.
func (l *Levels) Copy(from *Levels, i int) {
	if l.B16 != nil {
		l.B16[i] = from.B16[i]
	} else {
		l.B8[i] = from.B8[i]
	}
}

func (l *Levels) at(i int) float32 {
	if l.B16 != nil {
		return level16(l.B16[i])
	}
	return levels8[l.B8[i]]
}

var levels8 = func() (t [256]float32) {
	for i := range t {
		t[i] = level8(uint8(i))
	}
	return t
}()

// Unpacked gives p with its values in Pix: p itself, or a copy if p has Levels.
func (p *Picture) Unpacked() *Picture {
	if p.Levels == nil {
		return p
	}
	q := *p
	q.Levels, q.Pix = nil, make([]float32, p.Levels.Len())
	p.Levels.Read(q.Pix, 0)
	return &q
}

// value is value i of Pix or Levels, in [-1, 1].
func (p *Picture) value(i int) float32 {
	if p.Levels != nil {
		return p.Levels.at(i)
	}
	return p.Pix[i]
}

// Crop copies the rectangle of w×h pixels at (x, y), which must lie in the picture.
func (p *Picture) Crop(x, y, w, h int) *planar.Image {
	m := planar.New(w, h)
	for c := range 3 {
		for v := range h {
			from, row := (c*p.H+y+v)*p.W+x, m.Pix[(c*h+v)*w:][:w]
			if p.Levels != nil {
				p.Levels.Read(row, from)
			} else {
				copy(row, p.Pix[from:])
			}
		}
	}
	return m
}

// packRows is the number of rows that are converted to floats at a time. It is even, because chroma
// may have half the resolution.
const packRows = 16

// packed is fromImage for a picture with Levels.
func packed(img image.Image, format Format) *Picture {
	sub, ok := img.(interface {
		SubImage(image.Rectangle) image.Image
	})
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	var halved *image.YCbCr // its rows depend on neighbouring rows
	rows, alpha := jpegRows, []float32(nil)
	switch m := img.(type) {
	case *image.YCbCr:
		halved = m
	case *image.NYCbCrA:
		halved, alpha = &m.YCbCr, make([]float32, w*h)
		for i := range alpha {
			alpha[i] = float32(m.A[m.AOffset(b.Min.X+i%w, b.Min.Y+i/w)]) / 255
		}
	}
	if format == WebP {
		rows = webpRows
	}
	if halved != nil {
		l := NewLevels(8, 3*w*h)
		rows(halved, func(y int, red, green, blue []uint8) {
			for c, row := range [][]uint8{red, green, blue} {
				copy(l.B8[(c*h+y)*w:], row)
			}
		})
		return &Picture{W: w, H: h, Levels: l, Depth: 8, Alpha: alpha}
	}
	if !ok {
		p := fromImage(img, format)
		p.Levels = NewLevels(p.Depth, len(p.Pix))
		p.Levels.Write(0, p.Pix)
		p.Pix = nil
		return p
	}
	var p *Picture
	for y := 0; y < h; y += packRows {
		rows := min(packRows, h-y)
		r := image.Rect(b.Min.X, b.Min.Y+y, b.Max.X, b.Min.Y+y+rows)
		q := fromImage(sub.SubImage(r), format)
		if p == nil {
			p = q.Like(w, h, nil)
			p.Levels, p.Alpha = NewLevels(q.Depth, 3*w*h), nil
		}
		for c := range 3 {
			p.Levels.Write((c*h+y)*w, q.Pix[c*w*rows:(c+1)*w*rows])
		}
		if q.Alpha != nil {
			if p.Alpha == nil {
				p.Alpha = constant(1, w*h)
			}
			copy(p.Alpha[y*w:], q.Alpha)
		}
	}
	return p
}
