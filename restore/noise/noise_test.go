package noise

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/restore/planar"
)

func newRand(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// addWhite adds white noise along the colour axes with levels of luminance and chroma.
func addWhite(rng *rand.Rand, x *planar.Image, luma, chroma float64) *planar.Image {
	y := x.Clone()
	for i := range x.W * x.H {
		a, b, c := luma*rng.NormFloat64(), chroma*rng.NormFloat64(), chroma*rng.NormFloat64()
		y.Plane(0)[i] += float32(a/math.Sqrt(3) + b/math.Sqrt2 + c/math.Sqrt(6))
		y.Plane(1)[i] += float32(a/math.Sqrt(3) - b/math.Sqrt2 + c/math.Sqrt(6))
		y.Plane(2)[i] += float32(a/math.Sqrt(3) - 2*c/math.Sqrt(6))
	}
	return y
}

func TestWhiteVector(t *testing.T) {
	p := White(0.1)
	if math.Abs(p.Sigma()-0.1) > 1e-12 {
		t.Errorf("white noise of 0.1 has σ %g", p.Sigma())
	}
	v := make([]float32, Numbers)
	for i := range v {
		v[i] = float32(math.NaN())
	}
	p.Vector(v)
	for i, x := range v {
		if math.Abs(float64(x)) > 1e-6 {
			t.Errorf("place %d of the vector is %g, want 0: networks without this vector assume white noise", i, x)
		}
	}
	if White(0).Vector(v); slices.Max(v) != 0 {
		t.Errorf("no noise is described as %v", v)
	}
}

// Sigma weighs each band by the part of white noise's variance in it.
func TestSigma(t *testing.T) {
	rng := newRand(t)
	flat := planar.New(256, 256)
	y := addWhite(rng, flat, 0.2, 0.05)
	sum := 0.0
	for _, v := range y.Pix {
		sum += float64(v) * float64(v) / float64(len(y.Pix))
	}
	p := Measure(flat, y)
	if math.Abs(p.Sigma()/math.Sqrt(sum)-1) > 0.02 {
		t.Errorf("σ %g of noise whose values have %g", p.Sigma(), math.Sqrt(sum))
	}
	for b := range Bands {
		// Six standard deviations of the estimate from the band's coefficients: no seed in a
		// million years fails.
		n := 256 * 256 * []float64{1. / 4, 1. / 2, 3. / 16, 3. / 64}[b]
		if math.Abs(p.Luma[b]/0.2-1) > 6/math.Sqrt(2*n) || math.Abs(p.Chroma[b]/0.05-1) > 6/math.Sqrt(4*n) {
			t.Errorf("band %d: luminance %g and chroma %g, want 0.2 and 0.05", b, p.Luma[b], p.Chroma[b])
		}
	}
	if q := p.Limit(0.01); math.Abs(q.Sigma()-0.01) > 1e-9 || math.Abs(q.Luma[0]/q.Luma[2]-p.Luma[0]/p.Luma[2]) > 1e-9 {
		t.Errorf("limited to 0.01: %+v", q)
	}
	if q := p.Toward(White(0), 0.25); math.Abs(q.Luma[1]-0.75*p.Luma[1]) > 1e-12 {
		t.Errorf("a quarter of the way to nothing: %+v", q)
	}
}

// Noise that grows with brightness appears in Tone.
func TestTones(t *testing.T) {
	rng := newRand(t)
	x := planar.New(192, 64)
	y := x.Clone()
	for c := range 3 {
		for i := range x.Plane(c) {
			third := i % x.W / 64
			x.Plane(c)[i] = []float32{-0.8, 0, 0.8}[third]
			y.Plane(c)[i] = x.Plane(c)[i] + []float32{0.02, 0.04, 0.08}[third]*float32(rng.NormFloat64())
		}
	}
	p := Measure(x, y)
	if r := p.Tone[2] / p.Tone[0]; math.Abs(r/4-1) > 0.1 {
		t.Errorf("four times the noise reads as %g times", r)
	}
}

func TestQuantiles(t *testing.T) {
	rng := newRand(t)
	for range 20 {
		scale := float32(math.Exp(-7 * rng.Float64()))
		var m magnitudes
		var all []float32
		for range 500 {
			v := scale * float32(rng.NormFloat64())
			m.add(v)
			all = append(all, max(v, -v))
		}
		slices.Sort(all)
		for _, q := range []float64{0.2, 0.5, 0.8} {
			want := all[int(q*500)]
			if got := m.quantile(q); math.Abs(float64(got/want)-1) > 0.07 {
				t.Errorf("quantile %g is %g, by sorting %g", q, got, want)
			}
		}
	}
	var m magnitudes
	for range 10 {
		m.add(0)
		m.add(float32(math.Inf(1)))
		m.add(float32(math.NaN()))
	}
	if q := m.quantile(0.2); q != 0 {
		t.Errorf("a third of zeros has the quantile %g at 0.2", q)
	}
}

// Pictures that cannot be measured give no noise, and nothing panics.
func TestOddPictures(t *testing.T) {
	nan := float32(math.NaN())
	for _, size := range [][2]int{{1, 1}, {2, 300}, {31, 31}, {32, 32}, {33, 100}, {257, 40}} {
		x := planar.New(size[0], size[1])
		if p := Estimate(x, nil); p.Sigma() > 0.3/127.5 || !p.Found || !p.Valid() {
			t.Errorf("%v pixels of grey: %v", size, p)
		}
		mask := make([]float32, size[0]*size[1])
		if p := Estimate(x, mask); p.Sigma() != 0 {
			t.Errorf("%v pixels that are all missing: %v", size, p)
		}
		for i := range x.Pix {
			x.Pix[i] = nan
		}
		if p := Estimate(x, nil); !p.Valid() {
			t.Errorf("%v pixels that are no numbers: %v", size, p)
		}
	}
	if p := Estimate(&planar.Image{W: 5, H: 5}, nil); p.Sigma() != 0 {
		t.Errorf("a damaged picture: %v", p)
	}
}

// Streams estimate the noise of every frame, so nothing may be allocated.
func TestNoAllocation(t *testing.T) {
	x := planar.New(320, 240)
	rng := newRand(t)
	for i := range x.Pix {
		x.Pix[i] = 0.1 * float32(rng.NormFloat64())
	}
	var e Estimator
	src := ImageSource(x, nil)
	e.Estimate(src)
	if n := testing.AllocsPerRun(3, func() { e.Estimate(src) }); n > 0 {
		t.Errorf("%g allocations a picture", n)
	}
}

func TestNetworkBytes(t *testing.T) {
	if got := embeddedNetwork().Bytes(); !slices.Equal(got, embeddedBytes) {
		t.Errorf("the embedded network of %d bytes is written as %d others", len(embeddedBytes), len(got))
	}
}

func BenchmarkEstimate(b *testing.B) {
	x := planar.New(256, 256)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range x.Pix {
		x.Pix[i] = 0.1 * float32(rng.NormFloat64())
	}
	var e Estimator
	src := ImageSource(x, nil)
	for b.Loop() {
		e.Estimate(src)
	}
}
