package raw

import "bytes"

// huffman is a Huffman table of lossless JPEG. Its symbols are numbers of bits of differences.
type huffman struct {
	// quick maps the next quickBits bits to the code's length (upper byte) and symbol (lower byte),
	// or to 0 if the code is longer.
	quick  [1 << quickBits]uint16
	last   [17]int32 // the last code of each length, -1 if there is none
	offset [17]int32 // code + offset is the index of its symbol
	symbol []byte
}

const quickBits = 9

// readTables reads a segment of Huffman tables.
func readTables(tables *[4]*huffman, b []byte) error {
	for len(b) > 0 {
		if len(b) < 17 || b[0]>>4 != 0 || b[0]&15 > 3 {
			return wrong("its lossless JPEG has a damaged table")
		}
		count := 0
		for _, n := range b[1:17] {
			count += int(n)
		}
		if count < 1 || count > 17 || len(b) < 17+count {
			return wrong("its lossless JPEG has a damaged table")
		}
		h := &huffman{symbol: bytes.Clone(b[17 : 17+count])}
		for _, s := range h.symbol {
			if s > 16 {
				return wrong("its lossless JPEG has a table of differences of %d bits", s)
			}
		}
		if !h.build(b[1:17]) {
			return wrong("its lossless JPEG has a table with more codes than there are")
		}
		tables[b[0]&15] = h
		b = b[17+count:]
	}
	return nil
}

// build makes the codes from the number of codes of each length. It fails if there are too many.
func (h *huffman) build(counts []byte) bool {
	code, at := int32(0), int32(0)
	for i := range h.last {
		h.last[i] = -1
	}
	for i, n := range counts {
		length := i + 1
		if code+int32(n) > 1<<length {
			return false
		}
		h.offset[length] = at - code
		for range n {
			if length <= quickBits {
				from := code << (quickBits - length)
				for k := range int32(1) << (quickBits - length) {
					h.quick[from+k] = uint16(length)<<8 | uint16(h.symbol[at])
				}
			}
			code, at = code+1, at+1
		}
		if n > 0 {
			h.last[length] = code - 1
		}
		code <<= 1
	}
	return true
}

// difference reads a difference. It gives false if the bits end or are no code.
func (h *huffman) difference(r *bitReader) (int32, bool) {
	r.fill()
	var s uint
	if q := h.quick[r.acc>>(64-quickBits)]; q != 0 {
		r.skip(int(q >> 8))
		s = uint(q & 255)
	} else {
		length := quickBits + 1
		code := int32(r.acc >> (64 - length))
		for ; code > h.last[length]; code = int32(r.acc >> (64 - length)) {
			if length++; length > 16 {
				return 0, false
			}
		}
		r.skip(length)
		s = uint(h.symbol[h.offset[length]+code])
	}
	switch s {
	case 0:
		return 0, r.have >= 0
	case 16:
		return 1 << 15, r.have >= 0
	}
	v := int32(r.acc >> (64 - s))
	r.skip(int(s))
	if v < 1<<(s-1) {
		v -= 1<<s - 1
	}
	return v, r.have >= 0
}

// bitReader reads bits, the highest first, and skips the 0 after each 0xff. After the end or a
// marker it gives zeros, and have becomes negative when they are read.
type bitReader struct {
	b    []byte
	acc  uint64 // the next bits, from the highest on
	have int    // number of valid bits
}

// fill loads bits, so that at least 32 are valid unless the data ends.
func (r *bitReader) fill() {
	for r.have >= 0 && r.have <= 56 && len(r.b) > 0 {
		v := r.b[0]
		if v == 0xff {
			if len(r.b) < 2 || r.b[1] != 0 {
				return // a marker
			}
			r.b = r.b[1:]
		}
		r.b = r.b[1:]
		r.acc |= uint64(v) << (56 - r.have)
		r.have += 8
	}
}

func (r *bitReader) skip(n int) { r.acc, r.have = r.acc<<n, r.have-n }

// restart skips a restart marker. It gives false if there is none.
func (r *bitReader) restart() bool {
	at := bytes.IndexByte(r.b, 0xff)
	for at >= 0 && at+1 < len(r.b) && r.b[at+1] == 0xff {
		at++
	}
	if r.have >= 8 || at < 0 || at+1 >= len(r.b) || r.b[at+1] < 0xd0 || r.b[at+1] > 0xd7 {
		return false
	}
	*r = bitReader{b: r.b[at+2:]}
	return true
}
