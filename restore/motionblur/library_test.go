package motionblur

import (
	"math"
	"math/cmplx"
	"testing"
)

// The library's numbers are those of its blur kernels, and the colour axes are orthonormal.
func TestLibrary(t *testing.T) {
	rng := newRand(t)
	l := sharedLibrary()
	for range 10 {
		i, b := rng.IntN(len(l.kernels)), rng.IntN(len(l.bins))
		var sum complex128
		total := 0.0
		for _, w := range l.kernels[i] {
			y, x := int(w.at)/KernelSide-KernelSide/2, int(w.at)%KernelSide-KernelSide/2
			sum += cmplx.Rect(float64(w.w), -2*math.Pi*float64(l.bins[b].fy*y+l.bins[b].fx*x)/scoreGrid)
			total += float64(w.w)
		}
		if got, want := float64(l.kernelPower(i)[b]), square(cmplx.Abs(sum)); math.Abs(got-want) > 1e-6 || math.Abs(total-1) > 1e-5 {
			t.Errorf("blur kernel %d of sum %g, bin %d: |K|² = %g, want %g", i, total, b, got, want)
		}
		auto, power := make([]float64, AutoSide*AutoSide), 0.0
		l.kernels[i].addAuto(auto, 1)
		for at, v := range auto {
			y, x := at/AutoSide-autoReach, at%AutoSide-autoReach
			power += v * math.Cos(2*math.Pi*float64(l.bins[b].fy*y+l.bins[b].fx*x)/scoreGrid)
		}
		if want := square(cmplx.Abs(sum)); math.Abs(power-want) > 1e-9 {
			t.Errorf("blur kernel %d: its autocorrelation's spectrum at bin %d is %g, want %g", i, b, power, want)
		}
	}
	for i, a := range ColourAxes {
		for j, b := range ColourAxes {
			dot := a[0]*b[0] + a[1]*b[1] + a[2]*b[2]
			if want := map[bool]float64{true: 1}[i == j]; math.Abs(dot-want) > 1e-12 {
				t.Errorf("axes %d and %d: %g", i, j, dot)
			}
		}
	}
	seen := map[bin]bool{}
	for _, b := range l.bins {
		if seen[b] || seen[bin{-b.fy, -b.fx}] {
			t.Errorf("bin %v counts twice", b)
		}
		seen[b] = true
	}
}

// The prior's power is the mean of its blur kernels'.
func TestPriorPower(t *testing.T) {
	rng := newRand(t)
	l := sharedLibrary()
	for range 3 {
		x, y := rng.IntN(WindowSide)-WindowSide/2, rng.IntN(WindowSide)-WindowSide/2
		fx, fy := float64(x)/WindowSide, float64(y)/WindowSide
		want := 0.0
		for _, k := range l.kernels {
			sum := complex(0, 0)
			for _, w := range k {
				sum += complex(float64(w.w), 0) * cmplx.Rect(1, 2*math.Pi*(fx*float64(w.at%KernelSide)+fy*float64(w.at/KernelSide)))
			}
			want += square(cmplx.Abs(sum)) / float64(len(l.kernels))
		}
		if got := PriorPower(x, y); math.Abs(got-want) > 1e-6 {
			t.Errorf("%g at (%g, %g), the blur kernels' mean is %g", got, fx, fy, want)
		}
	}
}

func BenchmarkLibrary(b *testing.B) {
	for b.Loop() {
		newLibrary()
	}
}
