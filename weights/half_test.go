package weights

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Every finite binary16 value is converted to float32 and back without change. The midpoint of two
// neighbours rounds to the even one, and the float32 values next to the midpoint round to the
// nearer one. This determines the rounding of all values.
func TestHalfEveryValueAndMidpoint(t *testing.T) {
	for h := uint16(0); h < 0x7c00; h++ {
		lo := halfValue(h)
		if want := referenceHalf(h); float64(lo) != want {
			t.Fatalf("%#04x is %g, got %g", h, want, lo)
		}
		for _, sign := range []uint16{0, 0x8000} {
			if got, ok := halfBits(halfValue(h | sign)); !ok || got != h|sign {
				t.Fatalf("%#04x came back as %#04x", h|sign, got)
			}
		}
		// This is exact: it needs one bit more than binary16.
		mid := float32((referenceHalf(h) + referenceHalf(h+1)) / 2)
		up, down := math.Nextafter32(mid, math.MaxFloat32), math.Nextafter32(mid, 0)
		even := h + h&1
		for _, c := range []struct {
			x    float32
			want uint16
		}{{mid, even}, {up, h + 1}, {down, h}} {
			got, ok := halfBits(c.x)
			if c.want == 0x7c00 {
				if ok {
					t.Fatalf("%g should not fit, got %#04x", c.x, got)
				}
			} else if !ok || got != c.want {
				t.Fatalf("%g became %#04x, want %#04x", c.x, got, c.want)
			}
			if neg, _ := halfBits(-c.x); ok && neg != got|0x8000 {
				t.Fatalf("%g and its negative differ", c.x)
			}
		}
	}
}

// referenceHalf follows the definition. 0x7c00 counts as the next value, 65536.
func referenceHalf(h uint16) float64 {
	e, m := int(h>>10), float64(h&0x3ff)
	if e == 0 {
		return math.Ldexp(m, -24)
	}
	return math.Ldexp(1+m/1024, e-15)
}

func TestHalfRandomIsNearest(t *testing.T) {
	r := rand.New(rand.NewPCG(rand.Uint64(), 5))
	for i := 0; i < 200000; i++ {
		x := math.Float32frombits(r.Uint32())
		h, ok := halfBits(x)
		if fits := math.Abs(float64(x)) < 65520; fits != ok {
			t.Fatalf("%g: ok = %v", x, ok)
		} else if !fits {
			continue
		}
		err := math.Abs(float64(x) - float64(halfValue(h)))
		for _, n := range []uint16{h - 1, h + 1} {
			if n&0x7fff < 0x7c00 && n&0x8000 == h&0x8000 && math.Abs(float64(x)-float64(halfValue(n))) < err {
				t.Fatalf("%g became %g, but %g is nearer", x, halfValue(h), halfValue(n))
			}
		}
	}
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e30} {
		if _, ok := halfBits(float32(x)); ok {
			t.Errorf("%g fits", x)
		}
	}
}
