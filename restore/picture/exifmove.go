package picture

import (
	"encoding/binary"
	"slices"
)

// In a TIFF file EXIF is not a separate block: its directories are among those of the file. So EXIF
// is written again with other offsets, in little-endian order, when it moves into or out of a TIFF
// file. The camera maker's notes are left out, because they contain offsets that only the maker
// knows.

const (
	tagGPSDir    = 0x8825
	tagMakerNote = 0x927c
	tagInterop   = 0xa005
)

// maxMovedEXIF limits the bytes that are copied. Entries of hostile files may all point at the same
// bytes.
const maxMovedEXIF = 1 << 20

// descriptiveTags are the tags of a first directory that describe the picture, not the layout of
// its pixels in the file.
var descriptiveTags = []uint16{
	// names of document and page, description, maker and model of the camera
	0x010d, 0x010e, 0x010f, 0x0110, 0x011d,
	tagOrientation, 0x011a, 0x011b, 0x0128, // resolution and its unit
	0x0131, 0x0132, 0x013b, 0x8298, // software, date, artist, copyright
}

// elementSize is the size in bytes of one value of a type, 0 for unknown types.
func elementSize(kind uint16) int64 {
	sizes := [...]int64{0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4}
	if int(kind) >= len(sizes) {
		return 0
	}
	return sizes[kind]
}

// exifParts holds the directories of EXIF. Their data is little-endian.
type exifParts struct{ main, exif, gps []tiffEntry }

// splitEXIF reads the directories that describe a picture from EXIF or from a whole TIFF file.
// Damaged entries are left out.
func splitEXIF(b []byte) (p exifParts) {
	d, ok := firstDirectory(b)
	if !ok {
		return p
	}
	left := int64(maxMovedEXIF)
	p.main = d.copies(&left, func(tag uint16, _ uint16,
		_ int64) bool {
		return slices.Contains(descriptiveTags, tag)
	})
	for tag, to := range map[uint16]*[]tiffEntry{tagExifDir: &p.exif, tagGPSDir: &p.gps} {
		if at, ok := d.number(tag); ok {
			if sub, ok := readDirectory(b, d.order, at); ok {
				*to = sub.copies(&left, func(tag, kind uint16, size int64) bool {
					return tag != tagMakerNote && tag != tagInterop && keepsTag(tag, kind, size)
				})
			}
		}
	}
	if left < 0 {
		return exifParts{}
	}
	return p
}

// copies gives copies of the wanted entries in the order of their tags, as little-endian data.
func (d directory) copies(left *int64, want func(tag, kind uint16, size int64) bool) (
	out []tiffEntry) {
	for _, e := range d.entries {
		tag, kind, count := d.order.Uint16(d.b[e:]), d.order.Uint16(d.b[e+2:]),
			int64(d.order.Uint32(d.b[e+4:]))
		from, size, ok := d.value(e)
		if !ok || !want(tag, kind, size) || size >= minPreview && kind == typeASCII &&
			holdsPicture(d.b[from:from+size]) {
			continue
		}
		if *left -= size + 12; *left < 0 {
			return nil
		}
		data := slices.Clone(d.b[from : from+size])
		blankJPEGs(data)
		if d.order == binary.BigEndian {
			word := int(elementSize(kind))
			if kind == 5 || kind == 10 { // a fraction is two numbers
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

// write gives the inner directories as bytes for the even offset at of a file, and the entries for
// the file's first directory, without those in skip.
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
			entries = append(entries, tiffEntry{sub.tag, typeLong, 1,
				binary.LittleEndian.AppendUint32(nil, t.at)})
		}
	}
	return inner, entries
}

// exifFromTIFF makes a separate EXIF block from a TIFF file. It is nil if the file has no such
// entries.
func exifFromTIFF(file []byte) []byte {
	p := splitEXIF(file)
	if len(p.exif) == 0 && len(p.gps) == 0 &&
		!slices.ContainsFunc(p.main, func(e tiffEntry) bool { return e.tag != tagOrientation }) {
		return nil
	}
	inner, entries := p.write(8)
	t := &tiffDirectory{at: uint32(8 + len(inner)), entries: entries}
	b := binary.LittleEndian.AppendUint32([]byte("II*\x00"), t.at)
	return append(append(b, inner...), t.bytes()...)
}
