package raw

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/restore/picture"
)

// A parsed layout finds the levels at any offset and stride.
func TestLayout(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 18))
	for _, c := range []struct {
		name string
		p    Packing
		bits int
	}{{"bytes", Bytes, 8}, {"", Bytes, 8}, {"words", Words, 10}, {"", Words, 14},
		{"upper", UpperWords, 12}, {"mipi", MIPI, 10}, {"mipi", MIPI, 14}, {"big", BigEndian, 12}} {
		w, h, gap, offset := 2+rng.IntN(30), 2+rng.IntN(20), rng.IntN(4), rng.IntN(9)
		spec := fmt.Sprintf("size=%dx%d,bits=%d,pattern=GBRG,black=3,white=200,red=2,blue=1.5,exposure=2,matrix=1:0:0:0:1:0:0:0:1,stride=%d,offset=%d", w, h, c.bits, c.p.RowBytes(w, c.bits)+gap, offset)
		if c.name != "" {
			spec += ",packing=" + c.name
		}
		l, err := ParseLayout(spec)
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, offset+l.Bytes())
		for i := range data {
			data[i] = byte(rng.IntN(256))
		}
		m := l.Mosaic
		m.W, m.H, m.Pix = w, h, make([]uint16, w*h)
		if err := c.p.Unpack(m.Pix, data[offset:], w, h, c.bits, l.Stride); err != nil {
			t.Fatal(err)
		}
		if m.Pattern != GBRG || m.Black != [4]float64{3, 3, 3, 3} || m.White != 200 ||
			m.Gains != [3]float64{2, 1, 1.5} || m.Exposure != 2 || m.Matrix[8] != 1 {
			t.Errorf("%q: %+v", spec, m)
		}
		want, err := m.Develop(DefaultRendering)
		if err != nil {
			t.Fatal(err)
		}
		// with and without what follows the last row
		for _, n := range []int{len(data), len(data) - gap} {
			got, f, err := l.Decode(bytes.NewReader(data[:n]), picture.Limits{},
				Options{Rendering: DefaultRendering, Gain: 1})
			if err != nil || !slices.Equal(got.Pix, want.Pix) || f.Profile() == nil {
				t.Fatalf("%q: another picture, %v", spec, err)
			}
		}
		var own *Error
		for _, n := range []int{0, offset, len(data) - gap - 1} {
			if _, _, err := l.Decode(bytes.NewReader(data[:n]), picture.Limits{},
				Options{}); !errors.As(err, &own) {
				t.Errorf("%q: %d of %d bytes: %v", spec, n, len(data), err)
			}
		}
		if _, _, err := l.Decode(bytes.NewReader(append(data, 0)), picture.Limits{},
			Options{}); !errors.As(err, &own) {
			t.Errorf("%q: a byte too many: %v", spec, err)
		}
		var large *picture.SizeError
		if _, _, err := l.Decode(bytes.NewReader(data), picture.Limits{MaxPixels: int64(w*h) - 1},
			Options{}); !errors.As(err, &large) {
			t.Errorf("%q: too large: %v", spec, err)
		}
	}
	l, err := ParseLayout("size=4x2,bits=12")
	if err != nil || l.Packing != Words || l.Mosaic.White != 4095 || l.Mosaic.Pattern != RGGB ||
		l.Bytes() != 16 {
		t.Errorf("%+v, %v", l, err)
	}
	for spec, want := range map[string]string{
		"": "not name=value", "size=4x2": "are needed", "bits=8": "are needed",
		"size=4x2,bits=8,bits=8": "twice", "size=4,bits=8": "width and height",
		"size=0x4,bits=8": "sides are",
		"size=4x2,bits=7": "from 8 to 16", "size=4x2,bits=12,packing=bytes": "bytes hold 8",
		"size=4x2,bits=8,packing=lots":   "one of bytes",
		"size=4x2,bits=8,pattern=xtrans": "one of rggb",
		"size=4x2,bits=8,black=-1":       "from 0 to",
		"size=4x2,bits=8,black=255":      "black level 255",
		"size=4x2,bits=8,red=no":         "number", "size=4x2,bits=8,matrix=1:2": "nine numbers",
		"size=4x2,bits=8,matrix=1:2:3:4:5:6:7:8:x": "no number",
		"size=4x2,bits=8,stride=3":                 "a row takes 4",
		"size=4x2,bits=8,offset=-1":                "whole number",
		"size=4x2,bits=8,wide=1":                   "unknown name",
		"size=4x2,bits=8,exposure=NaN":             "number",
		"size=2000000x2,bits=8":                    "sides are",
		"size=4x2,bits=16,white=70000":             "from 1 to 65536",
	} {
		if _, err := ParseLayout(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: want %q, got %v", spec, want, err)
		}
	}
}
