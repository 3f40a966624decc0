package picture

import (
	"bytes"
	"encoding/binary"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TIFF files, read by another library: every mode, odd sizes, several strips, the profile.
func TestTIFFRoundTripEveryMode(t *testing.T) {
	r := newRand()
	for _, size := range [][2]int{{1, 1}, {13, 7}, {300, 401}} {
		for _, depth := range []int{8, 16} {
			for _, gray := range []bool{false, true} {
				for _, alpha := range []bool{false, true} {
					p := random(r, size[0], size[1], depth, gray, alpha)
					p.ICC = profile(r, map[bool]string{true: "GRAY", false: "RGB "}[gray], 501)
					q := decode(t, encode(t, p, TIFF, 0))
					if q.W != p.W || q.H != p.H || q.Depth != depth || q.Gray != gray ||
						!equalFloats(p.Pix, q.Pix) || !equalFloats(p.Alpha, q.Alpha) {
						t.Errorf("%v, %d bits, gray %v, alpha %v: came back as %d×%d, %d, %v", size,
							depth, gray, alpha, q.W, q.H, q.Depth, q.Gray)
					}
					if q.Format != TIFF || !bytes.Equal(q.ICC, p.ICC) {
						t.Errorf("format %v, profile of %d bytes, had %d", q.Format, len(q.ICC),
							len(p.ICC))
					}
				}
			}
		}
	}
}

// For grey with alpha the entries are checked too, because the reader is our own.
func TestTIFFGrayAlpha(t *testing.T) {
	b := encode(t, random(newRand(), 9, 5, 8, true, true), TIFF, 0)
	d, ok := readDirectory(b, binary.LittleEndian, int64(binary.LittleEndian.Uint32(b[4:])))
	if !ok {
		t.Fatal("no directory")
	}
	for tag, want := range map[uint16]int64{0x100: 9, 0x101: 5, tagPhotometric: 1, 0x115: 2,
		tagExtraSamples: 2} {
		if v, ok := d.number(tag); !ok || v != want {
			t.Errorf("tag %#x is %d, want %d", tag, v, want)
		}
	}
	for i := 1; i < len(d.entries); i++ {
		if binary.LittleEndian.Uint16(b[d.entries[i]:]) <= binary.LittleEndian.Uint16(
			b[d.entries[i-1]:]) {
			t.Error("entries are not in order")
		}
	}
}

// CMYK JPEGs are compared with libjpeg (through Pillow) and the formula (1−c)(1−k): with all inks
// in full resolution, and with two at half resolution, which libjpeg interpolates, as Y′CbCr and as
// inks.
func TestCMYKAgainstLibjpeg(t *testing.T) {
	for name, size := range map[string][2]int{"cmyk": {24, 18}, "ycck": {37, 29},
		"cmyk420": {37, 29}} {
		want, err := DecodeFile("testdata/"+name+".png", Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for _, pack := range []int64{0, 1} {
			p, err := DecodeFile("testdata/"+name+".jpg", Limits{Pack: pack})
			if err != nil {
				t.Fatal(err)
			}
			p = p.Unpacked()
			if p.Format != JPEG || p.W != size[0] || p.H != size[1] || p.Alpha != nil || p.Gray {
				t.Fatalf("%s: %v %d×%d", name, p.Format, p.W, p.H)
			}
			for i := range p.Pix { // two inverse cosine transforms may round differently
				if d := math.Abs(float64(p.Pix[i]-want.Pix[i])) * 127.5; d > 2.01 {
					t.Fatalf("%s: value %d is off by %.2f levels", name, i, d)
				}
			}
		}
	}
	// Repeated chroma values would differ a lot.
	b, err := os.ReadFile("testdata/ycck.jpg")
	if err != nil {
		t.Fatal(err)
	}
	plain, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	want, worst := decode(t, b), 0.0
	for i, v := range fromImage(plain, JPEG).Pix {
		worst = max(worst, math.Abs(float64(v-want.Pix[i]))*127.5)
	}
	if worst < 20 {
		t.Errorf("the test's picture does not tell interpolation from repetition: %.1f levels",
			worst)
	}
}

// TestFax: in fax codes white runs are 0. The photometric entry decides whether such a page is
// white or black, as in libtiff.
func TestFax(t *testing.T) {
	for photometric, want := range map[uint32]float32{0: 1, 1: -1} {
		w := newEXIF(binary.LittleEndian)
		// eight rows like the one above, and the end of the block
		page := w.data([]byte{0xff, 0x00, 0x10, 0x01})
		p := decode(t, w.done(w.dir(0, [][4]uint32{{tagImageWidth, typeLong, 1, 24},
			{tagImageLength, typeLong, 1, 8}, {tagBitsPerSample, typeShort, 1, 1},
			{tagCompression, typeShort, 1, 4},
			{tagPhotometric, typeShort, 1, photometric}, {tagStripOffsets, typeLong, 1, page},
			{tagSamples, typeShort, 1, 1}, {tagRowsPerStrip, typeLong, 1, 8},
			{tagStripCounts, typeLong, 1, 4}}...)))
		for i, v := range p.Pix {
			if v != want {
				t.Fatalf("photometric %d: value %d is %g, want %g", photometric, i, v, want)
			}
		}
	}
}

// WebP is compared with libwebp's decoder on files in testdata, which were drawn by a formula and
// compressed by cwebp.
func TestWebPAgainstLibwebp(t *testing.T) {
	for _, name := range []string{"lossy", "lossy-odd", "lossy-narrow", "lossy-alpha", "lossless",
		"lossless-alpha"} {
		p, err := DecodeFile(filepath.Join("testdata", name+".webp"), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if q, err := DecodeFile(filepath.Join("testdata", name+".webp"),
			Limits{Pack: 1}); err != nil || !equalFloats(q.Unpacked().Pix, p.Pix) ||
			!equalFloats(q.Alpha, p.Alpha) {
			t.Errorf("%s: in levels it is another (%v)", name, err)
		}
		want, err := DecodeFile(filepath.Join("testdata", name+".png"), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if p.Format != WebP || p.W != want.W || p.H != want.H ||
			(p.Alpha == nil) != (want.Alpha == nil) {
			t.Fatalf("%s: %v %d×%d, alpha %v", name, p.Format, p.W, p.H, p.Alpha != nil)
		}
		for i := range p.Pix {
			if p.Pix[i] != want.Pix[i] {
				t.Fatalf("%s: value %d is off by %.2f levels", name, i,
					math.Abs(float64(p.Pix[i]-want.Pix[i]))*127.5)
			}
		}
		if !equalFloats(p.Alpha, want.Alpha) {
			t.Errorf("%s: another alpha", name)
		}
	}
	if p, err := DecodeFile("testdata/turned.webp", Limits{}); err != nil || p.W != 18 ||
		p.H != 24 || p.EXIF == nil {
		t.Errorf("with orientation: %v, %+v", err, p)
	}
	if _, err := DecodeFile("testdata/animated.webp", Limits{}); err == nil ||
		!strings.Contains(err.Error(), "animated") {
		t.Errorf("an animation gives %v", err)
	}
}

// Damaged files give errors, never a crash. An animated PNG is named in the error.
func TestDamagedTIFFAndWebP(t *testing.T) {
	r := newRand()
	files := map[string][]byte{"tiff": encode(t, random(r, 20, 11, 16, false, true), TIFF, 0)}
	for _, name := range []string{"lossy-alpha.webp", "lossless.webp", "turned.webp"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = b
	}
	for name, b := range files {
		for n := range len(b) {
			if p, err := Decode(bytes.NewReader(b[:n]), Limits{MaxPixels: 1 << 20}); err == nil &&
				p.Check() != nil {
				t.Errorf("%s, %d bytes: %v", name, n, p.Check())
			}
		}
		for range 2000 {
			c := bytes.Clone(b)
			for k := r.IntN(4); k >= 0; k-- {
				c[r.IntN(len(c))] = byte(r.Uint32())
			}
			if p, err := Decode(bytes.NewReader(c), Limits{MaxPixels: 1 << 16}); err == nil &&
				p.Check() != nil {
				t.Errorf("%s: %v", name, p.Check())
			}
		}
	}
	png := encode(t, random(r, 4, 4, 8, false, false), PNG, 0)
	wantDecodeError(t, slices.Concat(png[:33], pngChunk("acTL", make([]byte, 8)), png[33:]),
		"animated")
}

// fullEXIF has a camera's name, an orientation, a size in the EXIF directory, and a thumbnail.
func fullEXIF(order binary.AppendByteOrder) (b []byte, thumb []byte) {
	b = []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		b = []byte("MM\x00*")
	}
	entry := func(tag, kind uint16, count, value uint32) {
		b = order.AppendUint16(b, tag)
		b = order.AppendUint16(b, kind)
		b = order.AppendUint32(b, count)
		if kind == typeShort {
			b = append(order.AppendUint16(b, uint16(value)), 0, 0)
		} else {
			b = order.AppendUint32(b, value)
		}
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 3) // at 8: 2+36+4, then at 50
	entry(0x010f, 2, 4, 0x41424300)
	entry(tagOrientation, typeShort, 1, 6)
	entry(tagExifDir, typeLong, 1, 50)
	b = order.AppendUint32(b, 80)
	b = order.AppendUint16(b, 2) // at 50: 2+24+4
	entry(tagPixelsX, typeLong, 1, 4000)
	entry(tagPixelsY, typeShort, 1, 3000)
	b = order.AppendUint32(b, 0)
	b = order.AppendUint16(b, 2) // at 80: 2+24+4
	entry(tagThumbnail, typeLong, 1, 110)
	entry(tagThumbLength, typeLong, 1, 9)
	b = order.AppendUint32(b, 0)
	return append(b, "SECRETPIX"...), []byte("SECRETPIX")
}

// EXIF is copied with the new orientation and size, and without the thumbnail.
func TestEXIFIsCarried(t *testing.T) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		in, thumb := fullEXIF(order)
		jpg := withExif(encode(t, smooth(40, 24, false), JPEG, 90), in)
		p := decode(t, jpg)
		if p.W != 24 || p.H != 40 {
			t.Fatalf("%d×%d", p.W, p.H)
		}
		for _, f := range []Format{JPEG, PNG} {
			b := encode(t, p, f, 0)
			q := decode(t, b)
			if q.W != 24 || q.H != 40 {
				t.Errorf("%v: turned twice: %d×%d", f, q.W, q.H)
			}
			if bytes.Contains(b, thumb) {
				t.Errorf("%v: the thumbnail is still there", f)
			}
			o, at, ok := tiffStart(q.EXIF)
			if !ok || len(q.EXIF) != len(in) {
				t.Fatalf("%v: EXIF of %d bytes, had %d", f, len(q.EXIF), len(in))
			}
			d, _ := readDirectory(q.EXIF, o, at)
			e, _ := readDirectory(q.EXIF, o, 50)
			for _, x := range []struct {
				d    directory
				tag  uint16
				want int64
			}{{d, tagOrientation, 1}, {d, tagExifDir, 50}, {e, tagPixelsX, 24},
				{e, tagPixelsY, 40}} {
				if v, ok := x.d.number(x.tag); !ok || v != x.want {
					t.Errorf("%v: tag %#x is %d, want %d", f, x.tag, v, x.want)
				}
			}
			if o.Uint32(q.EXIF[d.next:]) != 0 || !bytes.Equal(q.EXIF[10:22], in[10:22]) {
				t.Errorf("%v: the thumbnail's directory is there, or the camera's name is not", f)
			}
		}
		if !bytes.Contains(in, thumb) {
			t.Error("the original was changed")
		}
		// Unreadable EXIF is dropped and causes no crash.
		r := newRand()
		for n := range in {
			cleanEXIF(in[:n], 5, 5)
		}
		for range 5000 {
			c := bytes.Clone(in)
			c[r.IntN(len(c))] = byte(r.Uint32())
			c[r.IntN(len(c))] = byte(r.Uint32())
			cleanEXIF(c, 5, 5)
		}
	}
	p := smooth(8, 8, false)
	p.EXIF = []byte("nonsense")
	decode(t, encode(t, p, JPEG, 0))
	if exifSegment(make([]byte, 70000)) != nil {
		t.Error("EXIF larger than a segment was written")
	}
}
