package picture

import "encoding/binary"

// EXIF is a TIFF structure: a byte order, and directories of twelve-byte entries that point at each other by offsets. It is carried over as it
// is, because what camera makers put into it breaks when it moves, but for what the new picture makes untrue: the orientation, the
// size, and the thumbnail, whose bytes are blanked: they may show what was to be removed.

// Tags of EXIF and TIFF.
const (
	tagPhotometric  = 0x0106
	tagStripOffsets = 0x0111
	tagOrientation  = 0x0112
	tagExtraSamples = 0x0152
	tagThumbnail    = 0x0201 // offset of a JPEG
	tagThumbLength  = 0x0202
	tagICC          = 0x8773
	tagExifDir      = 0x8769
	tagPixelsX      = 0xa002
	tagPixelsY      = 0xa003
)

const (
	typeByte  = 1
	typeShort = 3
	typeLong  = 4
	typeOther = 7
)

// directory is one of a TIFF structure's.
type directory struct {
	order   binary.ByteOrder
	b       []byte
	entries []int64 // where they begin
	next    int64   // where the offset of the next directory stands; 0 if it is cut off
}

// tiffStart finds byte order and offset of the first directory; ok is false if there is none.
func tiffStart(b []byte) (order binary.ByteOrder, at int64, ok bool) {
	if len(b) < 8 {
		return nil, 0, false
	}
	switch string(b[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return nil, 0, false
	}
	return order, int64(order.Uint32(b[4:])), true
}

// readDirectory reads what of a directory is there.
func readDirectory(b []byte, order binary.ByteOrder, at int64) (d directory, ok bool) {
	if at < 8 || at+2 > int64(len(b)) {
		return d, false
	}
	d = directory{order: order, b: b}
	count := int64(order.Uint16(b[at:]))
	at += 2
	for i := int64(0); i < count; i, at = i+1, at+12 {
		if at+12 > int64(len(b)) {
			return d, true
		}
		d.entries = append(d.entries, at)
	}
	if at+4 <= int64(len(b)) {
		d.next = at
	}
	return d, true
}

// firstDirectory reads the first directory of a TIFF structure.
func firstDirectory(b []byte) (d directory, ok bool) {
	order, at, ok := tiffStart(b)
	if !ok {
		return d, false
	}
	return readDirectory(b, order, at)
}

// find gives an entry's place, type and count; at is 0 if there is none.
func (d directory) find(tag uint16) (at int64, kind uint16, count int64) {
	for _, e := range d.entries {
		if d.order.Uint16(d.b[e:]) == tag {
			return e, d.order.Uint16(d.b[e+2:]), int64(d.order.Uint32(d.b[e+4:]))
		}
	}
	return 0, 0, 0
}

// number is the value of an entry that holds a single short or long number.
func (d directory) number(tag uint16) (v int64, ok bool) {
	at, kind, count := d.find(tag)
	switch {
	case at == 0 || count != 1:
		return 0, false
	case kind == typeShort:
		return int64(d.order.Uint16(d.b[at+8:])), true
	case kind == typeLong:
		return int64(d.order.Uint32(d.b[at+8:])), true
	}
	return 0, false
}

// set changes such a number; one that does not fit its type stays.
func (d directory) set(tag uint16, v int) {
	at, kind, count := d.find(tag)
	switch {
	case at == 0 || count != 1:
	case kind == typeShort && v <= 0xffff:
		d.order.PutUint16(d.b[at+8:], uint16(v))
	case kind == typeLong:
		d.order.PutUint32(d.b[at+8:], uint32(v))
	}
}

// bytes are those that an entry of bytes points at; nil if they are not there.
func (d directory) bytes(tag uint16) []byte {
	at, kind, n := d.find(tag)
	if at == 0 || kind != typeByte && kind != typeOther || n <= 4 || n > maxICC {
		return nil
	}
	from := int64(d.order.Uint32(d.b[at+8:]))
	if from+n > int64(len(d.b)) {
		return nil
	}
	return d.b[from : from+n]
}

// exifOrientation finds the orientation in the first directory; 0 if it is not there or makes no sense.
func exifOrientation(b []byte) int {
	d, ok := firstDirectory(b)
	if !ok {
		return 0
	}
	if _, kind, _ := d.find(tagOrientation); kind != typeShort {
		return 0
	}
	if v, ok := d.number(tagOrientation); ok && v >= 1 && v <= 8 {
		return int(v)
	}
	return 0
}

// settleEXIF makes a copy of EXIF that is true of an upright picture of w×h pixels; nil if it cannot be made sense of.
func settleEXIF(exif []byte, w, h int) []byte {
	b := append([]byte(nil), exif...)
	d, ok := firstDirectory(b)
	if !ok || d.next == 0 {
		return nil
	}
	order := d.order
	if next := int64(order.Uint32(b[d.next:])); next != 0 {
		thumb, ok := readDirectory(b, order, next)
		if at, _, _ := thumb.find(tagStripOffsets); !ok || at != 0 {
			return nil // pixels somewhere, which we had rather not pass on
		}
		from, ok1 := thumb.number(tagThumbnail)
		n, ok2 := thumb.number(tagThumbLength)
		if ok1 != ok2 || ok1 && from+n > int64(len(b)) {
			return nil
		}
		clear(b[from : from+n])
		order.PutUint32(b[d.next:], 0)
	}
	d.set(tagOrientation, 1)
	if sub, ok := d.number(tagExifDir); ok {
		if e, ok := readDirectory(b, order, sub); ok {
			e.set(tagPixelsX, w)
			e.set(tagPixelsY, h)
		}
	}
	return b
}
