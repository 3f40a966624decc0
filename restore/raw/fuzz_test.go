package raw

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/restore/picture"
)

// hostileSeeds are files of all kinds that are read.
func hostileSeeds(rng *rand.Rand) (list [][]byte) {
	for i := range 12 {
		d := usual(rng, 2*(4+rng.IntN(6)), 6+rng.IntN(10), 8+rng.IntN(9))
		if i%2 == 0 {
			d.blockW, d.blockH = 8, 8
		}
		if i%3 == 0 {
			d.jpeg = &jpegOptions{components: 1 + i%2, bits: d.bits, predictor: 1 + i%7,
				restart: i % 2}
		}
		if i%4 == 0 {
			d.order = binary.BigEndian
		}
		d.sensor = []entry{{tagActive, kShort, []float64{1, 1, 6, 8}},
			{tagCropOrigin, kFraction, []float64{1, 0}}, {tagCropSize, kShort, []float64{4, 4}},
			{tagBlackDim, kShort, []float64{2, 2}}, {tagBlack, kFraction, []float64{1, 2, 3, 4}},
			{tagWhite, kShort, []float64{200}}, {tagLinear, kShort, []float64{5, 6, 7, 90}},
			{tagBlackRows, kSigned, []float64{1, -1}}, {tagNoise, kDouble, []float64{1e-3, 1e-6}}}
		d.first = []entry{{tagColour1, kSigned, []float64{1, 0.1, 0, 0.2, 1, 0, 0, 0, 1}},
			{tagForward2, kSigned, []float64{1, 0.1, 0, 0.2, 1, 0, 0, 0, 1}},
			{tagNeutral, kFraction, []float64{0.5, 1, 0.6}}, {tagExposure, kSigned, []float64{0.5}},
			{tagIlluminant1, kShort, []float64{17}}, {274, kShort, []float64{5}}}
		list = append(list, d.bytes(rng))
	}
	return list
}

// readHostile reads bytes, and fails unless there is a picture that fits its header, or an error.
func readHostile(t *testing.T, b []byte) {
	r := &Reader{Options: Options{Rendering: DefaultRendering}}
	p, err := picture.Decode(bytes.NewReader(b), picture.Limits{MaxPixels: 1 << 16, Raw: r.Open})
	if err != nil {
		var decode *picture.DecodeError
		if !errors.As(err, &decode) {
			t.Fatalf("%T: %v", err, err)
		}
		return
	}
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	for i, v := range p.Unpacked().Pix {
		if !(v >= -1 && v <= 1) {
			t.Fatalf("value %d is %g", i, v)
		}
	}
	if r.File != nil {
		if n := r.File.Profile(); n != nil && !n.Valid() {
			t.Fatalf("noise %v", n)
		}
	}
}

// FuzzDNG: any bytes.
func FuzzDNG(f *testing.F) {
	for _, b := range hostileSeeds(rand.New(rand.NewPCG(1, 14))) {
		f.Add(b)
	}
	f.Fuzz(readHostile)
}

// Files with changed or missing bytes.
func TestHostile(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 17))
	seeds := hostileSeeds(rng)
	for range 600 {
		b := bytes.Clone(seeds[rng.IntN(len(seeds))])
		for range 1 + rng.IntN(4) {
			at := rng.IntN(len(b))
			if rng.IntN(2) == 0 { // directories are at the end
				at = len(b) - 1 - rng.IntN(min(len(b), 400))
			}
			switch rng.IntN(4) {
			case 0:
				b[at] ^= 1 << rng.IntN(8)
			case 1:
				b[at] = []byte{0, 1, 2, 0x7f, 0x80, 0xff}[rng.IntN(6)]
			case 2:
				copy(b[at:], b[rng.IntN(len(b)):])
			default:
				if rng.IntN(8) == 0 {
					b = b[:at+1]
				}
			}
		}
		readHostile(t, b)
		if at := bytes.Index(b, []byte{0xff, 0xd8, 0xff, 0xc3}); at >= 0 {
			if l, err := openLossless(b[at:]); err == nil && l.samples() < 1<<16 {
				_ = l.decode(make([]uint16, l.samples()))
			}
		}
	}
}

// FuzzLossless: for any bytes decoding writes no more samples than the header gives.
func FuzzLossless(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 15))
	for i := range 8 {
		f.Add(encodeLossless(rng, make([]uint16, 5*4*2),
			jpegOptions{w: 5, h: 4, components: 2, bits: 12, predictor: 1 + i%7, restart: i % 3,
				long: i%2 == 0}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := openLossless(b)
		if err != nil || l.samples() > 1<<16 {
			return
		}
		dst := make([]uint16, l.samples())
		if err := l.decode(dst); err != nil {
			return
		}
		for i, v := range dst {
			if int(v)>>l.bits != 0 {
				t.Fatalf("sample %d is %d, of %d bits", i, v, l.bits)
			}
		}
	})
}
