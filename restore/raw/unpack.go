package raw

// Packing is how the samples of a mosaic lie in memory, row by row.
type Packing uint8

const (
	// Bytes: a byte each, 8 bits.
	Bytes Packing = iota
	// Words: two bytes each, little-endian, of 9 to 16 bits, which are the lower ones.
	Words
	// UpperWords: the same with the samples in the upper bits.
	UpperWords
	// MIPI: as MIPI's CSI-2 packs RAW10, RAW12 and RAW14: the upper eight bits of four samples (of
	// 12 bits two) in a byte each, then the lower bits of these, the first sample's lowest.
	MIPI
	// BigEndian: one bit after the other from the highest on, without gaps, of 8 to 16 bits, each
	// row beginning with a byte: as TIFF and DNG files have it.
	BigEndian
)

// Check tells what is wrong with a packing of samples of so many bits, as an [*Error].
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
		return wrong("there is no packing %d", p)
	}
	if !ok {
		return wrong("samples of %d bits in packing %d; bytes hold 8, words 9 to 16, MIPI 10, 12 or 14, big-endian bits 8 to 16", bits, p)
	}
	return nil
}

// Row is the number of bytes of a row of w samples without a gap behind it. A row of MIPI ends with
// a whole group of samples.
func (p Packing) Row(w, bits int) int {
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

// mipiGroup is how many samples share bytes.
func mipiGroup(bits int) int {
	if bits == 12 {
		return 2
	}
	return 4
}

// Unpack reads a mosaic of w×h samples of so many bits into dst, which has w·h places. Rows begin
// stride bytes from each other in data; 0: without gaps. Errors, [*Error]: bits that the packing
// does not have, and data that are too short.
func (p Packing) Unpack(dst []uint16, data []byte, w, h, bits, stride int) error {
	if err := p.Check(bits); err != nil {
		return err
	}
	if w < 1 || h < 1 || w > 1<<20 || h > 1<<20 || len(dst) != w*h {
		return wrong("%d places for %d×%d samples", len(dst), w, h)
	}
	row := p.Row(w, bits)
	if stride == 0 {
		stride = row
	}
	if stride < row || stride > len(data) && h > 1 || len(data) < (h-1)*stride+row {
		return wrong("%d bytes, with %d from row to row, do not hold %d×%d samples, whose rows take %d", len(data), stride, w, h, row)
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
