package motionblur

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/restore/planar"
)

var testDev *gpu.Device

func TestMain(m *testing.M) {
	gputest.SmallKernels()
	gputest.Main(m, &testDev, "-")
}

func newRand(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 7))
}

// newTestEstimator computes on the tests' device. Package reference's tests compare its results.
func newTestEstimator(t testing.TB) *Estimator {
	all, err := NewPrograms(testDev, compile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(all.Close)
	return NewDeviceEstimator(all.Run)
}

// noise is a picture of white noise.
func noise(rng *rand.Rand, w, h int) *planar.Image {
	m := planar.New(w, h)
	for i := range m.Pix {
		m.Pix[i] = 0.1 * float32(rng.NormFloat64())
	}
	return m
}

func TestNoAllocation(t *testing.T) {
	y := noise(newRand(t), 128, 96)
	out := make([]float32, len(y.Pix))
	e := newTestEstimator(t)
	deblur := func() {
		if err := e.Deblur(context.Background(), out, y, 0.05); err != nil {
			t.Fatal(err)
		}
	}
	deblur() // the first run of a program records what depends on settings too, the second does not
	if n := testing.AllocsPerRun(3, deblur); n > 0 {
		t.Errorf("%v allocations a picture", n)
	}
}

// Excluded pixels take nothing from the power of the others. White noise has the same power at
// every frequency, however much of it is left.
func TestExcludePixels(t *testing.T) {
	rng := newRand(t)
	const w, h = 600, 400
	e := newTestEstimator(t)
	mean := func(m *planar.Image) float64 {
		e.w, e.h = w, h
		e.src = func(dst []float32, c, y, x int) { copy(dst, m.Pix[(c*h+y)*w+x:]) }
		defer e.End()
		if err := e.measure(context.Background()); err != nil {
			t.Fatal(err)
		}
		sum := 0.0
		for _, v := range e.periodogram.observed {
			sum += v / float64(len(e.periodogram.observed))
		}
		return sum
	}
	m := noise(rng, w, h)
	all := mean(m)
	for _, left := range []int{450, 250, 90} {
		for i := range m.Pix {
			if i%w >= left {
				m.Pix[i] = 0
			}
		}
		without := mean(m)
		e.ExcludePixels(func(i int) bool { return i%w >= left })
		if with := mean(m); with < 0.7*all || with > 1.4*all || without > 0.85*all {
			t.Errorf("%d of %d columns left: %.3f of the power, %.3f if nothing is excluded", left, w, with/all, without/all)
		}
	}
	e.ExcludePixels(func(int) bool { return true })
	if v := mean(m); math.IsNaN(v) || math.IsInf(v, 0) {
		t.Errorf("with all pixels excluded the power is %g", v)
	}
}
