package picture

import (
	"encoding/binary"
	"slices"
)

// In a TIFF file EXIF is not a block of its own: its directories stand among the file's. To go in or out of one it is written anew, with other
// offsets and in our byte order. What breaks by that stays behind: the camera maker's notes, whose offsets only the maker knows.

const (
	tagGPSDir    = 0x8825
	tagMakerNote = 0x927c
	tagInterop   = 0xa005
)

// mostEXIF bounds what is moved: entries of hostile files may all point at the same bytes.
const mostEXIF = 1 << 20

// describing are the tags of a first directory that tell about the picture and not how its pixels lie in the file.
var describing = []uint16{
	0x010d, 0x010e, 0x010f, 0x0110, 0x011d, // names of document and page, description, maker and model of the camera
	tagOrientation, 0x011a, 0x011b, 0x0128, // resolution and its unit
	0x0131, 0x0132, 0x013b, 0x8298, // software, date, artist, copyright
}

// elementSize is by the type of an entry; 0 if there is none of that type.
func elementSize(kind uint16) int64 {
	sizes := [...]int64{0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4}
	if int(kind) >= len(sizes) {
		return 0
	}
	return sizes[kind]
}

// exifParts are the directories of EXIF, in little-endian order.
type exifParts struct{ main, exif, gps []tiffEntry }

// splitEXIF reads the directories of a TIFF structure, EXIF or a whole TIFF file, that tell about a picture. Damaged entries are left out.
func splitEXIF(b []byte) (p exifParts) {
	d, ok := firstDirectory(b)
	if !ok {
		return p
	}
	left := int64(mostEXIF)
	p.main = d.copies(&left, func(tag uint16, _ uint16, _ int64) bool { return slices.Contains(describing, tag) })
	for tag, to := range map[uint16]*[]tiffEntry{tagExifDir: &p.exif, tagGPSDir: &p.gps} {
		if at, ok := d.number(tag); ok {
			if sub, ok := readDirectory(b, d.order, at); ok {
				*to = sub.copies(&left, func(tag, kind uint16, size int64) bool {
					return tag != tagMakerNote && tag != tagInterop && carries(tag, kind, size)
				})
			}
		}
	}
	if left < 0 {
		return exifParts{}
	}
	return p
}

// copies are the wanted entries in the order of their tags, as little-endian data of their own.
func (d directory) copies(left *int64, want func(tag, kind uint16, size int64) bool) (out []tiffEntry) {
	for _, e := range d.entries {
		tag, kind, count := d.order.Uint16(d.b[e:]), d.order.Uint16(d.b[e+2:]), int64(d.order.Uint32(d.b[e+4:]))
		from, size, ok := d.value(e)
		if !ok || !want(tag, kind, size) || size >= leastPreview && kind == typeASCII && holdsPicture(d.b[from:from+size]) {
			continue
		}
		if *left -= size + 12; *left < 0 {
			return nil
		}
		data := slices.Clone(d.b[from : from+size])
		blankJPEGs(data)
		if d.order == binary.BigEndian {
			word := int(elementSize(kind))
			if kind == 5 || kind == 10 { // fractions are two numbers
				word = 4
			}
			for i := 0; i < len(data); i += word {
				slices.Reverse(data[i : i+word])
			}
		}
		out = append(out, tiffEntry{tag, kind, uint32(count), data})
	}
	slices.SortStableFunc(out, func(a, b tiffEntry) int { return int(a.tag) - int(b.tag) })
	return slices.CompactFunc(out, func(a, b tiffEntry) bool { return a.tag == b.tag })
}

// write gives the inner directories as they are to stand at an even offset of a file, and the entries for the file's first directory: all but
// those that skip names.
func (p exifParts) write(at int, skip ...uint16) (inner []byte, entries []tiffEntry) {
	for _, e := range p.main {
		if !slices.Contains(skip, e.tag) {
			entries = append(entries, e)
		}
	}
	for _, sub := range []struct {
		tag     uint16
		entries []tiffEntry
	}{{tagExifDir, p.exif}, {tagGPSDir, p.gps}} {
		if len(sub.entries) > 0 {
			t := &tiffDirectory{at: uint32(at + len(inner)), entries: sub.entries}
			inner = append(inner, t.bytes()...)
			entries = append(entries, tiffEntry{sub.tag, typeLong, 1, binary.LittleEndian.AppendUint32(nil, t.at)})
		}
	}
	return inner, entries
}

// exifOf is EXIF as a block of its own, made of what a TIFF file says; nil if it says nothing.
func exifOf(file []byte) []byte {
	p := splitEXIF(file)
	if len(p.exif) == 0 && len(p.gps) == 0 && !slices.ContainsFunc(p.main, func(e tiffEntry) bool { return e.tag != tagOrientation }) {
		return nil
	}
	inner, entries := p.write(8)
	t := &tiffDirectory{at: uint32(8 + len(inner)), entries: entries}
	b := binary.LittleEndian.AppendUint32([]byte("II*\x00"), t.at)
	return append(append(b, inner...), t.bytes()...)
}
