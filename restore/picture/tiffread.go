package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"

	"golang.org/x/image/tiff/lzw"
)

// tiffLayout is the layout of the pixels in a TIFF file that golang.org/x/image/tiff does not read:
// grey with alpha, colour with further channels, and channels in separate planes ("planar
// configuration 2"). Samples are unsigned integers of 8 or 16 bits.
type tiffLayout struct {
	b                 []byte
	order             binary.ByteOrder
	w, h              int
	size              int // bytes of a sample
	channels, colours int // of a pixel; of these, for colour: 1 (grey) or 3
	// of the channel after the colours: 1: premultiplied alpha; 2: alpha; 0: no alpha
	alpha              int
	inverted           bool
	planar             bool
	compression        int64
	predicted          bool
	blockW, blockH     int
	across, down       int
	tiled              bool
	offsets, byteCount []int64
}

const (
	tagBitsPerSample = 0x0102
	tagFillOrder     = 0x010a
	tagSamples       = 0x0115
	tagRowsPerStrip  = 0x0116
	tagPlanarConfig  = 0x011c
	tagPredictor     = 0x013d
	tagTileWidth     = 0x0142
	tagTileLength    = 0x0143
	tagSampleFormat  = 0x0153

	tiffNone, tiffLZW, tiffDeflate, tiffPackBits, tiffOldDeflate = 1, 5, 8, 32773, 32946
)

// unusualTIFF reads the layout of a file that this package decodes itself. It is nil for files that
// golang.org/x/image/tiff decodes. Errors name what is not supported.
func unusualTIFF(b []byte) (*tiffLayout, error) {
	d, ok := firstDirectory(b)
	if !ok {
		return nil, nil
	}
	number := func(tag uint16, or int64) int64 {
		if v, ok := d.number(tag); ok {
			return v
		}
		return or
	}
	bits := d.numbers(tagBitsPerSample, 64)
	l := &tiffLayout{
		b: b, order: d.order, w: int(number(tagImageWidth, 0)), h: int(number(tagImageLength, 0)),
		channels:    int(number(tagSamples, int64(max(len(bits), 1)))),
		compression: number(tagCompression, tiffNone), planar: number(tagPlanarConfig, 1) == 2,
	}
	photometric := number(tagPhotometric, -1)
	switch photometric {
	case 0, 1:
		l.colours, l.inverted = 1, photometric == 0
	case 2:
		l.colours = 3
	default:
		if l.planar && l.channels > 1 {
			return nil, fmt.Errorf("its channels are in separate planes and neither grey nor " +
				"red, green and blue, which is unsupported")
		}
		return nil, nil
	}
	extra := d.numbers(tagExtraSamples, 64)
	if l.channels > l.colours && len(extra) > 0 {
		l.alpha = int(extra[0])
		if l.alpha > 2 {
			l.alpha = 0
		}
	}
	l.planar = l.planar && l.channels > 1
	switch {
	case l.planar, l.colours == 1 && l.channels > 1, l.colours == 3 &&
		l.channels > 4, l.colours == 3 && l.channels == 4 && l.alpha == 0:
	default:
		return nil, nil
	}
	planes := ""
	if l.planar {
		planes = " in separate planes"
	}
	switch {
	case l.w < 1 || l.h < 1 || l.channels < l.colours || l.channels > 64 || len(bits) != l.channels:
		return nil, errors.New("its directory makes no sense")
	case bits[0] != 8 && bits[0] != 16:
		return nil, fmt.Errorf("samples of %d bits%s are unsupported", bits[0], planes)
	case number(tagFillOrder, 1) != 1:
		return nil, errors.New("bits in reversed order are unsupported")
	}
	for _, v := range bits {
		if v != bits[0] {
			return nil, errors.New("channels of different depths are unsupported")
		}
	}
	for _, v := range d.numbers(tagSampleFormat, 64) {
		if v != 1 {
			return nil, fmt.Errorf("samples%s that are not whole numbers are unsupported", planes)
		}
	}
	l.size = int(bits[0] / 8)
	switch l.compression {
	case tiffNone, tiffLZW, tiffDeflate, tiffPackBits, tiffOldDeflate:
	default:
		return nil, fmt.Errorf("%d channels%s with compression %d are unsupported", l.channels,
			planes, l.compression)
	}
	switch p := number(tagPredictor, 1); p {
	case 1:
	case 2:
		l.predicted = true
	default:
		return nil, fmt.Errorf("predictor %d%s is unsupported", p, planes)
	}
	return l, l.blocks(d, number)
}

// blocks finds the strips or tiles.
func (l *tiffLayout) blocks(d directory, number func(tag uint16, or int64) int64) error {
	offsets, counts := uint16(tagStripOffsets), uint16(tagStripCounts)
	l.blockW, l.blockH = l.w, int(min(max(number(tagRowsPerStrip, int64(l.h)), 1), int64(l.h)))
	if w := number(tagTileWidth, 0); w != 0 {
		l.tiled = true
		offsets, counts = tagTileOffsets, tagTileCounts
		h := number(tagTileLength, 0)
		// Hostile files may have tiles far larger than the picture.
		if w < 8 || h < 8 || w > int64(l.w)+1024 || h > int64(l.h)+1024 {
			return errors.New("its tiles have strange sides")
		}
		l.blockW, l.blockH = int(w), int(h)
	}
	l.across, l.down = (l.w+l.blockW-1)/l.blockW, (l.h+l.blockH-1)/l.blockH
	n := l.across * l.down
	pixels := int64(l.blockW) * int64(l.blockH)
	if int64(n) > (4*int64(l.w)*int64(l.h)+1<<22)/pixels {
		return errors.New("its tiles are far larger than the picture")
	}
	if l.planar {
		n *= l.channels
	}
	l.offsets, l.byteCount = d.numbers(offsets, n), d.numbers(counts, n)
	if len(l.offsets) < n || len(l.byteCount) < n {
		return errors.New("strips or tiles are missing in its directory")
	}
	return nil
}

// config is the result of image.DecodeConfig for this file.
func (l *tiffLayout) config() image.Config { return image.Config{Width: l.w, Height: l.h} }

// fits tells whether the file can hold so many pixels, given the highest ratio of each compression.
func (l *tiffLayout) fits() bool {
	most := map[int64]int64{tiffNone: 1, tiffLZW: 1400, tiffDeflate: 1032, tiffOldDeflate: 1032,
		tiffPackBits: 64}[l.compression]
	return int64(l.w)*int64(l.h)*int64(l.channels*l.size)/most <= int64(len(l.b))
}

// decode reads the pixels. The result is *image.NRGBA or *image.NRGBA64; without alpha or with
// premultiplied alpha it is *image.RGBA or *image.RGBA64. Grey has three equal colours.
func (l *tiffLayout) decode() (image.Image, error) {
	r := image.Rect(0, 0, l.w, l.h)
	var m image.Image
	var pix []byte
	switch {
	case l.size == 1 && l.alpha != 2:
		t := image.NewRGBA(r)
		m, pix = t, t.Pix
	case l.size == 1:
		t := image.NewNRGBA(r)
		m, pix = t, t.Pix
	case l.alpha != 2:
		t := image.NewRGBA64(r)
		m, pix = t, t.Pix
	default:
		t := image.NewNRGBA64(r)
		m, pix = t, t.Pix
	}
	if l.alpha == 0 {
		for i := 0; i < len(pix); i += 4 * l.size {
			for k := range l.size {
				pix[i+3*l.size+k] = 0xff
			}
		}
	}
	perBlock, planes := l.channels, 1
	if l.planar {
		perBlock, planes = 1, l.channels
	}
	used := l.colours
	if l.alpha != 0 {
		used++
	}
	for p := range planes {
		if l.planar && p >= used {
			break
		}
		for y := range l.down {
			for x := range l.across {
				block, err := l.unpack((p*l.down+y)*l.across+x, min(l.blockH, l.h-y*l.blockH),
					perBlock)
				if err != nil {
					return nil, err
				}
				for c := range perBlock {
					if channel := p + c; channel < used {
						l.place(pix, block, x*l.blockW, y*l.blockH, perBlock, c, channel)
					}
				}
			}
		}
	}
	return m, nil
}

// place copies one channel of a block to the picture. c is its index in the block, channel its
// index in the pixel.
func (l *tiffLayout) place(pix, block []byte, x0, y0, perBlock, c, channel int) {
	to := []int{channel}
	if channel == l.colours {
		to = []int{3} // alpha
	} else if l.colours == 1 {
		to = []int{0, 1, 2}
	}
	invert := byte(0)
	if l.inverted && channel < l.colours {
		invert = 0xff
	}
	for y := y0; y < min(y0+l.blockH, l.h); y++ {
		for x := x0; x < min(x0+l.blockW, l.w); x++ {
			from := block[((y-y0)*l.blockW+x-x0)*perBlock*l.size+c*l.size:]
			for _, k := range to {
				at := pix[(y*l.w+x)*4*l.size+k*l.size:]
				if l.size == 1 {
					at[0] = from[0] ^ invert
					continue
				}
				v := l.order.Uint16(from)
				at[0], at[1] = byte(v>>8)^invert, byte(v)^invert
			}
		}
	}
}

// errShortBlock says that a strip or tile lacks pixels.
var errShortBlock = fmt.Errorf("not enough pixel data: %w", io.ErrUnexpectedEOF)

// unpack decompresses strip or tile i and undoes its prediction. rows is the number of its rows
// that are in the picture; others are not read.
func (l *tiffLayout) unpack(i, rows, perBlock int) ([]byte, error) {
	from, n := l.offsets[i], l.byteCount[i]
	if from > int64(len(l.b)) {
		return nil, errShortBlock
	}
	packed := l.b[from:min(from+n, int64(len(l.b)))]
	row := l.blockW * perBlock * l.size
	want := rows * row
	var r io.Reader = bytes.NewReader(packed)
	switch l.compression {
	case tiffLZW:
		z := lzw.NewReader(r, lzw.MSB, 8)
		defer z.Close()
		r = z
	case tiffDeflate, tiffOldDeflate:
		z, err := zlib.NewReader(r)
		if err != nil {
			return nil, err
		}
		defer z.Close()
		r = z
	case tiffPackBits:
		r = bytes.NewReader(unpackBits(packed, want))
	}
	out := make([]byte, want)
	if _, err := io.ReadFull(r, out); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, errShortBlock
		}
		return nil, err
	}
	if !l.predicted {
		return out, nil
	}
	for y := range rows {
		line := out[y*row:][:row]
		if l.size == 1 {
			for i := perBlock; i < row; i++ {
				line[i] += line[i-perBlock]
			}
			continue
		}
		for i := 2 * perBlock; i+1 < row; i += 2 {
			l.order.PutUint16(line[i:], l.order.Uint16(line[i:])+l.order.Uint16(
				line[i-2*perBlock:]))
		}
	}
	return out, nil
}

// unpackBits undoes Apple's PackBits until it has `most` bytes or more.
func unpackBits(packed []byte, most int) (out []byte) {
	for len(packed) > 0 && len(out) < most {
		n := int(int8(packed[0]))
		packed = packed[1:]
		switch {
		case n >= 0:
			k := min(n+1, len(packed))
			out = append(out, packed[:k]...)
			packed = packed[k:]
		case n != -128 && len(packed) > 0:
			out = append(out, bytes.Repeat(packed[:1], 1-n)...)
			packed = packed[1:]
		}
	}
	return out
}
