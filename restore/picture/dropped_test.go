package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Metadata of a JPEG that is not copied is reported once each.
func TestSecondPartsAreTold(t *testing.T) {
	plain := encode(t, smooth(24, 16, false), JPEG, 0)
	more := segment(0xe1, xmpMore, []byte(
		"0123456789ABCDEF0123456789ABCDEF\x00\x00\x00\x09\x00\x00\x00\x00<x:more/>"))
	mpf := segment(0xe2, "MPF\x00", []byte("MM\x00*\x00\x00\x00\x08\x00\x00"))
	for name, c := range map[string]struct {
		extra []byte
		told  []string
	}{
		"nothing": {nil, nil},
		"credentials": {segment(0xeb, "JP\x00\x01", make([]byte, 40)),
			[]string{"content credentials"}},
		"unknown": {slices.Concat(segment(0xe3, "Meta\x00", []byte("x")),
			segment(0xe3, "", []byte("y")), segment(0xec, "Ducky", []byte("z"))), []string{"APP3"}},
		"comments": {slices.Concat(segment(0xfe, "", []byte("one")),
			segment(0xfe, "", []byte("two"))), []string{"further comments"}},
		"a preview": {segment(0xfe, "", []byte("\xff\xd8\xff\xe0")),
			[]string{"comment that holds a picture"}},
		"in text": {segment(0xfe, "", []byte("thumbnail: /9j/"+strings.Repeat("QUJD\n", 80))),
			[]string{"comment that holds a picture"}},
		"xmp": {slices.Concat(more, more), []string{"second part of XMP"}},
		"mpf": {mpf, []string{"further pictures"}},
		"both": {slices.Concat(more, mpf, more),
			[]string{"second part of XMP", "further pictures"}},
	} {
		q := decode(t, slices.Concat(plain[:2], c.extra, plain[2:]))
		if len(q.Dropped) != len(c.told) {
			t.Errorf("%s: told %q", name, q.Dropped)
			continue
		}
		for i, want := range c.told {
			if !strings.Contains(q.Dropped[i], want) {
				t.Errorf("%s: told %q, want %q", name, q.Dropped, c.told)
			}
		}
	}
}

// Further chunks of PNG and entries of TIFF are reported, except those about the old file's
// encoding.
func TestFurtherPartsAreTold(t *testing.T) {
	b := encode(t, smooth(24, 16, false), PNG, 0)
	for name, c := range map[string]struct {
		chunks []byte
		told   string
	}{
		"technical": {slices.Concat(pngChunk("sBIT", []byte{5, 6, 5}),
			pngChunk("tIME", make([]byte, 7)), pngChunk("bKGD", make([]byte, 6))), ""},
		"unknown":     {slices.Concat(pngChunk("quRk", nil), pngChunk("quRk", nil)), "quRk"},
		"credentials": {pngChunk("caBX", make([]byte, 50)), "content credentials"},
		"a preview": {pngChunk("tEXt",
			[]byte("Preview\x00iVBORw0KGgo"+strings.Repeat("QUJD", 80))),
			"text that holds a picture"},
		"packed": {pngChunk("zTXt",
			append([]byte("Preview\x00\x00"),
				deflated([]byte("/9j/"+strings.Repeat("QUJD", 80)))...)),
			"text that holds a picture"},
		"text": {pngChunk("zTXt",
			append([]byte("Words\x00\x00"),
				deflated([]byte(strings.Repeat("/9j/ is how it begins. ", 80)))...)), ""},
		"damaged": {pngChunk("zTXt", []byte("Words\x00\x00junk")), "text that is damaged"},
	} {
		q := decode(t, pngOf(b, c.chunks, nil))
		if c.told == "" && len(q.Dropped) != 0 || c.told != "" &&
			(len(q.Dropped) != 1 || !strings.Contains(q.Dropped[0], c.told)) {
			t.Errorf("%s: told %q, want %q", name, q.Dropped, c.told)
		}
	}
	w := newEXIF(binary.LittleEndian)
	page := w.data(make([]byte, 24))
	q := decode(t, w.done(w.dir(0, [][4]uint32{{tagImageWidth, typeLong, 1, 4},
		{tagImageLength, typeLong, 1, 6}, {tagBitsPerSample, typeShort, 1, 8},
		{tagCompression, typeShort, 1, 1},
		{tagPhotometric, typeShort, 1, 1}, {tagStripOffsets, typeLong, 1, page},
		{tagStripCounts, typeLong, 1, 24}, {33550, 12, 3, w.data(make([]byte, 24))}}...)))
	// GeoTIFF: the position of the pixels on earth
	if len(q.Dropped) != 1 || !strings.Contains(q.Dropped[0], "33550") {
		t.Errorf("told %q", q.Dropped)
	}
}

func deflated(b []byte) []byte {
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write(b)
	_ = z.Close()
	return packed.Bytes()
}

// TestDensity: the resolution passes through every format, and turns with the picture.
func TestDensity(t *testing.T) {
	const x, y = 300, 72 // dots per inch
	p := smooth(24, 16, false)
	p.density = density{x * perInch, y * perInch}
	for _, from := range []Format{PNG, JPEG, TIFF} {
		q := decode(t, encode(t, p, from, 0))
		for _, to := range []Format{PNG, JPEG, TIFF} {
			got := decode(t, encode(t, q, to, 0)).density
			if math.Abs(got.x/perInch-x) > 0.02 || math.Abs(got.y/perInch-y) > 0.02 {
				t.Errorf("%v to %v: %.2f×%.2f per inch", from, to, got.x/perInch, got.y/perInch)
			}
		}
	}
	jpg := encode(t, p, JPEG, 0)
	if q := decode(t, withExif(jpg, exif(binary.BigEndian, 6))); math.Abs(
		q.density.x/perInch-y) > 0.02 {
		t.Errorf("turned: %.2f across", q.density.x/perInch)
	}
	if jpg[3] != 0xe0 || string(jpg[6:10]) != "JFIF" {
		t.Error("JFIF is not the first segment")
	}
	for _, d := range []density{{}, {math.Inf(1), 1}, {1e-9, 1e-9}, {1e12, 1e12}} {
		p.density = d
		for _, f := range []Format{PNG, JPEG, TIFF} {
			if got := decode(t, encode(t, p, f, 0)).density; got != (density{}) {
				t.Errorf("%v in %v became %v", d, f, got)
			}
		}
	}
}

// TestDamagedEXIFIsTold: readable entries of damaged EXIF are kept, and the damage is reported.
func TestDamagedEXIFIsTold(t *testing.T) {
	maker := []byte("ACME CAMERA\x00")
	whole := func() *exifWriter { return newEXIF(binary.LittleEndian) }
	entry := func(w *exifWriter) [4]uint32 {
		return [4]uint32{0x010f, typeASCII, uint32(len(maker)),
			w.data(maker)}
	}
	w := whole()
	good := w.done(w.dir(0, entry(w)))
	w = whole()
	beyond := w.done(w.dir(0, entry(w), [4]uint32{0x0110, typeASCII, 5000, 200}))
	w = whole()
	at := w.dir(0, [4]uint32{0x010f, typeASCII, uint32(len(maker)), 26})
	w.data(maker)
	many := w.done(at)
	many[at], many[at+1] = 0xff, 0xff // number of entries; the maker's name is now among them
	w = whole()
	lost := w.done(w.dir(0, entry(w), [4]uint32{tagExifDir, typeLong, 1, 1 << 20}))
	for name, c := range map[string]struct {
		exif []byte
		told bool
	}{"whole": {good, false}, "beyond the end": {beyond, true}, "too many entries": {many, true},
		"a directory beyond the end": {lost, true}} {
		q := decode(t, withExif(encode(t, smooth(24, 16, false), JPEG, 0), c.exif))
		if told := slices.ContainsFunc(q.Dropped,
			func(s string) bool { return strings.Contains(s, "parts of EXIF") }); told != c.told {
			t.Errorf("%s: told %q", name, q.Dropped)
		}
		for _, f := range []Format{PNG, JPEG} {
			if !bytes.Contains(encode(t, q, f, 0), maker) {
				t.Errorf("%s, %v: the camera's maker is lost", name, f)
			}
		}
	}
}

// A hundred colour profiles of 16 MB, compressed to kilobytes, are not all unpacked: the total is
// limited, and the picture is read without a profile.
func TestHundredProfiles(t *testing.T) {
	body := bytes.NewBufferString("bomb\x00\x00")
	z, _ := zlib.NewWriterLevel(body, zlib.BestCompression)
	z.Write(make([]byte, 16<<20))
	z.Close()
	plain := encode(t, smooth(24, 16, false), PNG, 0)
	const head = 8 + 25 // signature and IHDR
	file := slices.Concat(plain[:head], bytes.Repeat(pngChunk("iCCP", body.Bytes()), 100),
		plain[head:])
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	q := decode(t, file)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 256<<20 {
		t.Errorf("%d MB allocated for %d kB", took>>20, len(file)>>10)
	}
	if q.W != 24 || q.ICC != nil || len(q.Dropped) != 1 ||
		!strings.Contains(q.Dropped[0], "profile") {
		t.Errorf("%d×%d, profile of %d bytes, told %q", q.W, q.H, len(q.ICC), q.Dropped)
	}
}
