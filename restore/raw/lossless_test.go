package raw

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// jpegOptions are the options of encodeLossless.
type jpegOptions struct {
	w, h, components, bits, predictor, shift, restart int
	long                                              bool // codes of up to 16 bits
	table                                             byte // its number, 0 to 3
}

// encodeLossless writes a lossless JPEG by ITU-T T.81, annex H, as simply as can be.
func encodeLossless(rng *rand.Rand, pix []uint16, o jpegOptions) []byte {
	symbols := rng.Perm(17)
	counts := make([]byte, 16)
	if o.long {
		for i := range 15 {
			counts[i] = 1
		}
		counts[15] = 2
	} else {
		counts[4] = 17
	}
	codes, lengths := make([]uint32, 17), make([]int, 17)
	code, at := uint32(0), 0
	for i, n := range counts {
		for range n {
			codes[symbols[at]], lengths[symbols[at]] = code, i+1
			code, at = code+1, at+1
		}
		code <<= 1
	}
	var b []byte
	segment := func(marker byte, body ...byte) {
		b = append(b, 0xff, marker)
		b = binary.BigEndian.AppendUint16(b, uint16(len(body)+2))
		b = append(b, body...)
	}
	b = append(b, 0xff, 0xd8)
	frame := binary.BigEndian.AppendUint16([]byte{byte(o.bits)}, uint16(o.h))
	frame = append(binary.BigEndian.AppendUint16(frame, uint16(o.w)), byte(o.components))
	scan := []byte{byte(o.components)}
	table := o.table
	for c := range o.components {
		frame = append(frame, byte(c+1), 0x11, 0)
		scan = append(scan, byte(c+1), table<<4)
	}
	segment(0xc3, frame...)
	dht := append([]byte{table}, counts...)
	for _, s := range symbols {
		dht = append(dht, byte(s))
	}
	segment(0xc4, dht...)
	if o.restart > 0 {
		segment(0xdd, binary.BigEndian.AppendUint16(nil, uint16(o.restart*o.w))...)
	}
	segment(0xda, append(scan, byte(o.predictor), 0, byte(o.shift))...)
	acc, have := uint64(0), 0
	put := func(v uint32, n int) {
		acc, have = acc<<n|uint64(v), have+n
		for have >= 8 {
			x := byte(acc >> (have - 8))
			if b = append(b, x); x == 0xff {
				b = append(b, 0)
			}
			have -= 8
		}
	}
	row := o.w * o.components
	for y := range o.h {
		first := y == 0 || o.restart > 0 && y%o.restart == 0
		if first && y > 0 {
			if have > 0 {
				put(1<<(8-have)-1, 8-have)
			}
			b = append(b, 0xff, 0xd0+byte((y/o.restart-1)%8))
		}
		for i := range row {
			at := func(dx, dy int) int { return int(pix[(y-dy)*row+i-dx*o.components] >> o.shift) }
			var p int
			switch {
			case first && i < o.components:
				p = 1 << (o.bits - o.shift - 1)
			case first:
				p = at(1, 0)
			case i < o.components:
				p = at(0, 1)
			default:
				a, b, c := at(1, 0), at(0, 1), at(1, 1)
				p = [8]int{1: a, 2: b, 3: c, 4: a + b - c, 5: a + (b-c)>>1, 6: b + (a-c)>>1,
					7: (a + b) >> 1}[o.predictor]
			}
			d := int(int16(uint16(at(0, 0) - p)))
			if d == -32768 {
				put(codes[16], lengths[16])
				continue
			}
			n := bits.Len(uint(max(d, -d)))
			put(codes[n], lengths[n])
			if d < 0 {
				d += 1<<n - 1
			}
			put(uint32(d), n)
		}
	}
	if have > 0 {
		put(1<<(8-have)-1, 8-have)
	}
	return append(b, 0xff, 0xd9)
}

func TestLossless(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 2))
	for i := range 300 {
		o := jpegOptions{w: 1 + rng.IntN(40), h: 1 + rng.IntN(30), components: 1 + rng.IntN(4),
			bits: 2 + rng.IntN(15), predictor: 1 + i%7, long: rng.IntN(2) == 0,
			table: byte(rng.IntN(4))}
		if rng.IntN(3) == 0 {
			o.shift = rng.IntN(min(o.bits, 4))
		}
		if rng.IntN(3) == 0 {
			o.restart = 1 + rng.IntN(o.h)
		}
		pix := make([]uint16, o.w*o.h*o.components)
		smooth := rng.IntN(2) == 0
		for k := range pix {
			pix[k] = uint16(rng.IntN(1<<o.bits)) >> o.shift << o.shift
			if smooth {
				pix[k] = uint16((k/9 + rng.IntN(3)) % (1 << o.bits) >> o.shift << o.shift)
			}
		}
		b := encodeLossless(rng, pix, o)
		l, err := openLossless(b)
		if err != nil {
			t.Fatalf("%+v: %v", o, err)
		}
		got := make([]uint16, l.samples())
		for k := range got {
			got[k] = 0xdead
		}
		if err := l.decode(got); err != nil || !slices.Equal(got, pix) {
			t.Fatalf("%+v: other samples, %v", o, err)
		}
		// If more than the padding of the last byte is missing, samples are missing.
		cut := b[:len(b)-2-2-rng.IntN(len(b)/2)]
		if l, err := openLossless(cut); err == nil && l.samples() > 8 {
			if err := l.decode(make([]uint16, l.samples())); err == nil && len(cut) < len(b)-8 {
				t.Errorf("%+v: %d of %d bytes are enough", o, len(cut), len(b))
			}
		}
	}
}

func TestLosslessRefuses(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 3))
	good := func() []byte {
		return encodeLossless(rng, make([]uint16, 6*4*2),
			jpegOptions{w: 6, h: 4, components: 2, bits: 12, predictor: 1})
	}
	// Offsets: the frame begins after FF D8 FF C3 and its length.
	for what, change := range map[string]func(b []byte) []byte{
		"nothing":          func(b []byte) []byte { return nil },
		"no JPEG":          func(b []byte) []byte { b[0] = 0; return b },
		"baseline":         func(b []byte) []byte { b[3] = 0xc0; return b },
		"no frame":         func(b []byte) []byte { return slices.Delete(b, 2, 2+2+14) },
		"two frames":       func(b []byte) []byte { return slices.Insert(b, 2, b[2:18]...) },
		"17 bits":          func(b []byte) []byte { b[6] = 17; return b },
		"no rows":          func(b []byte) []byte { b[7], b[8] = 0, 0; return b },
		"9 components":     func(b []byte) []byte { b[11] = 9; return b },
		"subsampled":       func(b []byte) []byte { b[13] = 0x21; return b },
		"table of class 1": func(b []byte) []byte { b[22] |= 0x10; return b },
		"too many codes":   func(b []byte) []byte { b[23] = 3; b[27] -= 3; return b },
		"no scan":          func(b []byte) []byte { return b[:40] },
		"predictor 9":      func(b []byte) []byte { return scanByte(b, 5, 9) },
		"another table":    func(b []byte) []byte { return scanByte(b, 2, b[22]<<4^0x10) },
		"one component":    func(b []byte) []byte { return scanByte(b, 0, 1) },
	} {
		if l, err := openLossless(change(good())); err == nil {
			t.Errorf("%s: accepted as %d×%d", what, l.w, l.h)
		} else if _, ok := err.(*Error); !ok {
			t.Errorf("%s: %T", what, err)
		}
	}
}

// scanByte changes a byte of the scan's header of two components.
func scanByte(b []byte, i int, v byte) []byte {
	for at := 2; ; at += 2 + int(binary.BigEndian.Uint16(b[at+2:])) {
		if b[at+1] == 0xda {
			b[at+4+i] = v
			return b
		}
	}
}
