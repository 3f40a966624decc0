package picture

import "github.com/vfmrestore/restore/restore/picture/jpegcodec"

// JPEGBlocks describes the luminance blocks of a JPEG file, in the picture's present orientation.
type JPEGBlocks struct {
	// X and Y are the column and the row, 0 to 7, at which the first whole block of 8×8 pixels
	// begins.
	X, Y int
	// Steps are the quantisation steps of the coefficients of the blocks' orthonormal DCT, in
	// levels of 255, by row (vertical frequency) and column.
	Steps [64]int
}

// turn applies the EXIF orientation o of a w×h picture, like Picture.orient.
func (b *JPEGBlocks) turn(o, w, h int) {
	// A mirrored picture begins with the part of a block that was last before.
	mirroredX, mirroredY := (w-b.X)%8, (h-b.Y)%8
	switch o {
	case 2:
		b.X = mirroredX
	case 3:
		b.X, b.Y = mirroredX, mirroredY
	case 4:
		b.Y = mirroredY
	case 5:
		b.X, b.Y = b.Y, b.X
	case 6:
		b.X, b.Y = mirroredY, b.X
	case 7:
		b.X, b.Y = mirroredY, mirroredX
	case 8:
		b.X, b.Y = b.Y, mirroredX
	}
	if o >= 5 {
		was := b.Steps
		for i, q := range was {
			b.Steps[i%8*8+i/8] = q
		}
	}
}

// readBlocks describes the luminance blocks from the quantisation tables and the frame header of a
// JPEG file. It gives nil if the first component is not luminance at the picture's full size, or if
// its table is missing.
func readBlocks(tables map[byte][64]byte, frame []byte, rgb bool) *JPEGBlocks {
	const head, each = 6, 3
	if len(frame) < head || rgb {
		return nil
	}
	n := int(frame[5])
	if n != 1 && n != 3 || len(frame) < head+each*n || frame[0] != 8 {
		return nil
	}
	first := frame[head:]
	if n == 3 && first[0] == 'R' && first[each] == 'G' && first[2*each] == 'B' {
		return nil
	}
	for i := range n {
		if c := frame[head+each*i:]; c[1]>>4 > first[1]>>4 || c[1]&15 > first[1]&15 {
			return nil
		}
	}
	table, ok := tables[first[2]]
	if !ok {
		return nil
	}
	b := &JPEGBlocks{}
	for i, q := range table {
		if q == 0 {
			return nil
		}
		b.Steps[jpegcodec.Natural(i)] = int(q)
	}
	return b
}
