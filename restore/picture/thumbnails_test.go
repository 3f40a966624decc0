package picture

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"
)

// exifWriter lays out a TIFF structure.
type exifWriter struct {
	b     []byte
	order binary.AppendByteOrder
}

func newEXIF(order binary.AppendByteOrder) *exifWriter {
	w := &exifWriter{order: order, b: []byte("II*\x00\x00\x00\x00\x00")}
	if order == binary.AppendByteOrder(binary.BigEndian) {
		w.b = []byte("MM\x00*\x00\x00\x00\x00")
	}
	return w
}

// data appends bytes and gives their offset.
func (w *exifWriter) data(b []byte) uint32 {
	at := uint32(len(w.b))
	w.b = append(w.b, b...)
	for len(w.b)%2 == 1 {
		w.b = append(w.b, 0)
	}
	return at
}

// dir appends a directory of entries (tag, type, count, value) and gives its offset.
func (w *exifWriter) dir(next uint32, entries ...[4]uint32) uint32 {
	at := uint32(len(w.b))
	w.b = w.order.AppendUint16(w.b, uint16(len(entries)))
	for _, e := range entries {
		w.b = w.order.AppendUint16(w.b, uint16(e[0]))
		w.b = w.order.AppendUint16(w.b, uint16(e[1]))
		w.b = w.order.AppendUint32(w.b, e[2])
		if e[1] == typeShort && e[2] == 1 {
			w.b = append(w.order.AppendUint16(w.b, uint16(e[3])), 0, 0)
		} else {
			w.b = w.order.AppendUint32(w.b, e[3])
		}
	}
	w.b = w.order.AppendUint32(w.b, next)
	return at
}

func (w *exifWriter) done(first uint32) []byte {
	copy(w.b[4:], w.order.AppendUint32(nil, first))
	return w.b
}

// TestThumbnailsGo: no preview in EXIF is copied to any format, and the camera's name is kept.
func TestThumbnailsGo(t *testing.T) {
	jpg := slices.Concat([]byte{0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xdb, 0, 4, 1, 2, 0xff,
		0xda, 0, 4, 1, 2}, []byte("SECRET-PIXELS"), []byte{0xff, 0xd9})
	odd := bytes.Clone(jpg)
	odd[0] = 2 // like Minolta
	pixels := []byte("SECRET-PIXELS, not compressed; ")
	long := bytes.Repeat(pixels, 300)
	maker, canon := []byte("ACME CAMERA\x00"), []byte("ACME NOTE ")
	type place func(w *exifWriter) []byte
	whole := func(w *exifWriter, ifd0, sub [][4]uint32, next uint32) []byte {
		name := w.data(maker)
		ifd0 = append([][4]uint32{{0x010f, typeASCII, uint32(len(maker)), name},
			{tagOrientation, typeShort, 1, 6}}, ifd0...)
		if sub != nil {
			ifd0 = append(ifd0, [4]uint32{tagExifDir, typeLong, 1, w.dir(0, sub...)})
		}
		slices.SortFunc(ifd0, func(a, b [4]uint32) int { return int(a[0]) - int(b[0]) })
		return w.done(w.dir(next, ifd0...))
	}
	strips := func(w *exifWriter) [][4]uint32 {
		return [][4]uint32{{tagStripOffsets, typeLong, 1, w.data(pixels)},
			{tagStripCounts, typeLong, 1, uint32(len(pixels))}}
	}
	thumb := func(w *exifWriter) [][4]uint32 {
		return [][4]uint32{{tagThumbnail, typeLong, 1, w.data(jpg)},
			{tagThumbLength, typeLong, 1, uint32(len(jpg))}}
	}
	note := func(w *exifWriter, body []byte) [][4]uint32 {
		body = append(bytes.Clone(canon), body...)
		return [][4]uint32{{tagMakerNote, typeOther, uint32(len(body)), w.data(body)}}
	}
	for name, c := range map[string]place{
		"first directory, JPEG": func(w *exifWriter) []byte { return whole(w, thumb(w), nil, 0) },
		"first directory, strips": func(
			w *exifWriter) []byte {
			return whole(w, strips(w), nil, 0)
		},
		"second directory": func(
			w *exifWriter) []byte {
			return whole(w, nil, nil, w.dir(0, thumb(w)...))
		},
		"second, uncompressed": func(
			w *exifWriter) []byte {
			return whole(w, nil, nil, w.dir(0, strips(w)...))
		},
		"third directory": func(
			w *exifWriter) []byte {
			return whole(w, nil, nil, w.dir(w.dir(0, thumb(w)...), strips(w)...))
		},
		"second, longer than all": func(w *exifWriter) []byte {
			return whole(w, nil, nil, w.dir(0, [4]uint32{tagThumbnail, typeLong, 1, w.data(jpg)},
				[4]uint32{tagThumbLength, typeLong, 1, 1 << 20}))
		},
		"second, beyond the end": func(w *exifWriter) []byte {
			w.data(jpg)
			return whole(w, nil,
				nil, 0x7fffffff)
		},
		"directories below": func(w *exifWriter) []byte {
			return whole(w, [][4]uint32{{tagSubDirs, typeLong, 1, w.dir(0, thumb(w)...)}}, nil, 0)
		},
		"EXIF's directory": func(
			w *exifWriter) []byte {
			return whole(w, nil, thumb(w), 0)
		},
		"EXIF's, uncompressed": func(
			w *exifWriter) []byte {
			return whole(w, nil, strips(w), 0)
		},
		"maker's notes": func(
			w *exifWriter) []byte {
			return whole(w, nil, note(w, jpg), 0)
		},
		"maker's notes, odd": func(
			w *exifWriter) []byte {
			return whole(w, nil, note(w, odd), 0)
		},
		"maker's notes, cut": func(
			w *exifWriter) []byte {
			return whole(w, nil, note(w, jpg[:len(jpg)-2]), 0)
		},
		"maker's, outside the notes": func(
			w *exifWriter) []byte {
			n := note(w, nil)
			w.data(pixels)
			return whole(w, nil, n, 0)
		},
		"an unknown value": func(w *exifWriter) []byte {
			return whole(w, [][4]uint32{{0xc4a9, typeOther, uint32(len(long)), w.data(long)}}, nil,
				0)
		},
		"a known value": func(w *exifWriter) []byte {
			return whole(w, nil, [][4]uint32{{tagUserComment, typeOther, uint32(len(jpg)),
				w.data(jpg)}}, 0)
		},
		"Windows'": func(w *exifWriter) []byte {
			return whole(w, [][4]uint32{{0x501b, typeByte, uint32(len(pixels)), w.data(pixels)}},
				nil, 0)
		},
		"XMP in EXIF": func(w *exifWriter) []byte {
			return whole(w, [][4]uint32{{tagXMP, typeByte, uint32(len(pixels)), w.data(pixels)}},
				nil, 0)
		},
		"Photoshop's in EXIF": func(w *exifWriter) []byte {
			return whole(w, [][4]uint32{{tagPhotoshop, typeByte, uint32(len(pixels)),
				w.data(pixels)}}, nil, 0)
		},
		"no thumbnail": func(w *exifWriter) []byte { return whole(w, nil, note(w, nil), 0) },
	} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			block := c(newEXIF(order))
			for _, f := range []Format{PNG, JPEG, TIFF} {
				p := smooth(24, 16, false)
				p.EXIF = block
				out := encode(t, p, f, 0)
				if bytes.Contains(out, []byte("SECRET")) {
					t.Errorf("%s, %v: the preview is in the %v file", name, order, f)
				}
				if !bytes.Contains(out, []byte("ACME CAMERA")) {
					t.Errorf("%s, %v: the camera is gone from the %v file", name, order, f)
				}
				if strings.HasPrefix(name, "maker") && bytes.Contains(out, canon) != (f != TIFF) {
					t.Errorf("%s, %v: the maker's notes in %v: %v", name, order, f, f == TIFF)
				}
				if q := decode(t, out); q.W != 24 || exifOrientation(q.EXIF) > 1 {
					t.Errorf("%s, %v, %v: turned again", name, order, f)
				}
			}
			if p := (&Picture{W: 4, H: 4, EXIF: block}).WithoutMakerNotes(); bytes.Contains(p.EXIF,
				canon) || !bytes.Contains(p.EXIF, []byte("ACME CAMERA")) ||
				bytes.Contains(block, canon) != (len(p.Dropped) == 1) {
				t.Errorf("%s, %v: without maker's notes: told %q", name, order, p.Dropped)
			}
		}
	}
}
