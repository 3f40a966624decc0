package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

const somebodysXMP = `<?xpacket begin="` + "\ufeff" +
	`" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
	`<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"` +
	` dc:rights="ACMERIGHTS" tiff:Orientation="6" exif:PixelXDimension="4000"><tiff:ImageLength>3000</tiff:ImageLength>` +
	`<xmp:Thumbnails xmlns:xmp="http://ns.adobe.com/xap/1.0/"><rdf:Alt><rdf:li rdf:parseType="Resource" xmlns:xmpGImg="http://ns.adobe.com/xap/1.0/g/img/">` +
	`<xmpGImg:image>SECRETPICTURE</xmpGImg:image></rdf:li></rdf:Alt></xmp:Thumbnails></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`

// TestWordsSurvive: XMP, IPTC, comments and text are copied from every format to every other that
// can hold them; else the loss is reported. Thumbnails in them are removed.
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
			if !strings.Contains(xmp, "ACMERIGHTS") ||
				!strings.Contains(xmp, `tiff:Orientation="1"`) ||
				!strings.Contains(xmp, `PixelXDimension="24"`) ||
				!strings.Contains(xmp, "ImageLength>16<") ||
				bytes.Contains(out, []byte("SECRETPICTURE")) {
				t.Errorf("%v to %v: XMP is %s", f, g, xmp)
			}
			if string(again.IPTC) != "\x1c\x02\x19\x00\x07ACMEKEY\x1c\x02\x74\x00\x04ACME" {
				t.Errorf("%v to %v: IPTC is %q", f, g, again.IPTC)
			}
			if comment := bytes.Contains(out, []byte("ACMECOMMENT")); comment != (f != TIFF &&
				g == PNG || f == JPEG && g == JPEG) {
				t.Errorf("%v to %v: comment %v", f, g, comment)
			}
			if text := bytes.Contains(out, []byte("ACMEAUTHOR")); text != (f == PNG && g == PNG) ||
				f == PNG && !text && !slices.Contains(q.Loses(g), "PNG's text") {
				t.Errorf("%v to %v: text %v, told %q", f, g, text, q.Loses(g))
			}
		}
	}
	// Other places of metadata.
	plain := encode(t, smooth(24, 16, false), PNG, 0)
	raw := func(kind string, data []byte) []byte {
		return pngChunk("tEXt", []byte(fmt.Sprintf("Raw profile type %s\x00\n%s\n%8d\n%x\n", kind,
			kind, len(data), data)))
	}
	block, _ := fullEXIF(binary.LittleEndian)
	q := decode(t, pngOf(plain, nil, slices.Concat(
		raw("APP1", append([]byte("Exif\x00\x00"), block...)), raw("xmp", []byte(somebodysXMP)),
		raw("iptc", makeIRB(iptc)))))
	if q.XMP == nil || q.IPTC == nil || q.EXIF == nil || q.Text != nil {
		t.Errorf("raw profiles behind the pixels: XMP %d, IPTC %d, EXIF %d, text %d bytes",
			len(q.XMP), len(q.IPTC), len(q.EXIF), len(q.Text))
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
	// What cannot be kept is reported.
	for name, c := range map[string][]byte{"damaged": []byte("<rdf>"),
		"with pictures": []byte(strings.Replace(somebodysXMP, `tiff:Orientation="6"`,
			`xmlns:G="http://ns.google.com/photos/1.0/image/" G:Data="`+strings.Repeat("SECRET",
				1000)+`"`, 1))} {
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
		if out := cleanXMP(c, 3, 4); out != nil && len(out) > len(c)+20 {
			t.Fatal("XMP grew")
		}
		d := append([]byte{}, iptc...)
		d[r.IntN(len(d))] = byte(r.Uint32())
		cleanIPTC(d)
		irb := makeIRB(iptc)
		irb[r.IntN(len(irb))] = byte(r.Uint32())
		findIPTC(irb)
	}
}
