package defocus

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/planar"
)

func newRand(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func TestParse(t *testing.T) {
	for text, want := range map[string]Blur{
		"3": {Gaussian, 3}, " 0.5": {Gaussian, 0.5}, "gaussian:2": {Gaussian, 2}, "Disc:4.5": {Disc, 4.5}, "none": {}, "0": {}, "disc:0": {},
	} {
		if got, err := Parse(text); err != nil || got != want {
			t.Errorf("%q: %v, %v, want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "9", "disc:13", "disc", "disc:", "square:3", "NaN", "Inf", "disc:NaN", "3px"} {
		if b, err := Parse(text); err == nil {
			t.Errorf("%q is read as %v", text, b)
		}
	}
	rng := newRand(t)
	for range 100 {
		b := Blur{Shape(1 + rng.IntN(2)), math.Round(100*(0.3+6*rng.Float64())) / 100}
		var c Blur
		if text, err := b.MarshalText(); err != nil || c.UnmarshalText(text) != nil || c != b {
			t.Errorf("%v is written as %q and read as %v", b, text, c)
		}
	}
}

// Blur kernels have the sum 1, their centre of mass in the middle, and the blur's deviation.
func TestKernel(t *testing.T) {
	rng := newRand(t)
	for range 40 {
		b := Blur{Gaussian, 0.7 + 5*rng.Float64()}
		if rng.IntN(2) == 0 {
			b = Blur{Disc, 2 + 6*rng.Float64()}
		}
		k := b.Kernel()
		if err := k.Check(); err != nil {
			t.Fatalf("%v: %v", b, err)
		}
		var mx, my, square float64
		for i, w := range k.W {
			x, y := float64(i%k.Size-k.Size/2), float64(i/k.Size-k.Size/2)
			mx, my, square = mx+float64(w)*x, my+float64(w)*y, square+float64(w)*(x*x+y*y)/2
		}
		if math.Hypot(mx, my) > 1e-5 {
			t.Errorf("%v: centre at (%g, %g)", b, mx, my)
		}
		want := b.Deviation()
		if b.Shape == Disc {
			want = math.Hypot(want, 1/math.Sqrt(12)) // the pixel's own
		}
		if got := math.Sqrt(square); math.Abs(got/want-1) > 0.03 {
			t.Errorf("%v: deviation %g, want %g", b, got, want)
		}
	}
}

// Apply agrees with the definition of correlation.
func TestApply(t *testing.T) {
	rng := newRand(t)
	p := blind.NewPlane(23, 17)
	for i := range p.Pix {
		p.Pix[i] = rng.Float64()
	}
	for _, b := range []Blur{{}, {Gaussian, 1.3}, {Disc, 2.7}, {Gaussian, 6}, {Disc, 12}} {
		k := b.Kernel()
		got := b.Apply(p)
		for range 50 {
			x, y := rng.IntN(p.W), rng.IntN(p.H)
			want := 0.0
			for i, w := range k.W {
				u, v := planar.Mirror(x+i%k.Size-k.Size/2, p.W), planar.Mirror(y+i/k.Size-k.Size/2, p.H)
				want += float64(w) * p.Pix[v*p.W+u]
			}
			if v := got.Pix[y*p.W+x]; math.Abs(v-want) > 1e-6 {
				t.Fatalf("%v at (%d, %d): %g, want %g", b, x, y, v, want)
			}
		}
	}
}

// The transform agrees with its definition.
func TestFFT(t *testing.T) {
	rng := newRand(t)
	const stride = 3
	v := make([]complex128, window*stride)
	for i := range v {
		v[i] = complex(rng.NormFloat64(), rng.NormFloat64())
	}
	was := slices.Clone(v)
	fft(v, stride)
	for range 20 {
		f := rng.IntN(window)
		var want complex128
		for i := range window {
			s, c := math.Sincos(-2 * math.Pi * float64(i*f%window) / window)
			want += was[i*stride] * complex(c, s)
		}
		if d := v[f*stride] - want; math.Hypot(real(d), imag(d)) > 1e-9 {
			t.Fatalf("frequency %d: %v, want %v", f, v[f*stride], want)
		}
	}
}

// A step edge has the ratios of gradients of the theory, at every pair of scales.
func TestEdgeRatios(t *testing.T) {
	rng := newRand(t)
	for range 10 {
		s := 1.5 + 2.5*rng.Float64()
		p := &plane{w: 192, h: 192}
		at := 80 + 20*rng.Float64()
		for range p.h {
			for x := range p.w {
				p.pix = append(p.pix, float32(0.5+0.4*math.Erf((float64(x)-at)/(s*math.Sqrt2))))
			}
		}
		x := p.edges(nil, 0)
		for i := range edgePairs {
			a, b := edgeScales[i], edgeScales[i+2]
			want := math.Log(math.Sqrt((s*s+b*b)/(s*s+a*a)) + 0.05)
			// Differences of neighbours are not derivatives, least of all where pixels are skipped.
			if got := float64(x[i*edgeValues]); math.Abs(got-want) > 0.12 {
				t.Errorf("deviation %g, scales %g and %g: %g, want %g", s, a, b, got, want)
			}
		}
	}
}

// From the targets of a blur Judge finds that blur.
func TestTargets(t *testing.T) {
	rng := newRand(t)
	for range 200 {
		b := Blur{Gaussian, 0.75 + 5*rng.Float64()}
		if rng.IntN(2) == 0 {
			b = Blur{Disc, 1.5 + 7*rng.Float64()}
		}
		y := Targets(b)
		sum := float32(0)
		for _, v := range y {
			sum += v
		}
		r := Judge(y)
		if math.Abs(float64(sum)-1) > 1e-6 || r.Certainty.Verdict != blind.Blurred || r.Blur.Shape != b.Shape || math.Abs(r.Blur.Width/b.Width-1) > 0.04 {
			t.Errorf("%v: %+v from probabilities of sum %g", b, r, sum)
		}
	}
	if r := Judge(Targets(Blur{})); r.Certainty.Verdict != blind.Sharp || r.Blur != (Blur{}) {
		t.Errorf("no blur: %+v", r)
	}
	if r := Judge(Targets(Blur{Gaussian, 0.3})); r.Certainty.Verdict != blind.Sharp {
		t.Errorf("hardly any blur: %+v", r)
	}
}

// In scenes that the network has never seen, the verdict is right: sharp ones are not blurred, and
// blurred ones have their width.
func TestEstimate(t *testing.T) {
	const scenes = 6
	var sharp []*blind.Plane
	for i := range uint64(scenes) {
		sharp = append(sharp, brightness(planar.FromNRGBA(synth.Photo(700+i, 256, 256))))
	}
	for _, b := range []Blur{{}, {Gaussian, 1.5}, {Gaussian, 3}, {Gaussian, 5}, {Disc, 3}, {Disc, 6}} {
		for _, noise := range []float64{0, 2} {
			found, wrong := 0, 0
			for i := range uint64(scenes) {
				rng := rand.New(rand.NewPCG(5, i))
				y := b.Apply(sharp[i])
				for k, v := range y.Pix {
					y.Pix[k] = math.Round(255*min(max(v+noise/255*rng.NormFloat64(), 0), 1)) / 255
				}
				r, err := Estimate(context.Background(), y, Clipped(y))
				if err != nil {
					t.Fatal(err)
				}
				t.Logf("%v, noise %g, scene %d: %+v", b, noise, i, *r)
				if r.Certainty.Verdict != blind.Blurred {
					continue
				}
				found++
				if b.Shape == None && r.Blur.Deviation() > 0.7 || b.Shape != None && math.Abs(r.Blur.Deviation()/b.Deviation()-1) > 0.25 {
					wrong++
				}
			}
			if b.Shape == None && wrong > 0 {
				t.Errorf("noise %g: %d of %d sharp scenes are taken for blurred", noise, wrong, scenes)
			}
			if b.Shape != None && (found < scenes/2 || wrong > 1) {
				t.Errorf("%v, noise %g: of %d scenes %d are found blurred, and %d of these off by more than a quarter", b, noise, scenes, found, wrong)
			}
		}
	}
}

// Pictures that cannot be examined are untold, and nothing panics.
func TestOddPictures(t *testing.T) {
	rng := newRand(t)
	for _, size := range [][2]int{{1, 1}, {31, 500}, {32, 32}, {33, 127}, {700, 40}, {321, 300}} {
		flat := blind.NewPlane(size[0], size[1])
		if r, err := Estimate(context.Background(), flat, nil); err != nil || r.Certainty.Verdict != blind.Untold {
			t.Errorf("%v pixels of black: %+v, %v", size, r, err)
		}
		for i := range flat.Pix {
			flat.Pix[i] = rng.NormFloat64()
		}
		all := make([]bool, len(flat.Pix))
		for i := range all {
			all[i] = true
		}
		for _, unknown := range [][]bool{nil, all} {
			r, err := Estimate(context.Background(), flat, unknown)
			if err != nil || r.Certainty.Verdict == blind.Blurred {
				t.Errorf("%v pixels of noise: %+v, %v", size, r, err)
			}
		}
	}
	bad := blind.NewPlane(64, 64)
	bad.Pix[77] = math.NaN()
	if _, err := Estimate(context.Background(), bad, nil); err == nil {
		t.Error("a value that is no number is taken")
	}
	if _, err := Estimate(context.Background(), blind.NewPlane(64, 64), make([]bool, 3)); err == nil {
		t.Error("a map of another size is taken")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Estimate(ctx, blind.NewPlane(64, 64), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancelling: %v", err)
	}
}

func TestNetworkBytes(t *testing.T) {
	if got := embeddedNetwork().Bytes(); !slices.Equal(got, embeddedBytes) {
		t.Errorf("the embedded network of %d bytes is written as %d others", len(embeddedBytes), len(got))
	}
}
