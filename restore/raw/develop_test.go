package raw

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/vfmrestore/restore/internal/matrix3"
	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/metric"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/planar"
)

// display is sRGB's curve (IEC 61966-2-1) followed by the S-curve, to [-1, 1], in float64.
func display(v, share float64) float64 {
	v = min(max(v, 0), 1)
	if v <= 0.0031308 {
		v *= 12.92
	} else {
		v = 1.055*math.Pow(v, 1/2.4) - 0.055
	}
	return 2*((1-share)*v+share*(3*v*v-2*v*v*v)) - 1
}

// linear is the inverse of display without a share.
func linear(v float64) float64 {
	v = (v + 1) / 2
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

// A mosaic of one colour becomes a picture of the colour that the formulas give.
func TestDevelopsColour(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 4))
	for range 60 {
		m := &Mosaic{W: 2 + rng.IntN(20), H: 2 + rng.IntN(90), Pattern: Pattern(rng.IntN(4)),
			White: 1000 + 60000*rng.Float64(), Exposure: 1 + rng.Float64()}
		for k := range m.Black {
			m.Black[k] = 900 * rng.Float64()
		}
		light := [3]float64{}
		for c := range 3 {
			m.Gains[c] = 0.5 + 2*rng.Float64()
			light[c] = 1.1 * rng.Float64()
		}
		for r := range 3 {
			for k := range 3 {
				m.Matrix[3*r+k] = rng.NormFloat64() / 5
			}
			m.Matrix[4*r] = 1 - m.Matrix[3*r+(r+1)%3] - m.Matrix[3*r+(r+2)%3]
		}
		m.Pix = make([]uint16, m.W*m.H)
		seen := [3]float64{} // with levels rounded
		for i := range m.Pix {
			x, y := i%m.W, i/m.W
			c := map[Pattern][4]int{RGGB: {0, 1, 1, 2}, BGGR: {2, 1, 1, 0}, GRBG: {1, 0, 2, 1},
				GBRG: {1, 2, 0, 1}}[m.Pattern][x%2+2*(y%2)]
			b := m.Black[x%2+2*(y%2)]
			m.Pix[i] = uint16(math.Round(min(max(b+light[c]*(m.White-b), 0), 65535)))
			seen[c] = (float64(m.Pix[i]) - b) / (m.White - b)
		}
		least := min(m.Gains[0], m.Gains[1], m.Gains[2])
		var want [3]float64
		share := float64(rng.IntN(101)) / 100
		slope := 0.0 // of light by a level
		for c := range 3 {
			for k := range 3 {
				want[c] += m.Exposure * m.Matrix[3*c+k] * min(seen[k]*m.Gains[k]/least, 1)
				slope = max(slope, math.Abs(m.Matrix[3*c+k])*m.Gains[k]/least/(m.White-900))
			}
			want[c] = display(want[c], share)
		}
		// sRGB's curve is steepest at black, S-curves at most 3/2
		tolerance := 2e-3 + 3*2*12.92*3*slope
		for _, bilinear := range []bool{false, true} {
			p, err := m.Develop(Rendering{Curve: share, Bilinear: bilinear})
			if err != nil || p.W != m.W || p.H != m.H || p.Depth != 16 {
				t.Fatal(err)
			}
			for i, v := range p.Pix {
				if !(math.Abs(float64(v)-want[i/(m.W*m.H)]) < tolerance) {
					t.Fatalf("%v, pixel %d: %g, want %v", m.Pattern, i, v, want)
				}
			}
		}
	}
}

// scene is a synthetic photograph as a mosaic of 16 bits, by the formulas in float64.
func scene(rng *rand.Rand, w, h int, pattern Pattern) (*Mosaic, *planar.Image) {
	x := planar.FromNRGBA(synth.Photo(rng.Uint64(), w, h))
	m := &Mosaic{W: w, H: h, Pattern: pattern, Black: [4]float64{1024, 1030, 1020, 1024},
		White: 60000, Gains: [3]float64{2, 1, 1.6}}
	// sRGB to the camera's
	camera := matrix3.Matrix{0.9, 0.15, -0.05, 0.1, 0.8, 0.1, 0.05, 0.25, 0.7}
	inverse, _ := camera.Inverse()
	m.Matrix = inverse
	m.Pix = make([]uint16, w*h)
	for i := range m.Pix {
		u, v := i%w, i/w
		c, k := pattern.colour(u, v), u%2+2*(v%2)
		light := 0.0
		for j := range 3 {
			light += camera[3*c+j] * linear(float64(x.Plane(j)[i]))
		}
		light /= m.Gains[c]
		m.Pix[i] = uint16(math.Round(min(max(m.Black[k]+light*(m.White-m.Black[k]), 0), 65535)))
	}
	return m, x
}

// A picture that is taken to the sensor and developed comes back, up to demosaicing: as near as
// with the camera model.
func TestDevelopsScene(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 5))
	for p := RGGB; p <= BGGR; p++ {
		m, x := scene(rng, 90, 140, p)
		got, err := m.Develop(Rendering{})
		if err != nil {
			t.Fatal(err)
		}
		px, py := p.phase()
		model := camera.Camera{Raw: true, RedGain: 2, BlueGain: 1.6, Exposure: 1,
			Demosaic: camera.EdgeDirected, PhaseX: px, PhaseY: py}
		clean, _, err := model.Degrade(rng, x)
		if err != nil {
			t.Fatal(err)
		}
		a, err1 := metric.PSNR(got.Planar(), x)
		b, err2 := metric.PSNR(clean, x)
		if err1 != nil || err2 != nil || !(a > b-2.5) {
			t.Errorf("%v: %.1f dB, by the camera model %.1f", p, a, b)
		}
	}
}

// Bands give the same as one piece, and Levels the same as floats.
func TestBands(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 6))
	for _, h := range []int{2, 63, 64, 65, 131, 200} {
		m := &Mosaic{W: 2 + rng.IntN(50), H: h, Pattern: Pattern(rng.IntN(4)), White: 65535,
			Gains: [3]float64{2, 1, 1.5}}
		m.Pix = make([]uint16, m.W*m.H)
		for i := range m.Pix {
			m.Pix[i] = uint16(rng.IntN(1 << 16))
		}
		whole := planar.New(m.W, m.H)
		light := m.lights()
		for i, v := range m.Pix {
			x, y := i%m.W, i/m.W
			c := m.Pattern.colour(x, y)
			whole.Plane(c)[i] = float32(min(light.at(float64(v), x, y, c), 1))
		}
		m.finish(DefaultRendering, whole, 0)
		p, err := m.Develop(DefaultRendering)
		if err != nil {
			t.Fatal(err)
		}
		packed, err := m.develop(DefaultRendering, true)
		if err != nil {
			t.Fatal(err)
		}
		levels := packed.Unpacked()
		for i, v := range whole.Pix {
			if p.Pix[i] != v || math.Abs(float64(levels.Pix[i]-v)) > 1.01/65535 {
				t.Fatalf("%d rows, value %d: %g and %g, in one piece %g", h, i, p.Pix[i],
					levels.Pix[i], v)
			}
		}
	}
}

// A Developer gives the same results for a sequence of mosaics as separate calls, and allocates no
// memory.
func TestDeveloper(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 16))
	d := NewDeveloper()
	for range 4 {
		m := &Mosaic{W: 2 + rng.IntN(40), H: 2 + rng.IntN(150), White: 65535}
		m.Pix = make([]uint16, m.W*m.H)
		for i := range m.Pix {
			m.Pix[i] = uint16(rng.IntN(1 << 16))
		}
		for i := range d.bands {
			for k := range d.bands[i].Pix {
				d.bands[i].Pix[k] = float32(math.NaN())
			}
		}
		pix := make([]float32, 3*len(m.Pix))
		for i := range pix {
			pix[i] = float32(math.NaN())
		}
		want, err := m.Develop(DefaultRendering)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Develop(pix, m, DefaultRendering); err != nil || !slices.Equal(pix, want.Pix) {
			t.Errorf("%d×%d: another picture, %v", m.W, m.H, err)
		}
		if n := testing.AllocsPerRun(10,
			func() { _ = d.Develop(pix, m, DefaultRendering) }); n > 0 {
			t.Errorf("%g allocations", n)
		}
		if err := d.Develop(pix[1:], m, DefaultRendering); err == nil {
			t.Error("too few places")
		}
	}
}

// The profile equals the noise of a developed noisy mosaic. The accuracy depends on the scene,
// because patches cover a part of it, so the scene is always the same.
func TestProfile(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	original, _ := scene(rng, 256, 192, Pattern(rng.IntN(4)))
	for _, iso := range []float64{400, 3200, 12800} {
		m := *original
		m.Pix = slices.Clone(original.Pix)
		shot, read := camera.ISO(iso)
		m.Noise = &Noise{[3]float64{shot, shot, shot}, [3]float64{read, read, read}}
		clean, err := m.Develop(DefaultRendering)
		if err != nil {
			t.Fatal(err)
		}
		for i, level := range original.Pix {
			b := m.Black[i%m.W%2+2*(i/m.W%2)]
			v := (float64(level) - b) / (m.White - b)
			v += math.Sqrt(shot*max(v, 0)+read) * rng.NormFloat64()
			m.Pix[i] = uint16(math.Round(min(max(b+v*(m.White-b), 0), m.White)))
		}
		noisy, err := m.Develop(DefaultRendering)
		if err != nil {
			t.Fatal(err)
		}
		want := noise.Measure(clean.Planar(), noisy.Planar())
		got, err := m.Profile(DefaultRendering)
		if err != nil || !got.Found {
			t.Fatal(err)
		}
		for b := range noise.Bands {
			for what, v := range map[string][2]float64{"luminance": {got.Luma[b], want.Luma[b]},
				"chroma": {got.Chroma[b], want.Chroma[b]}} {
				// At edges noise also changes the direction of demosaicing, which causes the finest
				// noise of colour. Smooth patches do not show this.
				within := 0.4
				if what == "chroma" && b == int(noise.Diagonal) {
					within = 0.6
				}
				if !(math.Abs(math.Log(v[0]/v[1])) < within || math.Abs(v[0]-v[1]) < 0.75/127.5) {
					t.Errorf("ISO %g, %s, band %d: %.2f levels of 255, in truth %.2f", iso, what, b,
						127.5*v[0], 127.5*v[1])
				}
			}
		}
		if again, _ := m.Profile(DefaultRendering); again != got {
			t.Error("the same mosaic has another profile")
		}
	}
	m, _ := scene(rng, 40, 30, RGGB)
	if _, err := m.Profile(DefaultRendering); err == nil {
		t.Error("a profile of noise that is not known")
	}
	if n := NewNoise(2, 8, 100, 1124); n.Shot[1] != 2./1024 || n.Read[2] != 64./1024/1024 {
		t.Errorf("%+v", n)
	}
}

// ToLinear undoes the curve, and the file says that it is linear.
func TestLinear(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 8))
	for _, packed := range []bool{false, true} {
		m, _ := scene(rng, 30, 20, GRBG)
		p, err := m.develop(DefaultRendering, packed)
		if err != nil {
			t.Fatal(err)
		}
		before := p.Unpacked().Planar().Clone()
		DefaultRendering.ToLinear(p)
		after := p.Unpacked().Pix
		for i, v := range before.Pix {
			if got := display((float64(after[i])+1)/2, DefaultRendering.Curve); math.Abs(
				got-float64(v)) > 4e-3 {
				t.Fatalf("value %d: light %g is shown as %g, was %g", i, after[i], got, v)
			}
		}
		if p.ICC == nil {
			t.Error("no profile says that it is linear")
		}
	}
}

func TestChecks(t *testing.T) {
	good := func() *Mosaic { return &Mosaic{W: 2, H: 2, Pix: make([]uint16, 4), White: 1023} }
	if _, err := good().Develop(DefaultRendering); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(m *Mosaic){
		"no sides":           func(m *Mosaic) { m.W, m.H, m.Pix = 0, 0, nil },
		"a line":             func(m *Mosaic) { m.W, m.H = 4, 1 },
		"few":                func(m *Mosaic) { m.Pix = m.Pix[:3] },
		"pattern":            func(m *Mosaic) { m.Pattern = 4 },
		"black":              func(m *Mosaic) { m.Black[3] = 1023 },
		"black is no number": func(m *Mosaic) { m.Black[0] = math.NaN() },
		"white":              func(m *Mosaic) { m.White = math.Inf(1) },
		"gains":              func(m *Mosaic) { m.Gains = [3]float64{1, 0, 1} },
		"matrix":             func(m *Mosaic) { m.Matrix[5] = math.NaN() },
		"exposure":           func(m *Mosaic) { m.Exposure = -1 },
		"noise":              func(m *Mosaic) { m.Noise = &Noise{Shot: [3]float64{0, -1, 0}} },
	} {
		m := good()
		change(m)
		var e *Error
		if _, err := m.Develop(DefaultRendering); !errors.As(err, &e) {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := m.Profile(DefaultRendering); err == nil {
			t.Errorf("%s: has a profile", what)
		}
	}
	if _, err := good().Develop(Rendering{Curve: 2}); err == nil {
		t.Error("a curve of 2")
	}
}
