package jpegcodec

import (
	"bytes"
	"image"
	"image/jpeg"
	"io"
)

// DecodeImage is image/jpeg.Decode for a whole file, but it interpolates subsampled chroma of
// four-ink files as Rows does (CMYK, and YCCK, which holds cyan, magenta and yellow as Y′CbCr). For
// these the standard library gives pixels with repeated chroma values, not planes. The caller must
// interpolate pictures of three components with Rows.
func DecodeImage(b []byte) (image.Image, error) {
	l := readInkLayout(b)
	if !l.halved {
		return jpeg.Decode(bytes.NewReader(b))
	}
	// Without the mark for Y′CbCr the standard library gives the components unconverted.
	var parts []io.Reader
	at := 0
	for _, mark := range l.marks {
		parts = append(parts, bytes.NewReader(b[at:mark]), bytes.NewReader([]byte{0}))
		at = mark + 1
	}
	m, err := jpeg.Decode(io.MultiReader(append(parts, bytes.NewReader(b[at:]))...))
	if err != nil {
		return nil, err
	}
	if inks, ok := m.(*image.CMYK); ok {
		interpolateInks(inks, l.ycc)
	}
	return m, nil
}

// inkLayout describes the components of a file with four inks.
type inkLayout struct {
	halved bool  // the second and third have half the width and height; false for other files
	ycc    bool  // the first three are Y′CbCr
	marks  []int // offsets of the bytes that mark Y′CbCr
}

func readInkLayout(b []byte) (l inkLayout) {
	for s := range Segments(b) {
		switch {
		case isFrame(s.Marker):
			if len(s.Body) != 6+4*3 || s.Body[5] != 4 {
				return inkLayout{}
			}
			l.halved = s.Body[7] == 0x22 && s.Body[10] == 0x11 && s.Body[13] == 0x11 &&
				s.Body[16] == 0x22
		case s.Marker == MarkerAdobe && len(s.Body) >= 12 && string(s.Body[:5]) == "Adobe":
			l.marks, l.ycc = append(l.marks, s.At+11), s.Body[11] != 0
		}
	}
	return l
}

// interpolateInks interpolates the second and third component to full resolution. m holds inverted
// components. If ycc is true, it also converts the first three from Y′CbCr to inks.
func interpolateInks(m *image.CMYK, ycc bool) {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	p := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	for y := range h {
		for x := range w {
			i := y*m.Stride + 4*x
			p.Y[y*p.YStride+x] = 255 - m.Pix[i]
			if x%2 == 0 && y%2 == 0 {
				p.Cb[y/2*p.CStride+x/2], p.Cr[y/2*p.CStride+x/2] = 255-m.Pix[i+1], 255-m.Pix[i+2]
			}
		}
	}
	rows := NewRows(p)
	row := make([]uint8, 3*w)
	for y := range h {
		a, b, c := row[:w], row[w:2*w], row[2*w:]
		if ycc { // cyan is 255 minus red, and stored inverted
			rows.Row(y, a, b, c)
		} else {
			copy(a, p.Y[y*p.YStride:])
			b, c = rows.colour(p.Cb, rows.cb, y), rows.colour(p.Cr, rows.cr, y)
		}
		for x := range w {
			v := m.Pix[y*m.Stride+4*x:]
			if ycc {
				v[0] = a[x]
			}
			v[1], v[2] = b[x], c[x]
			if !ycc {
				v[1], v[2] = 255-v[1], 255-v[2]
			}
		}
	}
}
