package picture

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRawIsRefused: raw files of the kinds that are TIFF inside, and others by their first bytes.
func TestRawIsRefused(t *testing.T) {
	thumb := func(w *exifWriter, maker string, more ...[4]uint32) [][4]uint32 {
		e := [][4]uint32{{tagNewSubfile, typeLong, 1, 1}, {tagImageWidth, typeLong, 1, 4},
			{tagImageLength, typeLong, 1, 2},
			{tagBitsPerSample, typeShort, 3, w.data([]byte{8, 0, 8, 0, 8, 0})},
			{tagCompression, typeShort, 1, 1}, {tagPhotometric, typeShort, 1, 2},
			{tagMake, typeASCII, uint32(len(maker)), w.data([]byte(maker))},
			{tagStripOffsets, typeLong, 1, w.data(make([]byte, 24))}, {tagSamples, typeShort, 1, 3},
			{tagStripCounts, typeLong, 1, 24}}
		return append(e, more...)
	}
	sensor := func(w *exifWriter, compression, photometric uint32) uint32 {
		return w.dir(0, [][4]uint32{{tagNewSubfile, typeLong, 1, 0},
			{tagImageWidth, typeLong, 1, 640}, {tagImageLength, typeLong, 1, 480},
			{tagCompression, typeShort, 1, compression},
			{tagPhotometric, typeShort, 1, photometric}}...)
	}
	for want, c := range map[string]func(w *exifWriter) []byte{
		"(DNG)": func(w *exifWriter) []byte {
			return w.done(w.dir(0, thumb(w, "ACME\x00\x00",
				[4]uint32{tagSubDirs, typeLong, 1, sensor(w, 1, photometricCFA)},
				[4]uint32{tagDNGVersion, typeByte, 4, 1})...))
		},
		"(NEF)": func(w *exifWriter) []byte {
			return w.done(w.dir(0, thumb(w, "NIKON CORPORATION\x00",
				[4]uint32{tagSubDirs, typeLong, 1, sensor(w, 34713, photometricCFA)})...))
		},
		"(ARW)": func(w *exifWriter) []byte {
			return w.done(w.dir(0, thumb(w, "SONY\x00\x00",
				[4]uint32{tagSubDirs, typeLong, 1, sensor(w, 32767, photometricCFA)})...))
		},
		"(CR2)": func(w *exifWriter) []byte {
			w.data([]byte("CR\x02\x00"))
			return w.done(w.dir(0, thumb(w, "Canon\x00")...))
		},
		"(PEF)": func(w *exifWriter) []byte {
			return w.done(w.dir(sensor(w, 65535, photometricCFA), thumb(w, "PENTAX\x00\x00")...))
		},
		"a sensor": func(w *exifWriter) []byte {
			return w.done(w.dir(0, thumb(w, "ACME\x00\x00",
				[4]uint32{tagSubDirs, typeLong, 1, sensor(w, 1, photometricLinearRaw)})...))
		},
		"(IIQ)": func(w *exifWriter) []byte {
			w.data([]byte(map[bool]string{true: "IIIITwaR", false: "MMMMRawT"}[w.b[0] == 'I']))
			return w.done(w.dir(0, thumb(w, "Phase One\x00")...))
		},
		"CR2": func(w *exifWriter) []byte {
			return w.done(w.dir(w.dir(0, [4]uint32{tagCompression, typeShort, 1, 6},
				[4]uint32{tagCR2Slice, typeShort, 1, 1}), thumb(w, "Canon\x00")...))
		},
		"thumbnail of a larger": func(w *exifWriter) []byte {
			return w.done(
				w.dir(sensor(w, 1, 2), thumb(w, "ACME\x00\x00")...))
		},
	} {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			w := newEXIF(order)
			b := c(w)
			if want != "thumbnail of a larger" {
				wantDecodeError(t, b, "camera raw file")
			}
			wantDecodeError(t, b, want)
		}
	}
	for magic, want := range map[string]string{"FUJIFILMCCD-RAW ": "RAF",
		"IIRO\x08\x00\x00\x00": "ORF", "IIU\x00\x08\x00\x00\x00": "RW2",
		"\x00\x00\x00\x18ftypcrx ": "CR3"} {
		wantDecodeError(t, []byte(magic+strings.Repeat("\x00", 99)), "camera raw file ("+want+")")
	}
	// If the sensor's values are in the maker's notes, only the file name shows that it is raw.
	dir := t.TempDir()
	tiff := encode(t, smooth(24, 16, false), TIFF, 0)
	for name, raw := range map[string]bool{"a.NRW": true, "b.nef": true, "c.dng": true,
		"d.tif": false, "e.png": false} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, tiff, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := DecodeFile(path, Limits{})
		if raw && (err == nil || !strings.Contains(err.Error(),
			name+": not a picture I can read (it is a camera raw file ("+strings.ToUpper(
				name[2:])+")")) || !raw && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A TIFF followed by a smaller picture is not raw.
	w := newEXIF(binary.LittleEndian)
	e := thumb(w, "ACME\x00\x00")
	e[0][3] = 0
	p := decode(t, w.done(w.dir(w.dir(0, [4]uint32{tagImageWidth, typeLong, 1, 2}), e...)))
	if p.W != 4 || len(p.Dropped) != 1 || !strings.Contains(p.Dropped[0], "pages") {
		t.Errorf("%d×%d, told %q", p.W, p.H, p.Dropped)
	}
}
