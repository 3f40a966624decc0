package synth

import (
	"bytes"
	"image"
	"math"
	"math/rand/v2"
	"testing"
)

func TestPhotoIsDeterministic(t *testing.T) {
	seed := rand.Uint64()
	a, b, c := Photo(seed, 60, 40), Photo(seed, 60, 40), Photo(seed+2, 60, 40)
	if !bytes.Equal(a.Pix, b.Pix) {
		t.Errorf("seed %d gave two pictures", seed)
	}
	if bytes.Equal(a.Pix, c.Pix) {
		t.Errorf("seeds %d and %d gave the same picture", seed, seed+2)
	}
}

func TestPhotoSizes(t *testing.T) {
	for _, s := range [][2]int{{1, 1}, {1, 50}, {70, 2}, {33, 17}} {
		for seed := uint64(0); seed < 2; seed++ {
			p := Photo(seed, s[0], s[1])
			if p.Rect != image.Rect(0, 0, s[0], s[1]) {
				t.Fatalf("bounds %v, want %v", p.Rect, s)
			}
			for i := 3; i < len(p.Pix); i += 4 {
				if p.Pix[i] != 255 {
					t.Fatal("picture is not opaque")
				}
			}
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("empty picture painted")
		}
	}()
	Photo(1, 0, 5)
}

// TestPhotoIsRich: the pictures have a wide range of tones, all hues, edges and gradients.
func TestPhotoIsRich(t *testing.T) {
	base := rand.Uint64N(1 << 40)
	for seed := base; seed < base+2; seed++ {
		const side = 120
		p := Photo(seed, side, side)
		var tones [256]int
		var chroma, edges, flat float64
		dark, light := 0, 0
		at := func(x, y, c int) float64 { return float64(p.Pix[p.PixOffset(x, y)+c]) }
		for y := 0; y < side-1; y++ {
			for x := 0; x < side-1; x++ {
				r, g, b := at(x, y, 0), at(x, y, 1), at(x, y, 2)
				tones[int(g)]++
				if min(r, g, b) < 40 {
					dark++
				}
				if max(r, g, b) > 200 {
					light++
				}
				chroma += (max(r, g, b) - min(r, g, b)) / (side * side)
				switch d := math.Abs(at(x+1, y, 1)-g) + math.Abs(at(x, y+1, 1)-g); {
				case d > 60:
					edges += 100.0 / (side * side)
				case d < 12:
					flat += 100.0 / (side * side)
				}
			}
		}
		used := 0
		for _, n := range tones {
			used += min(n, 1)
		}
		if used < 150 || dark < 140 || light < 280 {
			t.Errorf("seed %d: %d tones, %d dark and %d light pixels", seed, used, dark, light)
		}
		if chroma < 20 {
			t.Errorf("seed %d: mean chroma %.1f levels", seed, chroma)
		}
		if edges < 2 || flat < 20 {
			t.Errorf("seed %d: %.1f %% edges, %.1f %% smooth", seed, edges, flat)
		}
	}
}

// TestPhotoScales: a larger picture, reduced by 3, equals the smaller one.
func TestPhotoScales(t *testing.T) {
	seed := rand.Uint64()
	small, big := Photo(seed, 40, 30), Photo(seed, 120, 90)
	sum := 0.0
	for y := 0; y < 30; y++ {
		for x := 0; x < 40; x++ {
			for c := 0; c < 3; c++ {
				mean := 0.0
				for j := 0; j < 9; j++ {
					mean += float64(big.Pix[big.PixOffset(3*x+j%3, 3*y+j/3)+c]) / 9
				}
				sum += math.Abs(mean - float64(small.Pix[small.PixOffset(x, y)+c]))
			}
		}
	}
	if mean := sum / (40 * 30 * 3); mean > 8 {
		t.Errorf("seed %d: mean difference of %.1f levels", seed, mean)
	}
}

func TestNoiseIsContinuous(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
	f := field(rng.Uint32())
	sum, square := 0.0, 0.0
	const n = 20000
	for i := 0; i < n; i++ {
		x, y := 400*rng.Float64()-200, 400*rng.Float64()-200
		v := f.noise(x, y)
		if d := math.Abs(f.noise(x+1e-6, y) - v); d > 2e-5 {
			t.Fatalf("jump of %v at (%v, %v)", d, x, y)
		}
		if math.Abs(v) > 1.5 {
			t.Fatalf("noise of %v", v)
		}
		sum, square = sum+v/n, square+v*v/n
	}
	if math.Abs(sum) > 0.03 || square < 0.05 || square > 0.5 {
		t.Errorf("mean %v, mean square %v", sum, square)
	}
}

func TestEncode(t *testing.T) {
	for v := uint32(0); v < 200; v++ { // below the shoulder
		if got := encode(linear(v)); uint32(got) != v {
			t.Errorf("level %d comes back as %d", v, got)
		}
	}
	last := uint8(0)
	for x := 0.0; x < 3; x += 0.01 {
		if e := encode(x); e < last {
			t.Fatalf("encode falls at %v", x)
		} else {
			last = e
		}
	}
	if last < 254 || encode(-1) != 0 {
		t.Errorf("encode(3) = %d, encode(−1) = %d", last, encode(-1))
	}
	if c := hue(0, 1, 1); c != (rgb{1, 0, 0}) {
		t.Errorf("hue 0 is %v", c)
	}
	if c := hue(1.0/3, 1, 1); c[1] != 1 || c[0] > 1e-9 || c[2] > 1e-9 {
		t.Errorf("hue ⅓ is %v", c)
	}
}
