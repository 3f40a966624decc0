package camera

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore/planar"
)

// scene is a synthetic photograph.
func scene(seed uint64, w, h int) *planar.Image { return planar.FromNRGBA(synth.Photo(seed, w, h)) }

// flat is a picture of one grey.
func flat(v float32, w, h int) *planar.Image {
	x := planar.New(w, h)
	for i := range x.Pix {
		x.Pix[i] = v
	}
	return x
}

func rms(a, b *planar.Image) float64 {
	sum := 0.0
	for i, v := range a.Pix {
		sum += math.Pow(float64(v-b.Pix[i]), 2)
	}
	return math.Sqrt(sum / float64(len(a.Pix)))
}

func newRand(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func TestMatrices(t *testing.T) {
	for k, m := range matrices {
		p := m.Times(inverses[k])
		for i, v := range p {
			want := 0.0
			if i%4 == 0 {
				want = 1
			}
			if math.Abs(v-want) > 1e-12 {
				t.Errorf("matrix %d times its inverse has %g at %d", k, v, i)
			}
		}
		for r := range 3 {
			if s := m[3*r] + m[3*r+1] + m[3*r+2]; math.Abs(s-1) > 1e-12 {
				t.Errorf("matrix %d, row %d: sums to %g: white would not stay white", k, r, s)
			}
		}
	}
}

func TestToneCurvesAreInverse(t *testing.T) {
	rng := newRand(t)
	for _, share := range []float64{0, 0.3, 1, rng.Float64()} {
		c := toneFor(share)
		before := float32(-1)
		for i := range 1001 {
			v := float32(i)/500 - 1
			l := c.light(v)
			if l < before {
				t.Fatalf("share %g: the curve falls at %g", share, v)
			}
			before = l
			if got := c.display(l); math.Abs(float64(got-v)) > 2e-3 {
				t.Errorf("share %g: %g comes back as %g", share, v, got)
			}
		}
	}
	// A point of sRGB's curve that can be looked up: half of the display range is 0.2140 of light.
	if v := toneFor(0).light(0); math.Abs(float64(v)-0.21404) > 1e-4 {
		t.Errorf("sRGB's middle grey is %g of light, want 0.21404", v)
	}
}

// Without noise, mosaic and clipping a picture comes back from the sensor unchanged, for all
// colours and exposures.
func TestSensorIsInvertible(t *testing.T) {
	rng := newRand(t)
	x := scene(rng.Uint64(), 64, 48)
	for m := range matrices {
		c := Camera{Raw: true, Curve: rng.Float64(), Matrix: m, RedGain: 1 + rng.Float64(),
			BlueGain: 1 + rng.Float64(), Exposure: 0.3 + 0.2*rng.Float64()}
		clean, noisy, err := c.Degrade(rng, x)
		if err != nil {
			t.Fatal(err)
		}
		if d := rms(x, clean); d > 2e-3 {
			t.Errorf("camera %d: clean differs by %g", m, d)
		}
		if d := rms(clean, noisy); d > 1e-6 {
			t.Errorf("camera %d has no noise, but noisy differs by %g", m, d)
		}
	}
}

// The variance of light on the sensor is Shot·v + Read.
func TestSensorNoise(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const side = 256
	for _, level := range []float32{-0.6, 0, 0.5} {
		c := Camera{Raw: true, RedGain: 1, BlueGain: 1, Exposure: 1, Shot: 1e-3, Read: 1e-5}
		x := flat(level, side, side)
		_, noisy, err := c.Degrade(rng, x)
		if err != nil {
			t.Fatal(err)
		}
		tone := toneFor(0)
		mean := float64(tone.light(level))
		v := 0.0
		for _, p := range noisy.Pix {
			v += math.Pow(float64(tone.light(p))-mean, 2) / (3 * side * side)
		}
		// Four standard deviations of the estimate of a variance from so many values.
		if want := c.Shot*mean + c.Read; math.Abs(v/want-1) > 4*math.Sqrt(2.0/(3*side*side)) {
			t.Errorf("light %.3f: variance %g, want %g", mean, v, want)
		}
	}
}

// Interpolation reproduces linear ramps. At an edge, edge-directed interpolation is sharper than
// bilinear.
func TestDemosaicing(t *testing.T) {
	const w, h = 24, 20
	for phase := range 4 {
		px, py := phase&1, phase>>1
		for name, demosaic := range map[string]func(*planar.Image, int, int){
			"bilinear": Bilinear.Interpolate, "edges": EdgeDirected.Interpolate} {
			ramp := planar.New(w, h)
			for c := range 3 {
				for i := range w * h {
					ramp.Plane(c)[i] = float32(c)/10 + float32(i%w)/50 - float32(i/w)/70
				}
			}
			got := mosaicked(ramp, px, py)
			demosaic(got, px, py)
			for c := range 3 {
				for y := 3; y < h-3; y++ {
					for x := 3; x < w-3; x++ {
						if d := got.At(c, x, y) - ramp.At(c, x, y); math.Abs(float64(d)) > 1e-5 {
							t.Fatalf("%s, phase %d, channel %d at %d, %d: off by %g", name, phase,
								c, x, y, d)
						}
					}
				}
			}
		}
		edge := planar.New(w, h)
		for i := range edge.Pix {
			if i%w >= w/2 {
				edge.Pix[i] = 0.5
			}
		}
		a, b := mosaicked(edge, px, py), mosaicked(edge, px, py)
		Bilinear.Interpolate(a, px, py)
		EdgeDirected.Interpolate(b, px, py)
		if rms(edge, b) > 0.7*rms(edge, a) {
			t.Errorf("phase %d: an edge is off by %g along edges, %g bilinearly", phase,
				rms(edge, b), rms(edge, a))
		}
	}
}

// Edge-directed interpolation is Hamilton's and Adams', value by value, in float64.
func TestEdgeDirected(t *testing.T) {
	rng := newRand(t)
	const w, h = 12, 10
	for phase := range 4 {
		px, py := phase&1, phase>>1
		x := planar.New(w, h)
		for i := range x.Pix {
			x.Pix[i] = 2*rng.Float32() - 1
		}
		got := mosaicked(x, px, py)
		EdgeDirected.Interpolate(got, px, py)
		// raw is the value that the mosaic measures at a place, which may lie beyond the edges.
		raw := func(u, v int) float64 {
			u, v = planar.Mirror(u, w), planar.Mirror(v, h)
			return float64(x.At(bayerColour(u+px, v+py), u, v))
		}
		green := func(u, v int) float64 {
			if bayerColour(u+px, v+py) == 1 {
				return raw(u, v)
			}
			along := func(du, dv int) (value, gradient float64) {
				second := 2*raw(u, v) - raw(u-2*du, v-2*dv) - raw(u+2*du, v+2*dv)
				a, b := raw(u-du, v-dv), raw(u+du, v+dv)
				return (a+b)/2 + second/4, math.Abs(a-b) + math.Abs(second)
			}
			horizontal, dx := along(1, 0)
			vertical, dy := along(0, 1)
			switch {
			case dx < dy:
				return horizontal
			case dy < dx:
				return vertical
			}
			return (horizontal + vertical) / 2
		}
		for v := range h {
			for u := range w {
				for c := range 3 {
					want, n := 0.0, 0.0
					for dv := -1; dv <= 1; dv++ {
						for du := -1; du <= 1; du++ {
							if c != 1 && bayerColour(u+du+px, v+dv+py) == c {
								a, b := planar.Mirror(u+du, w), planar.Mirror(v+dv, h)
								want, n = want+raw(a, b)-green(a, b), n+1
							}
						}
					}
					if c != 1 && bayerColour(u+px, v+py) == c {
						want, n = raw(u, v)-green(u, v), 1
					}
					if want /= max(n, 1); math.Abs(float64(got.At(c, u, v))-want-green(u, v)) > 1e-5 {
						t.Fatalf("phase %d, plane %d at %d, %d: %v, want %v", phase, c, u, v,
							got.At(c, u, v), want+green(u, v))
					}
				}
			}
		}
	}
}

// mosaicked keeps the values that the mosaic measures. All others are NaN, so that a test fails if
// they are read.
func mosaicked(x *planar.Image, px, py int) *planar.Image {
	m := x.Clone()
	for c := range 3 {
		for i := range x.W * x.H {
			if bayerColour(i%x.W+px, i/x.W+py) != c {
				m.Plane(c)[i] = float32(math.NaN())
			}
		}
	}
	return m
}

func TestProcessing(t *testing.T) {
	rng := newRand(t)
	x := scene(rng.Uint64(), 80, 60)
	back := x.Clone()
	toYCbCr(back)
	fromYCbCr(back)
	if d := rms(x, back); d > 1e-6 {
		t.Errorf("colours come back with an error of %g", d)
	}
	grey := flat(0.2, 40, 30)
	for name, c := range map[string]Camera{
		"all": {ChromaRadius: 3, ChromaShare: 1, LumaShare: 1, LumaRange: 0.1, Sharpen: 1,
			Reduce: 1.7},
		"subsampling": {Subsampling: Sub420},
		"JPEG":        {Quality: 90, Subsampling: Sub420, Round: true},
	} {
		clean, noisy, err := c.Degrade(rng, grey)
		if err != nil {
			t.Fatal(err)
		}
		for i := range clean.Pix {
			if math.Abs(float64(clean.Pix[i]-0.2)) > 1e-5 ||
				math.Abs(float64(noisy.Pix[i]-0.2)) > 1.0/127 {
				t.Fatalf("%s: a grey of 0.2 becomes %g and %g", name, clean.Pix[i], noisy.Pix[i])
			}
		}
	}
	if r := reduce(x, 2.5); r.W != 32 || r.H != 24 {
		t.Errorf("80×60 pixels reduced by 2.5 are %d×%d", r.W, r.H)
	}
	// Smoothing reduces noise, and sharpening amplifies it.
	x = flat(0, 80, 60)
	noisy := x.Clone()
	for i := range noisy.Pix {
		noisy.Pix[i] += 0.1 * float32(rng.NormFloat64())
	}
	smooth := noisy.Clone()
	Camera{ChromaRadius: 2, ChromaShare: 1, LumaShare: 1, LumaRange: 0.4}.process(smooth)
	sharp := noisy.Clone()
	Camera{Sharpen: 1}.process(sharp)
	if a, b, c := rms(x, smooth), rms(x, noisy), rms(x, sharp); !(a < b && b < c) {
		t.Errorf("errors smoothed %g, as it is %g, sharpened %g: want them to rise", a, b, c)
	}
}

func TestJPEG(t *testing.T) {
	rng := newRand(t)
	x := scene(rng.Uint64(), 72, 56)
	last := math.Inf(1)
	for _, q := range []int{5, 30, 75, 95, 100} {
		_, y, err := Camera{Quality: q}.Degrade(rng, x)
		if err != nil {
			t.Fatal(err)
		}
		d := rms(x, y)
		if d >= last {
			t.Errorf("quality %d: error %g, not below that of the quality before, %g", q, d, last)
		}
		last = d
	}
	if last > 1.5/127.5 {
		t.Errorf("quality 100 with all of the chroma: error %g", last)
	}
	half := Camera{Quality: 100, Subsampling: Sub420}
	if _, y, err := half.Degrade(rng, x); err != nil || rms(x, y) <= last {
		t.Errorf("chroma of half the size should cost something: error %g, %v", rms(x, y), err)
	}
}

// All drawn cameras give pictures of the expected size, finite and in range, and the same ones
// again for the same seed.
func TestDraw(t *testing.T) {
	seed := newRand(t).Uint64()
	x := scene(seed, 48, 48)
	for i := range 60 {
		var first *planar.Image
		for range 2 {
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			c := Draw(rng)
			switch i % 3 {
			case 1:
				c = DrawJPEG(rng)
			case 2:
				c = DrawWhite(rng, 0.2)
			}
			clean, noisy, err := c.Degrade(rng, x)
			if err != nil {
				t.Fatal(err)
			}
			if clean.W != noisy.W || clean.H != noisy.H || c.Reduce <= 1 && clean.W != x.W {
				t.Fatalf("%+v: %d×%d and %d×%d pixels", c, clean.W, clean.H, noisy.W, noisy.H)
			}
			for k, v := range noisy.Pix {
				if !(v >= -1.001 && v <= 1.001) || !(clean.Pix[k] >= -1 && clean.Pix[k] <= 1) {
					t.Fatalf("%+v: values %g and %g", c, clean.Pix[k], v)
				}
			}
			if first == nil {
				first = noisy
			} else if rms(first, noisy) != 0 {
				t.Fatalf("%+v: not the same picture again", c)
			}
		}
	}
}

func TestParse(t *testing.T) {
	rng := newRand(t)
	c, err := Parse("iso=3200, jpeg=85", rng)
	if err != nil {
		t.Fatal(err)
	}
	shot, read := ISO(3200)
	if !c.Raw || c.Shot != shot || c.Read != read || c.Quality != 85 || c.Subsampling != Sub420 ||
		c.Demosaic != EdgeDirected {
		t.Errorf("iso=3200, jpeg=85 is read as %+v", c)
	}
	if c, err = Parse("white=25,subsampling=422", rng); err != nil || c.Raw ||
		math.Abs(c.White-25/127.5) > 1e-12 || c.Subsampling != Sub422 || c.Quality != 0 {
		t.Errorf("white=25,subsampling=422 is read as %+v, %v", c, err)
	}
	if c, err = Parse("random=1", rng); err != nil || !c.Raw {
		t.Errorf("random=1 is read as %+v, %v", c, err)
	}
	for spec, want := range map[string]string{
		"": "name=value", "iso": "name=value", "iso=": "name=value", "iso=10": "50 to 102400",
		"iso=NaN": "50 to 102400", "jpeg=0": "1 to 100",
		"jpeg=80,jpeg=90": "twice", "zoom=3": "unknown name", "random=1,jpeg=80": "alone",
		"lens=9":           "0 to 8",
		"iso=100,shot=0.1": "iso sets",
		"subsampling=411":  "444, 422, 420", "mosaic=1": "white", "luma=3": "colon",
		"chroma=2:7": "0 to 1", "demosaic=best": "one of",
	} {
		if _, err := Parse(spec, rng); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want it to tell %q", spec, err, want)
		}
	}
	for _, line := range strings.Split(Usage, "\n") {
		for _, field := range strings.Fields(line) {
			name, value, ok := strings.Cut(strings.Trim(field, ":,;"), "=")
			if !ok {
				continue
			}
			for placeholder, example := range map[string]string{"N": "50", "V": "0.01",
				"M": "edges", "S": "0.5", "G": "2", "E": "1", "R:S": "2:0.5", "N:S": "2:0.5",
				"F": "2", "Q": "80"} {
				if value != placeholder {
					continue
				}
				switch name {
				case "matrix":
					example = "3"
				case "subsampling":
					example = "422"
				}
				var c, raw Camera
				if err := c.set(&raw, name, example); err != nil {
					t.Errorf("the help tells of %s: %v", field, err)
				}
			}
		}
	}
}

func BenchmarkDegrade(b *testing.B) {
	x := scene(1, 128, 128)
	rng := rand.New(rand.NewPCG(1, 2))
	for b.Loop() {
		if _, _, err := Draw(rng).Degrade(rng, x); err != nil {
			b.Fatal(err)
		}
	}
}

// LightSlope is the derivative of Light.
func TestLightSlope(t *testing.T) {
	for v := 0.0; v <= 0.99; v += 0.0137 {
		const h = 0.004
		if math.Abs(v-0.04045) < 2*h {
			continue // the slope jumps
		}
		lo, hi := max(v-h, 0), v+h
		want := float64(Light(float32(2*hi-1))-Light(float32(2*lo-1))) / (hi - lo)
		if got := LightSlope((lo + hi) / 2); math.Abs(got-want) > 0.002*(1+want) {
			t.Errorf("slope %g at %g, want %g", got, v, want)
		}
	}
}
