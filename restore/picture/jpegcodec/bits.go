package jpegcodec

// codes is a Huffman table.
type codes struct {
	// by code length: first code, last code + 1, index of the first code's value
	lowest, after, first [17]int32
	values               []uint8
}

// bitReader reads the bits of a scan.
type bitReader struct {
	b    []byte
	at   int
	bits uint32
	n    uint
}

func (r *bitReader) bit() (uint32, bool) {
	if r.n == 0 {
		if r.at >= len(r.b) {
			return 0, false
		}
		v := r.b[r.at]
		r.at++
		if v == 0xff {
			if r.at >= len(r.b) || r.b[r.at] != 0 {
				r.at--
				return 0, false
			}
			r.at++
		}
		r.bits, r.n = uint32(v), 8
	}
	r.n--
	return r.bits >> r.n & 1, true
}

func (r *bitReader) read(n uint) (v uint32, ok bool) {
	for range n {
		b, ok := r.bit()
		if !ok {
			return 0, false
		}
		v = v<<1 | b
	}
	return v, true
}

func (r *bitReader) symbol(c *codes) (uint8, bool) {
	if c == nil {
		return 0, false
	}
	code := int32(0)
	for l := 1; l <= 16; l++ {
		b, ok := r.bit()
		if !ok {
			return 0, false
		}
		code = code<<1 | int32(b)
		if code < c.after[l] && code >= c.lowest[l] {
			return c.values[c.first[l]+code-c.lowest[l]], true
		}
	}
	return 0, false
}

// restart skips a restart marker.
func (r *bitReader) restart() bool {
	r.n = 0
	if r.at+1 >= len(r.b) || r.b[r.at] != 0xff || r.b[r.at+1] < 0xd0 || r.b[r.at+1] > 0xd7 {
		return false
	}
	r.at += 2
	return true
}
