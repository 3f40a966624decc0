package picture

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore/picture/jpegcodec"
)

// TestChroma: JPEG keeps full chroma at high quality or if the source had it, and else the
// subsampling of the source.
func TestChroma(t *testing.T) {
	p := smooth(40, 24, false)
	for _, c := range []struct {
		halved  [2]bool
		quality int
		want    [2]bool
	}{
		{[2]bool{true, true}, 80, [2]bool{true, true}},
		{[2]bool{true, false}, 80, [2]bool{true, false}}, {[2]bool{false, true}, 80, [2]bool{}},
		{[2]bool{}, 80, [2]bool{}},
		{[2]bool{}, 30, [2]bool{}}, {[2]bool{true, true}, 94, [2]bool{true, true}},
		{[2]bool{true, true}, 95, [2]bool{}}, {[2]bool{true, false}, 100, [2]bool{}},
		{[2]bool{true, true}, 0, [2]bool{}},
	} {
		p.Halved = c.halved
		if got := decode(t, encode(t, p, JPEG, c.quality)).Halved; got != c.want {
			t.Errorf("halved %v, quality %d: %v, want %v", c.halved, c.quality, got, c.want)
		}
	}
	// In a turned picture the other direction is subsampled.
	p.Halved = [2]bool{true, false}
	if q := decode(t, withExif(encode(t, p, JPEG, 80),
		exif(binary.BigEndian, 6))); q.Halved != [2]bool{false, true} {
		t.Errorf("turned: %v", q.Halved)
	}
	// At quality 95 and more the colour of every single pixel is kept.
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

// TestJPEGColourIsInterpolated: reading gives the pixels of package jpegcodec in all orientations,
// as floats and as levels.
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

// TestColourSpaces: PNG's colour chunks are copied to PNG files, become a profile in other formats,
// and HDR is refused by name.
func TestColourSpaces(t *testing.T) {
	r := newRand()
	p := random(r, 9, 7, 8, false, false)
	b := encode(t, p, PNG, 0)
	p3 := pngChunk("cICP", []byte{12, 13, 0, 1})
	adobe := slices.Concat(pngChunk("gAMA", binary.BigEndian.AppendUint32(nil, 45470)),
		pngChunk("cHRM", xyChunk(0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)))
	srgb := slices.Concat(pngChunk("gAMA", binary.BigEndian.AppendUint32(nil, 45455)),
		pngChunk("sRGB", []byte{0}))
	linear := pngChunk("gAMA", binary.BigEndian.AppendUint32(nil, 100000))
	for name, c := range map[string]struct {
		chunks  []byte
		red     [3]float64 // of the profile; zero: none
		half    float64    // light of the value one half
		unknown bool
	}{
		"P3":      {p3, [3]float64{0.5151, 0.2412, -0.0011}, 0.214, false},
		"Adobe's": {adobe, [3]float64{0.6097, 0.3111, 0.0195}, 0.2140, false},
		"sRGB":    {srgb, [3]float64{}, 0, false},
		"linear":  {linear, [3]float64{0.4361, 0.2225, 0.0139}, 0.5, false},
		"2020": {pngChunk("cICP", []byte{9, 1, 0, 1}), [3]float64{0.6734, 0.2790, -0.0019},
			0.2593, false},
		"unknown": {pngChunk("cICP", []byte{200, 13, 0, 1}), [3]float64{}, 0, true},
		"not RGB": {pngChunk("cICP", []byte{1, 13, 1, 1}), [3]float64{}, 0, true},
	} {
		q := decode(t, pngOf(b, c.chunks, nil))
		if out := encode(t, q, PNG, 0); !bytes.Contains(out, c.chunks) {
			t.Errorf("%s: PNG has %v", name, kinds(out))
		}
		for _, f := range []Format{JPEG, TIFF} {
			back := decode(t, encode(t, q, f, 0))
			if (back.ICC != nil) != (c.red != [3]float64{}) || c.unknown != (len(q.Loses(f)) == 1) {
				t.Fatalf("%s: a profile of %d bytes in %v, loses %q", name, len(back.ICC), f,
					q.Loses(f))
			}
			if back.ICC == nil {
				continue
			}
			red := iccTagOf(t, back.ICC, "rXYZ")
			for i, want := range c.red {
				if v := float64(int32(binary.BigEndian.Uint32(red[8+4*i:]))) / 65536; math.Abs(
					v-want) > 0.0006 {
					t.Errorf("%s: red is %.4f in %d, want %.4f", name, v, i, want)
				}
			}
			table := iccTagOf(t, back.ICC, "gTRC")
			if v := float64(binary.BigEndian.Uint16(table[12+2*512:])) / 65535; math.Abs(
				v-c.half) > 0.006 {
				t.Errorf("%s: half becomes %.4f of light, want %.4f", name, v, c.half)
			}
		}
	}
	for transfer, want := range map[byte]string{16: "PQ", 18: "HLG"} {
		wantDecodeError(t, pngOf(b, pngChunk("cICP", []byte{9, transfer, 0, 1}), nil), want)
	}
	// White stays white: it is the sum of the three colours.
	icc, ok := makeProfile(primaries[12], srgbCurve, false)
	sum := [3]float64{}
	for _, name := range []string{"rXYZ", "gXYZ", "bXYZ"} {
		for i := range sum {
			sum[i] += float64(int32(binary.BigEndian.Uint32(
				iccTagOf(t, icc, name)[8+4*i:]))) / 65536
		}
	}
	if !ok || math.Abs(sum[0]-0.9642) > 0.0002 || math.Abs(sum[1]-1) > 0.0002 ||
		math.Abs(sum[2]-0.8249) > 0.0002 {
		t.Errorf("white is %v", sum)
	}
	grey := random(r, 5, 5, 8, true, false)
	if g := decode(t, pngOf(encode(t, grey, PNG, 0), linear, nil)); !profileFits(
		decode(t, encode(t, g, JPEG, 0)).ICC, true) {
		t.Error("linear grey has no profile in JPEG")
	}
	for range 2000 { // any numbers: a profile or none
		c := &pngColour{gama: random8(r.Uint32, 4), chrm: random8(r.Uint32, 32)}
		if r.IntN(2) == 0 {
			c.cicp = random8(r.Uint32, 4)
		}
		if icc, ok := c.profile(r.IntN(2) == 0); ok && icc != nil && !profileFits(icc, false) &&
			!profileFits(icc, true) {
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

// TestProfileIsTrimmed: bytes after the length in a profile's header are cut off; damaged profiles
// and those of another kind are reported.
func TestProfileIsTrimmed(t *testing.T) {
	r := newRand()
	p := random(r, 6, 5, 8, false, false)
	for _, f := range []Format{PNG, JPEG, TIFF} {
		for name, c := range map[string]struct {
			icc, want []byte
			told      string
		}{
			"longer":  {append(profile(r, "RGB ", 600), make([]byte, 40)...), nil, ""},
			"shorter": {profile(r, "RGB ", 600)[:599], nil, "damaged"},
			"CMYK":    {profile(r, "CMYK", 600), nil, "CMYK"},
			"grey":    {profile(r, "GRAY", 600), nil, "another kind"},
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
				t.Errorf("%v: a profile of 600 bytes with 40 more became %d, %q", f, len(q.ICC),
					q.Dropped)
			case name != "longer" && (q.ICC != nil || len(q.Dropped) != 1 ||
				!strings.Contains(q.Dropped[0], c.told)):
				t.Errorf("%v, %s: profile of %d bytes, told %q", f, name, len(q.ICC), q.Dropped)
			}
		}
	}
}
