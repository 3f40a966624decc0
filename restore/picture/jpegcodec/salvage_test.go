package jpegcodec

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"os"
	"testing"
)

// planes gives the planes of a decoded file.
func planes(t *testing.T, b []byte) (p [][]uint8, stride []int, size image.Point) {
	t.Helper()
	m, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	switch m := m.(type) {
	case *image.Gray:
		return [][]uint8{m.Pix}, []int{m.Stride}, m.Rect.Size()
	case *image.YCbCr:
		return [][]uint8{m.Y, m.Cb, m.Cr}, []int{m.YStride, m.CStride, m.CStride}, m.Rect.Size()
	}
	t.Fatalf("an image of type %T", m)
	return nil, nil, size
}

// pixelsBegin is the offset of the first scan's pixels.
func pixelsBegin(b []byte) int {
	i := bytes.Index(b, []byte{0xff, 0xda})
	return i + 2 + int(b[i+2])<<8 + int(b[i+3])
}

// TestSalvageOnePass cuts baseline files at all offsets. Readable blocks must be equal bit for bit,
// others grey, and share must grow with the length.
func TestSalvageOnePass(t *testing.T) {
	files := map[string][]byte{}
	m := smooth(57, 43, rand.New(rand.NewPCG(7, rand.Uint64())))
	for s := Sub420; s <= Gray; s++ {
		var b bytes.Buffer
		if err := Encode(&b, m, Options{Quality: 85, Subsampling: s}); err != nil {
			t.Fatal(err)
		}
		files[s.String()] = b.Bytes()
	}
	// 4:2:0, a restart after every MCU, by libjpeg
	restarts, err := os.ReadFile("testdata/restarts.jpg")
	if err != nil {
		t.Fatal(err)
	}
	files["restarts"] = restarts
	for name, b := range files {
		whole, _, size := planes(t, b)
		if same, share, err := Salvage(b); err != nil || share != 1 {
			t.Fatalf("%s: a whole file gives %v, %v", name, share, err)
		} else if p, _, _ := planes(t, same); !bytes.Equal(p[0], whole[0]) {
			t.Fatalf("%s: a whole file was changed", name)
		}
		before := 0.0
		for n := pixelsBegin(b); n < len(b)-2; n++ {
			fixed, share, err := Salvage(b[:n])
			if err != nil {
				t.Fatalf("%s, %d of %d bytes: %v", name, n, len(b), err)
			}
			p, stride, s := planes(t, fixed)
			if s != size || share < before || share > 1 {
				t.Fatalf("%s, %d bytes: %v of %v, share %g after %g", name, n, s, size, share,
					before)
			}
			before = share
			sx, sy := 1, 1
			switch name {
			case "4:2:0", "restarts":
				sx, sy = 2, 2
			case "4:2:2":
				sx = 2
			}
			across, down := (size.X+8*sx-1)/(8*sx), (size.Y+8*sy-1)/(8*sy)
			there := int(math.Round(share * float64(across*down)))
			for i := range across * down {
				for c := range p {
					bw, bh := 8*sx, 8*sy
					if c > 0 {
						bw, bh = 8, 8
					}
					x, y := i%across*bw, i/across*bh
					if at := y*stride[c] + x; i < there && p[c][at] != whole[c][at] {
						t.Fatalf("%s, %d bytes: MCU %d of %d that are there was changed", name, n,
							i, there)
					} else if i >= there && p[c][at] != 128 {
						t.Fatalf("%s, %d bytes: MCU %d, not there, is %d in plane %d", name, n, i,
							p[c][at], c)
					}
				}
			}
		}
		if before == 0 || before == 1 && name != "restarts" {
			t.Errorf("%s: share ends with %g", name, before)
		}
	}
}

// TestSalvageManyPasses: for a progressive file, and one with a scan for each plane, readable
// blocks are kept and missing chroma is neutral.
func TestSalvageManyPasses(t *testing.T) {
	for _, name := range []string{"progressive", "separate"} {
		b, err := os.ReadFile("testdata/" + name + ".jpg")
		if err != nil {
			t.Fatal(err)
		}
		whole, _, size := planes(t, b)
		if !Complete(b) || !Complete(b[:len(b)-2]) {
			t.Errorf("%s: not found complete", name)
		}
		last := math.Inf(1)
		for n := pixelsBegin(b); n < len(b)-2; n++ {
			fixed, _, err := Salvage(b[:n])
			if err != nil {
				t.Fatalf("%s, %d of %d bytes: %v", name, n, len(b), err)
			}
			p, _, s := planes(t, fixed)
			if s != size {
				t.Fatalf("%s, %d bytes: %v", name, n, s)
			}
			off := 0.0
			for c := range p {
				for i := range p[c] {
					d := float64(p[c][i]) - float64(whole[c][i])
					off += d * d
				}
			}
			if off > last*1.05+1 {
				t.Fatalf("%s, %d bytes: further from the whole than with one less (%g, %g)", name,
					n, off, last)
			}
			last = off
			if n == len(b)-40 && Complete(b[:n]) && name == "progressive" {
				// The header of the last scan is there, but its pixels are not.
				if _, err := jpeg.Decode(
					bytes.NewReader(append(bytes.Clone(b[:n]), 0xff, 0xd9))); err == nil {
					t.Error("a scan that is cut off was read as whole")
				}
			}
		}
	}
	// A progressive file that ends between two scans.
	b, err := os.ReadFile("testdata/progressive.jpg")
	if err != nil {
		t.Fatal(err)
	}
	cut := bytes.LastIndex(b, []byte{0xff, 0xda})
	if Complete(b[:cut]) {
		t.Error("a file without its last scan was found complete")
	}
}

// TestSalvageDamaged: bytes changed anywhere give a file that decodes, or an error, in bounded
// time.
func TestSalvageDamaged(t *testing.T) {
	r := rand.New(rand.NewPCG(8, rand.Uint64()))
	for _, name := range []string{"progressive", "separate", "restarts"} {
		b, err := os.ReadFile("testdata/" + name + ".jpg")
		if err != nil {
			t.Fatal(err)
		}
		for range 1500 {
			c := bytes.Clone(b)
			for range 1 + r.IntN(4) {
				c[r.IntN(len(c))] = byte(r.Uint32())
			}
			c = c[:r.IntN(len(c)+1)]
			cfg, err := jpeg.DecodeConfig(bytes.NewReader(c))
			if err != nil || cfg.Width*cfg.Height > 1<<20 {
				continue
			}
			Complete(c)
			_, share, err := Salvage(c)
			if err == nil && (share < 0 || share > 1) {
				t.Fatalf("share %g", share)
			}
		}
	}
}
