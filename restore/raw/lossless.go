package raw

import (
	"encoding/binary"

	"github.com/vfmrestore/restore/restore/picture/jpegcodec"
)

// lossless is a lossless JPEG (ITU-T T.81, process 14, Huffman), as used for mosaics in DNG:
// samples of 2 to 16 bits, stored as differences to a prediction from their neighbours.
type lossless struct {
	w, h       int // in the JPEG's own pixels
	components int // samples per pixel
	bits       int
	predictor  int
	shift      int // left shift of all samples
	restart    int // prediction restarts after so many rows; 0 means never
	tables     []*huffman
	scan       []byte
}

// openLossless reads everything before the samples. It allocates only the tables.
func openLossless(b []byte) (*lossless, error) {
	if len(b) < 4 || b[0] != 0xff || b[1] != 0xd8 {
		return nil, wrong("a strip or tile of it is not a lossless JPEG")
	}
	l := &lossless{}
	var tables [4]*huffman
	var ids []byte
	interval := 0
	for s := range jpegcodec.Segments(b) {
		var err error
		switch s.Marker {
		case 0xc3:
			ids, err = l.frame(s.Body)
		case 0xc4:
			err = readTables(&tables, s.Body)
		case 0xdd:
			if len(s.Body) < 2 {
				return nil, wrong("its lossless JPEG has a damaged restart interval")
			}
			interval = int(binary.BigEndian.Uint16(s.Body))
		case jpegcodec.MarkerSOS:
			if err := l.readScan(s.Body, ids, &tables, interval); err != nil {
				return nil, err
			}
			l.scan = b[s.At+len(s.Body):]
			return l, nil
		default:
			if s.Marker >= 0xc0 && s.Marker <= 0xcf && s.Marker != 0xc8 && s.Marker != 0xcc {
				err = wrong("its JPEG is of process %d, not lossless", s.Marker-0xc0)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, wrong("its lossless JPEG has no samples")
}

// frame reads the sizes, and gives the components' identifiers.
func (l *lossless) frame(b []byte) (ids []byte, err error) {
	if l.components != 0 || len(b) < 6 || len(b) < 6+3*int(b[5]) {
		return nil, wrong("its lossless JPEG has a damaged header")
	}
	l.bits, l.h, l.w, l.components = int(b[0]), int(binary.BigEndian.Uint16(b[1:])),
		int(binary.BigEndian.Uint16(b[3:])), int(b[5])
	if l.bits < 2 || l.bits > 16 || l.w < 1 || l.h < 1 || l.components < 1 || l.components > 4 {
		return nil, wrong("its lossless JPEG has %d×%d pixels of %d samples of %d bits, which "+
			"is invalid", l.w, l.h, l.components, l.bits)
	}
	for i := range l.components {
		if b[6+3*i+1] != 0x11 {
			return nil, unsupported("its lossless JPEG has samples of different sizes, which is not " +
				"supported")
		}
		ids = append(ids, b[6+3*i])
	}
	return ids, nil
}

// readScan reads the header of the scan.
func (l *lossless) readScan(b, ids []byte, tables *[4]*huffman, interval int) error {
	n := l.components
	if n == 0 || len(b) < 1+2*n+3 || int(b[0]) != n {
		return wrong("its lossless JPEG does not hold all samples in one scan")
	}
	for i := range n {
		t := tables[b[2+2*i]>>4&3]
		if b[1+2*i] != ids[i] || t == nil {
			return wrong("its lossless JPEG lacks a table")
		}
		l.tables = append(l.tables, t)
	}
	rest := b[1+2*n:]
	l.predictor, l.shift = int(rest[0]), int(rest[2]&15)
	if l.predictor < 1 || l.predictor > 7 || l.shift >= l.bits {
		return wrong("its lossless JPEG has predictor %d and shift %d, which is invalid",
			l.predictor, l.shift)
	}
	if interval%l.w != 0 {
		return unsupported("its lossless JPEG has restarts within rows, which is not supported")
	}
	l.restart = interval / l.w
	return nil
}

// samples is the number of samples.
func (l *lossless) samples() int { return l.w * l.h * l.components }

// decode reads the samples, row by row and pixel by pixel. dst must have room for samples() values.
func (l *lossless) decode(dst []uint16) error {
	r := bitReader{b: l.scan}
	n := l.components
	row := l.w * n
	start := int32(1) << (l.bits - l.shift - 1)
	mask := uint16(1<<(l.bits-l.shift) - 1)
	for y := range l.h {
		line := dst[y*row:][:row]
		first := y == 0
		if l.restart > 0 && y > 0 && y%l.restart == 0 {
			if !r.restart() {
				return errCut
			}
			first = true
		}
		var above []uint16
		if !first {
			above = dst[(y-1)*row:][:row]
		}
		for i := range line {
			d, ok := l.tables[i%n].difference(&r)
			if !ok {
				return errCut
			}
			var p int32
			switch {
			case first && i < n:
				p = start
			case first:
				p = int32(line[i-n])
			case i < n:
				p = int32(above[i])
			default:
				p = predict(l.predictor, int32(line[i-n]), int32(above[i]), int32(above[i-n]))
			}
			line[i] = uint16(p+d) & mask
		}
	}
	if l.shift > 0 {
		for i := range dst[:l.h*row] {
			dst[i] <<= l.shift
		}
	}
	return nil
}

var errCut = &Error{What: "its lossless JPEG is cut off or damaged"}

// predict predicts a sample from its neighbours on the left (a), above (b), and above on the left
// (c).
func predict(predictor int, a, b, c int32) int32 {
	switch predictor {
	case 1:
		return a
	case 2:
		return b
	case 3:
		return c
	case 4:
		return a + b - c
	case 5:
		return a + (b-c)>>1
	case 6:
		return b + (a-c)>>1
	}
	return (a + b) >> 1
}
