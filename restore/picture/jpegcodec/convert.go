// Copyright 2011 The Go Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.
//
// From image/jpeg/writer.go of Go 1.26, like encode.go.

package jpegcodec

import (
	"image"
	"image/color"
)

// fromRGB fills the current row from pixels of size bytes, of which the first three are the colour.
func (e *encoder) fromRGB(pix []uint8, size int) {
	y, cb, cr := e.y[:e.width], e.cb[:e.width], e.cr[:e.width]
	if e.gray {
		for x := range y {
			y[x] = luma(pix[size*x], pix[size*x+1], pix[size*x+2])
		}
		return
	}
	for x := range y {
		p := pix[size*x : size*x+3 : size*x+3]
		r, g, b := int32(p[0]), int32(p[1]), int32(p[2])
		// The conversion of JFIF with libjpeg's constants and rounding.
		y[x] = uint8((19595*r + 38470*g + 7471*b + 1<<15) >> 16)
		cb[x] = uint8((-11059*r - 21709*g + 32768*b + 1<<23 + 1<<15 - 1) >> 16)
		cr[x] = uint8((32768*r - 27439*g - 5329*b + 1<<23 + 1<<15 - 1) >> 16)
	}
}

func luma(r, g, b uint8) uint8 {
	return uint8((19595*int32(r) + 38470*int32(g) + 7471*int32(b) + 1<<15) >> 16)
}

// convert fills the current row from row y of an image.
func (e *encoder) convert(m image.Image, y int) {
	r := m.Bounds()
	switch m := m.(type) {
	case *image.Gray:
		copy(e.y, m.Pix[m.PixOffset(r.Min.X, y):][:e.width])
	case *image.RGBA:
		e.fromRGB(m.Pix[m.PixOffset(r.Min.X, y):], 4)
	case *image.NRGBA:
		e.fromRGB(m.Pix[m.PixOffset(r.Min.X, y):], 4)
	case *image.YCbCr:
		copy(e.y, m.Y[m.YOffset(r.Min.X, y):][:e.width])
		if e.gray {
			return
		}
		for x := range e.width {
			c := m.COffset(r.Min.X+x, y)
			e.cb[x], e.cr[x] = m.Cb[c], m.Cr[c]
		}
	default:
		e.rgb = e.rgb[:0]
		for x := range e.width {
			c := color.NRGBAModel.Convert(m.At(r.Min.X+x, y)).(color.NRGBA)
			e.rgb = append(e.rgb, c.R, c.G, c.B)
		}
		e.fromRGB(e.rgb, 3)
	}
}

// reduce averages groups of sx×sy values of a band in place; the stride stays. Halves are rounded
// up and down in turn, as by libjpeg, so that the mean does not change.
func reduce(band []uint8, stride, sx, sy int) {
	switch {
	case sx == 2 && sy == 2:
		for y := range 8 {
			a, b, to := band[2*y*stride:][:stride], band[(2*y+1)*stride:][:stride],
				band[y*stride:][:stride/2]
			for x := range to {
				sum := int(a[2*x]) + int(a[2*x+1]) + int(b[2*x]) + int(b[2*x+1])
				to[x] = uint8((sum + 1 + x&1) >> 2)
			}
		}
	case sx == 2:
		for y := range 8 {
			a := band[y*stride:][:stride]
			for x := range stride / 2 {
				a[x] = uint8((int(a[2*x]) + int(a[2*x+1]) + x&1) >> 1)
			}
		}
	}
}

// load copies the block at the beginning of band.
func (b *block) load(band []uint8, stride int) {
	for v := range 8 {
		from, to := band[v*stride:][:8], b[8*v:][:8]
		for u := range to {
			to[u] = int32(from[u])
		}
	}
}
