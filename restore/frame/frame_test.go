package frame

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"
)

func all() []Format {
	var fs []Format
	for _, k := range []Kind{RGB, RGBA, Planar, NV12, Gray, Float32} {
		for _, bits := range []int{8, 10, 16} {
			for v := range 32 {
				f := Format{Kind: k, Bits: bits, HalfX: v&1 > 0, HalfY: v&2 > 0, CoX: v&4 > 0, CoY: v&8 > 0, Full: v&16 > 0, Matrix: Matrix(v % 3)}
				if f.Check() == nil {
					fs = append(fs, f)
				}
			}
		}
	}
	return fs
}

// Colours that vary slowly survive every format: to bytes, back and to bytes again, at odd sizes, without allocating.
func TestRoundTrip(t *testing.T) {
	for _, f := range all() {
		for _, size := range [][2]int{{1, 1}, {2, 3}, {17, 9}, {32, 16}} {
			w, h := size[0], size[1]
			c, err := NewConverter(f, w, h)
			if err != nil {
				t.Fatal(err)
			}
			pix := make([]float32, 3*w*h)
			for i := range pix {
				k, y, x := i/(w*h), i/w%h, i%w
				pix[i] = 0.5*float32(math.Sin(float64(k)+0.05*float64(x+y))) + 0.1
			}
			if f.Kind == Gray {
				copy(pix[w*h:], pix[:w*h])
				copy(pix[2*w*h:], pix[:w*h])
			}
			data, back := make([]byte, f.Size(w, h)), make([]float32, len(pix))
			for i := range data {
				data[i] = 0xa5
			}
			for i := range back {
				back[i] = float32(math.NaN())
			}
			c.FromRGB(data, pix)
			c.ToRGB(back, data)
			bound := 0.02 // an 8-bit code, and the averaging of chroma
			if f.normal().HalfX {
				bound = 0.09
			}
			for i, v := range back {
				if d := math.Abs(float64(v - pix[i])); !(d < bound) {
					t.Fatalf("%+v %d×%d: value %d is %g, was %g", f, w, h, i, v, pix[i])
				}
			}
			if n := testing.AllocsPerRun(3, func() { c.FromRGB(data, pix); c.ToRGB(back, data) }); n != 0 {
				t.Errorf("%+v: %g allocations per frame", f, n)
			}
		}
	}
}

// Y′CbCr of full range by BT.601 is JPEG's, for which the standard library has its own arithmetic.
func TestAgainstStandardLibrary(t *testing.T) {
	const w, h = 9, 7
	rng := rand.New(rand.NewPCG(rand.Uint64(), 0))
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
			if got := unit(pix[k*w*h+i]) * 255; math.Abs(float64(got)-float64(want)) > 1.1 {
				t.Errorf("pixel %d channel %d is %.2f, want %d", i, k, got, want)
			}
		}
	}
}

// Known codes: limited range puts black at 16 and white at 235, four times that with 10 bits, and grey has no colour.
func TestKnownCodes(t *testing.T) {
	for _, x := range []struct {
		f     Format
		v     float32
		codes []int
	}{
		{I420(BT709), -1, []int{16, 128, 128}}, {I420(BT709), 1, []int{235, 128, 128}},
		{Format{Kind: Planar, Bits: 10}, 1, []int{940, 512, 512}}, {Format{Kind: Planar, Bits: 10, Full: true}, 1, []int{1023, 512, 512}},
		{Format{Kind: Gray, Bits: 8}, 0, []int{126}}, {Format{Kind: NV12}, float32(math.NaN()), []int{16, 128, 128}},
		{Format{Kind: Planar, Bits: 16, Full: true}, 7, []int{65535, 32768, 32768}},
	} {
		c, err := NewConverter(x.f, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, c.Bytes())
		c.FromRGB(data, []float32{x.v, x.v, x.v})
		var got []int
		for i := range x.codes {
			got = append(got, int(c.sample(data, i)))
		}
		if fmt.Sprint(got) != fmt.Sprint(x.codes) {
			t.Errorf("%+v of %g is %v, want %v", x.f, x.v, got, x.codes)
		}
	}
}

// A chroma ramp comes back as it was inside, wherever the samples sit: siting and interpolation agree.
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

func TestRefused(t *testing.T) {
	for _, f := range []Format{{Kind: 9}, {Kind: Planar, Bits: 7}, {Kind: Gray, Bits: 17}, {Kind: Planar, HalfY: true}, {Matrix: 3}} {
		if _, err := NewConverter(f, 4, 4); err == nil {
			t.Errorf("%+v accepted", f)
		}
	}
	for _, n := range []int{0, -1, 1<<16 + 1} {
		if _, err := NewConverter(Format{}, n, 1); err == nil {
			t.Errorf("side %d accepted", n)
		}
	}
}

// TestHeadAndFootRoom: luma below black and above white survives in formats of limited range, whose codes reach there, and is limited in the others.
func TestHeadAndFootRoom(t *testing.T) {
	for _, f := range all() {
		low, high := f.Reach()
		f = f.normal()
		if limited := !f.Full && (f.Kind == Planar || f.Kind == NV12 || f.Kind == Gray); limited != (low < -1.1 && high > 1.1) || !limited && (low != -1 || high != 1) {
			t.Errorf("%+v reaches from %g to %g", f, low, high)
		}
		if f.Kind == RGB || f.Kind == RGBA || f.Kind == Float32 {
			continue
		}
		const w, h = 32, 8
		c, err := NewConverter(f, w, h)
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, c.Bytes())
		for i := range len(data) / ((f.Bits + 7) / 8) {
			c.put(data, i, float32(int(128)<<(f.Bits-8)))
			if i < w*h {
				c.put(data, i, float32(i<<(f.Bits-8)))
			}
		}
		pix, back := make([]float32, 3*w*h), make([]byte, len(data))
		c.ToRGB(pix, data)
		c.FromRGB(back, pix)
		for i := range w * h {
			if got, want := c.sample(back, i), c.sample(data, i); math.Abs(float64(got-want)) > 1 {
				t.Fatalf("%+v: luma %g became %g", f, want, got)
			}
		}
	}
}
