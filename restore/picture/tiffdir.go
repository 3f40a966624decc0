package picture

import (
	"encoding/binary"
)

const (
	typeByte  = 1
	typeASCII = 2
	typeShort = 3
	typeLong  = 4
	// typeFraction is two long numbers: numerator and denominator.
	typeFraction = 5
	typeOther    = 7
)

// directory is a directory of a TIFF structure.
type directory struct {
	order   binary.ByteOrder
	b       []byte
	at      int64
	entries []int64 // their offsets
	next    int64   // offset of the field with the next directory's offset; 0 if it is cut off
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

// readDirectory reads a directory, or the part of it that is in the file.
func readDirectory(b []byte, order binary.ByteOrder, at int64) (d directory, ok bool) {
	if at < 8 || at+2 > int64(len(b)) {
		return d, false
	}
	d = directory{order: order, b: b, at: at}
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

// find gives an entry's offset, type and count. at is 0 if there is no entry.
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

// set changes such a number. It does nothing if there is none, or if v does not fit its type.
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

// value gives offset and size in bytes of the data of the entry at e. ok is false if the file does
// not hold all of them.
func (d directory) value(e int64) (from, size int64, ok bool) {
	size = elementSize(d.order.Uint16(d.b[e+2:])) * int64(d.order.Uint32(d.b[e+4:]))
	from = e + 8
	if size > 4 {
		from = int64(d.order.Uint32(d.b[e+8:]))
	}
	return from, size, size > 0 && from+size <= int64(len(d.b))
}

// bytes gives the data of an entry of bytes that does not fit into the entry itself, or nil.
func (d directory) bytes(tag uint16) []byte {
	at, kind, n := d.find(tag)
	if at == 0 || kind != typeByte && kind != typeOther && kind != typeASCII || n <= 4 ||
		n > maxICC {
		return nil
	}
	from, size, ok := d.value(at)
	if !ok {
		return nil
	}
	return d.b[from : from+size]
}
