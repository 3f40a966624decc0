package frame

import (
	"math"
	"testing"
)

// All codes of luma survive Read and Write in every format of Y′CbCr and grey. RGBRange bounds the
// values of Read.
func TestReachAndGamut(t *testing.T) {
	rnd := newRand(t)
	for _, f := range all() {
		low, high := f.GreyRange()
		f = f.normal()
		if limited := !f.Full; limited != (low < -1.1 && high > 1.1) || !limited &&
			(low != -1 || high != 1) {
			t.Errorf("%+v reaches from %g to %g", f, low, high)
		}
		if isRGB(f) {
			continue
		}
		const w, h = 32, 8
		c, err := NewConverter(f, w, h)
		if err != nil {
			t.Fatal(err)
		}
		src, dst := randomFrame(rnd, f, w, h), spaced(rnd, f, w, h)
		for i := range w * h {
			putSample(f, &src, 0, i%w, i/w, i<<(f.Bits-8))
		}
		if chromaOf(f) {
			columns, rows := f.chromaSize(w, h)
			for i := range columns * rows {
				putSample(f, &src, 1, i%columns, i/columns, 128<<(f.Bits-8))
				putSample(f, &src, 2, i%columns, i/columns, 128<<(f.Bits-8))
			}
		}
		pix := make([]float32, 3*w*h)
		if err := c.Read(pix, src); err != nil {
			t.Fatal(err)
		}
		if err := c.Write(dst, pix); err != nil {
			t.Fatal(err)
		}
		for i := range w * h {
			if got, want := sampleOf(f, &dst, 0, i%w, i/w),
				sampleOf(f, &src, 0, i%w, i/w); math.Abs(got-want) > 1 {
				t.Fatalf("%+v: luma %g became %g", f, want, got)
			}
		}
		low, high = f.RGBRange()
		for range 4 {
			frame := randomFrame(rnd, f, w, h)
			for i := range w * h { // also the corners
				putSample(f, &frame, 0, i%w, i/w, (1<<f.Bits-1)*rnd.IntN(2))
			}
			for k := 1; k < 3 && chromaOf(f); k++ {
				columns, rows := f.chromaSize(w, h)
				for i := range columns * rows {
					putSample(f, &frame, k, i%columns, i/columns, (1<<f.Bits-1)*rnd.IntN(2))
				}
			}
			if err := c.Read(pix, frame); err != nil {
				t.Fatal(err)
			}
			for i, v := range pix {
				if !(v >= low-1e-5 && v <= high+1e-5) {
					t.Fatalf("%+v: value %d is %g, outside %g to %g", f, i, v, low, high)
				}
			}
		}
	}
}

func TestRefused(t *testing.T) {
	for _, f := range []Format{{Kind: 99}, {Kind: Planar, Bits: 7}, {Kind: Gray, Bits: -9},
		{Kind: Gray, Bits: 17}, {Kind: P010, Bits: 8}, {Kind: Planar, HalfY: true}, {Matrix: 3}} {
		if _, err := NewConverter(f, 4, 4); err == nil {
			t.Errorf("%+v accepted", f)
		}
		_, _ = f.Size(4, 4), f.HasAlpha() // do not panic
		f.RGBRange()
	}
	for _, n := range []int{0, -1, 1<<16 + 1} {
		if _, err := NewConverter(Format{}, n, 1); err == nil {
			t.Errorf("side %d accepted", n)
		}
	}
	c, err := NewConverter(Format{Kind: RGB}, 4, 3)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 36)
	for _, p := range []Plane{
		{}, {Data: data[:35]}, {Data: data, Stride: 11}, {Data: data, Stride: 13},
		{Data: data, Step: 2}, {Data: data, Offset: -1}, {Data: data, Offset: 1},
		{Data: data, Offset: 37},
		{Data: data, Stride: -12}, {Data: data, Stride: -12, Offset: 25},
		{Data: data, Stride: math.MaxInt}, {Data: data, Stride: math.MinInt},
		{Data: data, Step: math.MaxInt}, {Data: data, Step: -3},
	} {
		if c.Check(Planes{p}) == nil {
			t.Errorf("%d bytes, offset %d, stride %d, step %d accepted", len(p.Data), p.Offset,
				p.Stride, p.Step)
		}
		if c.Read(make([]float32, 36), Planes{p}) == nil ||
			c.Write(Planes{p}, make([]float32, 36)) == nil {
			t.Error("used")
		}
	}
	for _, p := range []Plane{{Data: data}, {Data: data, Stride: 12, Step: 3},
		{Data: data, Stride: -12, Offset: 24}} {
		if err := c.Check(Planes{p}); err != nil {
			t.Error(err)
		}
	}
}
