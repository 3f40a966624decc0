package jpegcodec

import (
	"fmt"
	"image"
	"image/jpeg"
	"io"
)

// RGB is a decoded picture: three planes (red, green, blue) of H rows of W values.
type RGB struct {
	W, H int
	Pix  []uint8
}

// Decode reads a JPEG file with the standard library and interpolates chroma with Rows. Grey files
// give three equal planes. CMYK and RGB files are converted by the standard library. Errors are
// those of the standard library.
func Decode(r io.Reader) (*RGB, error) {
	m, err := jpeg.Decode(r)
	if err != nil {
		return nil, err
	}
	b := m.Bounds()
	p := &RGB{W: b.Dx(), H: b.Dy(), Pix: make([]uint8, 3*b.Dx()*b.Dy())}
	red, green, blue := p.Pix[:p.W*p.H], p.Pix[p.W*p.H:2*p.W*p.H], p.Pix[2*p.W*p.H:]
	switch m := m.(type) {
	case *image.Gray:
		for y := range p.H {
			copy(red[y*p.W:][:p.W], m.Pix[y*m.Stride:])
		}
		copy(green, red)
		copy(blue, red)
	case *image.YCbCr:
		rows := NewRows(m)
		for y := range p.H {
			rows.Row(y, red[y*p.W:], green[y*p.W:], blue[y*p.W:])
		}
	case *image.RGBA, *image.CMYK:
		for y := range p.H {
			for x := range p.W {
				r, g, bl, _ := m.At(b.Min.X+x, b.Min.Y+y).RGBA()
				i := y*p.W + x
				red[i], green[i], blue[i] = uint8(r>>8), uint8(g>>8), uint8(bl>>8)
			}
		}
	default:
		return nil, fmt.Errorf("jpeg: an image of type %T", m)
	}
	return p, nil
}
