package picture

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// field is an entry that a test expects in EXIF. It is read without the code under test.
type field struct {
	dir, tag uint16 // dir: 0 for the first directory, else the tag that points at it
	want     []byte // little-endian
}

// fieldBytes reads an entry's data from a little-endian TIFF structure.
func fieldBytes(t *testing.T, b []byte, f field) []byte {
	t.Helper()
	le := binary.LittleEndian
	if string(b[:4]) != "II*\x00" {
		t.Fatalf("begins with % x", b[:4])
	}
	look := func(at uint32, tag uint16) (uint16, []byte) {
		for i := range uint32(le.Uint16(b[at:])) {
			e := b[at+2+12*i:]
			if le.Uint16(e) == tag {
				size := le.Uint32(e[4:]) * map[uint16]uint32{1: 1, 2: 1, 3: 2, 4: 4, 5: 8,
					7: 1}[le.Uint16(e[2:])]
				if size <= 4 {
					return le.Uint16(e[2:]), e[8 : 8+size]
				}
				return le.Uint16(e[2:]), b[le.Uint32(e[8:]):][:size]
			}
		}
		return 0, nil
	}
	at := le.Uint32(b[4:])
	if f.dir != 0 {
		_, p := look(at, f.dir)
		if p == nil {
			t.Fatalf("no directory %#x", f.dir)
		}
		at = le.Uint32(p)
	}
	_, v := look(at, f.tag)
	return v
}

// bigEXIF is big-endian, with far data of several types, a maker's note and a GPS directory.
func bigEXIF() []byte {
	be := binary.BigEndian
	b := []byte("MM\x00*\x00\x00\x00\x08")
	entry := func(tag, kind uint16, count, value uint32) {
		b = be.AppendUint32(be.AppendUint32(be.AppendUint16(be.AppendUint16(b, tag), kind), count),
			value)
	}
	b = be.AppendUint16(b, 4) // at 8: 2+48+4, so to 62
	entry(0x010f, 2, 9, 170)
	entry(0x0112, 3, 1, 6<<16)
	entry(0x8769, 4, 1, 62)
	entry(0x8825, 4, 1, 128)
	b = be.AppendUint32(b, 0)
	b = be.AppendUint16(b, 5) // at 62: 2+60+4, so to 128
	entry(0x829a, 5, 1, 180)
	entry(0x8827, 3, 1, 400<<16)
	entry(0x927c, 7, 8, 188)
	entry(0xa002, 4, 1, 4000)
	entry(0xa003, 4, 1, 3000)
	b = be.AppendUint32(b, 0)
	b = be.AppendUint16(b, 2) // at 128: 2+24+4, so to 158
	entry(0x0001, 2, 2, 'N'<<24)
	entry(0x0002, 5, 1, 196)
	b = be.AppendUint32(b, 0)
	for len(b) < 170 {
		b = append(b, 0)
	}
	b = append(b, "Cameraco\x00\x00"...)
	b = be.AppendUint32(be.AppendUint32(b, 1), 250)
	b = append(b, "MAKERPIX"...)
	return be.AppendUint32(be.AppendUint32(b, 52), 3)
}

// EXIF from all formats is moved into TIFF files and out again.
func TestEXIFThroughTIFF(t *testing.T) {
	in := bigEXIF()
	p := decode(t, withExif(encode(t, smooth(40, 24, false), JPEG, 90), in))
	if p.W != 24 || p.H != 40 {
		t.Fatalf("%d×%d: the test's EXIF is not understood", p.W, p.H)
	}
	fields := []field{
		{0, 0x010f, []byte("Cameraco\x00")},
		{0, 0x0112, []byte{1, 0}},
		{0x8769, 0x829a, []byte{1, 0, 0, 0, 250, 0, 0, 0}},
		{0x8769, 0x8827, []byte{0x90, 1}},
		{0x8769, 0xa002, []byte{24, 0, 0, 0}},
		{0x8769, 0xa003, []byte{40, 0, 0, 0}},
		{0x8825, 0x0001, []byte("N\x00")},
		{0x8825, 0x0002, []byte{52, 0, 0, 0, 3, 0, 0, 0}},
	}
	check := func(name string, b []byte) {
		t.Helper()
		for _, f := range fields {
			if got := fieldBytes(t, b, f); !bytes.Equal(got, f.want) {
				t.Errorf("%s: tag %#x of directory %#x is % x, want % x", name, f.tag, f.dir, got,
					f.want)
			}
		}
		if bytes.Contains(b, []byte("MAKERPIX")) {
			t.Errorf("%s: the maker's note moved", name)
		}
	}
	file := encode(t, p, TIFF, 0)
	check("TIFF", file)
	q := decode(t, file)
	if q.W != 24 || q.H != 40 || !bytes.Equal(file, encode(t, q, TIFF, 0)) {
		t.Errorf("a TIFF that is read and written is another: %d×%d", q.W, q.H)
	}
	for _, f := range []Format{JPEG, PNG} {
		check(f.String(), decode(t, encode(t, q, f, 0)).EXIF)
	}
	// Without EXIF there is none afterwards.
	if q := decode(t, encode(t, smooth(9, 5, false), TIFF, 0)); q.EXIF != nil {
		t.Errorf("EXIF from nowhere: % x", q.EXIF)
	}
	// Damaged EXIF causes no crash, and does not grow.
	r := newRand()
	for range 20000 {
		c := bytes.Clone(in)
		for range 1 + r.IntN(4) {
			c[r.IntN(len(c))] = byte(r.Uint32())
		}
		if out := exifFromTIFF(c[:1+r.IntN(len(c))]); len(out) > maxMovedEXIF+1<<17 {
			t.Fatalf("%d bytes out of %d", len(out), len(c))
		}
	}
	// Many entries that share the same bytes are too much, not a gigabyte.
	many := binary.LittleEndian.AppendUint16(
		[]byte("II*\x00\x08\x00\x00\x00\x01\x00\x69\x87\x04\x00\x01\x00\x00\x00\x1a\x00\x00\x00\x00\x00\x00\x00"), 60000)
	for i := range 60000 {
		many = binary.LittleEndian.AppendUint16(many, uint16(i+1))
		many = append(many, 2, 0, 0, 0, 1, 0, 8, 0, 0, 0) // 65536 bytes at 8
	}
	if out := exifFromTIFF(many); out != nil {
		t.Errorf("%d bytes out of entries that share theirs", len(out))
	}
}
