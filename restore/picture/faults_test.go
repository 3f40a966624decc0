package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore/picture/jpegcodec"
)

// pngOf puts chunks behind the header of a PNG file, and others behind its pixels.
func pngOf(b []byte, before, after []byte) []byte {
	return slices.Concat(b[:33], before, b[33:len(b)-12], after, b[len(b)-12:])
}

// badSum is a chunk with a wrong checksum.
func badSum(kind string, body []byte) []byte {
	c := pngChunk(kind, body)
	c[len(c)-1] ^= 0x55
	return c
}

// kinds lists a PNG file's chunks.
func kinds(b []byte) (k []string) {
	for b = b[8:]; len(b) >= 12; b = b[12+binary.BigEndian.Uint32(b):] {
		k = append(k, string(b[4:8]))
	}
	return k
}

// TestPNGOtherProgramsRead: what libpng passes over is passed over here, and the picture is the same to the bit.
func TestPNGOtherProgramsRead(t *testing.T) {
	r := newRand()
	for _, depth := range []int{8, 16} {
		for _, alpha := range []bool{false, true} {
			p := random(r, 23, 17, depth, false, alpha)
			b := encode(t, p, PNG, 0)
			icc, err := iccChunk(profile(r, "RGB ", 500))
			if err != nil {
				t.Fatal(err)
			}
			icc[len(icc)-2] ^= 1
			for name, file := range map[string][]byte{
				"a profile with a wrong sum":     pngOf(b, icc, nil),
				"text with a wrong sum":          pngOf(b, badSum("tEXt", []byte("Comment\x00x")), nil),
				"text behind pixels, wrong":      pngOf(b, nil, badSum("tEXt", []byte("Comment\x00x"))),
				"an unknown chunk, wrong sum":    pngOf(b, badSum("quRk", make([]byte, 99)), nil),
				"no end":                         b[:len(b)-12],
				"an end that is cut off":         b[:len(b)-5],
				"no end, and text":               slices.Concat(b[:len(b)-12], pngChunk("tEXt", []byte("a\x00b"))),
				"no end, and text that breaks":   slices.Concat(b[:len(b)-12], pngChunk("tEXt", []byte("a\x00b"))[:9]),
				"zeros behind the end":           slices.Concat(b, make([]byte, 1000)),
				"zeros instead of the end":       slices.Concat(b[:len(b)-12], make([]byte, 1000)),
				"a chunk of transparency, wrong": pngOf(b, badSum("tRNS", make([]byte, 6)), nil),
			} {
				q, err := Decode(bytes.NewReader(file), Limits{})
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if !equalFloats(p.Pix, q.Pix) || !equalFloats(p.Alpha, q.Alpha) || q.ICC != nil || q.Salvaged != nil {
					t.Errorf("%s: another picture", name)
				}
				if wrong := strings.Contains(name, "wrong"); wrong != (len(q.Dropped) == 1 && strings.Contains(q.Dropped[0], "checksum")) {
					t.Errorf("%s: told %q", name, q.Dropped)
				}
			}
			// Chunks of the pixels with a wrong sum are another matter.
			c := bytes.Clone(b)
			c[29] ^= 1
			wantDecodeError(t, c, "checksum")
		}
	}
}

// rawPNG is a PNG file of 8-bit colour from unpacked rows.
func rawPNG(w, h, interlaced int, rows []byte, sum bool) []byte {
	head := binary.BigEndian.AppendUint32(nil, uint32(w))
	head = binary.BigEndian.AppendUint32(head, uint32(h))
	head = append(head, 8, 2, 0, 0, byte(interlaced))
	var z bytes.Buffer
	zw := zlib.NewWriter(&z)
	zw.Write(rows)
	zw.Close()
	body := z.Bytes()
	if !sum {
		body[len(body)-1] ^= 1
	}
	return slices.Concat([]byte(pngSignature), pngChunk("IHDR", head), pngChunk("IDAT", body), pngChunk("IEND", nil))
}

// TestPNGTooMuchData: more rows than the header says, with and without interlacing, and a wrong sum behind the last pixel.
func TestPNGTooMuchData(t *testing.T) {
	r := newRand()
	for _, interlaced := range []int{0, 1} {
		const w, h = 13, 11
		size := h * (1 + 3*w)
		if interlaced == 1 {
			size = 0
			for _, p := range [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
				pw, ph := (w-p[0]+p[2]-1)/p[2], (h-p[1]+p[3]-1)/p[3]
				size += ph * (1 + 3*pw)
			}
		}
		rows := make([]byte, size)
		for i := range rows {
			rows[i] = byte(r.Uint32())
		}
		at := 0
		filter := func(pw, ph int) {
			for range ph {
				rows[at] = byte(r.IntN(5))
				at += 1 + 3*pw
			}
		}
		if interlaced == 1 {
			for _, p := range [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
				filter((w-p[0]+p[2]-1)/p[2], (h-p[1]+p[3]-1)/p[3])
			}
		} else {
			filter(w, h)
		}
		want := decode(t, rawPNG(w, h, interlaced, rows, true))
		for _, extra := range []int{1, 40, 4000} {
			got := decode(t, rawPNG(w, h, interlaced, append(bytes.Clone(rows), make([]byte, extra)...), true))
			if !equalFloats(got.Pix, want.Pix) {
				t.Errorf("interlaced %d, %d bytes more: another picture", interlaced, extra)
			}
		}
		if got := decode(t, rawPNG(w, h, interlaced, rows, false)); !equalFloats(got.Pix, want.Pix) {
			t.Errorf("interlaced %d, wrong sum at the end: another picture", interlaced)
		}
		wantDecodeError(t, rawPNG(w, h, interlaced, rows[:len(rows)-1], true), "truncated PNG")
	}
}

// TestSalvage: of files that are cut off what is there is read if asked for, and told; unasked they are refused.
func TestSalvage(t *testing.T) {
	p := smooth(96, 64, false)
	for _, c := range []struct {
		f    Format
		gray bool
	}{{JPEG, false}, {JPEG, true}, {PNG, false}, {PNG, true}} {
		p.Gray = c.gray
		if c.gray {
			copy(p.Pix[96*64:], p.Pix[:96*64])
			copy(p.Pix[2*96*64:], p.Pix[:96*64])
		}
		b := encode(t, p, c.f, 90)
		whole := decode(t, b)
		for _, part := range []int{4, 6, 7} {
			cut := b[:len(b)*part/8]
			wantDecodeError(t, cut, "truncated "+c.f.String())
			for _, pack := range []int64{0, 1} {
				q, err := Decode(bytes.NewReader(cut), Limits{Salvage: true, Pack: pack})
				if err != nil {
					t.Fatal(err)
				}
				q = q.Unpacked()
				if q.W != 96 || q.H != 64 || q.Gray != c.gray || q.Salvaged == nil || q.Salvaged.Share < 0.2 || q.Salvaged.Share >= 1 || q.Salvaged.Err == nil {
					t.Fatalf("%v, %d of 8: %+v", c.f, part, q.Salvaged)
				}
				rows := int(q.Salvaged.Share*64) / 16 * 16
				for i := range 96 * max(rows-1, 0) { // the last row of blocks borders on grey, from which colour is interpolated
					if q.Pix[i] != whole.Pix[i] {
						t.Fatalf("%v, %d of 8: pixel %d is not what it was", c.f, part, i)
					}
				}
				if last := q.Pix[96*64-1]; math.Abs(float64(last)) > 0.01 {
					t.Errorf("%v, %d of 8: the last pixel is %g, not grey", c.f, part, last)
				}
			}
		}
		if q, err := Decode(bytes.NewReader(b), Limits{Salvage: true}); err != nil || q.Salvaged != nil || !equalFloats(q.Pix, whole.Pix) {
			t.Errorf("%v: a whole file is salvaged: %v", c.f, err)
		}
		if _, err := Decode(bytes.NewReader(b[:30]), Limits{Salvage: true}); err == nil {
			t.Errorf("%v: of 30 bytes a picture was made", c.f)
		}
	}
}

// TestChroma: JPEG keeps colour in full where quality is high or the picture had it in full, and halves it where it was.
func TestChroma(t *testing.T) {
	p := smooth(40, 24, false)
	for _, c := range []struct {
		halved  [2]bool
		quality int
		want    [2]bool
	}{
		{[2]bool{true, true}, 80, [2]bool{true, true}}, {[2]bool{true, false}, 80, [2]bool{true, false}}, {[2]bool{false, true}, 80, [2]bool{}}, {[2]bool{}, 80, [2]bool{}},
		{[2]bool{}, 30, [2]bool{}}, {[2]bool{true, true}, 94, [2]bool{true, true}}, {[2]bool{true, true}, 95, [2]bool{}}, {[2]bool{true, false}, 100, [2]bool{}}, {[2]bool{true, true}, 0, [2]bool{}},
	} {
		p.Halved = c.halved
		if got := decode(t, encode(t, p, JPEG, c.quality)).Halved; got != c.want {
			t.Errorf("halved %v, quality %d: %v, want %v", c.halved, c.quality, got, c.want)
		}
	}
	// A turned picture is halved along its other side.
	p.Halved = [2]bool{true, false}
	if q := decode(t, withExif(encode(t, p, JPEG, 80), exif(binary.BigEndian, 6))); q.Halved != [2]bool{false, true} {
		t.Errorf("turned: %v", q.Halved)
	}
	// What the colour of every second pixel is, survives at quality 95 and more.
	w, h := 48, 16
	stripes := New(w, h, make([]float32, 3*w*h))
	for i := range w * h {
		stripes.Pix[i], stripes.Pix[w*h+i], stripes.Pix[2*w*h+i] = -1, -1, 1
		if i%w%6 == 5 {
			stripes.Pix[i], stripes.Pix[2*w*h+i] = 1, -1
		}
	}
	for _, quality := range []int{95, 100} {
		off := 0.0
		q := decode(t, encode(t, stripes, JPEG, quality))
		for i := range q.Pix {
			d := float64(q.Pix[i]-stripes.Pix[i]) * 127.5
			off += d * d / float64(len(q.Pix))
		}
		if psnr := 10 * math.Log10(255*255/off); psnr < 35 {
			t.Errorf("red on blue at quality %d: %.1f dB", quality, psnr)
		}
	}
}

// TestJPEGColourIsInterpolated: reading is what package jpegcodec makes of the file, turned or not, in floats and in levels.
func TestJPEGColourIsInterpolated(t *testing.T) {
	p := smooth(45, 37, false)
	for _, halved := range [][2]bool{{true, true}, {true, false}} {
		p.Halved = halved
		b := encode(t, p, JPEG, 90)
		want, err := jpegcodec.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		q := decode(t, b)
		for i, v := range levels(q.Pix, 8) {
			if v != int(want.Pix[i]) {
				t.Fatalf("halved %v: value %d is %d, want %d", halved, i, v, want.Pix[i])
			}
		}
	}
}

// TestColourSpaces: what PNG's chunks say of colours stands again in PNG, becomes a profile elsewhere, and HDR is refused by name.
func TestColourSpaces(t *testing.T) {
	r := newRand()
	p := random(r, 9, 7, 8, false, false)
	b := encode(t, p, PNG, 0)
	p3 := pngChunk("cICP", []byte{12, 13, 0, 1})
	adobe := slices.Concat(pngChunk("gAMA", binary.BigEndian.AppendUint32(nil, 45470)), pngChunk("cHRM", xyChunk(0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)))
	srgb := slices.Concat(pngChunk("gAMA", binary.BigEndian.AppendUint32(nil, 45455)), pngChunk("sRGB", []byte{0}))
	linear := pngChunk("gAMA", binary.BigEndian.AppendUint32(nil, 100000))
	for name, c := range map[string]struct {
		chunks  []byte
		red     [3]float64 // of the profile; zero: none
		half    float64    // light of the value one half
		unknown bool
	}{
		"P3": {p3, [3]float64{0.5151, 0.2412, -0.0011}, 0.214, false}, "Adobe's": {adobe, [3]float64{0.6097, 0.3111, 0.0195}, 0.2140, false}, "sRGB": {srgb, [3]float64{}, 0, false},
		"linear": {linear, [3]float64{0.4361, 0.2225, 0.0139}, 0.5, false}, "2020": {pngChunk("cICP", []byte{9, 1, 0, 1}), [3]float64{0.6734, 0.2790, -0.0019}, 0.2593, false},
		"unknown": {pngChunk("cICP", []byte{200, 13, 0, 1}), [3]float64{}, 0, true}, "not RGB": {pngChunk("cICP", []byte{1, 13, 1, 1}), [3]float64{}, 0, true},
	} {
		q := decode(t, pngOf(b, c.chunks, nil))
		if out := encode(t, q, PNG, 0); !bytes.Contains(out, c.chunks) {
			t.Errorf("%s: PNG has %v", name, kinds(out))
		}
		for _, f := range []Format{JPEG, TIFF} {
			back := decode(t, encode(t, q, f, 0))
			if (back.ICC != nil) != (c.red != [3]float64{}) || c.unknown != (len(q.Loses(f)) == 1) {
				t.Fatalf("%s: a profile of %d bytes in %v, loses %q", name, len(back.ICC), f, q.Loses(f))
			}
			if back.ICC == nil {
				continue
			}
			red := iccTagOf(t, back.ICC, "rXYZ")
			for i, want := range c.red {
				if v := float64(int32(binary.BigEndian.Uint32(red[8+4*i:]))) / 65536; math.Abs(v-want) > 0.0006 {
					t.Errorf("%s: red is %.4f in %d, want %.4f", name, v, i, want)
				}
			}
			table := iccTagOf(t, back.ICC, "gTRC")
			if v := float64(binary.BigEndian.Uint16(table[12+2*512:])) / 65535; math.Abs(v-c.half) > 0.006 {
				t.Errorf("%s: half becomes %.4f of light, want %.4f", name, v, c.half)
			}
		}
	}
	for transfer, want := range map[byte]string{16: "PQ", 18: "HLG"} {
		wantDecodeError(t, pngOf(b, pngChunk("cICP", []byte{9, transfer, 0, 1}), nil), want)
	}
	// White stays white: the three colours sum to it.
	icc, ok := makeProfile(primaries[12], srgbCurve, false)
	sum := [3]float64{}
	for _, name := range []string{"rXYZ", "gXYZ", "bXYZ"} {
		for i := range sum {
			sum[i] += float64(int32(binary.BigEndian.Uint32(iccTagOf(t, icc, name)[8+4*i:]))) / 65536
		}
	}
	if !ok || math.Abs(sum[0]-0.9642) > 0.0002 || math.Abs(sum[1]-1) > 0.0002 || math.Abs(sum[2]-0.8249) > 0.0002 {
		t.Errorf("white is %v", sum)
	}
	grey := random(r, 5, 5, 8, true, false)
	if g := decode(t, pngOf(encode(t, grey, PNG, 0), linear, nil)); !profileFits(decode(t, encode(t, g, JPEG, 0)).ICC, true) {
		t.Error("linear grey has no profile in JPEG")
	}
	for range 2000 { // any numbers: a profile or none
		c := &pngColour{gama: random8(r.Uint32, 4), chrm: random8(r.Uint32, 32)}
		if r.IntN(2) == 0 {
			c.cicp = random8(r.Uint32, 4)
		}
		if icc, ok := c.profile(r.IntN(2) == 0); ok && icc != nil && !profileFits(icc, false) && !profileFits(icc, true) {
			t.Fatalf("%+v gives a profile that fits nothing", c)
		}
	}
}

func random8(next func() uint32, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(next())
	}
	return b
}

func xyChunk(v ...float64) (b []byte) {
	for _, x := range v {
		b = binary.BigEndian.AppendUint32(b, uint32(math.Round(x*100000)))
	}
	return b
}

func iccTagOf(t *testing.T, icc []byte, name string) []byte {
	t.Helper()
	for i := range int(binary.BigEndian.Uint32(icc[128:])) {
		e := icc[132+12*i:]
		if string(e[:4]) == name {
			at := binary.BigEndian.Uint32(e[4:])
			return icc[at : at+binary.BigEndian.Uint32(e[8:])]
		}
	}
	t.Fatalf("the profile has no %s", name)
	return nil
}

// TestProfileIsTrimmed: bytes behind the end that a profile's header tells are cut off; of what is damaged or of another kind a word is said.
func TestProfileIsTrimmed(t *testing.T) {
	r := newRand()
	p := random(r, 6, 5, 8, false, false)
	for _, f := range []Format{PNG, JPEG, TIFF} {
		for name, c := range map[string]struct {
			icc, want []byte
			told      string
		}{
			"longer": {append(profile(r, "RGB ", 600), make([]byte, 40)...), nil, ""}, "shorter": {profile(r, "RGB ", 600)[:599], nil, "damaged"},
			"CMYK": {profile(r, "CMYK", 600), nil, "CMYK"}, "grey": {profile(r, "GRAY", 600), nil, "another kind"},
		} {
			plain := encode(t, p, f, 0)
			var b []byte
			switch f {
			case PNG:
				chunk, _ := iccChunk(c.icc)
				b = pngOf(plain, chunk, nil)
			case JPEG:
				b = slices.Concat(plain[:2], iccSegments(c.icc), plain[2:])
			case TIFF:
				q := *p
				q.ICC = profile(r, "RGB ", len(c.icc))
				b = bytes.Replace(encode(t, &q, TIFF, 0), q.ICC, c.icc, 1)
			}
			q := decode(t, b)
			switch {
			case name == "longer" && (!bytes.Equal(q.ICC, c.icc[:600]) || len(q.Dropped) > 0):
				t.Errorf("%v: a profile of 600 bytes with 40 more became %d, %q", f, len(q.ICC), q.Dropped)
			case name != "longer" && (q.ICC != nil || len(q.Dropped) != 1 || !strings.Contains(q.Dropped[0], c.told)):
				t.Errorf("%v, %s: profile of %d bytes, told %q", f, name, len(q.ICC), q.Dropped)
			}
		}
	}
}

const somebodysXMP = `<?xpacket begin="` + "\ufeff" + `" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
	`<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"` +
	` dc:rights="ACMERIGHTS" tiff:Orientation="6" exif:PixelXDimension="4000"><tiff:ImageLength>3000</tiff:ImageLength>` +
	`<xmp:Thumbnails xmlns:xmp="http://ns.adobe.com/xap/1.0/"><rdf:Alt><rdf:li rdf:parseType="Resource" xmlns:xmpGImg="http://ns.adobe.com/xap/1.0/g/img/">` +
	`<xmpGImg:image>SECRETPICTURE</xmpGImg:image></rdf:li></rdf:Alt></xmp:Thumbnails></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`

// TestWordsSurvive: XMP, IPTC, comments and text go from every format to every other that holds them; what does not is told. Thumbnails in them go.
func TestWordsSurvive(t *testing.T) {
	iptc := []byte("\x1c\x02\x19\x00\x07ACMEKEY\x1c\x02\xca\x00\x06SECRET\x1c\x02\x74\x00\x04ACME")
	p := smooth(24, 16, false)
	p.XMP, p.IPTC, p.Comment = []byte(somebodysXMP), iptc, []byte("ACMECOMMENT")
	p.Text = pngChunk("tEXt", []byte("Author\x00ACMEAUTHOR"))
	for _, f := range []Format{PNG, JPEG, TIFF} {
		b := encode(t, p, f, 0)
		q := decode(t, b)
		for _, g := range []Format{PNG, JPEG, TIFF} {
			out := encode(t, q, g, 0)
			again := decode(t, out)
			xmp := string(again.XMP)
			if !strings.Contains(xmp, "ACMERIGHTS") || !strings.Contains(xmp, `tiff:Orientation="1"`) || !strings.Contains(xmp, `PixelXDimension="24"`) ||
				!strings.Contains(xmp, "ImageLength>16<") || bytes.Contains(out, []byte("SECRETPICTURE")) {
				t.Errorf("%v to %v: XMP is %s", f, g, xmp)
			}
			if string(again.IPTC) != "\x1c\x02\x19\x00\x07ACMEKEY\x1c\x02\x74\x00\x04ACME" {
				t.Errorf("%v to %v: IPTC is %q", f, g, again.IPTC)
			}
			if comment := bytes.Contains(out, []byte("ACMECOMMENT")); comment != (f != TIFF && g == PNG || f == JPEG && g == JPEG) {
				t.Errorf("%v to %v: comment %v", f, g, comment)
			}
			if text := bytes.Contains(out, []byte("ACMEAUTHOR")); text != (f == PNG && g == PNG) || f == PNG && !text && !slices.Contains(q.Loses(g), "PNG's text") {
				t.Errorf("%v to %v: text %v, told %q", f, g, text, q.Loses(g))
			}
		}
	}
	// Other ways in.
	plain := encode(t, smooth(24, 16, false), PNG, 0)
	raw := func(kind string, data []byte) []byte {
		return pngChunk("tEXt", []byte(fmt.Sprintf("Raw profile type %s\x00\n%s\n%8d\n%x\n", kind, kind, len(data), data)))
	}
	block, _ := fullEXIF(binary.LittleEndian)
	q := decode(t, pngOf(plain, nil, slices.Concat(raw("APP1", append([]byte("Exif\x00\x00"), block...)), raw("xmp", []byte(somebodysXMP)), raw("iptc", irbOf(iptc)))))
	if q.XMP == nil || q.IPTC == nil || q.EXIF == nil || q.Text != nil {
		t.Errorf("raw profiles behind the pixels: XMP %d, IPTC %d, EXIF %d, text %d bytes", len(q.XMP), len(q.IPTC), len(q.EXIF), len(q.Text))
	}
	if turned, err := os.ReadFile("testdata/lossless.webp"); err != nil {
		t.Fatal(err)
	} else {
		chunk := binary.LittleEndian.AppendUint32([]byte("XMP "), uint32(len(somebodysXMP)))
		b := append(append(turned, chunk...), somebodysXMP...)
		if q := decode(t, b); q.XMP == nil {
			t.Error("WebP's XMP is gone")
		}
	}
	// What cannot be kept is told.
	for name, c := range map[string][]byte{"damaged": []byte("<rdf>"), "with pictures": []byte(strings.Replace(somebodysXMP, `tiff:Orientation="6"`,
		`xmlns:G="http://ns.google.com/photos/1.0/image/" G:Data="`+strings.Repeat("SECRET", 1000)+`"`, 1))} {
		b := encode(t, smooth(24, 16, false), JPEG, 0)
		q := decode(t, slices.Concat(b[:2], xmpSegment(c), b[2:]))
		if q.XMP != nil || len(q.Dropped) != 1 || !strings.Contains(q.Dropped[0], "XMP") {
			t.Errorf("XMP, %s: %d bytes, told %q", name, len(q.XMP), q.Dropped)
		}
	}
	for range 3000 {
		r := newRand()
		c := []byte(somebodysXMP)
		for range 1 + r.IntN(4) {
			c[r.IntN(len(c))] = byte(r.Uint32())
		}
		if out := settleXMP(c, 3, 4); out != nil && len(out) > len(c)+20 {
			t.Fatal("XMP grew")
		}
		d := append([]byte{}, iptc...)
		d[r.IntN(len(d))] = byte(r.Uint32())
		settleIPTC(d)
		irb := irbOf(iptc)
		irb[r.IntN(len(irb))] = byte(r.Uint32())
		iptcOf(irb)
	}
}

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

// data puts bytes and tells where.
func (w *exifWriter) data(b []byte) uint32 {
	at := uint32(len(w.b))
	w.b = append(w.b, b...)
	for len(w.b)%2 == 1 {
		w.b = append(w.b, 0)
	}
	return at
}

// dir puts a directory of entries (tag, type, count, value) and tells where.
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

// TestThumbnailsGo: wherever a preview stands in EXIF, it is gone from every format, and what the camera says of itself is there.
func TestThumbnailsGo(t *testing.T) {
	jpg := slices.Concat([]byte{0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xdb, 0, 4, 1, 2, 0xff, 0xda, 0, 4, 1, 2}, []byte("SECRET-PIXELS"), []byte{0xff, 0xd9})
	odd := bytes.Clone(jpg)
	odd[0] = 2 // as Minolta does
	pixels := []byte("SECRET-PIXELS, not compressed; ")
	long := bytes.Repeat(pixels, 300)
	maker, canon := []byte("ACME CAMERA\x00"), []byte("ACME NOTE ")
	type place func(w *exifWriter) []byte
	whole := func(w *exifWriter, ifd0, sub [][4]uint32, next uint32) []byte {
		name := w.data(maker)
		ifd0 = append([][4]uint32{{0x010f, typeASCII, uint32(len(maker)), name}, {tagOrientation, typeShort, 1, 6}}, ifd0...)
		if sub != nil {
			ifd0 = append(ifd0, [4]uint32{tagExifDir, typeLong, 1, w.dir(0, sub...)})
		}
		slices.SortFunc(ifd0, func(a, b [4]uint32) int { return int(a[0]) - int(b[0]) })
		return w.done(w.dir(next, ifd0...))
	}
	strips := func(w *exifWriter) [][4]uint32 {
		return [][4]uint32{{tagStripOffsets, typeLong, 1, w.data(pixels)}, {tagStripCounts, typeLong, 1, uint32(len(pixels))}}
	}
	thumb := func(w *exifWriter) [][4]uint32 {
		return [][4]uint32{{tagThumbnail, typeLong, 1, w.data(jpg)}, {tagThumbLength, typeLong, 1, uint32(len(jpg))}}
	}
	note := func(w *exifWriter, body []byte) [][4]uint32 {
		body = append(bytes.Clone(canon), body...)
		return [][4]uint32{{tagMakerNote, typeOther, uint32(len(body)), w.data(body)}}
	}
	for name, c := range map[string]place{
		"first directory, JPEG":   func(w *exifWriter) []byte { return whole(w, thumb(w), nil, 0) },
		"first directory, strips": func(w *exifWriter) []byte { return whole(w, strips(w), nil, 0) },
		"second directory":        func(w *exifWriter) []byte { return whole(w, nil, nil, w.dir(0, thumb(w)...)) },
		"second, uncompressed":    func(w *exifWriter) []byte { return whole(w, nil, nil, w.dir(0, strips(w)...)) },
		"third directory":         func(w *exifWriter) []byte { return whole(w, nil, nil, w.dir(w.dir(0, thumb(w)...), strips(w)...)) },
		"second, longer than all": func(w *exifWriter) []byte {
			return whole(w, nil, nil, w.dir(0, [4]uint32{tagThumbnail, typeLong, 1, w.data(jpg)}, [4]uint32{tagThumbLength, typeLong, 1, 1 << 20}))
		},
		"second, beyond the end": func(w *exifWriter) []byte { w.data(jpg); return whole(w, nil, nil, 0x7fffffff) },
		"directories below": func(w *exifWriter) []byte {
			return whole(w, [][4]uint32{{tagSubDirs, typeLong, 1, w.dir(0, thumb(w)...)}}, nil, 0)
		},
		"EXIF's directory":           func(w *exifWriter) []byte { return whole(w, nil, thumb(w), 0) },
		"EXIF's, uncompressed":       func(w *exifWriter) []byte { return whole(w, nil, strips(w), 0) },
		"maker's notes":              func(w *exifWriter) []byte { return whole(w, nil, note(w, jpg), 0) },
		"maker's notes, odd":         func(w *exifWriter) []byte { return whole(w, nil, note(w, odd), 0) },
		"maker's notes, cut":         func(w *exifWriter) []byte { return whole(w, nil, note(w, jpg[:len(jpg)-2]), 0) },
		"maker's, outside the notes": func(w *exifWriter) []byte { n := note(w, nil); w.data(pixels); return whole(w, nil, n, 0) },
		"an unknown value": func(w *exifWriter) []byte {
			return whole(w, [][4]uint32{{0xc4a9, typeOther, uint32(len(long)), w.data(long)}}, nil, 0)
		},
		"a known value": func(w *exifWriter) []byte {
			return whole(w, nil, [][4]uint32{{tagUserComment, typeOther, uint32(len(jpg)), w.data(jpg)}}, 0)
		},
		"Windows'": func(w *exifWriter) []byte {
			return whole(w, [][4]uint32{{0x501b, typeByte, uint32(len(pixels)), w.data(pixels)}}, nil, 0)
		},
		"XMP in EXIF": func(w *exifWriter) []byte {
			return whole(w, [][4]uint32{{tagXMP, typeByte, uint32(len(pixels)), w.data(pixels)}}, nil, 0)
		},
		"Photoshop's in EXIF": func(w *exifWriter) []byte {
			return whole(w, [][4]uint32{{tagPhotoshop, typeByte, uint32(len(pixels)), w.data(pixels)}}, nil, 0)
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
			if p := (&Picture{W: 4, H: 4, EXIF: block}).WithoutMakerNotes(); bytes.Contains(p.EXIF, canon) || !bytes.Contains(p.EXIF, []byte("ACME CAMERA")) || bytes.Contains(block, canon) != (len(p.Dropped) == 1) {
				t.Errorf("%s, %v: without maker's notes: told %q", name, order, p.Dropped)
			}
		}
	}
}

// TestRawIsRefused: raw files of the kinds that are TIFF inside, and others by their first bytes.
func TestRawIsRefused(t *testing.T) {
	thumb := func(w *exifWriter, maker string, more ...[4]uint32) [][4]uint32 {
		e := [][4]uint32{{tagNewSubfile, typeLong, 1, 1}, {tagImageWidth, typeLong, 1, 4}, {tagImageLength, typeLong, 1, 2}, {tagBitsPerSample, typeShort, 3, w.data([]byte{8, 0, 8, 0, 8, 0})},
			{tagCompression, typeShort, 1, 1}, {tagPhotometric, typeShort, 1, 2}, {tagMake, typeASCII, uint32(len(maker)), w.data([]byte(maker))},
			{tagStripOffsets, typeLong, 1, w.data(make([]byte, 24))}, {tagSamples, typeShort, 1, 3}, {tagStripCounts, typeLong, 1, 24}}
		return append(e, more...)
	}
	sensor := func(w *exifWriter, compression, photometric uint32) uint32 {
		return w.dir(0, [][4]uint32{{tagNewSubfile, typeLong, 1, 0}, {tagImageWidth, typeLong, 1, 640}, {tagImageLength, typeLong, 1, 480}, {tagCompression, typeShort, 1, compression}, {tagPhotometric, typeShort, 1, photometric}}...)
	}
	for want, c := range map[string]func(w *exifWriter) []byte{
		"(DNG)": func(w *exifWriter) []byte {
			return w.done(w.dir(0, thumb(w, "ACME\x00\x00", [4]uint32{tagSubDirs, typeLong, 1, sensor(w, 1, photometricCFA)}, [4]uint32{tagDNGVersion, typeByte, 4, 1})...))
		},
		"(NEF)": func(w *exifWriter) []byte {
			return w.done(w.dir(0, thumb(w, "NIKON CORPORATION\x00", [4]uint32{tagSubDirs, typeLong, 1, sensor(w, 34713, photometricCFA)})...))
		},
		"(ARW)": func(w *exifWriter) []byte {
			return w.done(w.dir(0, thumb(w, "SONY\x00\x00", [4]uint32{tagSubDirs, typeLong, 1, sensor(w, 32767, photometricCFA)})...))
		},
		"(CR2)": func(w *exifWriter) []byte {
			w.data([]byte("CR\x02\x00"))
			return w.done(w.dir(0, thumb(w, "Canon\x00")...))
		},
		"(PEF)": func(w *exifWriter) []byte {
			return w.done(w.dir(sensor(w, 65535, photometricCFA), thumb(w, "PENTAX\x00\x00")...))
		},
		"a sensor": func(w *exifWriter) []byte {
			return w.done(w.dir(0, thumb(w, "ACME\x00\x00", [4]uint32{tagSubDirs, typeLong, 1, sensor(w, 1, photometricLinearRaw)})...))
		},
		"(IIQ)": func(w *exifWriter) []byte {
			w.data([]byte(map[bool]string{true: "IIIITwaR", false: "MMMMRawT"}[w.b[0] == 'I']))
			return w.done(w.dir(0, thumb(w, "Phase One\x00")...))
		},
		"CR2": func(w *exifWriter) []byte {
			return w.done(w.dir(w.dir(0, [4]uint32{tagCompression, typeShort, 1, 6}, [4]uint32{tagCR2Slice, typeShort, 1, 1}), thumb(w, "Canon\x00")...))
		},
		"thumbnail of a larger": func(w *exifWriter) []byte { return w.done(w.dir(sensor(w, 1, 2), thumb(w, "ACME\x00\x00")...)) },
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
	for magic, want := range map[string]string{"FUJIFILMCCD-RAW ": "RAF", "IIRO\x08\x00\x00\x00": "ORF", "IIU\x00\x08\x00\x00\x00": "RW2", "\x00\x00\x00\x18ftypcrx ": "CR3"} {
		wantDecodeError(t, []byte(magic+strings.Repeat("\x00", 99)), "camera raw file ("+want+")")
	}
	// Nothing but the name tells, where the sensor's values stand in the maker's notes.
	dir := t.TempDir()
	tiff := encode(t, smooth(24, 16, false), TIFF, 0)
	for name, raw := range map[string]bool{"a.NRW": true, "b.nef": true, "c.dng": true, "d.tif": false, "e.png": false} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, tiff, 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := DecodeFile(path, Limits{})
		if raw && (err == nil || !strings.Contains(err.Error(), name+": not a picture I can read (it is a camera raw file ("+strings.ToUpper(name[2:])+")")) || !raw && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A TIFF with a smaller picture behind it is none.
	w := newEXIF(binary.LittleEndian)
	e := thumb(w, "ACME\x00\x00")
	e[0][3] = 0
	p := decode(t, w.done(w.dir(w.dir(0, [4]uint32{tagImageWidth, typeLong, 1, 2}), e...)))
	if p.W != 4 || len(p.Dropped) != 1 || !strings.Contains(p.Dropped[0], "pages") {
		t.Errorf("%d×%d, told %q", p.W, p.H, p.Dropped)
	}
}

// TestTIFFLayouts: separate planes, grey with alpha and further channels, in strips and tiles, with each compression, against the pixels they were made of.
func TestTIFFLayouts(t *testing.T) {
	r := newRand()
	const w, h = 37, 29
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, c := range []struct {
			channels, colours, extra int // extra: value of ExtraSamples, -1 without
			planar                   bool
		}{{3, 3, -1, true}, {4, 3, 2, true}, {4, 3, 1, true}, {2, 1, 2, false}, {2, 1, 2, true}, {2, 1, 0, false}, {5, 3, 2, false}, {4, 3, 0, false}} {
			for _, depth := range []int{8, 16} {
				for _, packing := range []int{tiffNone, tiffDeflate, tiffPackBits} {
					for _, tiled := range []bool{false, true} {
						predict := packing == tiffDeflate
						pix := make([]uint16, w*h*c.channels)
						for i := range pix {
							pix[i] = uint16(r.Uint32())
							if depth == 8 {
								pix[i] &= 0xff
							}
							if c.extra == 1 && i%c.channels == 3 { // colours must not exceed what they are multiplied with
								pix[i] = uint16(1<<depth - 1)
							}
						}
						b := layTIFF(order, w, h, c.channels, c.colours, c.extra, depth, packing, c.planar, predict, tiled, pix)
						name := fmt.Sprintf("%v %+v depth %d compression %d tiles %v", order, c, depth, packing, tiled)
						p, err := Decode(bytes.NewReader(b), Limits{})
						if err != nil {
							t.Fatalf("%s: %v", name, err)
						}
						alpha := c.extra > 0
						if p.W != w || p.H != h || p.Gray != (c.colours == 1) || p.Depth != depth || (p.Alpha != nil) != alpha && c.extra != 1 {
							t.Fatalf("%s: %d×%d grey %v depth %d alpha %v", name, p.W, p.H, p.Gray, p.Depth, p.Alpha != nil)
						}
						if told := len(p.Dropped) == 1; told != (c.extra == 0 || c.channels == 5) {
							t.Errorf("%s: told %q", name, p.Dropped)
						}
						for ch := range 3 {
							for i, v := range levels(p.Pix[ch*w*h:(ch+1)*w*h], depth) {
								if want := int(pix[i*c.channels+min(ch, c.colours-1)]); v != want {
									t.Fatalf("%s: channel %d of pixel %d is %d, want %d", name, ch, i, v, want)
								}
							}
						}
						if c.extra == 2 {
							for i, a := range p.Alpha {
								if want := float64(pix[i*c.channels+c.colours]) / float64(int(1)<<depth-1); math.Abs(float64(a)-want) > 1e-6 {
									t.Fatalf("%s: alpha of pixel %d is %g, want %g", name, i, a, want)
								}
							}
						}
						if packing != tiffNone || tiled {
							continue
						}
						if _, err := Decode(bytes.NewReader(b[:len(b)/2]), Limits{}); err == nil {
							t.Fatalf("%s: half of it is a picture", name)
						}
					}
				}
			}
		}
	}
	odd := layTIFF(binary.LittleEndian, 8, 8, 3, 3, -1, 8, 99, true, false, false, make([]uint16, 192))
	wantDecodeError(t, odd, "separate planes")
}

// layTIFF writes a TIFF file.
func layTIFF(order binary.AppendByteOrder, w, h, channels, colours, extra, depth, packing int, planar, predict, tiled bool, pix []uint16) []byte {
	f := newEXIF(order)
	bw, bh := w, 7
	if tiled {
		bw, bh = 16, 16
	}
	planes, per := 1, channels
	if planar {
		planes, per = channels, 1
	}
	var offsets, counts []byte
	for p := range planes {
		for y0 := 0; y0 < h; y0 += bh {
			for x0 := 0; x0 < w; x0 += bw {
				var raw []byte
				for y := y0; y < y0+bh; y++ {
					if y >= h && !tiled {
						break
					}
					for x := x0; x < x0+bw; x++ {
						for c := range per {
							at := func(x int) uint16 {
								if x < x0 || x >= w || y >= h {
									return 0
								}
								return pix[(y*w+x)*channels+p+c]
							}
							v := at(x)
							if predict {
								v -= at(x - 1)
							}
							if depth == 16 {
								raw = order.AppendUint16(raw, v)
							} else {
								raw = append(raw, byte(v))
							}
						}
					}
				}
				switch packing {
				case tiffDeflate:
					var z bytes.Buffer
					zw := zlib.NewWriter(&z)
					zw.Write(raw)
					zw.Close()
					raw = z.Bytes()
				case tiffPackBits:
					var packed []byte
					for len(raw) > 0 {
						n := min(len(raw), 128)
						if len(raw) > 2 && raw[0] == raw[1] {
							packed = append(packed, 0xff, raw[0])
							raw = raw[2:]
							continue
						}
						packed = append(append(packed, byte(n-1)), raw[:n]...)
						raw = raw[n:]
					}
					raw = packed
				}
				offsets = append(offsets, order.AppendUint32(nil, f.data(raw))...)
				counts = append(counts, order.AppendUint32(nil, uint32(len(raw)))...)
			}
		}
	}
	var bits []byte
	for range channels {
		bits = order.AppendUint16(bits, uint16(depth))
	}
	list := func(tag uint16, kind, count uint32, b []byte) [4]uint32 {
		if len(b) > 4 {
			return [4]uint32{uint32(tag), kind, count, f.data(b)}
		}
		if kind == typeShort && count == 1 {
			return [4]uint32{uint32(tag), kind, count, uint32(order.(binary.ByteOrder).Uint16(b))}
		}
		return [4]uint32{uint32(tag), kind, count, order.(binary.ByteOrder).Uint32(append(b, 0, 0, 0, 0))}
	}
	photometric, predictor, config := uint32(2), uint32(1), uint32(1)
	if colours == 1 {
		photometric = 1
	}
	if predict {
		predictor = 2
	}
	if planar {
		config = 2
	}
	n := uint32(len(offsets) / 4)
	e := [][4]uint32{{tagImageWidth, typeLong, 1, uint32(w)}, {tagImageLength, typeLong, 1, uint32(h)}, list(tagBitsPerSample, typeShort, uint32(channels), bits),
		{tagCompression, typeShort, 1, uint32(packing)}, {tagPhotometric, typeShort, 1, photometric}}
	if !tiled {
		e = append(e, list(tagStripOffsets, typeLong, n, offsets))
	}
	e = append(e, [4]uint32{tagSamples, typeShort, 1, uint32(channels)})
	if !tiled {
		e = append(e, [4]uint32{tagRowsPerStrip, typeLong, 1, uint32(bh)}, list(tagStripCounts, typeLong, n, counts))
	}
	e = append(e, [4]uint32{tagPlanarConfig, typeShort, 1, config}, [4]uint32{tagPredictor, typeShort, 1, predictor})
	if tiled {
		e = append(e, [4]uint32{tagTileWidth, typeLong, 1, uint32(bw)}, [4]uint32{tagTileLength, typeLong, 1, uint32(bh)}, list(tagTileOffsets, typeLong, n, offsets), list(tagTileCounts, typeLong, n, counts))
	}
	if extra >= 0 {
		var b []byte
		for i := range channels - colours {
			v := 0
			if i == 0 {
				v = extra
			}
			b = order.AppendUint16(b, uint16(v))
		}
		e = append(e, list(tagExtraSamples, typeShort, uint32(channels-colours), b))
	}
	return f.done(f.dir(0, e...))
}

// TestNewFilesDamaged: bytes changed anywhere in such files give a picture or an error.
func TestNewFilesDamaged(t *testing.T) {
	r := newRand()
	pix := make([]uint16, 20*15*4)
	for i := range pix {
		pix[i] = uint16(i * 7 % 256)
	}
	files := [][]byte{
		layTIFF(binary.LittleEndian, 20, 15, 3, 3, -1, 8, tiffDeflate, true, true, false, pix), layTIFF(binary.BigEndian, 20, 15, 2, 1, 2, 8, tiffPackBits, false, false, true, pix),
		pngOf(encode(t, smooth(20, 15, false), PNG, 0), slices.Concat(pngChunk("cICP", []byte{12, 13, 0, 1}), pngChunk("zTXt", []byte("Raw profile type iptc\x00\x00abc"))), pngChunk("iTXt", []byte(xmpKeyword+"\x00\x00\x00\x00\x00"+somebodysXMP))),
	}
	for _, b := range files {
		for range 500 {
			c := bytes.Clone(b)
			for range 1 + r.IntN(3) {
				c[r.IntN(len(c))] = byte(r.Uint32())
			}
			if r.IntN(4) == 0 {
				c = c[:r.IntN(len(c))]
			}
			if bytes.HasPrefix(c, []byte(pngSignature)) { // so that it is the contents that are looked at
				mendSums(c)
			}
			p, err := Decode(bytes.NewReader(c), Limits{MaxPixels: 1 << 16, Salvage: r.IntN(2) == 0})
			if err != nil {
				continue
			}
			if err := p.Check(); err != nil {
				t.Fatal(err)
			}
			for _, f := range []Format{PNG, TIFF} {
				if q := decode(t, encode(t, p, f, 0)); q.W != p.W || q.H != p.H {
					t.Fatal("another size")
				}
			}
		}
	}
}

func mendSums(b []byte) {
	for at := 8; at+12 <= len(b); {
		n := int(binary.BigEndian.Uint32(b[at:]))
		if n < 0 || at+12+n > len(b) {
			return
		}
		binary.BigEndian.PutUint32(b[at+8+n:], crc32.ChecksumIEEE(b[at+4:at+8+n]))
		at += 12 + n
	}
}

// TestPackedSame: the paths for large pictures read such files as the others do.
func TestPackedSame(t *testing.T) {
	dir := t.TempDir()
	p := random(newRand(), 40, 50, 8, true, true)
	path := filepath.Join(dir, "a.tif")
	if err := EncodeFile(path, p, 0); err != nil {
		t.Fatal(err)
	}
	a, err1 := DecodeFile(path, Limits{})
	b, err2 := DecodeFile(path, Limits{Pack: 1})
	if err1 != nil || err2 != nil || !reflect.DeepEqual(a, b.Unpacked()) || !equalFloats(a.Pix, p.Pix) || !equalFloats(a.Alpha, p.Alpha) {
		t.Errorf("%v %v", err1, err2)
	}
}

// TestMaskKinds: masks as people paint them, and those that mark nothing, of which the error says what a mask is.
func TestMaskKinds(t *testing.T) {
	dir := t.TempDir()
	const w, h = 16, 12
	inside := func(i int) bool { return i%w > 4 && i%w < 10 && i/w > 2 && i/w < 8 }
	draw := func(paint, ground [4]float32, gray, alpha bool) *Picture {
		p := New(w, h, make([]float32, 3*w*h))
		p.Gray = gray
		if alpha {
			p.Alpha = make([]float32, w*h)
		}
		for i := range w * h {
			v := ground
			if inside(i) {
				v = paint
			}
			for c := range 3 {
				p.Pix[c*w*h+i] = 2*v[c] - 1
			}
			if alpha {
				p.Alpha[i] = v[3]
			}
		}
		return p
	}
	white, black, clear := [4]float32{1, 1, 1, 1}, [4]float32{0, 0, 0, 1}, [4]float32{}
	for name, p := range map[string]*Picture{
		"white on black": draw(white, black, true, false), "white on black, opaque": draw(white, black, false, true), "white on clear": draw(white, clear, false, true),
		"black on clear": draw(black, clear, false, true), "red on clear": draw([4]float32{1, 0, 0, 1}, clear, false, true), "grey with alpha": draw(black, clear, true, true),
		"black on white that is clear": draw(black, [4]float32{1, 1, 1, 0}, false, true),
	} {
		for _, f := range []Format{PNG, TIFF} {
			path := filepath.Join(dir, "mask"+map[Format]string{PNG: ".png", TIFF: ".tif"}[f])
			if err := EncodeFile(path, p, 0); err != nil {
				t.Fatal(err)
			}
			m, err := DecodeMaskFile(path, w, h, Limits{})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			for i := range m {
				if m[i] != inside(i) {
					t.Errorf("%s: pixel %d is missing: %v", name, i, m[i])
					break
				}
			}
		}
	}
	// Paint of several colours on transparency marks as one does; black and white on it is a mask of black and white.
	for name, c := range map[string]struct {
		left, right, ground [4]float32
		rightToo            bool
	}{
		"white and red":         {[4]float32{1, 1, 1, 1}, [4]float32{1, 0, 0, 1}, clear, true},
		"yellow and blue":       {[4]float32{1, 1, 0, 1}, [4]float32{0, 0, 1, 1}, clear, true},
		"a part of a picture":   {[4]float32{0.7, 0.6, 0.5, 1}, [4]float32{0.3, 0.35, 0.2, 1}, [4]float32{0.4, 0.9, 0.4, 0}, true},
		"white, black on clear": {white, black, clear, false},
	} {
		p := draw(white, c.ground, false, true)
		for i := range w * h {
			if inside(i) {
				v := c.left
				if i%w > 6 {
					v = c.right
				}
				for k := range 3 {
					p.Pix[k*w*h+i] = 2*v[k] - 1
				}
				p.Alpha[i] = v[3]
			}
		}
		m, err := p.Mask(w, h)
		if err != nil {
			t.Fatal(err)
		}
		for i := range m {
			if want := inside(i) && (c.rightToo || i%w <= 6); m[i] != want {
				t.Errorf("%s: pixel %d is missing: %v", name, i, m[i])
				break
			}
		}
	}
	one := float32(1) / 255
	for name, p := range map[string]*Picture{
		"black": draw(black, black, true, false), "black, opaque": draw(black, black, false, true), "clear": draw(clear, clear, false, true),
		"0 and 1": draw([4]float32{one, one, one, 1}, black, true, false), "red on black": draw([4]float32{1, 0, 0, 1}, black, false, false),
		"faint paint": draw([4]float32{0, 0, 0, 0.4}, clear, false, true),
	} {
		path := filepath.Join(dir, "nothing.png")
		if err := EncodeFile(path, p, 0); err != nil {
			t.Fatal(err)
		}
		_, err := DecodeMaskFile(path, w, h, Limits{})
		var e *EmptyMaskError
		if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), path+": the mask marks nothing: paint white") {
			t.Errorf("%s: %v", name, err)
		} else if want := map[string]float64{"0 and 1": 1, "red on black": 85}[name]; math.Abs(e.Lightest-want) > 0.01 {
			t.Errorf("%s: the lightest is %g, want %g", name, e.Lightest, want)
		}
	}
}
