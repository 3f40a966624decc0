package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func wantDecodeError(t *testing.T, b []byte, want string) {
	t.Helper()
	p, err := Decode(bytes.NewReader(b), Limits{})
	var de *DecodeError
	if !errors.As(err, &de) {
		t.Fatalf("got %v (picture: %v), want a *DecodeError with %q", err, p != nil, want)
	}
	if !strings.Contains(err.Error(), want) ||
		!strings.Contains(err.Error(), "not a picture I can read (") ||
		strings.Contains(err.Error(), "\n") {
		t.Fatalf("got %q, want it to say %q", err, want)
	}
}

func TestTruncation(t *testing.T) {
	r := newRand()
	for name, b := range map[string][]byte{
		"PNG rgb 8":         encode(t, random(r, 60, 50, 8, false, false), PNG, 0),
		"PNG grey alpha 16": encode(t, random(r, 60, 50, 16, true, true), PNG, 0),
		"PNG rgba 16":       encode(t, random(r, 60, 50, 16, false, true), PNG, 0),
		"JPEG rgb":          encode(t, random(r, 60, 50, 8, false, false), JPEG, 0),
		"JPEG grey":         encode(t, random(r, 60, 50, 8, true, false), JPEG, 0),
	} {
		for k := 1; k < 20; k++ {
			wantDecodeError(t, b[:len(b)*k/20], "truncated "+name[:3])
		}
		whole := decode(t, b)
		// the end, and PNG's checksums
		spare := map[string]int{"PNG": 12 + 4 + 4, "JPE": 2}[name[:3]]
		// all through the headers, and all through the end
		for n := 1; n < 60; n++ {
			wantDecodeError(t, b[:n], name[:3])
			if n > spare+8 { // a stream ends with an empty block
				wantDecodeError(t, b[:len(b)-n], name[:3])
				continue
			}
			p, err := Decode(bytes.NewReader(b[:len(b)-n]), Limits{})
			if err != nil && n <= spare || err == nil && !reflect.DeepEqual(p, whole) {
				t.Fatalf("%s without its last %d bytes, none of them of pixels: %v, or another picture", name, n, err)
			}
		}
	}
}

func TestDamage(t *testing.T) {
	r := newRand()
	b := encode(t, random(r, 60, 50, 8, false, false), PNG, 0)
	whole := decode(t, b)
	for i := 0; i < 200; i++ { // PNG has a checksum over everything
		c := bytes.Clone(b)
		at := 8 + r.IntN(len(c)-8)
		c[at] ^= 1 << r.IntN(8)
		if p, err := Decode(bytes.NewReader(c), Limits{}); err == nil &&
			!reflect.DeepEqual(p, whole) {
			t.Fatalf("a flipped bit in byte %d of %d gave another picture", at, len(b))
		}
	}
	b = encode(t, random(r, 60, 50, 8, false, false), JPEG, 0)
	// JPEG has none: there must be no crash, and results must be pictures
	for i := 0; i < 500; i++ {
		c := bytes.Clone(b)
		for k := r.IntN(4); k >= 0; k-- {
			c[r.IntN(len(c))] ^= 1 << r.IntN(8)
		}
		if p, err := Decode(bytes.NewReader(c), Limits{MaxPixels: 1 << 20}); err == nil {
			if err := p.Check(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestNotPictures(t *testing.T) {
	for what, b := range map[string]string{
		"empty":               "",
		"neither PNG, JPEG":   "hello, I am a text file\n",
		"neither":             "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a",
		"TIFF":                "II*\x00\x08\x00\x00\x00",
		"d TIFF":              "MM\x00*\x00\x00\x00\x08",
		"BigTIFF":             "MM\x00+\x00\x08\x00\x00",
		"WebP":                "RIFF\x10\x00\x00\x00WEBPVP8 ",
		"OpenEXR":             "v/1\x01\x02\x00\x00\x00",
		"Radiance HDR":        "#?RADIANCE\n",
		"GIF":                 "GIF89a\x01\x00\x01\x00",
		"BMP":                 "BM\x46\x00\x00\x00",
		"HEIC":                "\x00\x00\x00\x18ftypheic",
		"AVIF":                "\x00\x00\x00\x18ftypavif",
		"convert it to PNG":   "%PDF-1.4",
		"damaged PNG":         "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDX\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x00\x00\x00\x00",
		"damaged JPEG":        "\xff\xd8\xff\xe0\x00\x00abcdefghijkl",
		"truncated JPEG":      "\xff\xd8\xff",
		"truncated PNG":       "\x89PNG",
		"file is larger than": "\xff\xd8\xff" + strings.Repeat("x", 101),
	} {
		if what == "file is larger than" {
			_, err := Decode(strings.NewReader(b), Limits{MaxBytes: 100})
			if err == nil || !strings.Contains(err.Error(), what) {
				t.Errorf("got %v", err)
			}
			continue
		}
		t.Run(what, func(t *testing.T) { wantDecodeError(t, []byte(b), what) })
	}
}

// header is a PNG header of that size with `data` bytes of zeros, compressed, as pixels.
func header(w, h uint32, depth, color byte, data int) []byte {
	body := binary.BigEndian.AppendUint32(nil, w)
	body = binary.BigEndian.AppendUint32(body, h)
	body = append(body, depth, color, 0, 0, 0)
	b := append([]byte(pngSignature), pngChunk("IHDR", body)...)
	var z bytes.Buffer
	zw := zlib.NewWriter(&z)
	zw.Write(make([]byte, data))
	zw.Close()
	return append(append(b, pngChunk("IDAT", z.Bytes())...), pngChunk("IEND", nil)...)
}

func jpegHeader(w, h uint16) []byte {
	return []byte{0xff, 0xd8, 0xff, 0xc0, 0, 17, 8, byte(h >> 8), byte(h), byte(w >> 8), byte(w), 3,
		1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1,
		0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 63, 0, 0xff, 0xd9}
}

// Sizes that no file of that length can have are refused without allocating their memory.
func TestAbsurdSizes(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, c := range []struct {
		b    []byte
		want string
	}{
		{header(0x7fffffff, 0x7fffffff, 8, 2, 10), "P"},
		{header(100000, 100000, 8, 2, 10), "more than the 1000000000"},
		{header(30000, 30000, 8, 2, 10), "do not fit"},
		{header(30000, 30000, 16, 6, 10), "do not fit"},
		{header(31000, 31000, 1, 0, 10), "do not fit"},
		{header(0, 10, 8, 2, 10), "P"},
		{header(10, 0, 8, 2, 10), "P"},
		{header(1<<31, 10, 8, 2, 10), "P"},
		{jpegHeader(30000, 30000), "do not fit"},
		{jpegHeader(65535, 65535), "more than the 1000000000"},
		{jpegHeader(0, 100), "0×100 pixels"},
		{header(5000, 5000, 8, 2, 100), "do not fit"},
		{header(100, 100, 8, 2, 100), "truncated PNG"},
	} {
		wantDecodeError(t, c.b, c.want)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 32<<20 {
		t.Errorf("refusing them allocated %d MiB", got>>20)
	}
	// A valid file with high compression is accepted: zeros compress nearly as far as deflate can.
	if _, err := Decode(bytes.NewReader(header(1500, 1500, 8, 2, 1500*4501)),
		Limits{}); err != nil {
		t.Errorf("an empty but whole picture: %v", err)
	}
	if _, err := Decode(bytes.NewReader(encode(t, smooth(100, 100, false), PNG, 0)),
		Limits{MaxPixels: 9999}); err == nil || !strings.Contains(err.Error(), "9999") {
		t.Errorf("own limit: %v", err)
	}
	grey := New(900, 900, make([]float32, 3*900*900))
	grey.Gray = true
	if _, err := Decode(bytes.NewReader(encode(t, grey, JPEG, 1)), Limits{}); err != nil {
		t.Errorf("flat JPEG: %v", err)
	}
}

func TestDecodeFileErrors(t *testing.T) {
	dir := t.TempDir()
	good := encode(t, smooth(30, 30, false), PNG, 0)
	path := filepath.Join(dir, "in.png")
	os.WriteFile(path, good[:len(good)/2], 0o644)
	_, err := DecodeFile(path, Limits{})
	if want := path + ": not a picture I can read (truncated PNG: "; err == nil ||
		!strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s…", err, want)
	}
	for p, want := range map[string]string{dir: "directory",
		filepath.Join(dir, "none.png"): "no such file"} {
		_, err := DecodeFile(p, Limits{})
		if err == nil || !strings.HasPrefix(err.Error(), p+": ") ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("got %v", err)
		}
	}
	if _, err := DecodeFile(filepath.Join(dir, "none.png"), Limits{}); !errors.Is(err,
		os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := 0; i < 8; i++ {
		f.Add(encode(f, random(r, 5+i, 4, 8+8*(i&1), i&2 != 0, i&4 != 0), PNG, 0))
	}
	f.Add(encode(f, smooth(16, 9, false), JPEG, 50))
	f.Add(encode(f, random(r, 6, 5, 16, false, true), TIFF, 0))
	for _, name := range []string{"lossy-alpha", "lossless", "turned"} {
		b, err := os.ReadFile("testdata/" + name + ".webp")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add(withExif(encode(f, smooth(16, 9, true), JPEG, 50), exif(binary.BigEndian, 6)))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Decode(bytes.NewReader(b), Limits{MaxPixels: 1 << 20})
		if err != nil {
			return
		}
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := Encode(&out, p, PNG, 0); err != nil {
			t.Fatal(err)
		}
		q, err := Decode(&out, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if q.Depth != p.Depth || q.Gray != p.Gray ||
			fmt.Sprint(levels(q.Pix, p.Depth)) != fmt.Sprint(levels(p.Pix, p.Depth)) {
			t.Fatal("a decoded picture does not survive PNG")
		}
	})
}

// FuzzMask: any picture as a mask gives one value per pixel or an error, and the mask's own picture
// gives the same mask again.
func FuzzMask(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 4 {
		f.Add(encode(f, random(r, 7, 5, 8+8*(i&1), i&2 != 0, false), PNG, 0), 7, 5)
	}
	f.Add(encode(f, smooth(8, 8, true), JPEG, 60), 8, 8)
	f.Fuzz(func(t *testing.T, b []byte, w, h int) {
		p, err := Decode(bytes.NewReader(b), Limits{MaxPixels: 1 << 14})
		if err != nil {
			return
		}
		m, err := p.Mask(w, h)
		if err != nil {
			if p.W == w && p.H == h {
				t.Fatal(err)
			}
			return
		}
		if len(m) != w*h {
			t.Fatalf("%d values for %d×%d", len(m), w, h)
		}
		again, err := FromMask(m, w, h).Mask(w, h)
		if err != nil || !slices.Equal(m, again) {
			t.Fatalf("the mask's picture is another mask: %v", err)
		}
	})
}

// FuzzEXIF: any bytes give nil, or upright EXIF of the same length.
func FuzzEXIF(f *testing.F) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		b, _ := fullEXIF(order)
		f.Add(b)
		f.Add(exif(order, 3))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		out := cleanEXIF(b, 30, 20)
		if !bytes.Equal(b, before) {
			t.Fatal("the original was changed")
		}
		if out == nil {
			return
		}
		if len(out) != len(b) {
			t.Fatalf("%d bytes became %d", len(b), len(out))
		}
		if o := exifOrientation(out); o > 1 && exifOrientation(b) == o {
			t.Fatalf("orientation %d is left", o)
		}
		scanTIFF(b)
	})
}
