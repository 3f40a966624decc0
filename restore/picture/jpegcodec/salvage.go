package jpegcodec

import (
	"encoding/binary"
	"errors"
)

// errTruncated says that the file ends before any pixels.
var errTruncated = errors.New("jpeg: the file ends before its pixels")

// Salvage makes a complete file from one whose pixels are cut off or damaged, because decoders read
// only complete files. Readable blocks are copied, others become grey. If a scan that refines
// earlier ones is damaged, it is left out. share is the share of the picture's area that was
// readable, 0 to 1. Salvage fails if nothing of the first scan is readable, and for files that are
// not Huffman-coded with 8 bits.
func Salvage(b []byte) (whole []byte, share float64, err error) {
	s := &salvager{b: b, share: 1}
	s.e.out = append(s.e.out, 0xff, 0xd8)
	if err := s.walk(); err != nil {
		return nil, 0, err
	}
	for i := range s.parts {
		if !s.parts[i].seen { // chroma of later scans that are missing
			s.scan([]int{i}, nil)
		}
	}
	return append(s.e.out, 0xff, 0xd9), s.share, nil
}

type salvager struct {
	b           []byte
	e           encoder // e.out is the new file
	w, h        int
	progressive bool
	parts       []part
	hMax, vMax  int
	codes       [2][4]*codes // of DC and of AC
	interval    int          // MCUs between restarts
	share       float64
}

// part is a component.
type part struct {
	id, h, v int
	dc, ac   int // numbers of its codes in the current scan
	seen     bool
}

// walk copies segments until a scan is damaged or the file ends.
func (s *salvager) walk() error {
	for at := 2; ; {
		for at < len(s.b) && s.b[at] != 0xff {
			at++ // like decoders
		}
		for at < len(s.b) && s.b[at] == 0xff {
			at++
		}
		if at+2 >= len(s.b) || s.b[at] == 0xd9 {
			return s.end()
		}
		marker := s.b[at]
		if marker == 0 || marker == 1 || marker >= 0xd0 && marker <= 0xd8 {
			at++
			continue
		}
		n := int(binary.BigEndian.Uint16(s.b[at+1:]))
		if n < 2 || at+1+n > len(s.b) {
			return s.end()
		}
		body := s.b[at+3 : at+1+n]
		segment := s.b[at-1 : at+1+n]
		at += 1 + n
		switch {
		case marker == 0xda:
			next, more, err := s.scanSegment(segment, body, at)
			if err != nil || !more {
				return err
			}
			at = next
			continue
		case marker == 0xc4:
			if !s.readCodes(body) {
				return s.end()
			}
		case marker == 0xdd && len(body) >= 2:
			s.interval = int(binary.BigEndian.Uint16(body))
		case marker >= 0xc0 && marker <= 0xcf && marker != 0xc8 && marker != 0xcc:
			if marker > 0xc2 || s.parts != nil || !s.readFrame(body) {
				return errors.New("jpeg: an unusual kind of file")
			}
			s.progressive = marker == 0xc2
		}
		s.e.out = append(s.e.out, segment...)
	}
}

// end is called if readable are no more scans. It fails if readable was none.
func (s *salvager) end() error {
	for _, p := range s.parts {
		if p.seen {
			return nil
		}
	}
	return errTruncated
}

func (s *salvager) readFrame(b []byte) bool {
	if len(b) < 6 || b[0] != 8 || len(b) < 6+3*int(b[5]) || b[5] < 1 || b[5] > 4 {
		return false
	}
	s.h, s.w = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	for i := range int(b[5]) {
		c := b[6+3*i:]
		p := part{id: int(c[0]), h: int(c[1] >> 4), v: int(c[1] & 15)}
		if p.h < 1 || p.h > 4 || p.v < 1 || p.v > 4 {
			return false
		}
		s.hMax, s.vMax = max(s.hMax, p.h), max(s.vMax, p.v)
		s.parts = append(s.parts, p)
	}
	return s.w > 0 && s.h > 0
}

func (s *salvager) readCodes(b []byte) bool {
	for len(b) > 0 {
		if len(b) < 17 || b[0]>>4 > 1 || b[0]&15 > 3 {
			return false
		}
		c := &codes{}
		code, n := int32(0), int32(0)
		for l := 1; l <= 16; l++ {
			c.lowest[l], c.first[l] = code, n
			code += int32(b[l])
			n += int32(b[l])
			c.after[l] = code
			code <<= 1
		}
		if len(b) < 17+int(n) {
			return false
		}
		c.values = b[17 : 17+n]
		s.codes[b[0]>>4][b[0]&15] = c
		b = b[17+n:]
	}
	return true
}

// scanSegment copies a scan whose pixels begin at offset at. more is false if it was the last one.
func (s *salvager) scanSegment(segment, body []byte, at int) (next int, more bool, err error) {
	if len(body) < 1 || body[0] < 1 || int(body[0]) > len(s.parts) || len(body) < 4+2*int(body[0]) {
		return 0, false, s.end()
	}
	var which []int
	for i := range int(body[0]) {
		found := -1
		for k := range s.parts {
			if s.parts[k].id == int(body[1+2*i]) {
				found = k
			}
		}
		if found < 0 {
			return 0, false, s.end()
		}
		s.parts[found].dc, s.parts[found].ac = int(body[2+2*i]>>4)&3, int(body[2+2*i])&3
		which = append(which, found)
	}
	// next becomes the offset of the next marker that is not a restart marker.
	next = at
	for ; next+1 < len(s.b); next++ {
		if s.b[next] == 0xff && s.b[next+1] != 0 && (s.b[next+1] < 0xd0 || s.b[next+1] > 0xd7) &&
			s.b[next+1] != 0xff {
			break
		}
	}
	last := next+1 >= len(s.b)
	tail := body[1+2*int(body[0]):]
	// AC values, or a further bit of known values
	if s.progressive && (tail[0] != 0 || tail[2]>>4 != 0) {
		if last {
			return 0, false, s.end()
		}
		s.e.out = append(append(s.e.out, segment...), s.b[at:next]...)
		return next, true, nil
	}
	pixels := s.b[at:min(next, len(s.b))]
	from := len(s.e.out)
	if done := s.scan(which, &bitReader{b: pixels}); !done {
		return 0, false, nil
	}
	// The scan is complete. It is copied unchanged, so that its Huffman tables stay valid for later
	// scans.
	s.e.out = append(append(s.e.out[:from], segment...), pixels...)
	return next, !last, nil
}

// scan writes a scan of some components with its own Huffman codes: the blocks that r holds, if r
// is not nil, and grey blocks for the rest. It tells whether r held all blocks.
func (s *salvager) scan(which []int, r *bitReader) bool {
	e := &s.e
	e.bits, e.n = 0, 0
	e.segment(0xdd, 2)
	e.out = append(e.out, 0, 0) // no restarts
	spec := theHuffmanSpec[:2]
	e.segment(0xc4, 2*17+len(spec[0].value)+len(spec[1].value))
	for i, t := range spec {
		e.out = append(append(append(e.out, uint8(i<<4)), t.count[:]...), t.value...)
	}
	e.segment(0xda, 4+2*len(which))
	e.out = append(e.out, uint8(len(which)))
	for _, i := range which {
		e.out = append(e.out, uint8(s.parts[i].id), 0)
		s.parts[i].seen = true
	}
	if s.progressive {
		e.out = append(e.out, 0, 0, 0)
	} else {
		e.out = append(e.out, 0, 63, 0)
	}

	across, down := (s.w+8*s.hMax-1)/(8*s.hMax), (s.h+8*s.vMax-1)/(8*s.vMax)
	if len(which) == 1 {
		p := s.parts[which[0]]
		across = ((s.w*p.h+s.hMax-1)/s.hMax + 7) / 8
		down = ((s.h*p.v+s.vMax-1)/s.vMax + 7) / 8
	}
	var read, written [4]int32 // the last DC values
	readable := 0
	for i := range across * down {
		if r != nil && s.interval > 0 && i > 0 && i%s.interval == 0 {
			read = [4]int32{}
			if !r.restart() {
				r = nil
			}
		}
		size, bits, n, before := len(e.out), e.bits, e.n, written
		if r != nil && !s.unit(which, r, &read, &written) {
			r = nil
			e.out, e.bits, e.n, written = e.out[:size], bits, n, before
		}
		if r == nil {
			s.unit(which, nil, &read, &written)
			continue
		}
		readable++
	}
	e.emit(0x7f, 7)
	if part := float64(readable) / float64(across*down); which[0] == 0 {
		s.share = part
	}
	return r != nil
}

// unit copies the blocks of the next MCU, or writes grey ones if r is nil. It tells whether all
// were readable.
func (s *salvager) unit(which []int, r *bitReader, read, written *[4]int32) bool {
	for _, i := range which {
		p := &s.parts[i]
		n := p.h * p.v
		if len(which) == 1 {
			n = 1
		}
		for range n {
			if !s.block(i, r, read, written) {
				return false
			}
		}
	}
	return true
}

func (s *salvager) block(i int, r *bitReader, read, written *[4]int32) bool {
	e, dc, ac := &s.e, &theHuffmanLUT[0], &theHuffmanLUT[1]
	if r == nil {
		e.code(dc, 0, -written[i])
		written[i] = 0
		if !s.progressive {
			e.emit(ac[0]&(1<<24-1), uint(ac[0]>>24))
		}
		return true
	}
	size, ok := r.symbol(s.codes[0][s.parts[i].dc])
	if !ok || size > 11 {
		return false
	}
	bits, ok := r.read(uint(size))
	if !ok {
		return false
	}
	v := int32(bits)
	if size > 0 && v < 1<<(size-1) {
		v += -1<<size + 1
	}
	read[i] += v
	diff := read[i] - written[i]
	if diff < -2047 || diff > 2047 || read[i] < -2047 || read[i] > 2047 {
		return false
	}
	e.code(dc, 0, diff)
	written[i] = read[i]
	if s.progressive {
		return true
	}
	for k := 1; k < blockSize; k++ {
		rs, ok := r.symbol(s.codes[1][s.parts[i].ac])
		if !ok || ac[rs] == 0 {
			return false
		}
		bits, ok := r.read(uint(rs & 15))
		if !ok {
			return false
		}
		e.emit(ac[rs]&(1<<24-1), uint(ac[rs]>>24))
		if rs&15 > 0 {
			e.emit(bits, uint(rs&15))
		}
		if rs == 0 {
			return true
		}
		if k += int(rs >> 4); k >= blockSize {
			return false
		}
	}
	return true
}
