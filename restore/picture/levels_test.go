package picture

import (
	"bytes"
	"math"
	"testing"
)

// Pictures with Levels are encoded to the same bytes as those with floats, in every mode and
// format.
func TestEncodeLevels(t *testing.T) {
	r := newRand()
	for _, depth := range []int{8, 16} {
		for _, gray := range []bool{false, true} {
			for _, alpha := range []bool{false, true} {
				p := random(r, 21, 37, depth, gray, alpha)
				q := *p
				q.Pix, q.Levels = nil, NewLevels(depth, len(p.Pix))
				q.Levels.Write(0, p.Pix)
				for _, f := range []Format{PNG, TIFF, JPEG} {
					if f == JPEG && alpha {
						continue
					}
					if a, b := encode(t, p, f, 0), encode(t, &q, f, 0); !bytes.Equal(a, b) {
						t.Errorf("%v, %d bits, grey %v, alpha %v: other bytes", f, depth, gray,
							alpha)
					}
				}
			}
		}
	}
}

func TestLevels(t *testing.T) {
	r := newRand()
	for _, depth := range []int{8, 16} {
		l, most := NewLevels(depth, 300), float64(int(1)<<depth-1)
		src := make([]float32, 100)
		for i := range src {
			src[i] = float32(3*r.Float64() - 1.5)
		}
		l.Write(150, src)
		got := make([]float32, 100)
		l.Read(got, 150)
		for i, v := range src {
			if d := math.Abs(float64(got[i]) - float64(min(max(v, -1), 1))); !(d <= 1.001/most) {
				t.Errorf("%d bits: %g became %g", depth, v, got[i])
			}
		}
		other := NewLevels(depth, 300)
		other.Copy(l, 177)
		for i := range 300 {
			want := -float32(1)
			if i == 177 {
				want = l.at(177)
			}
			if other.at(i) != want {
				t.Errorf("%d bits: value %d of a copy of one is %g", depth, i, other.at(i))
			}
		}
	}
	p := random(r, 30, 20, 16, false, false)
	q := *p
	q.Pix, q.Levels = nil, NewLevels(16, len(p.Pix))
	q.Levels.Write(0, p.Pix)
	a, b := p.Crop(7, 3, 11, 17), q.Crop(7, 3, 11, 17)
	if !equalFloats(a.Pix, b.Pix) || a.At(1, 4, 5) != p.Pix[(20+8)*30+11] {
		t.Error("a wrong crop")
	}
	for _, bad := range []*Levels{{}, NewLevels(8, 5),
		{B8: make([]uint8, 900), B16: make([]uint16, 900)}} {
		q.Levels = bad
		if q.Check() == nil {
			t.Errorf("%d and %d levels for 600 pixels pass", len(bad.B8), len(bad.B16))
		}
	}
	q.Levels, q.Pix = NewLevels(8, 1800), p.Pix
	if q.Check() == nil {
		t.Error("levels beside values pass")
	}
}

// Large PNG files are compressed with another level; their pixels are the same.
func TestLargePNG(t *testing.T) {
	p := smooth(2100, 1001, false)
	if p.W*p.H < fastPNG {
		t.Fatal("not large")
	}
	q := decode(t, encode(t, p, PNG, 0))
	for i, v := range p.Pix {
		if d := math.Abs(float64(q.Pix[i] - v)); !(d <= 1.001/255) {
			t.Fatalf("value %d: %g became %g", i, v, q.Pix[i])
		}
	}
}
