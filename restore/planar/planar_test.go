package planar

import (
	"errors"
	"image"
	"math"
	"math/rand/v2"
	"testing"
)

func TestEightBitRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
	p := image.NewNRGBA(image.Rect(3, -2, 3+37, -2+11))
	for i := range p.Pix {
		p.Pix[i] = uint8(rng.IntN(256))
		if i%4 == 3 {
			p.Pix[i] = 255
		}
	}
	m := FromNRGBA(p)
	if m.W != 37 || m.H != 11 || m.Check() != nil {
		t.Fatalf("size %d×%d, %v", m.W, m.H, m.Check())
	}
	q := m.ToNRGBA()
	for i := range p.Pix {
		if p.Pix[i] != q.Pix[i] {
			t.Fatalf("byte %d: %d became %d", i, p.Pix[i], q.Pix[i])
		}
	}
	if got := m.At(2, 5, 7); got != float32(p.NRGBAAt(8, 5).B)/127.5-1 {
		t.Errorf("blue at (5,7) is %v", got)
	}
}

func TestClampAndTo8(t *testing.T) {
	nan := float32(math.NaN())
	m := New(1, 1)
	copy(m.Pix, []float32{2, -7, nan})
	m.Clamp()
	if m.Pix[0] != 1 || m.Pix[1] != -1 || m.Pix[2] != 0 {
		t.Errorf("clamped to %v", m.Pix)
	}
	for _, c := range []struct {
		v    float32
		want uint8
	}{{-1, 0}, {1, 255}, {5, 255}, {-5, 0}, {nan, 128}, {0, 128}, {1.0 / 255, 128}} {
		if got := To8(c.v); got != c.want {
			t.Errorf("To8(%v) = %d, want %d", c.v, got, c.want)
		}
	}
}

func TestCrop(t *testing.T) {
	m := New(9, 6)
	for i := range m.Pix {
		m.Pix[i] = float32(i)
	}
	c, err := m.Crop(image.Rect(2, 1, 7, 5))
	if err != nil {
		t.Fatal(err)
	}
	for ch := 0; ch < 3; ch++ {
		for y := 0; y < c.H; y++ {
			for x := 0; x < c.W; x++ {
				if c.At(ch, x, y) != m.At(ch, x+2, y+1) {
					t.Fatalf("channel %d (%d,%d)", ch, x, y)
				}
			}
		}
	}
	for _, r := range []image.Rectangle{{}, image.Rect(0, 0, 10, 2), image.Rect(-1, 0, 2, 2)} {
		if _, err := m.Crop(r); err == nil {
			t.Errorf("crop %v accepted", r)
		}
	}
}

func TestCheck(t *testing.T) {
	var e *SizeError
	for _, m := range []*Image{{}, {W: 2, H: 2, Pix: make([]float32, 4)},
		{W: -1, H: -1, Pix: make([]float32, 3)}} {
		if err := m.Check(); !errors.As(err, &e) || err.Error() == "" {
			t.Errorf("%d×%d with %d values: %v", m.W, m.H, len(m.Pix), err)
		}
	}
	a := New(2, 2)
	b := a.Clone()
	b.Pix[0] = 1
	if a.Pix[0] != 0 {
		t.Error("clone shares memory")
	}
}

func TestMirror(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7} {
		for i := -5 * n; i < 6*n; i++ {
			want := i // walk back and forth, step by step
			for want < 0 || want >= n {
				if n == 1 {
					want = 0
				} else if want < 0 {
					want = -want
				} else {
					want = 2*(n-1) - want
				}
			}
			if got := Mirror(i, n); got != want {
				t.Errorf("position %d of %d: %d, want %d", i, n, got, want)
			}
		}
	}
}
