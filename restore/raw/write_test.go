package raw

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
)

// entry is a directory entry for writeDNG.
type entry struct {
	tag, kind uint16
	values    []float64
}

// kinds of entries: TIFF's types.
const (
	kByte     = 1
	kShort    = 3
	kLong     = 4
	kFraction = 5
	kSigned   = 10 // fraction
	kDouble   = 12
)

// dng is a file to write: the levels of a mosaic and the entries of its directories.
type dng struct {
	order   binary.AppendByteOrder
	w, h    int
	pix     []uint16
	bits    int
	blockW  int // of tiles; 0: strips
	blockH  int
	jpeg    *jpegOptions // nil: uncompressed; its sides and components are set here
	sensor  []entry      // of the sensor's directory, in place of those that are usual
	first   []entry      // of the first directory
	preview bool         // the first directory has a preview, the sensor's directory is below it
}

// usual makes a little-endian DNG with strips.
func usual(rng *rand.Rand, w, h, bits int) *dng {
	d := &dng{order: binary.LittleEndian, w: w, h: h, bits: bits, blockH: 1 + rng.IntN(h),
		pix: make([]uint16, w*h), preview: rng.IntN(2) == 0}
	for i := range d.pix {
		d.pix[i] = uint16(rng.IntN(1 << bits))
	}
	return d
}

func (d *dng) bytes(rng *rand.Rand) []byte {
	b := []byte("II*\x00\x00\x00\x00\x00")
	if d.order == binary.BigEndian {
		b = []byte("MM\x00*\x00\x00\x00\x00")
	}
	blockW, blockH := d.blockW, d.blockH
	if blockW == 0 {
		blockW = d.w
	}
	var offsets, counts []float64
	for y := 0; y < d.h; y += blockH {
		for x := 0; x < d.w; x += blockW {
			rows := blockH
			if d.blockW == 0 {
				rows = min(rows, d.h-y)
			}
			block := make([]uint16, blockW*rows) // outside the picture tiles hold arbitrary values
			for i := range block {
				block[i] = uint16(rng.IntN(1 << d.bits))
				if u, v := x+i%blockW, y+i/blockW; u < d.w && v < d.h {
					block[i] = d.pix[v*d.w+u]
				}
			}
			data := d.pack(rng, block, blockW, rows)
			offsets, counts = append(offsets, float64(len(b))), append(counts, float64(len(data)))
			b = append(b, data...)
		}
	}
	compression := 1.
	if d.jpeg != nil {
		compression = 7
	}
	one := func(tag, kind uint16, v ...float64) entry { return entry{tag, kind, v} }
	sensor := []entry{one(254, kLong, 0), one(256, kLong, float64(d.w)),
		one(257, kLong, float64(d.h)), one(258, kShort, float64(d.bits)),
		one(259, kShort, compression),
		one(262, kShort, 32803), one(277, kShort, 1), one(33421, kShort, 2, 2),
		one(33422, kByte, 0, 1, 1, 2)}
	if d.blockW > 0 {
		sensor = append(sensor, one(322, kShort, float64(blockW)),
			one(323, kShort, float64(blockH)), one(324, kLong, offsets...),
			one(325, kLong, counts...))
	} else {
		sensor = append(sensor, one(273, kLong, offsets...), one(278, kLong, float64(blockH)),
			one(279, kLong, counts...))
	}
	first := []entry{one(50706, kByte, 1, 4, 0, 0), one(271, 2, 'A', 'C', 'M', 'E', ' ', 0)}
	replace := func(list *[]entry, by []entry) {
		for _, e := range by {
			*list = slices.DeleteFunc(*list, func(o entry) bool { return o.tag == e.tag })
			if e.values != nil {
				*list = append(*list, e)
			}
		}
	}
	replace(&sensor, d.sensor)
	if !slices.ContainsFunc(d.first, func(e entry) bool {
		return e.tag == tagColour1 ||
			e.tag == tagNeutral
	}) {
		first = append(first, one(tagNeutral, kByte, 1, 1, 1))
	}
	replace(&first, d.first)
	var at int
	if d.preview {
		b, at = d.directory(b, sensor)
		thumb := len(b)
		b = append(b, make([]byte, 12)...)
		replace(&first, []entry{one(254, kLong, 1), one(256, kLong, 2), one(257, kLong, 2),
			one(258, kShort, 8, 8, 8), one(259, kShort, 1), one(262, kShort, 2),
			one(273, kLong, float64(thumb)), one(277, kShort, 3), one(279, kLong, 12),
			one(330, kLong, float64(at))})
		b, at = d.directory(b, first)
	} else {
		b, at = d.directory(b, append(sensor, first...))
	}
	copy(b[4:], d.order.AppendUint32(nil, uint32(at)))
	return b
}

// pack encodes a block for the file.
func (d *dng) pack(rng *rand.Rand, block []uint16, w, h int) []byte {
	if d.jpeg != nil {
		o := *d.jpeg
		o.w, o.h = w/o.components, h
		if o.restart > 0 {
			o.restart = 1 + rng.IntN(h)
		}
		return encodeLossless(rng, block, o)
	}
	row := (w*d.bits + 7) / 8
	data := make([]byte, row*h)
	for y := range h {
		if d.bits == 16 {
			for x := range w {
				copy(data[y*row+2*x:], d.order.AppendUint16(nil, block[y*w+x]))
			}
			continue
		}
		pack(BigEndian, data[y*row:], block[y*w:][:w], d.bits)
	}
	return data
}

// directory appends a directory and gives its offset.
func (d *dng) directory(b []byte, list []entry) ([]byte, int) {
	slices.SortFunc(list, func(a, b entry) int { return int(a.tag) - int(b.tag) })
	var body []byte
	for _, e := range list {
		var v []byte
		for _, x := range e.values {
			switch e.kind {
			case kShort:
				v = d.order.AppendUint16(v, uint16(x))
			case kLong:
				v = d.order.AppendUint32(v, uint32(x))
			case kFraction, kSigned:
				v = d.order.AppendUint32(v, uint32(int32(math.Round(x*10000))))
				v = d.order.AppendUint32(v, 10000)
			case kDouble:
				v = d.order.AppendUint64(v, math.Float64bits(x))
			default:
				v = append(v, byte(x))
			}
		}
		body = d.order.AppendUint16(body, e.tag)
		body = d.order.AppendUint16(body, e.kind)
		body = d.order.AppendUint32(body, uint32(len(e.values)))
		if len(v) <= 4 {
			body = append(body, append(v, 0, 0, 0, 0)[:4]...)
			continue
		}
		body = d.order.AppendUint32(body, uint32(len(b)))
		b = append(b, v...)
	}
	at := len(b)
	b = d.order.AppendUint16(b, uint16(len(list)))
	b = append(b, body...)
	return append(b, 0, 0, 0, 0), at
}
