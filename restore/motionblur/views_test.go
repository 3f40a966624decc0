package motionblur

import (
	"math"
	"testing"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/planar"
)

// The views are what the definitions give: the picture's power spectrum, transformed at each
// displacement.
func TestViews(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
	rng := newRand(t)
	e := newTestEstimator(t)
	sigma := 0.02 + 0.1*rng.Float64()
	y := planar.FromNRGBA(synth.Photo(rng.Uint64(), 150+rng.IntN(200), 260))
	views := make([]float32, mapSide*mapSide*nets.KernelViews)
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
	// log and whitened power, over the mapHalf plane with fy > 0, or fy = 0 and fx > 0.
	each := func(f func(fx, fy int, power, prior, pass float64)) {
		for fy := range PowerSide {
			for fx := 1 - PowerSide; fx < PowerSide; fx++ {
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
						sum += u * v * e.periodogram.mean[s][min(max(gx, -gx), PowerSide-1)*PowerSide+min(max(gy, -gy), PowerSide-1)]
					}
				}
				x, y := float64(fx)/WindowSide, float64(fy)/WindowSide
				f(fx, fy, sum, Spectrum(x, y), math.Exp(-(x*x+y*y)/square(passWidth)))
			}
		}
	}
	logOf := func(power, prior float64) float64 { return math.Log((power + variance/2) / (prior/10 + 1.5*variance)) }
	level, weight := 0.0, 0.0
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
				f := square(float64(fx)/WindowSide) + square(float64(fy)/WindowSide)
				v := logOf(power, prior) - level
				switch view {
				case viewWhite, viewWhiteWide:
					v = f / (f + square(lowCut)) * (power - variance) / (prior + 4*variance)
				case viewCepstrumWide:
					v *= math.Exp(-f / square(passNarrow))
				}
				sum += pass * v * math.Cos(2*math.Pi*float64(step*(fy*dy+fx*dx))/WindowSide)
			})
			return sum
		}
		// Maps are shifted and scaled, so the differences of three places are compared.
		var want, got [3]float64
		for i := range want {
			dy, dx := rng.IntN(mapSide)-mapHalf, rng.IntN(mapSide)-mapHalf
			if i == 0 {
				dy, dx = 0, 0
			}
			want[i], got[i] = at(dy, dx), float64(views[((dy+mapHalf)*mapSide+dx+mapHalf)*nets.KernelViews+view])
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
		if math.Abs(sum) > 1 || math.Abs(sq/(mapSide*mapSide)-1) > 1e-3 {
			t.Errorf("view %d: sum %g, mean square %g", view, sum, sq/(mapSide*mapSide))
		}
	}
	// The posterior's views are the middle of its moments.
	for range 20 {
		y, x := rng.IntN(mapSide)-mapHalf, rng.IntN(mapSide)-mapHalf
		got := views[((y+mapHalf)*mapSide+x+mapHalf)*nets.KernelViews:]
		if want := viewMeanScale * e.posterior.Mean[max(0, min(KernelSide-1, y+30))*KernelSide+max(0, min(KernelSide-1, x+30))]; max(y, -y, x, -x) <= 30 && math.Abs(float64(got[viewMean])-want) > 1e-6 {
			t.Errorf("mean kernel at (%d, %d): %g instead of %g", x, y, got[viewMean], want)
		}
		if want := 40 * e.posterior.Auto[(y+autoReach)*AutoSide+x+autoReach]; math.Abs(float64(got[viewAuto])-want) > 1e-6 {
			t.Errorf("autocorrelation at (%d, %d): %g instead of %g", x, y, got[viewAuto], want)
		}
	}
}

// Posterior.Mean is the even part of the kernel network's first map.
func TestSetMean(t *testing.T) {
	rng := newRand(t)
	maps := make([]float32, mapSide*mapSide*nets.KernelParts)
	for i := range maps {
		maps[i] = float32(rng.NormFloat64())
	}
	p := newPosterior()
	p.setMean(maps)
	for y := -30; y <= 30; y++ {
		for x := -30; x <= 30; x++ {
			at := func(y, x int) float64 { return float64(maps[((y+32)*mapSide+x+32)*nets.KernelParts]) }
			if d := math.Abs(p.Mean[(y+30)*KernelSide+x+30] - (at(y, x)+at(-y, -x))/2); d > 1e-6 {
				t.Fatalf("mean blur kernel at (%d, %d) is off by %g", x, y, d)
			}
		}
	}
}
