package picture

import (
	"image"
	"image/color"

	"github.com/vfmrestore/restore/restore/picture/jpegcodec"
)

func level8(v uint8) float32   { return float32(v)/127.5 - 1 }
func level16(v uint16) float32 { return float32(float64(v)/32767.5 - 1) }

func constant(v float32, n int) []float32 {
	s := make([]float32, n)
	for i := range s {
		s[i] = v
	}
	return s
}

// fromImage converts a decoded image to planes, without rounding to 8 bits or multiplying by alpha
// in between.
func fromImage(img image.Image, format Format) *Picture {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	n := w * h
	p := &Picture{W: w, H: h, Pix: make([]float32, 3*n), Depth: 8}
	red, green, blue := p.Pix[:n], p.Pix[n:2*n], p.Pix[2*n:]
	each := func(pixel func(i, x, y int)) {
		i := 0
		for y := b.Min.Y; y < b.Max.Y; y++ {
			for x := b.Min.X; x < b.Max.X; x++ {
				pixel(i, x, y)
				i++
			}
		}
	}
	fill := func(rows func(*image.YCbCr, func(y int, red, green, blue []uint8)), m *image.YCbCr) {
		rows(m, func(y int, r, g, b []uint8) {
			for x := range w {
				red[y*w+x], green[y*w+x], blue[y*w+x] = levels8[r[x]], levels8[g[x]], levels8[b[x]]
			}
		})
	}
	switch m := img.(type) {
	case *image.Gray:
		p.Gray = true
		each(func(i, x, y int) { red[i] = levels8[m.Pix[m.PixOffset(x, y)]] })
		copy(green, red)
		copy(blue, red)
	case *image.Gray16:
		p.Gray, p.Depth = true, 16
		each(func(i, x, y int) { red[i] = level16(m.Gray16At(x, y).Y) })
		copy(green, red)
		copy(blue, red)
	case *image.NYCbCrA: // WebP
		fill(webpRows, &m.YCbCr)
		p.Alpha = make([]float32, n)
		each(func(i, x, y int) { p.Alpha[i] = float32(m.A[m.AOffset(x, y)]) / 255 })
	case *image.YCbCr:
		if format == WebP {
			fill(webpRows, m)
		} else {
			fill(jpegRows, m)
		}
	case *image.RGBA: // without alpha, except from TIFF, where colours may be premultiplied
		if !m.Opaque() {
			p.Alpha = make([]float32, n)
			each(func(i, x, y int) {
				c := color.NRGBAModel.Convert(m.RGBAAt(x, y)).(color.NRGBA)
				red[i], green[i], blue[i], p.Alpha[i] = levels8[c.R], levels8[c.G], levels8[c.B],
					float32(c.A)/255
			})
			break
		}
		each(func(i, x, y int) {
			o := m.PixOffset(x, y)
			red[i], green[i], blue[i] = levels8[m.Pix[o]], levels8[m.Pix[o+1]], levels8[m.Pix[o+2]]
		})
	case *image.NRGBA:
		p.Alpha = make([]float32, n)
		each(func(i, x, y int) {
			o := m.PixOffset(x, y)
			red[i], green[i], blue[i] = levels8[m.Pix[o]], levels8[m.Pix[o+1]], levels8[m.Pix[o+2]]
			p.Alpha[i] = float32(m.Pix[o+3]) / 255
		})
	case *image.RGBA64: // like RGBA
		p.Depth = 16
		if !m.Opaque() {
			p.Alpha = make([]float32, n)
			each(func(i, x, y int) {
				c := color.NRGBA64Model.Convert(m.RGBA64At(x, y)).(color.NRGBA64)
				red[i], green[i], blue[i], p.Alpha[i] = level16(c.R), level16(c.G), level16(c.B),
					float32(c.A)/65535
			})
			break
		}
		each(func(i, x, y int) {
			c := m.RGBA64At(x, y)
			red[i], green[i], blue[i] = level16(c.R), level16(c.G), level16(c.B)
		})
	case *image.NRGBA64:
		p.Depth = 16
		p.Alpha = make([]float32, n)
		each(func(i, x, y int) {
			c := m.NRGBA64At(x, y)
			red[i], green[i], blue[i] = level16(c.R), level16(c.G), level16(c.B)
			p.Alpha[i] = float32(c.A) / 65535
		})
	case *image.Paletted:
		p.Alpha = make([]float32, n)
		// an index beyond the palette is black, as in other decoders
		table := make([]color.NRGBA, 256)
		for i := range table {
			table[i].A = 255
			if i < len(m.Palette) {
				table[i] = color.NRGBAModel.Convert(m.Palette[i]).(color.NRGBA)
			}
		}
		each(func(i, x, y int) {
			c := table[m.Pix[m.PixOffset(x, y)]]
			red[i], green[i], blue[i] = levels8[c.R], levels8[c.G], levels8[c.B]
			p.Alpha[i] = float32(c.A) / 255
		})
		if p.Opaque() {
			p.Alpha = nil
		}
	default: // CMYK JPEG
		each(func(i, x, y int) {
			c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			red[i], green[i], blue[i] = levels8[c.R], levels8[c.G], levels8[c.B]
		})
	}
	return p
}

// jpegRows calls put with every row of a decoded JPEG file, counted from 0. Subsampled chroma is
// interpolated.
func jpegRows(m *image.YCbCr, put func(y int, red, green, blue []uint8)) {
	w := m.Rect.Dx()
	buf := make([]uint8, 3*w)
	rows := jpegcodec.NewRows(m)
	for y := range m.Rect.Dy() {
		rows.Row(y, buf[:w], buf[w:2*w], buf[2*w:])
		put(y, buf[:w], buf[w:2*w], buf[2*w:])
	}
}

// orient applies the EXIF orientation o, which brings the picture from the file's orientation to
// the upright one: 1 nothing, 2 mirror left-right, 3 half a turn, 4 mirror top-bottom, 5 mirror at
// the main diagonal, 6 a quarter turn clockwise, 7 mirror at the other diagonal, 8 a quarter turn
// counter-clockwise.
func (p *Picture) orient(o int) {
	if o < 2 || o > 8 {
		return
	}
	n := p.W * p.H
	switch l := p.Levels; {
	case l == nil:
		turnPlanes(p.Pix, n, o, p.W, p.H)
	case l.B16 != nil:
		turnPlanes(l.B16, n, o, p.W, p.H)
	default:
		turnPlanes(l.B8, n, o, p.W, p.H)
	}
	if p.Alpha != nil {
		turnPlanes(p.Alpha, n, o, p.W, p.H)
	}
	if p.Blocks != nil {
		p.Blocks.turn(o, p.W, p.H)
	}
	p.W, p.H = turnedSides(o, p.W, p.H)
	if o >= 5 {
		p.Halved[0], p.Halved[1] = p.Halved[1], p.Halved[0]
		p.density.x, p.density.y = p.density.y, p.density.x
	}
}

// turnedSides gives the sides of a w×h picture after EXIF orientation o is applied.
func turnedSides(o, w, h int) (int, int) {
	if o >= 5 && o <= 8 {
		return h, w
	}
	return w, h
}

// turnPlanes orients planes of w×h = n values, one after the other.
func turnPlanes[T any](v []T, n, o, w, h int) {
	dst := make([]T, n)
	for ; len(v) > 0; v = v[n:] {
		src := v[:n]
		i := 0
		w2, h2 := w, h
		if o >= 5 {
			w2, h2 = h, w
		}
		for y := 0; y < h2; y++ {
			for x := 0; x < w2; x++ {
				var sx, sy int
				switch o {
				case 2:
					sx, sy = w-1-x, y
				case 3:
					sx, sy = w-1-x, h-1-y
				case 4:
					sx, sy = x, h-1-y
				case 5:
					sx, sy = y, x
				case 6:
					sx, sy = y, h-1-x
				case 7:
					sx, sy = w-1-y, h-1-x
				case 8:
					sx, sy = w-1-y, x
				}
				dst[i] = src[sy*w+sx]
				i++
			}
		}
		copy(src, dst)
	}
}
