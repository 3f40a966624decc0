package raw

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// bitString writes single bits at the positions that the formats define.
type bitString []byte

func (b bitString) set(i int, v bool, fromHigh bool) {
	mask := byte(1) << (i % 8)
	if fromHigh {
		mask = byte(0x80) >> (i % 8)
	}
	if v {
		b[i/8] |= mask
	} else {
		b[i/8] &^= mask
	}
}

// pack is the inverse of Unpack, bit by bit.
func pack(p Packing, b bitString, row []uint16, n int) {
	for i, v := range row {
		for k := range n { // bit k of the sample, 0 the lowest
			on := v>>k&1 == 1
			switch p {
			case Bytes, Words:
				size := map[Packing]int{Bytes: 8, Words: 16}[p]
				b.set(size*i+k, on, false)
			case UpperWords:
				b.set(16*i+16-n+k, on, false)
			case BigEndian:
				b.set(n*i+n-1-k, on, true)
			case MIPI:
				group := map[int]int{10: 4, 12: 2, 14: 4}[n]
				at := i / group * group * n // of the group, in bits
				if k >= n-8 {
					b.set(at+8*(i%group)+k-(n-8), on, false)
				} else {
					b.set(at+8*group+(n-8)*(i%group)+k, on, false)
				}
			}
		}
	}
}

func TestUnpack(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
	for _, c := range []struct {
		p    Packing
		bits []int
	}{{Bytes, []int{8}}, {Words, []int{10, 12, 14, 16}}, {UpperWords, []int{10, 12, 16}},
		{MIPI, []int{10, 12, 14}}, {BigEndian, []int{8, 9, 10, 12, 14, 15, 16}}} {
		for _, n := range c.bits {
			w, h := 1+rng.IntN(37), 1+rng.IntN(9)
			want := make([]uint16, w*h)
			for i := range want {
				want[i] = uint16(rng.IntN(1 << n))
			}
			stride := c.p.RowBytes(w, n) + rng.IntN(5)
			data := make([]byte, (h-1)*stride+c.p.RowBytes(w, n))
			for i := range data {
				data[i] = byte(rng.IntN(256)) // gaps and unused bits are not read
			}
			for y := range h {
				pack(c.p, bitString(data[y*stride:]), want[y*w:][:w], n)
			}
			got := make([]uint16, w*h)
			if err := c.p.Unpack(got, data, w, h, n, stride); err != nil ||
				!slices.Equal(got, want) {
				t.Errorf("packing %d of %d bits, %d×%d, stride %d: %v", c.p, n, w, h, stride, err)
			}
			var e *Error
			if err := c.p.Unpack(got, data[:len(data)-1], w, h, n, stride); !errors.As(err, &e) {
				t.Errorf("packing %d of %d bits: short data give %v", c.p, n, err)
			}
		}
	}
	for _, c := range []struct {
		p                  Packing
		w, h, bits, stride int
	}{{Bytes, 2, 2, 10, 0}, {MIPI, 2, 2, 16, 0}, {Words, 2, 2, 8, 0}, {BigEndian, 2, 2, 7, 0},
		{9, 2, 2, 8, 0}, {Words, 2, 2, 16, 3}, {Words, 2, 2, 16, 1 << 62}, {Words, 3, 2, 16, 0},
		{Words, -2, -2, 16, 0}} {
		if err := c.p.Unpack(make([]uint16, 4), make([]byte, 100), c.w, c.h, c.bits,
			c.stride); err == nil {
			t.Errorf("%+v is accepted", c)
		}
	}
}

// A group of RAW10 from the specification of CSI-2.
func TestMIPI10(t *testing.T) {
	got := make([]uint16, 4)
	if err := MIPI.Unpack(got, []byte{0x01, 0x02, 0x03, 0xff, 0b11_10_01_00}, 4, 1, 10,
		0); err != nil || !slices.Equal(got, []uint16{4, 9, 14, 1023}) {
		t.Error(got, err)
	}
}
