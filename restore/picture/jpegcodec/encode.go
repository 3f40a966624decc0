// Copyright 2011 The Go Authors. All rights reserved.
// Use of this source code is governed by a BSD-style
// license that can be found in the LICENSE file.
//
// From image/jpeg/writer.go of Go 1.26. Changed: the caller chooses the chroma
// subsampling, pixels come in rows, and the output goes through a slice.

package jpegcodec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"math/bits"
	"sync"
)

// Subsampling is the resolution of the two chroma planes of a file.
type Subsampling int

const (
	Sub420 Subsampling = iota // half the width and half the height
	Sub422                    // half the width
	Sub444                    // full resolution
	Gray                      // no chroma, only luma
)

func (s Subsampling) String() string {
	switch s {
	case Sub420:
		return "4:2:0"
	case Sub422:
		return "4:2:2"
	case Sub444:
		return "4:4:4"
	case Gray:
		return "gray"
	}
	return fmt.Sprintf("Subsampling(%d)", int(s))
}

// step is the number of pixels, horizontally and vertically, for one chroma value.
func (s Subsampling) step() (x, y int) {
	switch s {
	case Sub420:
		return 2, 2
	case Sub422:
		return 2, 1
	}
	return 1, 1
}

// Options are the options of Encode.
type Options struct {
	Quality     int // 1 to 100, scaled as libjpeg does
	Subsampling Subsampling
}

// MaxSide is the largest width or height that a JPEG file can have.
const MaxSide = 1<<16 - 1

// Encode writes m as a baseline JPEG file. It ignores alpha, and uses the premultiplied colours of
// image.RGBA unchanged. An *image.Gray becomes a file with only luma for any subsampling.
// *image.Gray, *image.RGBA, *image.NRGBA and *image.YCbCr are read without a call per pixel.
// Errors: options or sides out of range, and those of w.
func Encode(w io.Writer, m image.Image, o Options) error {
	b := m.Bounds()
	if _, ok := m.(*image.Gray); ok {
		o.Subsampling = Gray
	}
	return encode(w, b.Dx(), b.Dy(), o, func(e *encoder, y int) error {
		e.convert(m, b.Min.Y+y)
		return nil
	})
}

// EncodeRows is Encode for a picture whose rows come from a function. row is called once for each
// row, from the top, and fills rgb with width pixels of three bytes (red, green, blue), or of one
// byte if the subsampling is Gray. Its error ends the encoding and is returned unchanged.
func EncodeRows(w io.Writer, width, height int, o Options,
	row func(y int, rgb []uint8) error) error {
	return encode(w, width, height, o, func(e *encoder, y int) error {
		if e.gray {
			return row(y, e.y[:width])
		}
		if cap(e.rgb) < 3*width {
			e.rgb = make([]uint8, 3*width)
		}
		e.rgb = e.rgb[:3*width]
		if err := row(y, e.rgb); err != nil {
			return err
		}
		e.fromRGB(e.rgb, 3)
		return nil
	})
}

// encoder is the state of writing a file. Encoders are reused, so small files need no new memory.
type encoder struct {
	w    io.Writer
	err  error // first error of w; later output is dropped
	out  []uint8
	bits uint64 // not yet in out; the oldest is the highest bit
	n    uint   // number of these bits

	width int
	gray  bool
	rgb   []uint8
	// The current row in full resolution, padded to whole blocks: slices of the bands below.
	y, cb, cr []uint8
	// A band is a row of MCUs, one or two blocks of luma high.
	bandY, bandCb, bandCr []uint8
	quant                 [nQuantIndex][blockSize]int32 // eight times the file's values, zig-zag
	dc                    [3]int32
}

var encoders = sync.Pool{New: func() any { return new(encoder) }}

func encode(w io.Writer, width, height int, o Options, row func(e *encoder, y int) error) error {
	if width < 1 || height < 1 || width > MaxSide || height > MaxSide {
		return fmt.Errorf("jpeg: a picture of %d×%d pixels; 1 to %d per side are possible", width,
			height, MaxSide)
	}
	if o.Quality < 1 || o.Quality > 100 {
		return fmt.Errorf("jpeg: quality %d is not from 1 to 100", o.Quality)
	}
	if o.Subsampling < Sub420 || o.Subsampling > Gray {
		return errors.New("jpeg: unknown subsampling")
	}
	e := encoders.Get().(*encoder)
	defer func() {
		e.w, e.err = nil, nil
		encoders.Put(e)
	}()
	e.w, e.out, e.bits, e.n, e.dc = w, e.out[:0], 0, 0, [3]int32{}
	e.width, e.gray = width, o.Subsampling == Gray
	sx, sy := o.Subsampling.step()
	e.header(width, height, o)

	// The last column and row are repeated to fill whole blocks.
	padded := (width + 8*sx - 1) / (8 * sx) * (8 * sx)
	for _, b := range []*[]uint8{&e.bandY, &e.bandCb, &e.bandCr} {
		if cap(*b) < 8*sy*padded {
			*b = make([]uint8, 8*sy*padded)
		}
		*b = (*b)[:8*sy*padded]
	}
	for top := 0; top < height; top += 8 * sy {
		for v := range 8 * sy {
			at := v * padded
			e.y, e.cb, e.cr = e.bandY[at:at+padded], e.bandCb[at:at+padded], e.bandCr[at:at+padded]
			planes := [][]uint8{e.y, e.cb, e.cr}
			if e.gray {
				planes = planes[:1]
			}
			if top+v >= height {
				for i, b := range [][]uint8{e.bandY, e.bandCb, e.bandCr}[:len(planes)] {
					copy(planes[i], b[at-padded:at])
				}
				continue
			}
			if err := row(e, top+v); err != nil {
				return err
			}
			for _, p := range planes {
				for x := width; x < padded; x++ {
					p[x] = p[width-1]
				}
			}
		}
		e.band(padded, sx, sy)
		if len(e.out) >= 1<<16 {
			e.flush()
		}
		if e.err != nil {
			return e.err
		}
	}
	e.emit(0x7f, 7) // pads the last byte with ones
	e.out = append(e.out, 0xff, 0xd9)
	e.flush()
	return e.err
}

func (e *encoder) flush() {
	if e.err == nil {
		_, e.err = e.w.Write(e.out)
	}
	e.out = e.out[:0]
}

// header writes everything before the first block: quantisation tables, frame, Huffman codes, scan.
func (e *encoder) header(width, height int, o Options) {
	planes := 3
	if e.gray {
		planes = 1
	}
	tables := min(planes, 2) // one for luma and one for chroma
	e.out = append(e.out, 0xff, 0xd8)
	e.segment(0xdb, tables*(1+blockSize))
	for i := range tables {
		e.out = append(e.out, uint8(i))
		for j, v := range unscaledQuant[i] {
			q := scaled(int(v), o.Quality)
			e.quant[i][j] = int32(8 * q)
			e.out = append(e.out, uint8(q))
		}
	}
	e.segment(0xc0, 6+3*planes)
	e.out = append(e.out, 8)
	e.out = binary.BigEndian.AppendUint16(e.out, uint16(height))
	e.out = binary.BigEndian.AppendUint16(e.out, uint16(width))
	sx, sy := o.Subsampling.step()
	e.out = append(e.out, uint8(planes), 1, uint8(sx<<4|sy), 0)
	if planes == 3 {
		e.out = append(e.out, 2, 0x11, 1, 3, 0x11, 1)
	}
	specs := theHuffmanSpec[:2*tables]
	size := 0
	for _, s := range specs {
		size += 1 + len(s.count) + len(s.value)
	}
	e.segment(0xc4, size)
	for i, s := range specs {
		e.out = append(e.out, uint8(i>>1|i&1<<4))
		e.out = append(e.out, s.count[:]...)
		e.out = append(e.out, s.value...)
	}
	e.segment(0xda, 4+2*planes)
	e.out = append(e.out, uint8(planes), 1, 0)
	if planes == 3 {
		e.out = append(e.out, 2, 0x11, 3, 0x11)
	}
	e.out = append(e.out, 0, 63, 0)
}

// segment writes the header of a segment with n bytes of data.
func (e *encoder) segment(marker uint8, n int) {
	e.out = append(e.out, 0xff, marker, uint8((n+2)>>8), uint8(n+2))
}

// band writes the blocks of the current band.
func (e *encoder) band(padded, sx, sy int) {
	var b block
	if e.gray {
		for x := 0; x < padded; x += 8 {
			b.load(e.bandY[x:], padded)
			e.block(&b, 0, 0)
		}
		return
	}
	reduce(e.bandCb, padded, sx, sy)
	reduce(e.bandCr, padded, sx, sy)
	for x := 0; x < padded; x += 8 * sx {
		for v := range sy {
			for u := range sx {
				b.load(e.bandY[8*v*padded+x+8*u:], padded)
				e.block(&b, 0, 0)
			}
		}
		b.load(e.bandCb[x/sx:], padded)
		e.block(&b, 1, 1)
		b.load(e.bandCr[x/sx:], padded)
		e.block(&b, 1, 2)
	}
}

// block transforms, quantises and writes a block of a plane.
func (e *encoder) block(b *block, q quantIndex, plane int) {
	fdct(b)
	quant := &e.quant[q]
	dc := divide(b[0], quant[0])
	e.code(&theHuffmanLUT[2*q], 0, dc-e.dc[plane])
	e.dc[plane] = dc
	lut, run := &theHuffmanLUT[2*q+1], int32(0)
	for zig := 1; zig < blockSize; zig++ {
		v := divide(b[unzig[zig]], quant[zig])
		if v == 0 {
			run++
			continue
		}
		for ; run > 15; run -= 16 {
			e.emit(lut[0xf0]&(1<<24-1), uint(lut[0xf0]>>24))
		}
		e.code(lut, run, v)
		run = 0
	}
	if run > 0 {
		e.emit(lut[0]&(1<<24-1), uint(lut[0]>>24))
	}
}

// divide is v/q rounded to the nearest integer, halves away from zero. Most coefficients become
// zero, which needs no division.
func divide(v, q int32) int32 {
	if v >= 0 {
		if v < q>>1 {
			return 0
		}
		return (v + q>>1) / q
	}
	if -v < q>>1 {
		return 0
	}
	return -((-v + q>>1) / q)
}

// code writes the code of a run of zeros and the value after it.
func (e *encoder) code(lut *huffmanLUT, run, v int32) {
	a, low := v, v
	if v < 0 {
		a, low = -v, v-1
	}
	n := uint(bits.Len32(uint32(a)))
	h := lut[run<<4|int32(n)]
	e.emit(h&(1<<24-1), uint(h>>24))
	if n > 0 {
		e.emit(uint32(low)&(1<<n-1), n)
	}
}

// emit writes the low n bits of v. n is at most 16, and all other bits of v are 0.
func (e *encoder) emit(v uint32, n uint) {
	e.n += n
	e.bits |= uint64(v) << (64 - e.n)
	for e.n >= 8 {
		b := uint8(e.bits >> 56)
		e.out = append(e.out, b)
		if b == 0xff {
			e.out = append(e.out, 0)
		}
		e.bits <<= 8
		e.n -= 8
	}
}
