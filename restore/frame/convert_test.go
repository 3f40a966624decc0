package frame

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"testing"
)

// Read equals the float64 reference for every format, with random bytes between pixels and rows.
func TestReadAgainstReference(t *testing.T) {
	rnd := newRand(t)
	for _, f := range all() {
		f = f.normal()
		for _, size := range sizes {
			w, h := size[0], size[1]
			c, err := NewConverter(f, w, h)
			if err != nil {
				t.Fatal(err)
			}
			ps := randomFrame(rnd, f, w, h)
			pix := make([]float32, 3*w*h)
			for i := range pix {
				pix[i] = float32(math.NaN())
			}
			if err := c.Read(pix, ps); err != nil {
				t.Fatal(err)
			}
			for i := range w * h {
				want := reference(f, &ps, w, h, i%w, i/w)
				for k := range 3 {
					if got := pix[k*w*h+i]; !(math.Abs(float64(got)-want[k]) < 2e-6) {
						t.Fatalf("%+v %d×%d: component %d of pixel %d is %g, want %g", f, w, h, k,
							i, got, want[k])
					}
				}
			}
		}
	}
}

// Write equals the float64 reference except for ties, and does not change other bytes.
func TestWriteAgainstReference(t *testing.T) {
	rnd := newRand(t)
	for _, f := range all() {
		f = f.normal()
		for _, size := range sizes {
			w, h := size[0], size[1]
			c, err := NewConverter(f, w, h)
			if err != nil {
				t.Fatal(err)
			}
			pix := make([]float32, 3*w*h)
			for i := range pix {
				pix[i] = 3 * (rnd.Float32() - 0.5) // also beyond [-1, 1]
			}
			ps := spaced(rnd, f, w, h)
			written := compareBytes(ps)
			if err := c.Write(ps, pix); err != nil {
				t.Fatal(err)
			}
			numbers := codingOf(f)
			luma := func(x, y int) (v, b, r float64) {
				i := y*w + x
				r, g, b := clamp(pix[i], numbers), clamp(pix[w*h+i], numbers),
					clamp(pix[2*w*h+i], numbers)
				return numbers.kr*r + numbers.kg*g + numbers.kb*b, b, r
			}
			want := func(k, x, y int) float64 {
				switch {
				case isFloat(f):
					return float64(pix[(k*h+y)*w+x])
				case isRGB(f):
					return 255 * min(max((float64(pix[(k*h+y)*w+x])+1)/2, 0), 1)
				case k == 0:
					v, _, _ := luma(x, y)
					return v*numbers.yMul + numbers.yOff
				}
				sum, total := 0.0, 0.0
				for v := range h {
					for u := range w {
						// near is the weight of a pixel in the sample.
						weight := near(x, u, w, f.HalfX, f.CositedX) * near(y, v, h, f.HalfY,
							f.CositedY)
						l, b, r := luma(u, v)
						d := (b - l) / (2 * (1 - numbers.kb))
						if k == 2 {
							d = (r - l) / (2 * (1 - numbers.kr))
						}
						sum, total = sum+weight*d, total+weight
					}
				}
				return sum/total*numbers.cMul + numbers.cOff
			}
			for k := range componentCount(f) {
				columns, rows := componentSize(f, k, w, h)
				for i := range columns * rows {
					got := sampleOf(f, &ps, k, i%columns, i/columns)
					should := want(k, i%columns, i/columns)
					near := 0.5 + 0.03 // 16 bits in float32 arithmetic
					if isFloat(f) {
						near = 1e-9
					} else {
						should = min(max(should, 0), math.Pow(2, float64(f.Bits))-1)
						if f.Bits < 16 {
							near = 0.502
						}
					}
					if !(math.Abs(got-should) <= near) {
						t.Fatalf("%+v %d×%d: component %d, sample %d is %g, want %g", f, w, h, k, i,
							got, should)
					}
					plane, at := where(f, &ps, k, i%columns, i/columns)
					written(plane, at, f.word())
				}
			}
			if at, ok := written(-1, 0, 0); !ok {
				t.Fatalf("%+v %d×%d: %s between samples was changed", f, w, h, at)
			}
		}
	}
}

// Y′CbCr of full range by BT.601 is JPEG's, for which the standard library has its own arithmetic.
func TestAgainstStandardLibrary(t *testing.T) {
	const w, h = 9, 7
	rng := newRand(t)
	c, err := NewConverter(Format{Kind: Planar, Full: true}, w, h)
	if err != nil {
		t.Fatal(err)
	}
	m := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio444)
	data := make([]byte, c.Bytes())
	for i := range data {
		data[i] = uint8(rng.IntN(256))
	}
	copy(m.Y, data)
	copy(m.Cb, data[w*h:])
	copy(m.Cr, data[2*w*h:])
	pix := make([]float32, 3*w*h)
	c.ToRGB(pix, data)
	for i := range w * h {
		r, g, b := color.YCbCrToRGB(m.Y[i], m.Cb[i], m.Cr[i])
		for k, want := range []uint8{r, g, b} {
			if got := toUnit(pix[k*w*h+i], 0, 1) * 255; math.Abs(float64(got)-float64(want)) > 1.1 {
				t.Errorf("pixel %d channel %d is %.2f, want %d", i, k, got, want)
			}
		}
	}
}

// Known codes: limited range has black at 16 and white at 235, four times that with 10 bits, and
// grey has neutral chroma.
func TestKnownCodes(t *testing.T) {
	for _, x := range []struct {
		f     Format
		v     float32
		bytes []byte
	}{
		{I420(BT709), -1, []byte{16, 128, 128}}, {I420(BT709), 1, []byte{235, 128, 128}},
		{Format{Kind: Planar, Bits: 10}, 1, []byte{940 & 255, 940 >> 8, 0, 2, 0, 2}},
		{Format{Kind: Planar, Bits: 10, Full: true}, 1, []byte{255, 3, 0, 2, 0, 2}},
		{Format{Kind: Gray, Bits: 8}, 0, []byte{126}},
		{Format{Kind: NV12}, float32(math.NaN()), []byte{16, 128, 128}},
		{Format{Kind: Planar, Bits: 16, Full: true}, 7, []byte{255, 255, 0, 128, 0, 128}},
		{Format{Kind: P010}, 1, []byte{940 << 6 & 255, 940 >> 2, 0, 128, 0, 128}},
		{Format{Kind: BGRA}, 1, []byte{255, 255, 255, 9}},
		{Format{Kind: YUYV}, 1, []byte{235, 128, 9, 128}},
		{Format{Kind: UYVY}, -1, []byte{128, 16, 128, 9}},
	} {
		c, err := NewConverter(x.f, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, c.Bytes())
		for i := range data {
			data[i] = 9 // bytes that stay 9 belong to no pixel
		}
		c.FromRGB(data, []float32{x.v, x.v, x.v})
		if fmt.Sprint(data) != fmt.Sprint(x.bytes) {
			t.Errorf("%+v of %g is %v, want %v", x.f, x.v, data, x.bytes)
		}
	}
}

// A chroma ramp comes back unchanged, except at the border, for every siting: siting and
// interpolation agree.
func TestSiting(t *testing.T) {
	const w, h = 16, 16
	for _, f := range all() {
		if f.Kind != Planar || !f.HalfX || f.Bits != 16 {
			continue
		}
		c, err := NewConverter(f, w, h)
		if err != nil {
			t.Fatal(err)
		}
		pix := make([]float32, 3*w*h)
		for i := range pix {
			pix[i] = float32(i/w%h)/40 + float32(i%w)/50 - 0.3
			if i >= w*h {
				pix[i] = -pix[i]
			}
		}
		data, back := make([]byte, c.Bytes()), make([]float32, len(pix))
		c.FromRGB(data, pix)
		c.ToRGB(back, data)
		for i := range pix {
			y, x := i/w%h, i%w
			if x < 2 || x > w-3 || y < 2 || y > h-3 {
				continue
			}
			if d := math.Abs(float64(back[i] - pix[i])); d > 1e-3 {
				t.Fatalf("%+v: (%d,%d) is %g, was %g", f, x, y, back[i], pix[i])
			}
		}
	}
}

func BenchmarkNV12(b *testing.B) {
	const w, h = 1920, 1080
	c, _ := NewConverter(Format{Kind: NV12, CositedX: true, Matrix: BT709}, w, h)
	data, pix, other, codes := make([]byte, c.Bytes()), make([]float32, 3*w*h),
		make([]float32, 3*w*h), make([]uint16, c.Codes())
	for i := range other {
		other[i] = float32(i%100)/200 - 0.2
	}
	src := c.Format().Contiguous(data, w, h)
	b.Run("read", func(b *testing.B) {
		for range b.N {
			_ = c.Read(pix, src)
			_ = c.ReadCodes(codes, src)
		}
	})
	b.Run("change", func(b *testing.B) {
		for range b.N {
			_ = c.Change(src, c, codes, pix, other)
		}
	})
	b.Run("write", func(b *testing.B) {
		for range b.N {
			_ = c.Write(src, pix)
		}
	})
}
