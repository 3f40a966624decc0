package pyramid

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/restore/planar"
)

func randomImage(seed uint64, w, h int) *planar.Image {
	rng := rand.New(rand.NewPCG(seed, 1))
	m := planar.New(w, h)
	for i := range m.Pix {
		m.Pix[i] = float32(2*rng.Float64() - 1)
	}
	return m
}

// Every pixel of the half is the mean of the pixels that it covers.
func TestHalve(t *testing.T) {
	for _, size := range [][2]int{{8, 6}, {7, 9}, {1, 1}, {64, 3}} {
		m := randomImage(2, size[0], size[1])
		half := Halve(m.W, m.H, RowsOf(m))
		if half.W != (m.W+1)/2 || half.H != (m.H+1)/2 {
			t.Fatalf("%v: the half has %d×%d pixels", size, half.W, half.H)
		}
		for c := range 3 {
			for y := range half.H {
				for x := range half.W {
					sum, n := 0.0, 0.0
					for v := 2 * y; v < min(2*y+2, m.H); v++ {
						for u := 2 * x; u < min(2*x+2, m.W); u++ {
							sum, n = sum+float64(m.At(c, u, v)), n+1
						}
					}
					if got := float64(half.At(c, x, y)); math.Abs(got-sum/n) > 1e-6 {
						t.Fatalf("%v: pixel (%d, %d) of channel %d is %g, want %g", size, x, y, c, got, sum/n)
					}
				}
			}
		}
	}
}

// The enlargement of a ramp is the ramp, and any rectangle of an enlargement is a part of the
// whole.
func TestAddEnlarged(t *testing.T) {
	half := planar.New(9, 7)
	value := func(c int, x, y float64) float64 { return 0.03*x - 0.02*y + 0.1*float64(c) }
	for c := range 3 {
		for y := range half.H {
			for x := range half.W {
				half.Set(c, x, y, float32(value(c, 2*float64(x)+0.5, 2*float64(y)+0.5)))
			}
		}
	}
	const w, h = 18, 14
	whole := planar.New(w, h)
	for i := range whole.Pix {
		whole.Pix[i] = 1
	}
	AddEnlarged(whole.Pix, half, 0, 0, w, h)
	for c := range 3 {
		for y := range h {
			for x := range w {
				u, v := min(max(float64(x), 0.5), w-1.5), min(max(float64(y), 0.5), h-1.5)
				if got, want := float64(whole.At(c, x, y)), 1+value(c, u, v); math.Abs(got-want) > 1e-6 {
					t.Fatalf("(%d, %d) of channel %d is %g, want %g", x, y, c, got, want)
				}
			}
		}
	}
	m := randomImage(3, 9, 7)
	whole = planar.New(17, 13) // the half of an odd size
	AddEnlarged(whole.Pix, m, 0, 0, 17, 13)
	part := planar.New(5, 4)
	AddEnlarged(part.Pix, m, 12, 9, 5, 4)
	for c := range 3 {
		for y := range 4 {
			for x := range 5 {
				if part.At(c, x, y) != whole.At(c, x+12, y+9) {
					t.Fatalf("the part differs at (%d, %d)", x, y)
				}
			}
		}
	}
}
