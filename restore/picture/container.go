package picture

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// inserter puts extra bytes into a stream after its first `after` bytes. Colour profiles and EXIF
// are inserted like this, because the standard encoders cannot write them.
type inserter struct {
	w     io.Writer
	after int
	extra []byte
}

func (s *inserter) Write(p []byte) (int, error) {
	n := 0
	if s.after > 0 {
		k := min(s.after, len(p))
		m, err := s.w.Write(p[:k])
		s.after -= m
		n += m
		if err != nil {
			return n, err
		}
	}
	if s.after == 0 && s.extra != nil {
		extra := s.extra
		s.extra = nil
		if _, err := s.w.Write(extra); err != nil {
			return n, err
		}
	}
	if n == len(p) {
		return n, nil
	}
	m, err := s.w.Write(p[n:])
	return n + m, err
}

// pngChunk makes a chunk with its length and checksum.
func pngChunk(kind string, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(b, kind...)
	b = append(b, body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// iccChunk makes PNG's iCCP chunk, or nothing if there is no profile.
func iccChunk(icc []byte) ([]byte, error) {
	if icc == nil {
		return nil, nil
	}
	body := bytes.NewBufferString("ICC profile\x00\x00")
	z := zlib.NewWriter(body)
	if _, err := z.Write(icc); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return pngChunk("iCCP", body.Bytes()), nil
}

// iccSegments makes JPEG's APP2 segments of a profile. It gives nothing if there is no profile, or
// if it needs more than 255 segments.
func iccSegments(icc []byte) []byte {
	const most = 65535 - 2 - 14
	count := (len(icc) + most - 1) / most
	if count > 255 {
		return nil
	}
	var b []byte
	for i := 1; len(icc) > 0; i++ {
		part := icc[:min(most, len(icc))]
		icc = icc[len(part):]
		b = append(b, 0xff, 0xe2)
		b = binary.BigEndian.AppendUint16(b, uint16(2+14+len(part)))
		b = append(b, "ICC_PROFILE\x00"...)
		b = append(b, byte(i), byte(count))
		b = append(b, part...)
	}
	return b
}

// exifSegment makes JPEG's APP1 segment of EXIF. It gives nothing if there is no EXIF, or if it is
// too large for a segment.
func exifSegment(exif []byte) []byte { return segment(0xe1, "Exif\x00\x00", exif) }

// maxSegment is the largest size of a JPEG segment in bytes, including its length field.
const maxSegment = 65535

// segment makes a JPEG segment that begins with head. It gives nothing if the body is empty or too
// large.
func segment(marker byte, head string, body []byte) []byte {
	if n := 2 + len(head) + len(body); len(body) > 0 && n <= maxSegment {
		b := binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(n))
		return append(append(b, head...), body...)
	}
	return nil
}

func xmpSegment(xmp []byte) []byte { return segment(0xe1, xmpHead, xmp) }

func commentSegment(comment []byte) []byte { return segment(0xfe, "", comment) }

func iptcSegment(iptc []byte) []byte {
	if iptc == nil {
		return nil
	}
	return segment(0xed, irbHead, makeIRB(iptc))
}

// encodeGrayAlpha writes PNG's colour type 4, grey with alpha, which image/png reads but does not
// write.
func encodeGrayAlpha(w io.Writer, p *Picture, wait Waiter) error {
	depth := p.Depth
	head := binary.BigEndian.AppendUint32(nil, uint32(p.W))
	head = binary.BigEndian.AppendUint32(head, uint32(p.H))
	head = append(head, byte(depth), 4, 0, 0, 0)
	if _, err := w.Write(append([]byte(pngSignature), pngChunk("IHDR", head)...)); err != nil {
		return err
	}
	chunks := bufio.NewWriterSize(&idat{w: w}, 1<<16)
	z := zlib.NewWriter(chunks)
	bpp := 2 * depth / 8
	row, above := make([]byte, p.W*bpp), make([]byte, p.W*bpp)
	line, best := make([]byte, 1+len(row)), make([]byte, 1+len(row))
	for y := 0; y < p.H; y++ {
		if wait != nil && p.Levels != nil {
			if err := wait(y + 1); err != nil {
				return err
			}
		}
		for x := 0; x < p.W; x++ {
			i := y*p.W + x
			if depth == 16 {
				put16(row[x*4:], quantise(p.gray(i), 65535))
				put16(row[x*4+2:], p.alpha(i, 65535))
			} else {
				row[x*2] = byte(quantise(p.gray(i), 255))
				row[x*2+1] = byte(p.alpha(i, 255))
			}
		}
		least := -1
		for f := byte(0); f <= 4; f++ {
			if sum := filterRow(line, f, row, above, bpp); least < 0 || sum < least {
				least = sum
				line, best = best, line
			}
		}
		if _, err := z.Write(best); err != nil {
			return err
		}
		row, above = above, row
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := chunks.Flush(); err != nil {
		return err
	}
	_, err := w.Write(pngChunk("IEND", nil))
	return err
}

// idat writes a zlib stream as IDAT chunks.
type idat struct{ w io.Writer }

func (d *idat) Write(p []byte) (int, error) {
	if _, err := d.w.Write(pngChunk("IDAT", p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// filterRow applies PNG filter f and returns the sum of absolute differences. The filter with the
// smallest sum usually compresses best.
func filterRow(line []byte, f byte, row, above []byte, bpp int) int {
	line[0] = f
	sum := 0
	for i, v := range row {
		var left, up, corner int
		up = int(above[i])
		if i >= bpp {
			left, corner = int(row[i-bpp]), int(above[i-bpp])
		}
		var guess int
		switch f {
		case 1:
			guess = left
		case 2:
			guess = up
		case 3:
			guess = (left + up) / 2
		case 4:
			guess = paeth(left, up, corner)
		}
		d := v - byte(guess)
		line[1+i] = d
		sum += abs(int(int8(d)))
	}
	return sum
}

func paeth(a, b, c int) int {
	p := a + b - c
	pa, pb, pc := abs(p-a), abs(p-b), abs(p-c)
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}

func abs(v int) int {
	if v < 0 {
		return -v
	}
	return v
}
