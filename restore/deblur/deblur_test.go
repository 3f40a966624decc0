package deblur

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/task"
)

// scene draws flat shapes, from dark to bright, as light from 0 to 1.
func scene(rng *rand.Rand, w, h int) []float64 {
	light := make([]float64, w*h)
	for i := range light {
		light[i] = 0.1
	}
	for range 120 {
		x0, y0 := rng.IntN(w), rng.IntN(h)
		x1, y1 := x0+3+rng.IntN(40), y0+3+rng.IntN(40)
		value := 0.1 + 0.85*rng.Float64() // of the display, so most light is dark
		turn := rng.Float64() - 0.5
		for y := y0; y < min(h, y1); y++ {
			for x := x0; x < min(w, x1); x++ {
				if at := x + int(turn*float64(y-y0)); at >= 0 && at < w {
					light[y*w+at] = float64(camera.Light(float32(2*value - 1)))
				}
			}
		}
	}
	return light
}

// hook is a blur kernel that differs from its half-turn.
func hook() *task.Kernel {
	k := &task.Kernel{Size: 11, W: make([]float32, 121)}
	for i := range 7 {
		k.W[2*11+2+i] = 2.0 / 20
	}
	for i := range 6 {
		k.W[(3+i)*11+8] = 1.0 / 20
	}
	return k
}

// blurred correlates a plane with k and cuts its rim.
func blurred(from []float64, w, h int, k *task.Kernel) (to []float64, tw, th int) {
	tw, th = w-k.Size+1, h-k.Size+1
	to = make([]float64, tw*th)
	for y := range th {
		for x := range tw {
			for i, v := range k.W {
				to[y*tw+x] += float64(v) * from[(y+i/k.Size)*w+x+i%k.Size]
			}
		}
	}
	return to, tw, th
}

// grey is a picture with the same values, 0 to 1, in all channels.
func grey(values []float64, w, h int) Picture {
	return Picture{W: w, H: h, Gray: true, Row: func(dst []float32, _, y, x int) {
		for i := range dst {
			dst[i] = float32(2*values[y*w+x+i] - 1)
		}
	}}
}

// displayed is light as values of the display, from 0 to 1, with noise.
func displayed(rng *rand.Rand, light []float64, sigma float64) []float64 {
	out := make([]float64, len(light))
	for i, v := range light {
		out[i] = (float64(camera.Display(float32(v)))+1)/2 + sigma*rng.NormFloat64()
	}
	return out
}

// A photograph's blur adds up light. A picture that holds light itself is blurred in its values.
// The true blur kernel tells one from the other.
func TestLightOrValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	ctx := context.Background()
	const w, h = 230, 220
	k := hook()
	light, tw, th := blurred(scene(rng, w, h), w, h, k)
	for _, c := range []struct {
		name   string
		values []float64
		light  bool
	}{
		{"photograph", displayed(rng, light, 0.003), true},
		{"light itself", light, false},
	} {
		p := grey(c.values, tw, th)
		f := blind.UniformField(tw, th, k)
		if err := p.SetLight(ctx, f); err != nil || f.Light != c.light {
			t.Errorf("%s: in light %v, %v; want %v", c.name, f.Light, err, c.light)
		}
	}
}

// shaken returns the values of a scene of w×h pixels whose light was blurred by hook, with a little
// noise, those of one whose values were blurred, without noise, and the size of both.
func shaken(rng *rand.Rand, w, h int) (light, values []float64, tw, th int) {
	from := scene(rng, w, h)
	light, tw, th = blurred(from, w, h, hook())
	values, _, _ = blurred(displayed(rng, from, 0), w, h, hook())
	return displayed(rng, light, 0.002), values, tw, th
}

// FindShared finds a blur of a picture's light. Of one whose values were blurred it is not sure.
func TestFindShared(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	rng := rand.New(rand.NewPCG(5, 1))
	light, values, w, h := shaken(rng, 420, 410)
	for _, c := range []struct {
		name   string
		values []float64
		sure   bool
	}{
		{"in light", light, true},
		{"in values", values, false},
	} {
		s, err := FindShared(t.Context(), grey(c.values, w, h))
		if err != nil {
			t.Fatal(err)
		}
		if sure := s.Field != nil && s.Field.Shared && s.Field.Light && !s.Field.Probable; sure != c.sure {
			t.Errorf("%s: %+v", c.name, s)
		}
	}
}

// FindInParts finds a blur of a small picture's light. Undoing blur of its values makes light negative,
// so that is not taken for one of light.
func TestFindInParts(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	rng := rand.New(rand.NewPCG(5, 4))
	light, values, w, h := shaken(rng, 310, 300)
	f, err := FindInParts(t.Context(), grey(light, w, h))
	if err != nil || f == nil || !f.Light || blind.Similarity(f.Best().Kernel, hook()) < 0.8 {
		t.Errorf("in light: %+v, %v", f, err)
	}
	if f, err := FindInParts(t.Context(), grey(values, w, h)); f != nil || err != nil {
		t.Errorf("in values: %+v, %v", f, err)
	}
}

// FindAgain finds a blur in values if it is the one that light shows.
func TestFindAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	rng := rand.New(rand.NewPCG(5, 1))
	values, w, h := blurred(displayed(rng, scene(rng, 420, 410), 0), 420, 410, hook())
	p := grey(values, w, h)
	other := &task.Kernel{Size: 11, W: make([]float32, 121)}
	for i := range 11 {
		other.W[11*i+i] = 1.0 / 11
	}
	f, err := FindAgain(t.Context(), p, hook())
	if err != nil || f == nil || !f.Shared || blind.Similarity(f.Best().Kernel, hook()) < 0.8 {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := FindAgain(t.Context(), p, other); f != nil || err != nil {
		t.Errorf("another blur kernel: %+v, %v", f, err)
	}
	small := grey(values[:80*80], 80, 80)
	if f, err := FindAgain(t.Context(), small, hook()); f != nil || err != nil {
		t.Errorf("a small picture: %+v, %v", f, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := FindAgain(ctx, p, hook()); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// A wrong blur kernel takes more light from dark places than they have.
func TestDarkShare(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 2))
	const w, h = 230, 220
	light, tw, th := blurred(scene(rng, w, h), w, h, hook())
	p := grey(displayed(rng, light, 0.001), tw, th)
	wrong := &task.Kernel{Size: 11, W: make([]float32, 121)}
	for i := range 11 {
		wrong.W[5*11+i] = 1.0 / 11
	}
	right, err := p.darkShare(t.Context(), blind.UniformField(tw, th, hook()))
	if err != nil {
		t.Fatal(err)
	}
	other, err := p.darkShare(t.Context(), blind.UniformField(tw, th, wrong))
	if err != nil || right > mostDark || other < 2*mostDark {
		t.Errorf("shares %g with the right blur kernel and %g with another, error %v", right, other, err)
	}
	for k, want := range map[*task.Kernel]bool{hook(): false, wrong: other > tooDarkInHalf} {
		if dark, err := Darkens(t.Context(), p, blind.UniformField(tw, th, k)); err != nil || dark != want {
			t.Errorf("share %g: darkens %v, %v", other, dark, err)
		}
	}
}

// Deconvolution in light undoes what a camera does; in values it does not.
func TestDeconvolveInLight(t *testing.T) {
	rng := rand.New(rand.NewPCG(rand.Uint64(), 1))
	const w, h = 150, 140
	k := hook()
	from := scene(rng, w, h)
	light, tw, th := blurred(from, w, h, k)
	p := grey(displayed(rng, light, 0.001), tw, th)
	sharp := displayed(rng, from, 0)
	gain := func(light bool) float64 {
		f := blind.UniformField(tw, th, k)
		f.Light = light
		got, err := Deconvolve(context.Background(), p, f, noise.White(0.002), true)
		if err != nil {
			t.Fatal(err)
		}
		sum, before, row := 0.0, 0.0, make([]float32, tw)
		for y := 10; y < th-10; y++ {
			p.Row(row, 0, y, 0)
			for x := 10; x < tw-10; x++ {
				want := 2*sharp[(y+k.Size/2)*w+x+k.Size/2] - 1
				d, b := float64(got[y*tw+x])-want, float64(row[x])-want
				sum, before = sum+d*d, before+b*b
			}
		}
		return 10 * math.Log10(before/sum)
	}
	if a, b := gain(true), gain(false); a < 10 || a < b+3 {
		t.Errorf("gains of %.1f dB in light and %.1f in values", a, b)
	}
}

func TestOpponentIsOrthonormal(t *testing.T) {
	pix := []float32{0.3, -0.7, 0.9, 0.1, 0.5, -0.2}
	was := append([]float32(nil), pix...)
	power := func() (s float64) {
		for _, v := range pix {
			s += float64(v) * float64(v)
		}
		return s
	}
	before := power()
	toOpponent(pix)
	if math.Abs(power()-before) > 1e-6 {
		t.Errorf("power %g, before %g", power(), before)
	}
	fromOpponent(pix)
	for i, v := range pix {
		if math.Abs(float64(v-was[i])) > 1e-6 {
			t.Errorf("value %d is %g, was %g", i, v, was[i])
		}
	}
}
