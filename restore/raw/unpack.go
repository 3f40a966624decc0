package raw

// Packing is the format of samples in memory, row by row.
type Packing uint8

const (
	// Bytes: one byte per sample, 8 bits.
	Bytes Packing = iota
	// Words: two bytes per sample, little-endian, with 9 to 16 bits in the lower bits.
	Words
	// UpperWords: like Words, but in the upper bits.
	UpperWords
	// MIPI: RAW10, RAW12 and RAW14 of MIPI CSI-2. The upper eight bits of four samples (two for 12
	// bits) have a byte each. Then come their lower bits, beginning with the first sample in the
	// lowest bits.
	MIPI
	// BigEndian: samples of 8 to 16 bits without gaps, the highest bit first. Each row begins at a
	// byte. TIFF and DNG files use it.
	BigEndian
)

// Check fails with an [*Error] if the packing cannot hold samples of this number of bits.
func (p Packing) Check(bits int) error {
	ok := false
	switch p {
	case Bytes:
		ok = bits == 8
	case Words, UpperWords:
		ok = bits >= 9 && bits <= 16
	case MIPI:
		ok = bits == 10 || bits == 12 || bits == 14
	case BigEndian:
		ok = bits >= 8 && bits <= 16
	default:
		return wrong("unknown packing %d", p)
	}
	if !ok {
		return wrong("samples of %d bits in packing %d; bytes hold 8, words 9 to 16, MIPI 10, "+
			"12 or 14, big-endian bits 8 to 16", bits, p)
	}
	return nil
}

// RowBytes is the number of bytes of a row of w samples without a gap. A row of MIPI ends with a
// whole group of samples.
func (p Packing) RowBytes(w, bits int) int {
	switch p {
	case Bytes:
		return w
	case Words, UpperWords:
		return 2 * w
	case MIPI:
		group := mipiGroup(bits)
		return (w + group - 1) / group * group * bits / 8
	}
	return (w*bits + 7) / 8
}

// mipiGroup is the number of samples that share bytes.
func mipiGroup(bits int) int {
	if bits == 12 {
		return 2
	}
	return 4
}

// Unpack reads w×h samples of bits bits into dst, which has w·h values. Rows in data begin stride
// bytes apart; 0 means no gaps. It fails with an [*Error] if the packing cannot hold bits, or if
// data is too short.
func (p Packing) Unpack(dst []uint16, data []byte, w, h, bits, stride int) error {
	if err := p.Check(bits); err != nil {
		return err
	}
	if w < 1 || h < 1 || w > 1<<20 || h > 1<<20 || len(dst) != w*h {
		return wrong("a buffer of %d values for %d×%d samples", len(dst), w, h)
	}
	row := p.RowBytes(w, bits)
	if stride == 0 {
		stride = row
	}
	if stride < row || stride > len(data) && h > 1 || len(data) < (h-1)*stride+row {
		return wrong("%d bytes, with %d from row to row, do not hold %d×%d samples, whose rows "+
			"take %d", len(data), stride, w, h, row)
	}
	for y := range h {
		p.row(dst[y*w:][:w], data[y*stride:][:row], bits)
	}
	return nil
}

// row unpacks one row.
func (p Packing) row(dst []uint16, b []byte, bits int) {
	switch p {
	case Bytes:
		for i, v := range b {
			dst[i] = uint16(v)
		}
	case Words:
		mask := uint16(1<<bits - 1)
		for i := range dst {
			dst[i] = (uint16(b[2*i]) | uint16(b[2*i+1])<<8) & mask
		}
	case UpperWords:
		for i := range dst {
			dst[i] = (uint16(b[2*i]) | uint16(b[2*i+1])<<8) >> (16 - bits)
		}
	case MIPI:
		group, low := mipiGroup(bits), bits-8
		size := group * bits / 8
		for i := range dst {
			part := b[i/group*size:][:size]
			k := i % group
			var rest uint32 // the lower bits of the group
			for j, v := range part[group:] {
				rest |= uint32(v) << (8 * j)
			}
			dst[i] = uint16(part[k])<<low | uint16(rest>>(low*k))&(1<<low-1)
		}
	default:
		acc, have, at := uint32(0), 0, 0
		for i := range dst {
			for have < bits {
				acc, have, at = acc<<8|uint32(b[at]), have+8, at+1
			}
			have -= bits
			dst[i] = uint16(acc>>have) & uint16(1<<bits-1)
		}
	}
}
