package netdef_test

import (
	"math"
	"testing"

	. "github.com/vfmrestore/restore/netdef"
)

// Known answers from Random123's kat_vectors for philox4x32-10.
func TestPhiloxKnownAnswers(t *testing.T) {
	const f = 0xffffffff
	for _, c := range []struct {
		counter [4]uint32
		key     [2]uint32
		want    [4]uint32
	}{
		{[4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{f, f, f, f}, [2]uint32{f, f}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := Philox(c.counter, c.key); got != c.want {
			t.Errorf("Philox(%x, %x) = %x, want %x", c.counter, c.key, got, c.want)
		}
	}
}

// TestRandomMoments checks mean, variance and kurtosis of a large draw.
func TestRandomMoments(t *testing.T) {
	g := NewGraph()
	key := g.Input("key", KeyShape)
	s := Shape{2, 40, 50, 48}
	in := map[string]*Tensor{"key": Key{Seed: newRand(t).Uint64()}.Tensor()}
	v := mustRun(t, in, g.Normal(s, key, 3), g.Uniform(s, key, 4))
	n := float64(s.Size())
	moments := func(x []float64) (m, v, k float64) {
		for _, a := range x {
			m += a / n
		}
		for _, a := range x {
			d := (a - m) * (a - m)
			v += d / n
			k += d * d / n
		}
		return m, v, k / (v * v)
	}
	// Five standard errors of each statistic.
	m, vr, k := moments(v[0].Data)
	if math.Abs(m) > 5/math.Sqrt(n) || math.Abs(vr-1) > 5*math.Sqrt(2/n) || math.Abs(k-3) > 5*math.Sqrt(24/n) {
		t.Errorf("normal: mean %g, variance %g, kurtosis %g", m, vr, k)
	}
	m, vr, k = moments(v[1].Data)
	if math.Abs(m-0.5) > 5*math.Sqrt(1/12./n) || math.Abs(vr-1/12.) > 5e-1/math.Sqrt(n) || math.Abs(k-1.8) > 5/math.Sqrt(n) {
		t.Errorf("uniform: mean %g, variance %g, kurtosis %g", m, vr, k)
	}
}

// TestRandomTiles draws a picture as a whole and in tiles, and checks streams, samples and a key
// whose words are signalling NaNs when read as floats.
func TestRandomTiles(t *testing.T) {
	k := Key{Seed: 0x7fa00001_ff812345, Sample: 5, Y0: 100, X0: 1 << 20}
	draw := func(k Key, s Shape, stream uint32) *Tensor {
		g := NewGraph()
		key := g.Const("key", KeyShape, k.Float32())
		return mustRun(t, nil, g.Normal(s, key, stream))[0]
	}
	whole := draw(k, Shape{2, 6, 7, 8}, 9)
	at := func(x *Tensor, b, h, w, c int) float64 {
		s := x.Shape
		return x.Data[((b*s[1]+h)*s[2]+w)*s[3]+c]
	}
	tile := draw(Key{Seed: k.Seed, Sample: 6, Y0: 102, X0: k.X0 + 3}, Shape{1, 3, 4, 8}, 9)
	for h := range 3 {
		for w := range 4 {
			for c := range 8 {
				if at(tile, 0, h, w, c) != at(whole, 1, h+2, w+3, c) {
					t.Fatalf("tile differs at %d,%d,%d", h, w, c)
				}
			}
		}
	}
	u := Philox([4]uint32{k.X0 + 3, k.Y0 + 2, 9<<16 | 1, 6}, [2]uint32{uint32(k.Seed), uint32(k.Seed >> 32)})
	if got, want := at(whole, 1, 2, 3, 6), BoxMuller(u)[2]; got != want {
		t.Errorf("element [1,2,3,6] is %g, want %g: counters are not as documented", got, want)
	}
	if other := draw(k, whole.Shape, 8); other.Data[0] == whole.Data[0] {
		t.Error("two streams give the same numbers")
	}
	if one := draw(k, Shape{2, 6, 7, 1}, 9); one.Data[5] != at(whole, 0, 0, 5, 0) {
		t.Error("a single channel does not use the first word of its site")
	}
}

func TestInitialValues(t *testing.T) {
	g := NewGraph()
	a, b := g.Param("a", Shape{3, 3, 32, 64}, HeNormal{0.5}), g.Param("b", Shape{3, 3, 32, 64}, Normal{2})
	var va, vb, ab float64
	x, y := InitialValues(a, 7), InitialValues(b, 7)
	for i := range x {
		va += float64(x[i] * x[i])
		vb += float64(y[i] * y[i])
		ab += float64(x[i] * y[i])
	}
	n := float64(len(x))
	if want := 0.25 * 2 / (9 * 32); math.Abs(va/n/want-1) > 0.05 || math.Abs(vb/n/4-1) > 0.05 {
		t.Errorf("variances %g (want %g), %g (want 4)", va/n, want, vb/n)
	}
	if math.Abs(ab/math.Sqrt(va*vb)) > 5/math.Sqrt(n) {
		t.Error("parameters of different names are correlated")
	}
	if InitialValues(a, 8)[0] == x[0] || InitialValues(a, 7)[100] != x[100] {
		t.Error("the values do not follow the seed")
	}
	if v := InitialValues(g.Param("c", Shape{1, 1, 1, 8}, Fill{2.5}), 1); v[7] != 2.5 {
		t.Error("Fill does not fill")
	}
}
