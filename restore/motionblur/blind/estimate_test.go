package blind

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// scene draws flat and shaded shapes, with edges of all directions as in photographs.
func scene(rng *rand.Rand, w, h int) *Plane {
	const fine = 2 // it is drawn larger and reduced, so that edges are as soft as a lens makes them
	p := NewPlane(fine*w, fine*h)
	for i := range p.Pix {
		p.Pix[i] = 0.5
	}
	for range 150 {
		cx, cy := rng.Float64()*float64(p.W), rng.Float64()*float64(p.H)
		r := 4 + 50*rng.Float64()*rng.Float64()*fine
		s, c := math.Sincos(2 * math.Pi * rng.Float64())
		aspect, level, slope := 0.3+0.7*rng.Float64(), 0.1+0.8*rng.Float64(), 0.002*rng.NormFloat64()
		round := rng.IntN(2) == 0
		for y := max(0, int(cy-2*r)); y < min(p.H, int(cy+2*r)); y++ {
			for x := max(0, int(cx-2*r)); x < min(p.W, int(cx+2*r)); x++ {
				dx, dy := float64(x)-cx, float64(y)-cy
				u, v := (c*dx+s*dy)/r, (c*dy-s*dx)/(r*aspect)
				if round && u*u+v*v < 1 || !round && math.Abs(u) < 1 && math.Abs(v) < 1 {
					p.Pix[y*p.W+x] = min(max(level+slope*dx, 0.03), 0.97)
				}
			}
		}
	}
	return p.reduced(1.0 / fine)
}

// path is a blur kernel of two strokes of different weight, so that it differs from its half-turn.
func path(rng *rand.Rand) *kernel {
	k := newKernel(13)
	a := 2 * math.Pi * rng.Float64()
	b := a + (0.5+rng.Float64())*math.Pi/2
	x, y := 6-2*math.Cos(a)-2*math.Cos(b), 6-2*math.Sin(a)-2*math.Sin(b)
	for i := range 100 {
		d, weight := a, 2.0
		if i >= 50 {
			d, weight = b, 1.0
		}
		x, y = x+0.08*math.Cos(d), y+0.08*math.Sin(d)
		for dy := range k.n {
			for dx := range k.n {
				k.w[dy*k.n+dx] += weight * math.Exp(-(square(float64(dx)-x)+square(float64(dy)-y))/(2*0.5*0.5))
			}
		}
	}
	return k.threshold(0.001)
}

// seen blurs a scene by the definition and adds noise. It returns the middle of that, and the same
// part of the scene.
func seen(rng *rand.Rand, from *Plane, k *kernel, sigma float64) (y, x *Plane) {
	m := k.n / 2
	y = NewPlane(from.W-2*m, from.H-2*m)
	for i := range y.H {
		for j := range y.W {
			s := 0.0
			for a := range k.n {
				for b := range k.n {
					s += k.w[a*k.n+b] * from.Pix[(i+a)*from.W+j+b]
				}
			}
			y.Pix[i*y.W+j] = s + sigma*rng.NormFloat64()
		}
	}
	return y, from.Crop(m, m, y.W, y.H)
}

func psnr(a, b *Plane, margin int) float64 {
	sum, n := 0.0, 0
	for y := margin; y < a.H-margin; y++ {
		for x := margin; x < a.W-margin; x++ {
			sum += square(a.Pix[y*a.W+x] - b.Pix[y*b.W+x])
			n++
		}
	}
	return -10 * math.Log10(sum/float64(n))
}

func estimated(t *testing.T, y *Plane, o Options) *Result {
	t.Helper()
	o.Workers = 2
	r, err := Estimate(context.Background(), y, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Kernel.Check(); err != nil {
		t.Fatal(err)
	}
	for _, v := range r.Kernel.W {
		if v < 0 {
			t.Fatal("the blur kernel has a negative weight")
		}
	}
	return r
}

// The blur kernel of a scene is found with its direction, and deconvolution by it gains most of
// what the true one would.
func TestKernelIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	rng := rand.New(rand.NewPCG(5, 5))
	for i := range 1 {
		k := path(rng)
		y, x := seen(rng, scene(rng, 192, 180), k, 0.003)
		r := estimated(t, y, Options{Windows: []int{15, 21}})
		got, turned := fromTask(r.Kernel), newKernel(k.n)
		for j, v := range k.w {
			turned.w[len(k.w)-1-j] = v
		}
		like, unlike := similarity(got, k), similarity(got, turned)
		if !(like > 0.85) || !(unlike < like-0.05) || r.Certainty.Verdict != Blurred {
			t.Errorf("scene %d: similarity %.3f to the blur kernel, %.3f to its half-turn; %+v", i, like, unlike, r.Certainty)
		}
		if len(r.Candidates) != 2 || r.Candidates[0].Kernel.Size > 15 || r.Candidates[1].Kernel.Size > 21 {
			t.Errorf("candidates %+v", r.Candidates)
		}
		z, err := Deconvolve(context.Background(), y, r.Kernel, Deconvolution{})
		if err != nil {
			t.Fatal(err)
		}
		best, before := 0.0, psnr(y, x, 12)
		for dy := -3; dy <= 3; dy++ { // the result may be shifted
			for dx := -3; dx <= 3; dx++ {
				m := 12
				a, b := z.Crop(m+dx, m+dy, z.W-2*m, z.H-2*m), x.Crop(m, m, x.W-2*m, x.H-2*m)
				best = max(best, psnr(a, b, 0))
			}
		}
		if !(best > before+4) {
			t.Errorf("scene %d: %.2f dB, from %.2f", i, best, before)
		}
	}
}

// Sharp scenes are not taken for blurred, with little noise and with much.
func TestSharpIsLeftAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	rng := rand.New(rand.NewPCG(6, 6))
	for _, sigma := range []float64{0.002, 0.04} {
		y, _ := seen(rng, scene(rng, 170, 160), delta(3), sigma)
		if c := estimated(t, y, Options{Windows: []int{13, 19}}).Certainty; c.Verdict == Blurred {
			t.Errorf("noise %g: %+v", sigma, c)
		}
	}
}

// A picture without detail is not taken for blurred, and gives no NaN.
func TestNoDetail(t *testing.T) {
	flat, ramp := NewPlane(64, 64), NewPlane(64, 64)
	noisy := NewPlane(64, 64)
	rng := fresh(t)
	for i := range ramp.Pix {
		flat.Pix[i], ramp.Pix[i], noisy.Pix[i] = 0.5, float64(i%64)/64, 0.5+0.1*rng.NormFloat64()
	}
	for name, p := range map[string]*Plane{"flat": flat, "ramp": ramp, "noise": noisy} {
		c := estimated(t, p, Options{Windows: []int{9, 13}}).Certainty
		if c.Verdict == Blurred {
			t.Errorf("%s: %+v", name, c)
		}
		for _, v := range []float64{c.Width, c.Gain, c.Agreement, c.Noise} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%s: %+v", name, c)
			}
		}
	}
}

func TestEstimateRefuses(t *testing.T) {
	good := NewPlane(64, 64)
	bad := NewPlane(64, 64)
	bad.Pix[70] = math.NaN()
	for _, c := range []struct {
		p    *Plane
		o    Options
		want string
	}{
		{&Plane{W: 3, H: 3}, Options{}, "holds 0 values"},
		{bad, Options{}, "column 6 of row 1"},
		{good, Options{Windows: []int{}}, "no windows"},
		{good, Options{Windows: []int{8}}, "must be odd"},
		{good, Options{Windows: []int{35}}, "at least 70"},
		{NewPlane(12, 40), Options{}, "too small"},
		{good, Options{Unknown: make([]bool, 3)}, "map of unknown"},
	} {
		if _, err := Estimate(context.Background(), c.p, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v; want one that says %q", err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Estimate(ctx, good, Options{Windows: []int{9}}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// In a large picture the part with most detail is examined. Unknown pixels are no detail.
func TestRichest(t *testing.T) {
	rng := fresh(t)
	p := NewPlane(900, 700)
	for y := 300; y < 650; y++ {
		for x := 500; x < 800; x++ {
			p.Pix[y*p.W+x] = rng.Float64()
		}
	}
	w := richest(p, nil)
	part := p.Crop(w.X, w.Y, w.W, w.H)
	sum := 0.0
	for _, v := range part.Pix {
		sum += v
	}
	if part.W != mostSide || part.H != mostSide || sum < 0.4*350*300*0.7 {
		t.Errorf("%d×%d, sum %g", part.W, part.H, sum)
	}
	unknown := make([]bool, len(p.Pix))
	for i := range unknown {
		unknown[i] = i%p.W >= 400
	}
	p.Pix[100*p.W+100] = 1
	w = richest(p, unknown)
	part, hidden := p.Crop(w.X, w.Y, w.W, w.H), cutMap(unknown, p.W, w)
	at := -1
	for i, v := range part.Pix {
		if v == 1 && i > 0 && part.Pix[i-1] == 0 && part.Pix[i+1] == 0 {
			at = i
		}
	}
	if at < 0 || len(hidden) > 0 && hidden[at] {
		t.Error("the known part was not examined")
	}
}
