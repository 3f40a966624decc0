package frame

import (
	"math"
	"testing"
)

// Planes of Android's cameras: NV12 as three planes, with a step of 2 bytes for chroma.
func TestPixelStride(t *testing.T) {
	const w, h = 7, 5
	rnd := newRand(t)
	nv12, planar := Format{Kind: NV12, CositedX: true, Matrix: BT709}, I420(BT709)
	a, _ := NewConverter(nv12, w, h)
	b, _ := NewConverter(planar, w, h)
	data := make([]byte, a.Bytes())
	for i := range data {
		data[i] = byte(rnd.Uint32())
	}
	want, got := make([]float32, 3*w*h), make([]float32, 3*w*h)
	a.ToRGB(want, data)
	chroma := data[w*h:]
	if err := b.Read(got, Planes{{Data: data}, {Data: chroma, Stride: 8, Step: 2},
		{Data: chroma[1:], Stride: 8, Step: 2}}); err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("value %d is %g, want %g", i, got[i], want[i])
		}
	}
}

// Any planes are refused or hold a frame: nothing outside of them is written.
func TestAnyPlanes(t *testing.T) {
	rnd := newRand(t)
	formats := all()
	numbers := []int{0, 0, 0, 1, -1, 2, 3, 4, 7, 12, 16, -12, -16, 40, 1 << 16, 1 << 31, -1 << 31,
		math.MaxInt, math.MinInt, math.MaxInt / 3}
	taken := 0
	for range 60000 {
		f := formats[rnd.IntN(len(formats))]
		w, h := 1+rnd.IntN(5), 1+rnd.IntN(4)
		c, err := NewConverter(f, w, h)
		if err != nil {
			t.Fatal(err)
		}
		var ps Planes
		var all [3][]byte
		for i := range ps {
			all[i] = make([]byte, 8+rnd.IntN(260)+8)
			data := all[i][8 : len(all[i])-8 : len(all[i])-8]
			ps[i] = Plane{Data: data, Stride: numbers[rnd.IntN(len(numbers))],
				Step: numbers[rnd.IntN(len(numbers))], Offset: numbers[rnd.IntN(len(numbers))]}
			if rnd.IntN(3) > 0 {
				ps[i].Offset = rnd.IntN(len(data) + 1)
			}
			if rnd.IntN(2) > 0 {
				ps[i].Step = 0
			}
		}
		pix := make([]float32, 3*w*h)
		if c.Check(ps) != nil {
			if c.Read(pix, ps) == nil || c.Write(ps, pix) == nil {
				t.Fatalf("%+v: used after it was refused: %+v", f, ps)
			}
			continue
		}
		taken++
		if err := c.Read(pix, ps); err != nil {
			t.Fatal(err)
		}
		for i := range pix {
			pix[i] = 0.9
		}
		if err := c.Write(ps, pix); err != nil {
			t.Fatal(err)
		}
		for i := range all {
			for k := range 8 {
				if all[i][k] != 0 || all[i][len(all[i])-1-k] != 0 {
					t.Fatalf("%+v: written outside of plane %d: %+v", f, i, ps[i])
				}
			}
		}
	}
	if taken < 1000 {
		t.Errorf("only %d frames lie in their planes", taken)
	}
}

// Span gives the bytes that Check requires: one byte less is refused.
func TestSpan(t *testing.T) {
	rnd := newRand(t)
	for _, f := range all() {
		for _, size := range sizes {
			ps := spaced(rnd, f, size[0], size[1])
			c, _ := NewConverter(f, size[0], size[1])
			for p := range f.PlaneCount() {
				bytes, before := f.Span(p, size[0], size[1], ps[p].Stride, ps[p].Step)
				good := ps
				good[p].Data, good[p].Offset = make([]byte, bytes), before
				if err := c.Check(good); err != nil {
					t.Fatal(err)
				}
				good[p].Data = good[p].Data[1:]
				if c.Check(good) == nil {
					t.Fatalf("%+v %v: a byte less than %d will do", f, size, bytes)
				}
			}
		}
	}
}
