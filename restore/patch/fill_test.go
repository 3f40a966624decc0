package patch

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore/planar"
)

// inMemory is a picture in memory with its mask.
func inMemory(x *planar.Image, missing []bool) Picture {
	return Picture{
		W: x.W, H: x.H, Missing: missing,
		Row: func(dst []float32, c, y, from int) { copy(dst, x.Plane(c)[y*x.W+from:]) },
		Put: func(c, i int, v float32) { x.Plane(c)[i] = v },
	}
}

// fill finds the holes and fills them.
func fill(ctx context.Context, p Picture, seed uint64) error {
	list, err := Find(p.W, p.H, p.Missing)
	if err != nil {
		return err
	}
	return list.Fill(ctx, p, seed)
}

// mask is a mask of a rectangle.
func mask(w, h, x0, y0, x1, y1 int) []bool {
	m := make([]bool, w*h)
	for y := max(y0, 0); y < min(y1, h); y++ {
		for x := max(x0, 0); x < min(x1, w); x++ {
			m[y*w+x] = true
		}
	}
	return m
}

// smear sets missing pixels to the mean of the known ones, as a network might.
func smear(x *planar.Image, missing []bool) *planar.Image {
	y := x.Clone()
	for c := range 3 {
		p := y.Plane(c)
		sum, n := 0.0, 0
		for i, m := range missing {
			if !m {
				sum, n = sum+float64(p[i]), n+1
			}
		}
		for i, m := range missing {
			if m {
				p[i] = float32(sum / float64(n))
			}
		}
	}
	return y
}

// A periodic texture is continued, wherever the hole is, and known pixels are not changed.
func TestRepeats(t *testing.T) {
	const w, h = 120, 100
	x := planar.New(w, h)
	for i := range w * h {
		u, v := float64(i%w), float64(i/w)
		x.Plane(0)[i] = float32(0.6 * math.Sin(2*math.Pi*u/10) * math.Cos(2*math.Pi*v/8))
		x.Plane(1)[i] = float32(0.5 * math.Sin(2*math.Pi*(u/10+v/8)))
		x.Plane(2)[i] = float32(0.3 * math.Cos(2*math.Pi*v/8))
	}
	for name, m := range map[string][]bool{
		"middle": mask(w, h, 40, 30, 76, 62), "edge": mask(w, h, -1, 30, 30, 60), "corner": mask(w, h, 90, 70, w, h), "bottom": mask(w, h, 40, 75, 80, h),
	} {
		y := smear(x, m)
		before := apart(y, x, m)
		if err := fill(context.Background(), inMemory(y, m), 3); err != nil {
			t.Fatal(err)
		}
		if after := apart(y, x, m); after > 0.25*before {
			t.Errorf("%s: %.4f off, the smear was %.4f", name, after, before)
		}
		untouched(t, name, x, y, m)
	}
}

// apart is the root mean square difference where a mask is set.
func apart(a, b *planar.Image, where []bool) float64 {
	sum, n := 0.0, 0
	for c := range 3 {
		for i, m := range where {
			if m {
				d := float64(a.Plane(c)[i] - b.Plane(c)[i])
				sum, n = sum+d*d, n+1
			}
		}
	}
	return math.Sqrt(sum / float64(n))
}

func untouched(t *testing.T, name string, x, y *planar.Image, m []bool) {
	t.Helper()
	for c := range 3 {
		for i, missing := range m {
			if !missing && y.Plane(c)[i] != x.Plane(c)[i] {
				t.Fatalf("%s: known pixel %d has changed", name, i)
			}
		}
	}
}

// What is filled has about the contrast of the truth, where the smear has none. Other seeds give
// other pictures, the same seed the same one. Single pixels and scratches are not changed, also not
// scratches that lead into the hole.
func TestScene(t *testing.T) {
	const w, h = 200, 160
	x := planar.FromNRGBA(synth.Photo(4, w, h))
	m := mask(w, h, 60, 50, 110, 100)
	thin := make([]bool, w*h)
	for i := range thin {
		u, v := i%w, i/w
		thin[i] = !m[i] && (v >= 70 && v < 75 || i%997 == 0 || u >= 10 && u < 22 && v > 20)
	}
	all := slices.Clone(m)
	for i, s := range thin {
		all[i] = all[i] || s
	}
	run := func(seed uint64) *planar.Image {
		y := smear(x, all)
		if err := fill(context.Background(), inMemory(y, all), seed); err != nil {
			t.Fatal(err)
		}
		return y
	}
	start, a, b, c := smear(x, all), run(1), run(1), run(2)
	if !slices.Equal(a.Pix, b.Pix) {
		t.Error("the same seed gives another picture")
	}
	if d := apart(a, c, m); d < 1e-3 {
		t.Errorf("another seed gives nearly the same picture: %g", d)
	}
	if d := apart(a, start, thin); d != 0 {
		t.Errorf("scratches have changed by %g", d)
	}
	if got, want := contrast(a, m), contrast(x, m); got < want/3 || got > 3*want {
		t.Errorf("contrast of the filling is %g, of the truth %g", got, want)
	}
	untouched(t, "scene", x, a, all)
}

// contrast is the root mean square difference of neighbours in a mask.
func contrast(x *planar.Image, where []bool) float64 {
	sum, n := 0.0, 0
	g := x.Plane(1)
	for i := range where {
		if i%x.W > 0 && where[i] && where[i-1] {
			d := float64(g[i] - g[i-1])
			sum, n = sum+d*d, n+1
		}
	}
	return math.Sqrt(sum / float64(n))
}

// Hidden pixels are never a source: if one half of a picture is hidden, nothing of that half
// appears in the hole.
func TestHidden(t *testing.T) {
	const w, h = 140, 90
	rng := rand.New(rand.NewPCG(6, 7))
	x := planar.New(w, h)
	hidden := func(i int) bool { return i%w >= 90 }
	for i := range w * h {
		v := float32(0.2 * rng.NormFloat64())
		for c := range 3 {
			if x.Plane(c)[i] = v; hidden(i) {
				x.Plane(c)[i] = 0.9
			}
		}
	}
	m := mask(w, h, 30, 20, 70, 60)
	p := inMemory(smear(x, m), m)
	p.Hidden = hidden
	p.Put = func(c, i int, v float32) {
		if v > 0.85 {
			t.Fatalf("pixel %d is %g, as hidden pixels are", i, v)
		}
	}
	if err := fill(context.Background(), p, 1); err != nil {
		t.Fatal(err)
	}
}

// Pictures of which little or nothing is known, or that are smaller than a patch, stay as they are.
// A mask of another size and a cancelled context are errors.
func TestOdd(t *testing.T) {
	for _, s := range [][6]int{{1, 1, 0, 0, 1, 1}, {6, 40, 0, 0, 6, 40}, {5, 5, 1, 1, 4, 4}, {30, 30, 0, 0, 30, 30}, {30, 30, 0, 0, 30, 29}, {300, 20, 3, 0, 300, 20}, {20, 21, 0, 3, 20, 19}} {
		w, h := s[0], s[1]
		x := planar.New(w, h)
		m := mask(w, h, s[2], s[3], s[4], s[5])
		if err := fill(context.Background(), inMemory(x, m), 1); err != nil {
			t.Errorf("%v: %v", s, err)
		}
		for i, v := range x.Pix {
			if v != 0 {
				t.Fatalf("%v: value %d of a black picture is %g", s, i, v)
			}
		}
	}
	x := planar.New(100, 100)
	m := mask(100, 100, 30, 30, 70, 70)
	wide := func(missing []bool) bool {
		list, err := Find(100, 100, missing)
		return err == nil && len(list) > 0
	}
	if wide(mask(100, 100, 30, 0, 42, 100)) || !wide(mask(100, 100, 30, 0, 43, 100)) || !wide(m) {
		t.Error("12 pixels are not wide, 13 are")
	}
	if err := fill(context.Background(), inMemory(x, m[1:]), 1); err == nil {
		t.Error("a mask of another size is taken")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := fill(ctx, inMemory(x, m), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancelling: %v", err)
	}
}

// Opening agrees with its definition, and depths with the distance to the nearest known pixel.
func TestOpenAndDepths(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	for range 30 {
		w, h, r := 1+rng.IntN(30), 1+rng.IntN(30), 1+rng.IntN(3)
		m := make([]bool, w*h)
		for range 1 + rng.IntN(5) {
			x, y := rng.IntN(w), rng.IntN(h)
			for i, v := range mask(w, h, x, y, x+1+rng.IntN(12), y+1+rng.IntN(12)) {
				m[i] = m[i] || v
			}
		}
		in := func(x, y int) bool { return x < 0 || y < 0 || x >= w || y >= h || m[y*w+x] }
		fits := func(x, y int) bool {
			for v := y - r; v <= y+r; v++ {
				for u := x - r; u <= x+r; u++ {
					if !in(u, v) {
						return false
					}
				}
			}
			return true
		}
		got, depth := open(w, h, m, r), depths(w, h, m)
		for i := range m {
			want, nearest := false, far
			for v := range h {
				for u := range w {
					d := max(u-i%w, i%w-u, v-i/w, i/w-v)
					want = want || d <= r && fits(u, v)
					if !m[v*w+u] {
						nearest = min(nearest, d)
					}
				}
			}
			if got[i] != want {
				t.Fatalf("%d×%d, %d: pixel %d is %v, want %v", w, h, r, i, got[i], want)
			}
			if d := int(depth[i]); d != nearest && (d < far || nearest < far) {
				t.Fatalf("%d×%d: depth of pixel %d is %d, want %d", w, h, i, d, nearest)
			}
		}
	}
}

// The distance of patches is the sum of the squared differences.
func TestDistance(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 11))
	l := newLevel(20, 15)
	for i := range l.pix {
		l.pix[i] = float32(rng.NormFloat64())
	}
	for range 50 {
		ax, ay, bx, by := half+rng.IntN(14), half+rng.IntN(9), half+rng.IntN(14), half+rng.IntN(9)
		want := 0.0
		for v := -half; v <= half; v++ {
			for u := -half; u <= half; u++ {
				for c := range channels {
					d := float64(l.pix[((ay+v)*20+ax+u)*channels+c]) - float64(l.pix[((by+v)*20+bx+u)*channels+c])
					want += d * d
				}
			}
		}
		a, b := int32(ay*20+ax), int32(by*20+bx)
		if got := float64(l.distance(a, b, math.MaxFloat32)); math.Abs(got-want) > 1e-4*want {
			t.Fatalf("distance %g, want %g", got, want)
		}
		if got := float64(l.distance(a, b, float32(want/2))); want > 0 && got <= want/2 {
			t.Fatalf("distance %g is below %g, it is %g", got, want/2, want)
		}
	}
}
