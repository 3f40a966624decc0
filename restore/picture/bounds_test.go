package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/internal/memory"
)

// counter counts what is read of an endless stream.
type counter struct {
	head []byte
	fill byte
	n    int64
}

func (c *counter) Read(p []byte) (int, error) {
	n := copy(p, c.head)
	c.head = c.head[n:]
	for fill := bytes.Repeat([]byte{c.fill}, 4096); n < len(p); {
		n += copy(p[n:], fill)
	}
	c.n += int64(len(p))
	return len(p), nil
}

// Endless streams are refused: those of no known format after their first bytes, others when they
// are longer than their pictures can be.
func TestEndless(t *testing.T) {
	r := newRand()
	png := encode(t, random(r, 8, 8, 8, false, false), PNG, 0)
	webp := append([]byte("RIFF\x00\x01\x00\x00WEBPVP8L"), make([]byte, 100)...)
	for name, c := range map[string]struct {
		head []byte
		fill byte
		most int64
	}{
		"zeros": {nil, 0, 1 << 20},
		"yes":   {nil, 'y', 1 << 20},
		"GIF":   {[]byte("GIF89a"), 0, 1 << 20},
		"a PNG": {png, 0, 2 * metadataBytes},
		"a JPEG": {encode(t, random(r, 8, 8, 8, false, false), JPEG, 0), 'x',
			2 * metadataBytes},
		"PNG head":               {png[:33], 1, 2 * metadataBytes},
		"WebP":                   {webp, 0, 2 * metadataBytes},
		"WebP of four gigabytes": {[]byte("RIFF\xff\xff\xff\xffWEBPVP8 "), 0, 2 * metadataBytes},
		// Streams in which the sides never come.
		"a JPEG's start, zeros": {[]byte("\xff\xd8\xff\xe0\x00\x10JFIF\x00"), 0,
			2 * metadataBytes},
		"a JPEG's start, yes":     {[]byte("\xff\xd8\xff"), 'y', 2 * metadataBytes},
		"a TIFF's start":          {[]byte("II*\x00\x08\x00\x00\x00"), 0, 2 * metadataBytes},
		"a TIFF, directory later": {[]byte("II*\x00\x08\x00\x00\x01"), 0, 2*metadataBytes + 1<<24},
		"a TIFF of a pixel":       {tiledTIFF(16, 16, 16, 16), 0, 2 * metadataBytes},
	} {
		s := &counter{head: c.head, fill: c.fill}
		var de *DecodeError
		if _, err := Decode(s, Limits{}); !errors.As(err, &de) {
			t.Errorf("%s: got %v", name, err)
		}
		if s.n > c.most {
			t.Errorf("%s: %d bytes were read", name, s.n)
		}
	}
}

// Pictures from pipes are read like those from files.
func TestPipe(t *testing.T) {
	r := newRand()
	for name, f := range map[string]Format{"PNG": PNG, "JPEG": JPEG, "TIFF": TIFF, "late": JPEG} {
		b := encode(t, random(r, 200, 150, 16, false, false), f, 0)
		if name == "late" { // the sides follow profiles and previews
			parts := [][]byte{b[:2]}
			for range 9 {
				parts = append(parts, segment(0xe5, "", bytes.Repeat([]byte("preview"), 9000)))
			}
			b = slices.Concat(append(parts, b[2:])...)
		}
		in, out := io.Pipe()
		go func() {
			for i := 0; i < len(b); i += 1000 {
				out.Write(b[i:min(i+1000, len(b))])
			}
			out.Close()
		}()
		if p, err := Decode(in, Limits{}); err != nil || p.W != 200 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// progressive repeats a scan of a progressive JPEG that adds nothing.
func progressive(t *testing.T, scans int) []byte {
	t.Helper()
	b := []byte{0xff, 0xd8, 0xff, 0xdb, 0, 67, 0}
	for range 64 {
		b = append(b, 1)
	}
	b = append(b, 0xff, 0xc2, 0, 11, 8, 0, 64, 0, 64, 1, 1, 0x11, 0)
	// A Huffman table of one code, for a difference of 0, and one for bands, for the end of a
	// block.
	for _, class := range []byte{0x00, 0x10} {
		b = append(b, 0xff, 0xc4, 0, 20, class, 1)
		b = append(b, make([]byte, 16)...)
	}
	zeros := make([]byte, 8) // 64 blocks of one bit
	b = append(b, 0xff, 0xda, 0, 8, 1, 1, 0, 0, 0, 0)
	b = append(b, zeros...)
	for range scans - 1 {
		b = append(b, 0xff, 0xda, 0, 8, 1, 1, 0, 1, 63, 0)
		b = append(b, zeros...)
	}
	return append(b, 0xff, 0xd9)
}

func TestScans(t *testing.T) {
	b := progressive(t, 30)
	if _, err := jpeg.Decode(bytes.NewReader(b)); err != nil {
		t.Fatalf("the test's own JPEG is wrong: %v", err)
	}
	if n := countScans(b, 1000); n != 30 {
		t.Errorf("counted %d scans of 30", n)
	}
	if _, err := Decode(bytes.NewReader(b), Limits{}); err != nil {
		t.Errorf("30 scans: %v", err)
	}
	wantDecodeError(t, progressive(t, 500), "scans")
	// Scans inside segments, such as those of thumbnails, do not count.
	inner := append([]byte{0xff, 0xd8, 0xff, 0xe1, 0xff, 0xff},
		bytes.Repeat([]byte{0xff, 0xda, 0, 2}, 0xfffd/4)...)
	inner = append(inner, make([]byte, 0xfffd%4)...)
	if _, err := Decode(bytes.NewReader(append(inner, b[2:]...)), Limits{}); err != nil {
		t.Errorf("a thumbnail's scans count: %v", err)
	}
}

// tiledTIFF is a grey TIFF of w×h pixels in tiles that all share their bytes.
func tiledTIFF(w, h, tw, th int) []byte {
	n := (w + tw - 1) / tw * ((h + th - 1) / th)
	data := make([]byte, tw*th)
	at := uint32(8 + len(data))
	offsets, counts := make([]uint32, n), make([]uint32, n)
	for i := range n {
		offsets[i], counts[i] = 8, uint32(len(data))
	}
	d := &tiffDirectory{at: at}
	d.add(0x0100, typeLong, uint32(w))
	d.add(0x0101, typeLong, uint32(h))
	d.add(0x0102, typeShort, 8)
	d.add(0x0103, typeShort, 1)
	d.add(tagPhotometric, typeShort, 1)
	d.add(tagTileWidth, typeLong, uint32(tw))
	d.add(tagTileLength, typeLong, uint32(th))
	d.add(0x0144, typeLong, offsets...)
	d.add(0x0145, typeLong, counts...)
	b := binary.LittleEndian.AppendUint32([]byte("II*\x00"), at)
	return append(append(b, data...), d.bytes()...)
}

func TestTiles(t *testing.T) {
	for _, s := range [][4]int{{10, 10, 256, 256}, {300, 200, 256, 256}, {1, 2000, 16, 16},
		{1500, 3, 512, 512}, {1000, 700, 1024, 1024}} {
		if _, err := Decode(bytes.NewReader(tiledTIFF(s[0], s[1], s[2], s[3])),
			Limits{}); err != nil {
			t.Errorf("%v: %v", s, err)
		}
	}
	for _, s := range [][4]int{{1, 200 << 10, 1024, 1024}, {200 << 10, 1, 512, 1024},
		{2, 1 << 20, 512, 16}} {
		wantDecodeError(t, tiledTIFF(s[0], s[1], s[2], s[3]), "tiles")
	}
}

// stripTIFF is a grey TIFF of w×h pixels in strips that all share their bytes.
func stripTIFF(w, h, rows int) []byte {
	n := (h + rows - 1) / rows
	data := unpacked(w * rows)
	at := uint32(8 + len(data) + len(data)%2)
	offsets, counts := make([]uint32, n), make([]uint32, n)
	for i := range n {
		offsets[i], counts[i] = 8, uint32(len(data))
	}
	d := &tiffDirectory{at: at}
	d.add(0x0100, typeLong, uint32(w))
	d.add(0x0101, typeLong, uint32(h))
	d.add(0x0102, typeShort, 8)
	d.add(0x0103, typeShort, 8) // deflate
	d.add(tagPhotometric, typeShort, 1)
	d.add(tagStripOffsets, typeLong, offsets...)
	d.add(tagRowsPerStrip, typeLong, uint32(rows))
	d.add(tagStripCounts, typeLong, counts...)
	b := binary.LittleEndian.AppendUint32([]byte("II*\x00"), at)
	b = append(b, data...)
	return append(append(b, make([]byte, len(data)%2)...), d.bytes()...)
}

// unpacked gives zeros, deflated.
func unpacked(n int) []byte {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write(make([]byte, n))
	_ = z.Close()
	return b.Bytes()
}

// Starting a strip costs time. Numbers of strips that programs write are accepted, hundreds of
// thousands for few pixels are not.
func TestStrips(t *testing.T) {
	for _, s := range [][3]int{{1, 1, 1}, {40, 3000, 1}, {1, 16000, 1}, {3000, 2000, 2},
		{1, 1 << 20, 1 << 20}} {
		if p, err := Decode(bytes.NewReader(stripTIFF(s[0], s[1], s[2])), Limits{}); err != nil ||
			p.W != s[0] || p.H != s[1] {
			t.Errorf("%v: %v", s, err)
		}
	}
	for _, s := range [][3]int{{1, 240000, 1}, {2, 1 << 20, 3}} {
		wantDecodeError(t, stripTIFF(s[0], s[1], s[2]), "strips")
	}
}

// A megabyte of maker's notes in which any byte may begin a preview takes no longer than one with
// none. Checking all segments from each byte would take hours.
func TestPreviewsThatAreNone(t *testing.T) {
	for _, pattern := range []string{"\x00\xd8\xff\xc0", "\x00\xd8\xff\xe0\x00\x03",
		"\x00\xd8\xff\xe0\x00\x02\x00", "\xff\xd8\xff\xe0"} {
		w := newEXIF(binary.LittleEndian)
		note := bytes.Repeat([]byte(pattern), 8<<20/len(pattern))
		sub := w.dir(0, [4]uint32{tagMakerNote, typeOther, uint32(len(note)), w.data(note)})
		exif := w.done(w.dir(0, [4]uint32{tagExifDir, typeLong, 1, sub}))
		if cleanEXIF(exif, 8, 8) == nil {
			t.Errorf("%q: EXIF is lost", pattern)
		}
	}
}

// The size of unpacked XMP is limited, because it is parsed as XML.
func TestLargeXMP(t *testing.T) {
	body := func(n int) []byte {
		return slices.Concat([]byte(`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="r">`),
			bytes.Repeat([]byte("<a/>"), n/4), []byte(`</rdf:RDF></x:xmpmeta>`))
	}
	p := random(newRand(), 8, 8, 8, false, false)
	for _, c := range []struct {
		size int
		kept bool
	}{{1 << 20, true}, {3 << 20, false}} {
		p.XMP = body(c.size)
		chunk := pngChunk("iTXt", append([]byte(xmpKeyword+"\x00\x00\x00\x00\x00"), p.XMP...))
		plain := random(newRand(), 8, 8, 8, false, false)
		q := decode(t, pngOf(encode(t, plain, PNG, 0), chunk, nil))
		if (q.XMP != nil) != c.kept || len(q.Dropped) > 0 == c.kept {
			t.Errorf("%d bytes: kept %v, told %q", c.size, q.XMP != nil, q.Dropped)
		}
	}
}

// hugePNG has a header of w×h pixels of one bit, and as many bytes as such a file may have.
func hugePNG(w, h int) []byte {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(w)), uint32(h))
	b := append([]byte(pngSignature), pngChunk("IHDR", append(head, 1, 0, 0, 0, 0))...)
	return append(b, pngChunk("IDAT", make([]byte, w*h/8/1032+100))...)
}

// A mask of the wrong size is refused before its pixels are decoded; decoding would fail here with
// another error.
func TestMaskUnpacked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mask.png")
	if err := os.WriteFile(path, hugePNG(16000, 16000), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := DecodeMaskFile(path, 96, 64, Limits{})
	var size *MaskSizeError
	if !errors.As(err, &size) || size.Path != path || size.MaskW != 16000 {
		t.Errorf("got %v", err)
	}
}

// Pictures too large for the memory are refused with a typed error.
func TestMemoryOfPictures(t *testing.T) {
	if memory.Available() > 1<<50 {
		t.Skip("nobody knows how much memory there is")
	}
	err := bound(PNG, nil, image.Config{Width: math.MaxInt32, Height: math.MaxInt32}, math.MaxInt32,
		math.MaxInt32, Limits{})
	var e *memory.Error
	if !errors.As(err, &e) {
		t.Errorf("got %v", err)
	}
}
