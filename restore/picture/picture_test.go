package picture

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

func newRand() *rand.Rand { return rand.New(rand.NewPCG(rand.Uint64(), 1)) }

// levels gives the integer levels of values at a depth.
func levels(v []float32, depth int) []int {
	out := make([]int, len(v))
	for i, x := range v {
		out[i] = int(math.Round((float64(x) + 1) / 2 * float64(int(1)<<depth-1)))
	}
	return out
}

// random makes a picture whose values are exact levels.
func random(r *rand.Rand, w, h, depth int, gray, alpha bool) *Picture {
	most := 1<<depth - 1
	p := New(w, h, make([]float32, 3*w*h))
	p.Depth, p.Gray = depth, gray
	n := w * h
	for i := range p.Pix {
		v := r.IntN(most + 1)
		if gray && i >= n {
			p.Pix[i] = p.Pix[i-n]
			continue
		}
		if depth == 8 {
			p.Pix[i] = level8(uint8(v))
		} else {
			p.Pix[i] = level16(uint16(v))
		}
	}
	if alpha {
		p.Alpha = make([]float32, n)
		for i := range p.Alpha {
			p.Alpha[i] = float32(r.IntN(most+1)) / float32(most)
		}
		p.Alpha[0] = 0 // so that it is not opaque by chance
	}
	return p
}

func encode(t testing.TB, p *Picture, f Format, q int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, p, f, q); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decode(t testing.TB, b []byte) *Picture {
	t.Helper()
	p, err := Decode(bytes.NewReader(b), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	// Levels must hold the same picture.
	q, err := Decode(bytes.NewReader(b), Limits{Pack: 1})
	if err != nil {
		t.Fatal(err)
	}
	if q.Levels == nil || q.Pix != nil || q.Check() != nil ||
		(q.Depth == 16) != (q.Levels.B16 != nil) {
		t.Fatalf("packed, of depth %d: %v", q.Depth, q.Check())
	}
	if u := q.Unpacked(); !reflect.DeepEqual(u, p) || u.Levels != nil {
		t.Fatalf("%v, %d bits, grey %v, alpha %v: packed, it is another picture", p.Format, p.Depth,
			p.Gray, p.Alpha != nil)
	}
	return p
}

func equalFloats(a, b []float32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// Every kind of PNG that we write is read back the same, bit for bit, and of the same kind.
func TestPNGRoundTripEveryMode(t *testing.T) {
	r := newRand()
	for _, depth := range []int{8, 16} {
		for _, gray := range []bool{false, true} {
			for _, alpha := range []bool{false, true} {
				for _, size := range [][2]int{{1, 1}, {7, 3}, {1, 50}, {64, 33}, {300, 2}} {
					p := random(r, size[0], size[1], depth, gray, alpha)
					b := encode(t, p, PNG, 0)
					q := decode(t, b)
					if q.W != p.W || q.H != p.H || q.Gray != gray || q.Depth != depth ||
						(q.Alpha != nil) != alpha || q.Format != PNG {
						t.Fatalf("%v depth %d gray %v alpha %v came back as %d×%d depth %d gray %v alpha %v", size, depth, gray, alpha, q.W, q.H, q.Depth, q.Gray, q.Alpha != nil)
					}
					if !equalFloats(p.Pix, q.Pix) || !equalFloats(p.Alpha, q.Alpha) {
						t.Fatalf("%v depth %d gray %v alpha %v: values changed", size, depth, gray,
							alpha)
					}
					want := byte(2)
					switch {
					case gray && alpha:
						want = 4
					case gray:
						want = 0
					case alpha:
						want = 6
					}
					if b[25] != want || int(b[24]) != depth {
						t.Fatalf("gray %v alpha %v: colour type %d depth %d in the file", gray,
							alpha, b[25], b[24])
					}
				}
			}
		}
	}
}

func TestEveryLevelSurvives(t *testing.T) {
	n := 65536
	p := New(256, 256, make([]float32, 3*n))
	p.Depth, p.Gray = 16, true
	for i := 0; i < n; i++ {
		p.Pix[i] = level16(uint16(i))
		p.Pix[n+i], p.Pix[2*n+i] = p.Pix[i], p.Pix[i]
	}
	q := decode(t, encode(t, p, PNG, 0))
	for i, v := range levels(q.Pix[:n], 16) {
		if v != i {
			t.Fatalf("level %d became %d", i, v)
		}
	}
	if p.Pix[0] != -1 || p.Pix[n-1] != 1 || level8(0) != -1 || level8(255) != 1 {
		t.Error("black and white are not -1 and 1")
	}
}

// 16 bits are not reduced to 8 on reading: a ramp finer than 8 bits keeps all of its steps.
func TestSixteenBitsAreNotEight(t *testing.T) {
	m := image.NewNRGBA64(image.Rect(0, 0, 200, 1))
	for x := 0; x < 200; x++ {
		m.SetNRGBA64(x, 0, color.NRGBA64{uint16(30000 + x), uint16(x), uint16(65535 - x),
			uint16(60000 + x)})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	p := decode(t, b.Bytes())
	for x := 0; x < 200; x++ {
		for c, want := range []int{30000 + x, x, 65535 - x} {
			if got := float64(p.Pix[c*200+x]+1) * 32767.5; math.Abs(got-float64(want)) > 0.01 {
				t.Fatalf("channel %d at %d is %g, want %d", c, x, got, want)
			}
		}
		if got := float64(p.Alpha[x]) * 65535; math.Abs(got-float64(60000+x)) > 0.01 {
			t.Fatalf("alpha at %d is %g", x, got)
		}
	}
}

func TestRoundingAndClamping(t *testing.T) {
	in := []float32{-7, -1, -1 + 0.49/127.5, -1 + 0.51/127.5, 0.5/127.5 - 1e-5, 0.5/127.5 + 1e-5,
		1 - 0.51/127.5, 1 - 0.49/127.5, 1, 3, float32(math.Inf(1)), float32(math.Inf(-1))}
	want := []int{0, 0, 0, 1, 128, 128, 254, 255, 255, 255, 255, 0}
	n := len(in)
	p := New(n, 1, append(append(append([]float32{}, in...), in...), in...))
	q := decode(t, encode(t, p, PNG, 0))
	for i, v := range levels(q.Pix[n:2*n], 8) {
		if v != want[i] {
			t.Errorf("%g became %d, want %d", in[i], v, want[i])
		}
	}
}

func TestNotANumberIsRefused(t *testing.T) {
	p := New(3, 2, make([]float32, 18))
	p.Pix[6+5] = float32(math.NaN())
	err := Encode(&bytes.Buffer{}, p, PNG, 0)
	if err == nil || !strings.Contains(err.Error(), "channel 1 of pixel (2, 1)") {
		t.Errorf("got %v", err)
	}
}

// A smooth picture, because JPEG does not keep noise.
func smooth(w, h int, gray bool) *Picture {
	p := New(w, h, make([]float32, 3*w*h))
	p.Gray = gray
	for i := range p.Pix {
		c, y, x := i/(w*h), i/w%h, i%w
		if gray {
			c = 0
		}
		p.Pix[i] = float32(0.8 * math.Sin(float64(x)/17+float64(c)) * math.Cos(float64(y)/23))
	}
	return p
}

func TestJPEGRoundTrip(t *testing.T) {
	for _, gray := range []bool{false, true} {
		p := smooth(67, 41, gray)
		p.Depth = 16 // JPEG makes it 8
		size := 0
		for _, quality := range []int{30, 0, 100} {
			b := encode(t, p, JPEG, quality)
			if len(b) <= size {
				t.Errorf("quality %d is no larger than the one below", quality)
			}
			size = len(b)
			q := decode(t, b)
			if q.Gray != gray || q.Depth != 8 || q.Format != JPEG || q.W != 67 || q.H != 41 ||
				q.Alpha != nil {
				t.Fatalf("came back as %+v", q)
			}
			worst := 0.0
			for i := range p.Pix {
				worst = max(worst, math.Abs(float64(p.Pix[i]-q.Pix[i])))
			}
			if bound := map[int]float64{30: 0.25, 0: 0.06, 100: 0.06}[quality]; worst > bound {
				t.Errorf("gray %v quality %d: off by %g", gray, quality, worst)
			}
		}
	}
	for _, q := range []int{-1, 101} {
		if Encode(&bytes.Buffer{}, smooth(8, 8, false), JPEG, q) == nil {
			t.Errorf("quality %d accepted", q)
		}
	}
}

func TestJPEGAndAlpha(t *testing.T) {
	p := smooth(8, 8, false)
	p.Alpha = constant(1, 64)
	if q := decode(t, encode(t, p, JPEG, 0)); q.Alpha != nil {
		t.Error("alpha out of a JPEG")
	}
	p.Alpha[9] = 0.5
	var fe *FormatError
	if err := Encode(&bytes.Buffer{}, p, JPEG, 0); !errors.As(err, &fe) ||
		!strings.Contains(err.Error(), "transparency") {
		t.Errorf("got %v", err)
	}
	if CheckFormat(JPEG, p) == nil || CheckFormat(PNG, p) != nil ||
		CheckSize(JPEG, 65536, 1) == nil || CheckSize(PNG, 1<<20, 1) != nil {
		t.Error("CheckFormat or CheckSize")
	}
}

// Files of other programs: palettes, 1-bit grey, grey with a transparent level, subsampled and CMYK
// JPEG.
func TestForeignFiles(t *testing.T) {
	pal := image.NewPaletted(image.Rect(0, 0, 2, 1),
		color.Palette{color.NRGBA{10, 20, 30, 255}, color.NRGBA{40, 50, 60, 128}})
	pal.Pix = []uint8{0, 1}
	var b bytes.Buffer
	if err := png.Encode(&b, pal); err != nil {
		t.Fatal(err)
	}
	p := decode(t, b.Bytes())
	if got := levels(p.Pix, 8); got[0] != 10 || got[1] != 40 || got[2] != 20 || got[3] != 50 ||
		got[4] != 30 || got[5] != 60 {
		t.Errorf("palette: %v", got)
	}
	if p.Gray || p.Alpha == nil || p.Alpha[0] != 1 || math.Abs(float64(p.Alpha[1])*255-128) > 1e-3 {
		t.Errorf("palette: gray %v alpha %v", p.Gray, p.Alpha)
	}

	b.Reset()
	rgb := image.NewRGBA(image.Rect(0, 0, 32, 32))
	for i := range rgb.Pix {
		rgb.Pix[i] = 255
		if i%4 == 1 {
			rgb.Pix[i] = 0
		}
	}
	if err := jpeg.Encode(&b, rgb, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	p = decode(t, b.Bytes())
	if r, g, bl := p.Pix[5], p.Pix[1024+5], p.Pix[2048+5]; r < 0.97 || g > -0.97 || bl < 0.97 {
		t.Errorf("magenta JPEG is %g %g %g", r, g, bl)
	}

	// fromImage's general way, taken by CMYK: 0 ink is white.
	cmyk := image.NewCMYK(image.Rect(5, 5, 7, 6))
	cmyk.SetCMYK(6, 5, color.CMYK{255, 0, 0, 0})
	p = fromImage(cmyk, JPEG)
	if got := levels(p.Pix, 8); got[0] != 255 || got[1] != 0 || got[3] != 255 || got[5] != 255 {
		t.Errorf("CMYK: %v", got)
	}
	// Of a sub-image only its rectangle is read.
	sub := rgb.SubImage(image.Rect(3, 4, 5, 7))
	if p = fromImage(sub, PNG); p.W != 2 || p.H != 3 || p.Pix[0] != 1 || p.Pix[6] != -1 {
		t.Errorf("sub-image: %+v", p)
	}
}

func TestLike(t *testing.T) {
	r := newRand()
	p := random(r, 5, 4, 16, true, true)
	p.ICC = []byte("x")
	same := p.Like(5, 4, make([]float32, 60))
	if !equalFloats(same.Alpha, p.Alpha) || !same.Gray || same.Depth != 16 || same.ICC == nil ||
		same.Pix[0] != 0 {
		t.Errorf("%+v", same)
	}
	big := p.Like(20, 16, make([]float32, 960))
	if err := big.Check(); err != nil {
		t.Fatal(err)
	}
	// Linear enlargement keeps a linear ramp, except at the edges, and opaque alpha.
	for i := range p.Alpha {
		p.Alpha[i] = float32(i%5)/10 + float32(i/5)/20
	}
	big = p.Like(20, 16, make([]float32, 960))
	for y := 2; y < 14; y++ {
		for x := 2; x < 18; x++ {
			want := ((float64(x)+0.5)/4-0.5)/10 + ((float64(y)+0.5)/4-0.5)/20
			if math.Abs(float64(big.Alpha[y*20+x])-want) > 1e-6 {
				t.Fatalf("alpha at %d,%d is %g, want %g", x, y, big.Alpha[y*20+x], want)
			}
		}
	}
	p.Alpha = constant(1, 20)
	if !p.Like(33, 7, make([]float32, 3*33*7)).Opaque() {
		t.Error("opaque became transparent")
	}
	if im := p.Planar(); im.W != 5 || im.H != 4 || &im.Pix[0] != &p.Pix[0] {
		t.Error("Planar")
	}
}
