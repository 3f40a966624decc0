package jpegcodec

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math"
	"math/rand/v2"
	"testing"
)

// smooth makes a picture with colour detail that JPEG keeps well, and a few hard edges.
func smooth(w, h int, r *rand.Rand) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	a, b, c := 5+20*r.Float64(), 5+20*r.Float64(), 6*r.Float64()
	for y := range h {
		for x := range w {
			u, v := float64(x)/a, float64(y)/b
			p := color.NRGBA{uint8(128 + 90*math.Sin(u+c)), uint8(128 + 90*math.Cos(v)),
				uint8(128 + 90*math.Sin(u+v)), 255}
			if (x/17+y/13)%5 == 0 {
				p.R, p.B = 30, 200
			}
			m.SetNRGBA(x, y, p)
		}
	}
	return m
}

// TestSameAsStandard: with the standard library's subsampling the files are equal.
func TestSameAsStandard(t *testing.T) {
	r := rand.New(rand.NewPCG(1, rand.Uint64()))
	for range 40 {
		w, h, q := 1+r.IntN(70), 1+r.IntN(70), 1+r.IntN(100)
		m := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
		for _, p := range [][]uint8{m.Y, m.Cb, m.Cr} {
			for i := range p {
				p[i] = uint8(r.IntN(256))
			}
		}
		var ours, theirs bytes.Buffer
		if err := Encode(&ours, m, Options{Quality: q}); err != nil {
			t.Fatal(err)
		}
		if err := jpeg.Encode(&theirs, m, &jpeg.Options{Quality: q}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(ours.Bytes(), theirs.Bytes()) {
			t.Fatalf("%d×%d, quality %d: %d bytes, the standard library makes %d, or others", w, h,
				q, ours.Len(), theirs.Len())
		}
	}
}

// TestAllKinds decodes what is encoded from each type of image in each resolution of colour, and
// finds the planes of colour of the right size and the picture close to what it was.
func TestAllKinds(t *testing.T) {
	r := rand.New(rand.NewPCG(2, rand.Uint64()))
	ratios := map[Subsampling]image.YCbCrSubsampleRatio{
		Sub420: image.YCbCrSubsampleRatio420, Sub422: image.YCbCrSubsampleRatio422,
		Sub444: image.YCbCrSubsampleRatio444,
	}
	for _, size := range []image.Point{{1, 1}, {3, 2}, {5, 31}, {16, 16}, {17, 15}, {65, 40},
		{128, 128}} {
		whole := smooth(size.X+9, size.Y+7, r)
		m := whole.SubImage(image.Rect(5, 3, 5+size.X, 3+size.Y)).(*image.NRGBA)
		rgba, any64 := image.NewRGBA(m.Rect), image.NewNRGBA64(m.Rect)
		for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
			for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
				rgba.Set(x, y, m.At(x, y))
				any64.Set(x, y, m.At(x, y))
			}
		}
		for s := Sub420; s <= Gray; s++ {
			o := Options{Quality: 100, Subsampling: s}
			var first []byte
			for i, m := range []image.Image{m, rgba, any64} {
				var b bytes.Buffer
				if err := Encode(&b, m, o); err != nil {
					t.Fatal(err)
				}
				if i == 0 {
					first = b.Bytes()
				} else if !bytes.Equal(first, b.Bytes()) {
					t.Fatalf("%v, %v: %T makes another file than %T", size, s, m, rgba)
				}
			}
			var b bytes.Buffer
			err := EncodeRows(&b, size.X, size.Y, o, func(y int, to []uint8) error {
				for x := range size.X {
					c := m.NRGBAAt(5+x, 3+y)
					if s == Gray {
						to[x] = luma(c.R, c.G, c.B)
					} else {
						copy(to[3*x:], []uint8{c.R, c.G, c.B})
					}
				}
				return nil
			})
			if err != nil || !bytes.Equal(first, b.Bytes()) {
				t.Fatalf("%v, %v: rows make another file (%v)", size, s, err)
			}
			got, err := jpeg.Decode(bytes.NewReader(first))
			if err != nil {
				t.Fatal(err)
			}
			if got.Bounds().Size() != size {
				t.Fatalf("%v became %v", size, got.Bounds().Size())
			}
			if s == Gray {
				for y := range size.Y {
					for x := range size.X {
						c := m.NRGBAAt(5+x, 3+y)
						if d := int(got.(*image.Gray).GrayAt(x, y).Y) -
							int(luma(c.R, c.G, c.B)); d < -3 || d > 3 {
							t.Fatalf("%v: luma is off by %d", size, d)
						}
					}
				}
				continue
			}
			if y := got.(*image.YCbCr); y.SubsampleRatio != ratios[s] {
				t.Fatalf("asked for %v, got %v", s, y.SubsampleRatio)
			}
			// At quality 100 only rounding is lost, except for chroma, which is compared with the
			// mean of its group.
			compareColour(t, fmt.Sprint(size, s), m, got.(*image.YCbCr), s)
		}
	}
}

func compareColour(t *testing.T, what string, m *image.NRGBA, got *image.YCbCr, s Subsampling) {
	t.Helper()
	sx, sy := s.step()
	w, h := m.Rect.Dx(), m.Rect.Dy()
	for y := 0; y < h; y += sy {
		for x := 0; x < w; x += sx {
			var cb, cr float64
			for v := range sy {
				for u := range sx {
					c := m.NRGBAAt(m.Rect.Min.X+min(x+u, w-1), m.Rect.Min.Y+min(y+v, h-1))
					cb += 128 - 0.168736*float64(c.R) - 0.331264*float64(c.G) + 0.5*float64(c.B)
					cr += 128 + 0.5*float64(c.R) - 0.418688*float64(c.G) - 0.081312*float64(c.B)
				}
			}
			o := got.COffset(x, y)
			n := float64(sx * sy)
			if d := math.Abs(float64(got.Cb[o]) - cb/n); d > 3 {
				t.Fatalf("%s: Cb at (%d, %d) is off by %.1f", what, x, y, d)
			}
			if d := math.Abs(float64(got.Cr[o]) - cr/n); d > 3 {
				t.Fatalf("%s: Cr at (%d, %d) is off by %.1f", what, x, y, d)
			}
		}
	}
}

// TestReduceUnbiased: averaging keeps the mean.
func TestReduceUnbiased(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, s := range []Subsampling{Sub420, Sub422} {
		sx, sy := s.step()
		const stride = 4096
		band := make([]uint8, 8*sy*stride)
		before, after := 0.0, 0.0
		for i := range band {
			band[i] = uint8(r.IntN(256))
			before += float64(band[i]) / float64(len(band))
		}
		reduce(band, stride, sx, sy)
		for y := range 8 {
			for _, v := range band[y*stride:][:stride/sx] {
				after += float64(v) / float64(8*stride/sx)
			}
		}
		if math.Abs(after-before) > 0.02 {
			t.Errorf("%v: a mean of %.3f became %.3f", s, before, after)
		}
	}
}

// weights is a second implementation of libjpeg's interpolation: the weights, in quarters, of n
// values in value x of full resolution.
func weights(x, n int) (i, j, wi, wj int) {
	i = x / 2
	j = i + 1 - 2*((x+1)%2)
	if j < 0 || j >= n {
		j = i
	}
	return i, j, 3, 1
}

// TestRows compares with sums over both directions, for all ratios that are interpolated.
func TestRows(t *testing.T) {
	r := rand.New(rand.NewPCG(5, rand.Uint64()))
	for range 60 {
		w, h := 5+r.IntN(30), 1+r.IntN(20)
		for _, ratio := range []image.YCbCrSubsampleRatio{image.YCbCrSubsampleRatio444,
			image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio440,
			image.YCbCrSubsampleRatio420} {
			m := image.NewYCbCr(image.Rect(0, 0, w, h), ratio)
			for _, p := range [][]uint8{m.Y, m.Cb, m.Cr} {
				for i := range p {
					p[i] = uint8(r.IntN(256))
				}
			}
			halfX := ratio == image.YCbCrSubsampleRatio422 || ratio == image.YCbCrSubsampleRatio420
			halfY := ratio == image.YCbCrSubsampleRatio440 || ratio == image.YCbCrSubsampleRatio420
			value := func(p []uint8, x, y int) int {
				at := func(x, y int) int { return int(p[y*m.CStride+x]) }
				switch {
				case halfX && halfY:
					i, j, a, b := weights(x, (w+1)/2)
					k, l, c, d := weights(y, (h+1)/2)
					sum := a*c*at(i, k) + b*c*at(j, k) + a*d*at(i, l) + b*d*at(j, l)
					return (sum + 8 - x%2) / 16
				case halfX:
					i, j, a, b := weights(x, (w+1)/2)
					return (a*at(i, y) + b*at(j, y) + 1 + x%2) / 4
				case halfY:
					i, j, a, b := weights(y, (h+1)/2)
					return (a*at(x, i) + b*at(x, j) + 1 + y%2) / 4
				}
				return at(x, y)
			}
			rows := NewRows(m)
			red, green, blue := make([]uint8, w), make([]uint8, w), make([]uint8, w)
			for y := range h {
				rows.Row(y, red, green, blue)
				for x := range w {
					l := float64(m.Y[y*m.YStride+x])
					cb, cr := float64(value(m.Cb, x, y)-128), float64(value(m.Cr, x, y)-128)
					for c, want := range []float64{l + 1.402*cr, l - 0.344136*cb - 0.714136*cr, l +
						1.772*cb} {
						got := float64([][]uint8{red, green, blue}[c][x])
						if math.Abs(got-min(max(want, 0), 255)) > 0.51 {
							t.Fatalf("%v, %d×%d: channel %d at (%d, %d) is %v, not %.2f", ratio, w,
								h, c, x, y, got, want)
						}
					}
				}
			}
		}
	}
}

// blocks makes a file in which every block of every plane has one value. All decoders transform it
// exactly, so they can differ only in interpolation.
func blocks(t *testing.T, s Subsampling, w, h int) []byte {
	ratio := image.YCbCrSubsampleRatio420
	if s == Sub422 {
		ratio = image.YCbCrSubsampleRatio422
	}
	m := image.NewYCbCr(image.Rect(0, 0, w, h), ratio)
	for y := range h {
		for x := range w {
			m.Y[m.YOffset(x, y)] = uint8(90 + 23*(x/8) + 17*(y/8))
			c := m.COffset(x, y)
			u, v := c%m.CStride/8, c/m.CStride/8
			m.Cb[c], m.Cr[c] = uint8(64+97*((u+v)%2)), uint8(170-71*((u+2*v)%3))
		}
	}
	var b bytes.Buffer
	if err := Encode(&b, m, Options{Quality: 100, Subsampling: s}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestSameAsLibjpeg compares with libjpeg-turbo 2.1.5 (through PIL 9.4) by the CRC-32 of its pixels
// of three bytes, which were computed once.
func TestSameAsLibjpeg(t *testing.T) {
	for s, want := range map[Subsampling]uint32{Sub420: 83399991, Sub422: 1886476550} {
		p, err := Decode(bytes.NewReader(blocks(t, s, 45, 37)))
		if err != nil {
			t.Fatal(err)
		}
		n := p.W * p.H
		pixels := make([]byte, 0, 3*n)
		for i := range n {
			pixels = append(pixels, p.Pix[i], p.Pix[n+i], p.Pix[2*n+i])
		}
		if got := crc32.ChecksumIEEE(pixels); got != want {
			t.Errorf("%v: the sum of the pixels is %d, libjpeg's %d", s, got, want)
		}
	}
}

// TestErrors: sides and options out of range, writers and rows that fail.
func TestErrors(t *testing.T) {
	m := image.NewGray(image.Rect(0, 0, 2000, 2000))
	for i := range m.Pix {
		m.Pix[i] = uint8(i * i >> 3)
	}
	full := errors.New("full")
	if err := Encode(failing{full}, m, Options{Quality: 90}); !errors.Is(err, full) {
		t.Errorf("a full disk gave %v", err)
	}
	for _, o := range []Options{{Quality: 0}, {Quality: 101}, {Quality: 50, Subsampling: -1},
		{Quality: 50, Subsampling: Gray + 1}} {
		if Encode(io.Discard, image.NewRGBA(image.Rect(0, 0, 4, 4)), o) == nil {
			t.Errorf("%+v passed", o)
		}
	}
	for _, size := range []image.Point{{0, 5}, {5, 0}, {MaxSide + 1, 1}, {1, MaxSide + 1}} {
		if Encode(io.Discard, image.NewGray(image.Rectangle{Max: size}),
			Options{Quality: 50}) == nil {
			t.Errorf("%v passed", size)
		}
	}
	err := EncodeRows(io.Discard, 40, 40, Options{Quality: 50}, func(y int, _ []uint8) error {
		if y == 20 {
			return full
		}
		return nil
	})
	if err != full {
		t.Errorf("rows that fail gave %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func BenchmarkCrop(b *testing.B) {
	m := smooth(128, 128, rand.New(rand.NewPCG(1, 2)))
	for _, s := range []Subsampling{Sub420, Sub444} {
		b.Run(s.String(), func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if err := Encode(io.Discard, m, Options{Quality: 80, Subsampling: s}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	var f bytes.Buffer
	if err := Encode(&f, smooth(128, 128, rand.New(rand.NewPCG(1, 2))),
		Options{Quality: 80}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for range b.N {
		if _, err := Decode(bytes.NewReader(f.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
}
