package nets

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/reference"
)

func newRand(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

func randomTensor(r *rand.Rand, s netdef.Shape, std float64) *netdef.Tensor {
	t := netdef.NewTensor(s)
	for i := range t.Data {
		t.Data[i] = std * r.NormFloat64()
	}
	return t
}

func run(t testing.TB, in, params map[string]*netdef.Tensor, outs ...*netdef.Node) []*netdef.Tensor {
	t.Helper()
	v, err := reference.Run(outs, in, params)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func distance(a, b []float64) float64 {
	d, n := 0.0, 0.0
	for i := range a {
		d += (a[i] - b[i]) * (a[i] - b[i])
		n += b[i] * b[i]
	}
	return math.Sqrt(d / (n + 1e-300))
}

func TestHaarMatrixIsOrthonormal(t *testing.T) {
	for i, a := range HaarMatrix {
		for j, b := range HaarMatrix {
			dot, want := 0.0, 0.0
			for k := range a {
				dot += a[k] * b[k]
			}
			if i == j {
				want = 1
			}
			if math.Abs(dot-want) > 1e-14 {
				t.Fatalf("rows %d and %d: %g", i, j, dot)
			}
		}
	}
}

// TestHaarChannels transforms pictures whose transform is known.
func TestHaarChannels(t *testing.T) {
	r := newRand(t)
	red, green, blue := r.Float64(), r.Float64(), r.Float64()
	for i, c := range Channels {
		coeff := func(f func(y, x int) float64) float64 {
			v := 0.0
			for y := range 4 {
				for x := range 4 {
					for rgb, s := range []float64{red, green, blue} {
						v += HaarMatrix[i][(y*4+x)*3+rgb] * s * f(y, x)
					}
				}
			}
			return v
		}
		colour := []float64{(red + green + blue) / math.Sqrt(3), (red - green) / math.Sqrt2, (red + green - 2*blue) / math.Sqrt(6)}[c.Colour]
		flat, edge, fine, checks := 0.0, 0.0, 0.0, 0.0
		switch {
		case c.Band == LL2:
			flat = 4 * colour
		case c.Band == H2:
			edge = 4 * colour
		case c.Band == V1 && c.DY == 1 && c.DX == 0:
			fine = 2 * colour
		case c.Band == D1:
			checks = 2 * colour
		}
		sign := func(v int) float64 { return 1 - 2*float64(v) }
		for name, got := range map[string][2]float64{
			"flat":          {coeff(func(_, _ int) float64 { return 1 }), flat},
			"vertical edge": {coeff(func(_, x int) float64 { return sign(x / 2) }), edge},
			"checks":        {coeff(func(y, x int) float64 { return sign((x + y) % 2) }), checks},
			"fine line": {coeff(func(y, x int) float64 {
				if y < 2 || x >= 2 {
					return 0
				}
				return sign(y % 2)
			}), fine},
		} {
			if math.Abs(got[0]-got[1]) > 1e-12 {
				t.Errorf("%s: channel %d (%v): %g, want %g", name, i, c.Band, got[0], got[1])
			}
		}
	}
}

func TestToFlowAndBack(t *testing.T) {
	r := newRand(t)
	cfg := tinyConfig()
	for i := range cfg.Mean {
		cfg.Mean[i] = r.Float32()
	}
	g := netdef.NewGraph()
	x := g.Input("x", netdef.Shape{2, 3, 8, 16})
	flow := ToFlow(g, cfg, g.Patchify(x))
	back := g.Unpatchify(FromFlow(g, cfg, flow))
	in := map[string]*netdef.Tensor{"x": randomTensor(r, x.Shape, 1)}
	v := run(t, in, nil, back, flow, Unhaar(g, Haar(g, flow)))
	if d := distance(v[0].Data, in["x"].Data); d > 1e-6 {
		t.Errorf("there and back is off by %g", d)
	}
	if d := distance(v[2].Data, v[1].Data); d > 1e-6 {
		t.Errorf("Unhaar does not undo Haar: %g", d)
	}
}
