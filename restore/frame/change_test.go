package frame

import (
	"math"
	"testing"
)

// An unchanged frame comes back bit for bit, for all codes and arrangements, also with more bits
// and from limited to full range. No conversion allocates.
func TestUnchangedFrame(t *testing.T) {
	rnd := newRand(t)
	pairs := 0
	for _, f := range all() {
		f = f.normal()
		if isFloat(f) {
			continue
		}
		for _, out := range []Format{f, {Kind: YUYV}, {Kind: UYVY}, {Kind: NV12}, {Kind: NV21},
			{Kind: P010}, {Kind: Planar}, {Kind: Planar, Bits: 16}} {
			if !isRGB(f) && out != f {
				bits := out.Bits
				kind := out.Kind
				out = f
				out.Kind, out.Bits = kind, bits
				if out.Bits == 0 {
					out.Bits = f.Bits
				}
				out = out.normal()
				if out.Check() != nil || out.Bits < f.Bits || !CanChange(f, out) {
					continue
				}
			} else if out != f {
				continue
			}
			pairs++
			for _, size := range sizes {
				w, h := size[0], size[1]
				from, _ := NewConverter(f, w, h)
				to, err := NewConverter(out, w, h)
				if err != nil {
					t.Fatal(err)
				}
				src, dst := randomFrame(rnd, f, w, h), spaced(rnd, out, w, h)
				pix, codes := make([]float32, 3*w*h), make([]uint16, from.Codes())
				once := func() {
					if err := from.Read(pix, src); err != nil {
						t.Fatal(err)
					}
					if isRGB(f) {
						if err := to.Write(dst, pix); err != nil {
							t.Fatal(err)
						}
						return
					}
					if err := from.ReadCodes(codes, src); err != nil {
						t.Fatal(err)
					}
					if err := to.Change(dst, from, codes, pix, pix); err != nil {
						t.Fatal(err)
					}
				}
				once()
				for k := range componentCount(f) {
					columns, rows := componentSize(f, k, w, h)
					for i := range columns * rows {
						got, want := sampleOf(out, &dst, k, i%columns, i/columns),
							sampleOf(f, &src, k, i%columns, i/columns)
						apart := 0.0
						if !f.Full || f.Bits == out.Bits { // codes of more bits are multiples
							want *= math.Pow(2, float64(out.Bits-f.Bits))
						} else if k == 0 {
							want *= (math.Pow(2, float64(out.Bits)) - 1) / (math.Pow(2, float64(f.Bits)) - 1)
							apart = 0.53
						} else {
							continue
						}
						if !(math.Abs(got-want) <= apart) {
							t.Fatalf("%+v to %+v, %d×%d: component %d, sample %d is %g, was %g", f,
								out, w, h, k, i, got, want)
						}
					}
				}
				if n := testing.AllocsPerRun(2, once); n != 0 {
					t.Fatalf("%+v: %g allocations per frame", f, n)
				}
			}
		}
	}
	if pairs < 150 {
		t.Errorf("only %d pairs of formats", pairs)
	}
}

// A change of a frame equals the reference: its luma and averaged chroma are added to the codes.
func TestChangeAgainstReference(t *testing.T) {
	rnd := newRand(t)
	for _, f := range all() {
		f = f.normal()
		if !chromaOf(f) && f.Kind != Gray || f.Bits == 12 {
			continue
		}
		const w, h = 11, 7
		c, err := NewConverter(f, w, h)
		if err != nil {
			t.Fatal(err)
		}
		src, dst := randomFrame(rnd, f, w, h), spaced(rnd, f, w, h)
		before, codes := make([]float32, 3*w*h), make([]uint16, c.Codes())
		if err := c.Read(before, src); err != nil {
			t.Fatal(err)
		}
		if err := c.ReadCodes(codes, src); err != nil {
			t.Fatal(err)
		}
		after := append([]float32(nil), before...)
		for i := range after {
			if rnd.IntN(2) == 0 {
				after[i] += 0.4 * (rnd.Float32() - 0.5)
			}
		}
		if err := c.Change(dst, c, codes, before, after); err != nil {
			t.Fatal(err)
		}
		numbers := codingOf(f)
		change := func(x, y int) (luma, b, r float64) {
			var d [3]float64
			for k := range d {
				was, is := (float64(before[(k*h+y)*w+x])+1)/2, (float64(after[(k*h+y)*w+x])+1)/2
				d[k] = min(max(is, min(numbers.low, was)), max(numbers.high, was)) - was
			}
			return numbers.kr*d[0] + numbers.kg*d[1] + numbers.kb*d[2], d[2], d[0]
		}
		for k := range componentCount(f) {
			columns, rows := componentSize(f, k, w, h)
			for i := range columns * rows {
				x, y := i%columns, i/columns
				d, _, _ := change(x, y)
				mul := numbers.yMul
				if k > 0 {
					mul, d = numbers.cMul, 0
					for v := range h {
						for u := range w {
							weight := near(x, u, w, f.HalfX, f.CositedX) * near(y, v, h, f.HalfY,
								f.CositedY)
							l, b, r := change(u, v)
							if k == 1 {
								d += weight * (b - l) / (2 * (1 - numbers.kb))
							} else {
								d += weight * (r - l) / (2 * (1 - numbers.kr))
							}
						}
					}
				}
				want := sampleOf(f, &src, k, x, y) + mul*d
				want = min(max(want, 0), math.Pow(2, float64(f.Bits))-1)
				if got := sampleOf(f, &dst, k, x, y); !(math.Abs(got-want) < 0.53) {
					t.Fatalf("%+v: component %d, sample %d is %g, want %g", f, k, i, got, want)
				}
			}
		}
	}
}

// Alpha is copied from any format that has it to any other.
func TestAlpha(t *testing.T) {
	rnd := newRand(t)
	const w, h = 5, 3
	values := make([]byte, w*h)
	for _, k := range []Kind{RGBA, BGRA, RGB} {
		c, _ := NewConverter(Format{Kind: k}, w, h)
		src := spaced(rnd, Format{Kind: k}, w, h)
		if err := c.ReadAlpha(values, src); err != nil {
			t.Fatal(err)
		}
		for _, o := range []Kind{BGRA, RGBA, NV12} {
			to, _ := NewConverter(Format{Kind: o}, 2*w, 2*h)
			dst := spaced(rnd, Format{Kind: o}, 2*w, 2*h)
			same := compareBytes(dst)
			if err := to.WriteAlpha(dst, values, 2); err != nil {
				t.Fatal(err)
			}
			for i := range 4 * w * h {
				x, y := i%(2*w), i/(2*w)
				if o == NV12 {
					break
				}
				want := byte(255)
				if k != RGB {
					plane, at := where(Format{Kind: k}, &src, 3, x/2, y/2)
					want = src[plane].Data[at]
				}
				plane, at := where(Format{Kind: o}, &dst, 3, x, y)
				if same(plane, at, 1); dst[plane].Data[at] != want {
					t.Fatalf("%v to %v: alpha of pixel %d is %d, want %d", k, o, i,
						dst[plane].Data[at], want)
				}
			}
			if at, ok := same(-1, 0, 0); !ok {
				t.Errorf("%v to %v: %s was changed", k, o, at)
			}
		}
	}
}
