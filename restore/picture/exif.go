package picture

import (
	"bytes"
	"encoding/binary"
)

// EXIF is a TIFF structure: a byte order, and directories of twelve-byte entries that refer to each
// other by offsets. Copied entries keep their offsets, because the notes of camera makers are not
// valid elsewhere. Only directories about the picture are copied, byte by byte, with the new
// orientation and size. So no thumbnail survives; it might show what the user wanted removed.

// Tags of EXIF and TIFF.
const (
	tagImageWidth   = 0x0100
	tagImageLength  = 0x0101
	tagPhotometric  = 0x0106
	tagStripOffsets = 0x0111
	tagOrientation  = 0x0112
	tagStripCounts  = 0x0117
	tagTileOffsets  = 0x0144
	tagTileCounts   = 0x0145
	tagSubDirs      = 0x014a
	tagExtraSamples = 0x0152
	tagJPEGTables   = 0x015b
	tagThumbnail    = 0x0201 // offset of a JPEG file
	tagThumbLength  = 0x0202
	tagXMP          = 0x02bc
	tagIPTC         = 0x83bb
	tagPhotoshop    = 0x8649
	tagICC          = 0x8773
	tagExifDir      = 0x8769
	tagUserComment  = 0x9286
	tagPixelsX      = 0xa002
	tagPixelsY      = 0xa003
	tagDNGPrivate   = 0xc634
)

// exifOrientation reads the orientation from the first directory. It is 0 if it is missing or
// invalid.
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

// exifDamaged tells whether entries are cut off or point beyond the end of the EXIF data.
func exifDamaged(exif []byte) bool {
	first, ok := firstDirectory(exif)
	if !ok {
		return true
	}
	list := []directory{first}
	for _, tag := range []uint16{tagExifDir, tagGPSDir} {
		if at, ok := first.number(tag); ok {
			sub, ok := readDirectory(exif, first.order, at)
			if !ok {
				return true
			}
			list = append(list, sub)
		}
	}
	for _, d := range list {
		if len(d.entries) < int(d.order.Uint16(exif[d.at:])) {
			return true
		}
		for _, e := range d.entries {
			if _, size, ok := d.value(e); !ok && size > 0 {
				return true
			}
		}
	}
	return false
}

// hasMakerNote tells whether EXIF holds the camera maker's notes.
func hasMakerNote(exif []byte) bool {
	d, ok := firstDirectory(exif)
	if !ok {
		return false
	}
	at, ok := d.number(tagExifDir)
	if !ok {
		return false
	}
	e, ok := readDirectory(exif, d.order, at)
	if !ok {
		return false
	}
	note, _, _ := e.find(tagMakerNote)
	return note != 0
}

// WithoutMakerNotes gives p without the camera maker's notes in EXIF. They may hold a preview of
// the picture in a form that only the maker knows. Dropped names what was left out. p itself is not
// changed.
func (p *Picture) WithoutMakerNotes() *Picture {
	if !hasMakerNote(p.EXIF) {
		return p
	}
	q := *p
	q.EXIF = copyEXIF(p.EXIF, func(tag uint16) bool { return tag != tagMakerNote })
	q.drop("the camera maker's notes, which may hold a preview")
	return &q
}

// maxEXIF limits EXIF that is copied. JPEG has room for 64 KB.
const maxEXIF = 16 << 20

// largeValue is the size in bytes above which values of unknown tags are left out. They may be
// pictures.
const largeValue = 1 << 9

// keepsTag tells whether an entry of a directory about the picture is copied. Entries that point at
// pixels are not, nor are XMP, IPTC and profiles, which are copied separately.
func keepsTag(tag, kind uint16, size int64) bool {
	switch {
	case tag == tagStripOffsets || tag == tagStripCounts || tag == tagTileOffsets ||
		tag == tagTileCounts || tag == tagSubDirs || tag == tagJPEGTables:
		return false
	case tag >= 0x0200 && tag <= 0x0209: // obsolete tags of JPEG in TIFF
		return false
	case tag == tagXMP || tag == tagIPTC || tag == tagPhotoshop || tag == tagICC ||
		tag == tagDNGPrivate:
		return false
	case tag >= 0x5012 && tag <= 0x5034: // thumbnail of Windows' GDI+
		return false
	case size <= largeValue || kind == typeASCII:
		return true
	}
	switch tag {
	// title, comment, author, keywords, subject of Windows
	case tagMakerNote, tagUserComment, 0x9c9b, 0x9c9c, 0x9c9d, 0x9c9e, 0x9c9f,
		// tables of the sensor and the device, and how to print
		0x8828, 0xa20c, 0xa302, 0xa40b, 0xc4a5:
		return true
	}
	return false
}

// cleanEXIF copies EXIF with the orientation and size of an upright picture of w×h pixels. It gives
// nil if the EXIF data cannot be read.
func cleanEXIF(exif []byte, w, h int) []byte {
	b := copyEXIF(exif, func(uint16) bool { return true })
	if b == nil {
		return nil
	}
	d, ok := firstDirectory(b)
	if !ok {
		return nil
	}
	d.set(tagOrientation, 1)
	d.set(tagImageWidth, w)
	d.set(tagImageLength, h)
	if sub, ok := d.number(tagExifDir); ok {
		if e, ok := readDirectory(b, d.order, sub); ok && sub != d.at {
			e.set(tagPixelsX, w)
			e.set(tagPixelsY, h)
		}
	}
	return b
}

// copyEXIF copies the entries for which keepsTag and want are true to the same offsets in a copy of
// the same size. All other bytes are 0.
func copyEXIF(exif []byte, want func(tag uint16) bool) []byte {
	d, ok := firstDirectory(exif)
	if !ok || len(exif) > maxEXIF {
		return nil
	}
	c := &exifCopy{to: make([]byte, len(exif)), left: 2*int64(len(exif)) + 1<<16, want: want}
	copy(c.to, exif[:8])
	for _, tag := range []uint16{tagExifDir, tagGPSDir} {
		if at, ok := d.number(tag); ok {
			if sub, ok := readDirectory(exif, d.order, at); ok {
				if at, ok := sub.number(tagInterop); ok {
					if inner, ok := readDirectory(exif, d.order, at); ok {
						c.values(inner)
					}
				}
				c.values(sub)
			}
		}
	}
	c.values(d)
	// In damaged EXIF directories may overlap each other or values. The first directory is written
	// last, so it is whole.
	for _, k := range c.kept {
		k.write(c.to)
	}
	return c.to
}

// exifCopy is the state of copying EXIF.
type exifCopy struct {
	to   []byte
	left int64 // limit of further bytes of values; damaged entries may all point at the same bytes
	want func(tag uint16) bool
	kept []keptEntries
}

// keptEntries are the entries of a directory that will be written.
type keptEntries struct {
	order   binary.ByteOrder
	at      int64
	room    int64 // size of the old directory in bytes
	entries [][]byte
}

// values copies the values of a directory, and remembers its entries.
func (c *exifCopy) values(d directory) {
	k := keptEntries{order: d.order, at: d.at, room: 2 + 12*int64(len(d.entries))}
	if d.next != 0 {
		k.room += 4
	}
	for _, e := range d.entries {
		tag, kind := d.order.Uint16(d.b[e:]), d.order.Uint16(d.b[e+2:])
		from, size, ok := d.value(e)
		if !ok || size > c.left || !keepsTag(tag, kind, size) || !c.want(tag) ||
			size >= minPreview && kind == typeASCII && holdsPicture(d.b[from:from+size]) {
			continue
		}
		if tag == tagExifDir || tag == tagGPSDir || tag == tagInterop {
			at, ok := d.number(tag)
			if !ok || at < 8 || at+2 > int64(len(d.b)) {
				continue
			}
		}
		if size > 4 {
			c.left -= size
			to := c.to[from : from+size]
			copy(to, d.b[from:])
			blankJPEGs(to)
		}
		k.entries = append(k.entries, d.b[e:e+12])
	}
	c.kept = append(c.kept, k)
}

// write writes the directory at its old offset, without a next directory.
func (k keptEntries) write(to []byte) {
	for 6+12*int64(len(k.entries)) > k.room && len(k.entries) > 0 { // the old directory was cut off
		k.entries = k.entries[:len(k.entries)-1]
	}
	k.order.PutUint16(to[k.at:], uint16(len(k.entries)))
	at := k.at + 2
	for _, e := range k.entries {
		copy(to[at:], e)
		at += 12
	}
	clear(to[at:min(at+4, k.at+k.room)]) // not more: values may overlap a damaged directory
}

// blankJPEGs overwrites JPEG files in b, such as previews in makers' notes, with zeros. Some makers
// change the first byte.
func blankJPEGs(b []byte) {
	for i := 1; i+3 <= len(b); i++ {
		if b[i] != 0xd8 || b[i+1] != 0xff || b[i+2] < 0xc0 {
			continue
		}
		// Any bytes may look like the beginning of a file, so the first check must be fast. For a
		// real file all segments are skipped, because its own thumbnail may hold an end marker.
		if _, segments := jpegSegments(b, i+1, soundSegments); b[i-1] != 0xff &&
			segments < soundSegments {
			continue
		}
		at, _ := jpegSegments(b, i+1, len(b))
		end := len(b)
		if k := bytes.Index(b[at:], []byte{0xff, 0xd9}); k >= 0 {
			end = at + k + 2
		}
		clear(b[i-1 : end])
		i = end
	}
}

// soundSegments is the number of valid segments that makes a chance match unlikely.
const soundSegments = 2

// jpegSegments counts consecutive valid segments from offset at on, up to most, and gives the
// offset of their end.
func jpegSegments(b []byte, at, most int) (end, segments int) {
	for segments < most && at+4 <= len(b) && b[at] == 0xff && b[at+1] >= 0xc0 && b[at+1] != 0xd9 &&
		b[at+1] != 0xda {
		n := int(binary.BigEndian.Uint16(b[at+2:]))
		if n < 2 || at+2+n > len(b) {
			break
		}
		at += 2 + n
		segments++
	}
	return min(at, len(b)), segments
}
