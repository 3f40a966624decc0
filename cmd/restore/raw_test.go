package main

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mosaicFile returns a DNG file of 16 bits, uncompressed, with or without a noise profile.
func mosaicFile(w, h int, noise bool) []byte {
	le := binary.LittleEndian
	b := []byte("II*\x00\x00\x00\x00\x00")
	for i := range w * h {
		b = le.AppendUint16(b, uint16(2000+100*(i%w)+rand.IntN(400)))
	}
	var entries []byte
	count := uint16(0)
	add := func(tag, kind uint16, n, v uint32) {
		entries = le.AppendUint16(entries, tag)
		entries = le.AppendUint16(entries, kind)
		entries = le.AppendUint32(le.AppendUint32(entries, n), v)
		count++
	}
	law := uint32(len(b))
	b = le.AppendUint64(b, 0x3f50624dd2f1a9fc) // 0.001
	b = le.AppendUint64(b, 0x3ef0c6f7a0b5ed8d) // 0.000016
	for _, e := range [][4]uint32{{254, 4, 1, 0}, {256, 4, 1, uint32(w)}, {257, 4, 1, uint32(h)}, {258, 3, 1, 16}, {259, 3, 1, 1}, {262, 3, 1, 32803}, {273, 4, 1, 8}, {274, 3, 1, 6},
		{277, 3, 1, 1}, {278, 4, 1, uint32(h)}, {279, 4, 1, uint32(2 * w * h)}, {33421, 3, 2, 2<<16 | 2}, {33422, 1, 4, 2<<24 | 1<<16 | 1<<8}, {50706, 1, 4, 4<<8 | 1}, {50714, 3, 1, 1000}, {50717, 4, 1, 12000}, {50728, 1, 3, 1<<16 | 1<<8 | 1}} {
		add(uint16(e[0]), uint16(e[1]), e[2], e[3])
	}
	if noise {
		add(51041, 12, 2, law)
	}
	at := len(b)
	b = append(append(le.AppendUint16(b, count), entries...), 0, 0, 0, 0)
	le.PutUint32(b[4:], uint32(at))
	return b
}

// Camera raw files are restored to 16 bits, alone and in folders, with the noise of the file or of
// the flags.
func TestRaw(t *testing.T) {
	dir := t.TempDir()
	w := someWeights(t, dir)
	write(t, filepath.Join(dir, "told.dng"), mosaicFile(40, 30, true))
	write(t, filepath.Join(dir, "in.dng"), mosaicFile(40, 30, false))
	packed := bytes.Replace(mosaicFile(40, 30, false), []byte("\x03\x01\x03\x00\x01\x00\x00\x00\x01"), []byte("\x03\x01\x03\x00\x01\x00\x00\x00\x08"), 1)
	write(t, filepath.Join(dir, "packed.dng"), packed) // by a method that is not supported
	put(t, filepath.Join(dir, "in.png"), photo(24, 20, false, 8, false))
	do := func(args ...string) outcome {
		t.Helper()
		r := program(t, dir, nil, append([]string{"-weights", w, "-task", "denoise"}, args...)...)
		if r.code != exitOK {
			t.Errorf("%q: exit code %d: %s", args, r.code, r.stderr)
		}
		return r
	}
	found := func(r outcome) string { // the noise that -v prints
		_, text, _ := strings.Cut(r.stderr, "noise: ")
		text, _, _ = strings.Cut(text, "\n")
		return text
	}
	estimated := found(do("-v", "in.dng", "a.png"))
	told := found(do("-v", "told.dng", "b.png"))
	flags := found(do("-v", "-gain", "11", "-read-noise", "44", "in.dng", "c.tif"))
	white := found(do("-v", "-noise", "7", "told.dng", "d.png"))
	if estimated == told || told == "" || flags == estimated || !strings.Contains(white, "luminance 7.0 7.0 7.0 7.0") {
		t.Errorf("noise: %q estimated, %q told by the file, %q by flags, %q", estimated, told, flags, white)
	}
	for _, name := range []string{"a.png", "b.png", "c.tif"} {
		if p := get(t, filepath.Join(dir, name)); p.W != 30 || p.H != 40 || p.Depth != 16 || p.ICC != nil {
			t.Errorf("%s: %d×%d of %d bits", name, p.W, p.H, p.Depth)
		}
	}
	do("-linear", "in.dng", "linear.tif")
	shown, linear := get(t, filepath.Join(dir, "a.png")), get(t, filepath.Join(dir, "linear.tif"))
	darker := 0
	for i, v := range linear.Pix {
		if v < shown.Pix[i] {
			darker++
		}
	}
	if linear.Depth != 16 || linear.ICC == nil || darker < len(linear.Pix)*9/10 {
		t.Errorf("linear: %d bits, %d of %d values are darker", linear.Depth, darker, len(linear.Pix))
	}
	// A plain mosaic without a header: the same levels, and the same picture without rotation.
	levels := mosaicFile(40, 30, false)[8:][:2*40*30]
	write(t, filepath.Join(dir, "frame.raw"), levels)
	do("-noise", "5", "in.dng", "e.png")
	layout := "size=40x30,bits=16,pattern=rggb,black=1000,white=12000"
	do("-noise", "5", "-mosaic", layout, "frame.raw", "f.png")
	turned, lying := get(t, filepath.Join(dir, "e.png")), get(t, filepath.Join(dir, "f.png"))
	if lying.W != 40 || lying.H != 30 || lying.Depth != 16 {
		t.Fatalf("-mosaic: %d×%d of %d bits", lying.W, lying.H, lying.Depth)
	}
	far := 0
	for i := range 1200 {
		if d := turned.Pix[i] - lying.Pix[(29-i%30)*40+i/30]; d > 0.2 || d < -0.2 { // the network saw it rotated
			far++
		}
	}
	if far > 60 {
		t.Errorf("-mosaic: %d of 1200 values are others than those of the same DNG", far)
	}
	do("-mosaic", layout, "-gain", "11", "-linear", "frame.raw", "g.tif")
	// From a pipe.
	var out, stderr bytes.Buffer
	a := &app{ctx: t.Context(), in: bytes.NewReader(mosaicFile(40, 30, true)), out: &out, err: &stderr}
	if code := a.main([]string{"-weights", filepath.Join(dir, w), "-task", "denoise", "-", "-"}); code != exitOK || !bytes.HasPrefix(out.Bytes(), []byte("\x89PNG")) {
		t.Errorf("pipe: exit code %d, %s", code, &stderr)
	}
	if r := program(t, dir, nil, "inspect", "told.dng"); r.code != exitOK || !strings.Contains(r.out, "30×40 pixels, colour of 16 bits, DNG") {
		t.Errorf("inspect: %d, %q %q", r.code, r.out, r.stderr)
	}
	for _, name := range []string{"photos/x.dng", "photos/y.DNG"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), mosaicFile(20, 20, true))
	}
	do("photos", "clean")
	for _, name := range []string{"clean/x.png", "clean/y.png"} {
		if p := get(t, filepath.Join(dir, name)); p.W != 20 || p.Depth != 16 {
			t.Errorf("%s: %d wide, %d bits", name, p.W, p.Depth)
		}
	}
	for _, c := range []struct {
		args, words string
		code        int
	}{
		{"in.png out.png -gain 2", "in.png: -gain, -read-noise and -linear are for camera raw files", exitFailure},
		{"in.png out.png -linear", "in.png: -gain, -read-noise and -linear are for camera raw files", exitFailure},
		{"in.dng out.png -gain -2", "in levels of the file", exitUsage},
		{"in.dng out.png -read-noise much", "in levels of the file", exitUsage},
		{"in.dng out.png -gain 2 -noise 5", "exclude each other", exitUsage},
		{"in.dng out.jpg -linear", "-linear needs 16 bits", exitUsage},
		{"in.dng out.png -linear -samples 2 -mean m.png", "-linear is for the restored picture only", exitUsage},
		{"photos other -linear -format jpg", "-linear needs 16 bits", exitUsage},
		{"-mosaic size=40x30,bits=12,packing=mipi frame.raw out.png", "frame.raw: there are more bytes than the 1800 of a mosaic", exitFailure},
		{"-mosaic size=40x31,bits=16 frame.raw out.png", "frame.raw: there are 2400 bytes after the offset", exitFailure},
		{"-mosaic size=40x30,bits=16 none.raw out.png", "none.raw: no such file", exitFailure},
		{"-mosaic size=40x30,bits=16 -max-megapixels 1 photos other", "-mosaic is for one picture", exitUsage},
		{"-mosaic size=4000x3000,bits=16 -max-megapixels 1 frame.raw out.png", "-max-megapixels allows more", exitFailure},
		{"-mosaic size=40x30 frame.raw out.png", "bits=N are needed", exitUsage},
		{"in.dng out.dng", "cannot write .dng files", exitUsage},
		{"packed.dng out.png", "packed.dng: not a picture I can read (camera raw file (DNG): its mosaic is compressed by method 8", exitFailure},
	} {
		fails(t, dir, nil, c.code, c.words, append([]string{"-weights", w, "-task", "denoise"}, strings.Fields(c.args)...)...)
	}
	// In a folder a raw file of another kind is passed over, and a damaged one fails.
	if err := os.Mkdir(filepath.Join(dir, "kinds"), 0o777); err != nil {
		t.Fatal(err)
	}
	copied := func(from, to string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, from))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, "kinds", to), b)
		return b
	}
	copied("packed.dng", "packed.dng")
	sound := copied("in.dng", "in.dng")
	args := strings.Fields("-task denoise -noise 8 -v -json kinds done -weights " + w)
	r := program(t, dir, nil, args...)
	if r.code != exitOK || !strings.Contains(r.stderr, "1 restored, 1 skipped, 0 failed") ||
		!strings.Contains(r.stderr, "passed over: kinds/packed.dng: ") || strings.Count(r.out, `"status":"skipped"`) != 1 {
		t.Errorf("a raw file of another kind: exit code %d, stdout %q, stderr %q", r.code, r.out, r.stderr)
	}
	write(t, filepath.Join(dir, "kinds", "cut.dng"), sound[:len(sound)/2])
	if r := program(t, dir, nil, args...); r.code != exitUsage {
		t.Errorf("a damaged raw file: exit code %d, stderr %q", r.code, r.stderr)
	}
}
