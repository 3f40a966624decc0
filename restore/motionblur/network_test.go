package motionblur

import (
	"context"
	"math"
	"math/cmplx"
	"strings"
	"testing"

	"github.com/vfmrestore/restore/netdef"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/netdef/reference"
	"github.com/vfmrestore/restore/weights"
)

// readInFloat64 asks the kernel network as the reference computes it.
func readInFloat64(t testing.TB) reader {
	network, err := Network()
	if err != nil {
		t.Fatal(err)
	}
	params := map[string]*netdef.Tensor{}
	for _, n := range network.Nodes {
		params[n.Name], _ = netdef.FromFloat32(n.Shape, network.Values[n.Name])
	}
	g := netdef.NewGraph()
	out := KernelMaps(g, viewsOf(g))
	return func(_ context.Context, views, parts []float32) error {
		in, err := netdef.FromFloat32(netdef.Shape{1, side, side, nets.KernelViews}, views)
		if err != nil {
			return err
		}
		got, err := reference.Run([]*netdef.Node{out}, map[string]*netdef.Tensor{inViews: in}, params)
		if err != nil {
			return err
		}
		for i, v := range got[0].Data {
			parts[i] = float32(v)
		}
		return nil
	}
}

// Moments of maps are what the definitions give: of the first what is even, and the sum of all maps' powers with the law's share.
func TestMoments(t *testing.T) {
	numbers(t)
	rng := fresh(t)
	e := NewEstimator(1)
	e.ask = func(context.Context, []float32, []float32) error { return nil }
	for range 400 { // few, so that the definition is quick
		e.maps[rng.IntN(len(e.maps))] = float32(rng.NormFloat64())
	}
	e.post.setMean(e.maps)
	for y := -30; y <= 30; y++ {
		for x := -30; x <= 30; x++ {
			at := func(y, x int) float64 { return float64(e.maps[((y+32)*side+x+32)*nets.KernelParts]) }
			if d := math.Abs(e.post.mean[(y+30)*kernelSide+x+30] - (at(y, x)+at(-y, -x))/2); d > 1e-6 {
				t.Fatalf("mean kernel at (%d, %d) is off by %g", x, y, d)
			}
		}
	}
	e.transformed()
	for range 20 {
		fy, fx := rng.IntN(window)-window/2, rng.IntN(window)-window/2
		var mean float64
		second := lawShare * LawPower(fx, fy)
		for c := range nets.KernelParts {
			sum := complex(0, 0)
			for i := range side * side {
				if v := e.maps[i*nets.KernelParts+c]; v != 0 {
					sum += complex(float64(v), 0) * cmplx.Rect(1, -2*math.Pi*float64(fy*(i/side-32)+fx*(i%side-32))/window)
				}
			}
			second += square(cmplx.Abs(sum))
			if c == 0 {
				mean = real(sum)
			}
		}
		i := e.middle.wrapped(fy, fx)
		if math.Abs(e.mean[i]-mean) > 1e-5 || math.Abs(e.second[i]-second) > 1e-5*(1+second) {
			t.Errorf("at (%d, %d): %g and %g, the definitions give %g and %g", fx, fy, e.mean[i], e.second[i], mean, second)
		}
	}
}

// Views are what the definitions give: the picture's power transformed at each displacement.
func TestViews(t *testing.T) {
	numbers(t)
	rng := fresh(t)
	e := NewEstimator(0)
	sigma := 0.02 + 0.1*rng.Float64()
	y, _ := shaken(t, rng, scene(rng, 150+rng.IntN(200), 260), sigma)
	views := make([]float32, side*side*nets.KernelViews)
	for i := range views {
		views[i] = float32(math.NaN())
	}
	if err := e.Views(t.Context(), views, y, sigma); err != nil {
		t.Fatal(err)
	}
	if e.img != nil {
		t.Error("the Estimator remembers the picture")
	}
	for i, v := range views {
		if math.IsNaN(float64(v)) {
			t.Fatalf("value %d was not written", i)
		}
	}
	variance := square(max(sigma, leastSigma))
	// log and whitened power, over the half plane with fy > 0, or fy = 0 and fx > 0.
	level, weight := 0.0, 0.0
	each := func(f func(fx, fy int, power, prior, pass float64)) {
		for fy := range powerSide {
			for fx := 1 - powerSide; fx < powerSide; fx++ {
				if fy == 0 && fx <= 0 {
					continue
				}
				sum := 0.0
				for a, u := range [3]float64{0.25, 0.5, 0.25} {
					for b, v := range [3]float64{0.25, 0.5, 0.25} {
						gx, gy := fx+a-1, fy+b-1
						s := 0
						if (gx < 0) != (gy < 0) {
							s = 1
						}
						sum += u * v * e.spectrum[s][min(max(gx, -gx), powerSide-1)*powerSide+min(max(gy, -gy), powerSide-1)]
					}
				}
				x, y := float64(fx)/window, float64(fy)/window
				f(fx, fy, sum, Spectrum(x, y), math.Exp(-(x*x+y*y)/square(passWidth)))
			}
		}
	}
	logOf := func(power, prior float64) float64 { return math.Log((power + variance/2) / (prior/10 + 1.5*variance)) }
	each(func(fx, fy int, power, prior, pass float64) { level += pass * logOf(power, prior); weight += pass })
	level /= weight
	for _, view := range []int{viewWhite, viewWhiteWide, viewCepstrum, viewCepstrumWide} {
		step := 1
		if view == viewWhiteWide || view == viewCepstrumWide {
			step = 2
		}
		at := func(dy, dx int) float64 {
			sum := 0.0
			each(func(fx, fy int, power, prior, pass float64) {
				f := square(float64(fx)/window) + square(float64(fy)/window)
				v := logOf(power, prior) - level
				switch view {
				case viewWhite, viewWhiteWide:
					v = f / (f + square(lowCut)) * (power - variance) / (prior + 4*variance)
				case viewCepstrumWide:
					v *= math.Exp(-f / square(passNarrow))
				}
				sum += pass * v * math.Cos(2*math.Pi*float64(step*(fy*dy+fx*dx))/window)
			})
			return sum
		}
		// Maps are shifted and scaled: differences of three places tell.
		var want, got [3]float64
		for i := range want {
			dy, dx := rng.IntN(side)-half, rng.IntN(side)-half
			if i == 0 {
				dy, dx = 0, 0
			}
			want[i], got[i] = at(dy, dx), float64(views[((dy+half)*side+dx+half)*nets.KernelViews+view])
		}
		a, b := (want[1]-want[0])*(got[2]-got[0]), (want[2]-want[0])*(got[1]-got[0])
		if scale := math.Abs(a) + math.Abs(b); math.Abs(a-b) > 1e-4*scale {
			t.Errorf("view %d: %v at three places, the definition gives %v", view, got, want)
		}
		sum, sq := 0.0, 0.0
		for i := view; i < len(views); i += nets.KernelViews {
			sum += float64(views[i])
			sq += square(float64(views[i]))
		}
		if math.Abs(sum) > 1 || math.Abs(sq/(side*side)-1) > 1e-3 {
			t.Errorf("view %d: sum %g, mean square %g", view, sum, sq/(side*side))
		}
	}
	// Of the posterior's the middle is taken.
	for range 20 {
		y, x := rng.IntN(side)-half, rng.IntN(side)-half
		got := views[((y+half)*side+x+half)*nets.KernelViews:]
		if want := viewMeanScale * e.post.mean[max(0, min(kernelSide-1, y+30))*kernelSide+max(0, min(kernelSide-1, x+30))]; max(y, -y, x, -x) <= 30 && math.Abs(float64(got[viewMean])-want) > 1e-6 {
			t.Errorf("mean kernel at (%d, %d): %g instead of %g", x, y, got[viewMean], want)
		}
		if want := 40 * e.post.auto[(y+autoReach)*autoSide+x+autoReach]; math.Abs(float64(got[viewAuto])-want) > 1e-6 {
			t.Errorf("autocorrelation at (%d, %d): %g instead of %g", x, y, got[viewAuto], want)
		}
	}
}

func TestNetworkFromFile(t *testing.T) {
	load := func() *weights.File {
		f, err := weights.Kernels()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	if _, err := NetworkFromFile(load()); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(f *weights.File){
		"network \"edge\"": func(f *weights.File) { f.Meta[weights.KeyNetwork] = "edge" },
		"should have shape": func(f *weights.File) {
			s := f.Find("kernels/in/w").Shape
			s[0], s[2] = s[2], s[0]
		},
		"kernels/out/b": func(f *weights.File) { f.Find("kernels/out/b").Name = "kernels/out/c" },
		"instead of": func(f *weights.File) {
			f.Tensors = append(f.Tensors, weights.Tensor{Name: "more", Shape: []int{1}, Data: []float32{1}})
		},
	} {
		f := load()
		spoil(f)
		if _, err := NetworkFromFile(f); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want an error with %q, got %v", name, err)
		}
	}
}
