package reference

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/task"
)

func newRand(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 7))
}

// scene draws opaque rectangles and discs of random colour, large and small ones as in photographs.
func scene(rng *rand.Rand, w, h int) *planar.Image {
	m := planar.New(w, h)
	for range 300 {
		size := 6 / (0.03 + rng.Float64())
		x0, y0 := rng.Float64()*float64(w), rng.Float64()*float64(h)
		a, b := size*(0.3+rng.Float64()), size*(0.3+rng.Float64())
		round := rng.IntN(2) == 0
		grey, colour := 1.6*rng.Float64()-0.8, [3]float32{}
		for c := range colour {
			colour[c] = float32(grey + 0.2*(2*rng.Float64()-1))
		}
		for y := max(0, int(y0-b)); y < min(h, int(y0+b)); y++ {
			for x := max(0, int(x0-a)); x < min(w, int(x0+a)); x++ {
				u, v := (float64(x)-x0)/a, (float64(y)-y0)/b
				if round && u*u+v*v > 1 {
					continue
				}
				for c, v := range colour {
					m.Set(c, x, y, v)
				}
			}
		}
	}
	return m
}

// blurred blurs a picture by a blur kernel of the paper's distribution and adds noise.
func blurred(t *testing.T, rng *rand.Rand, x *planar.Image, sigma float64) (*planar.Image, *task.Kernel) {
	t.Helper()
	p, err := task.Draw(rng, task.MotionDeblur, x.W, x.H, 1)
	if err != nil {
		t.Fatal(err)
	}
	op, err := task.NewOperator(task.MotionDeblur, x.W, x.H, p)
	if err != nil {
		t.Fatal(err)
	}
	y, err := op.Observe(rng, x, sigma)
	if err != nil {
		t.Fatal(err)
	}
	return y, p.Kernel
}

// deblurred is the result of Deblur. It fails unless every value was written and is finite.
func deblurred(t *testing.T, e *motionblur.Estimator, y *planar.Image, sigma float64) *planar.Image {
	t.Helper()
	out := planar.New(y.W, y.H)
	for i := range out.Pix {
		out.Pix[i] = float32(math.NaN())
	}
	if err := e.Deblur(context.Background(), out.Pix, y, sigma); err != nil {
		t.Fatal(err)
	}
	for i, v := range out.Pix {
		if v != v || math.IsInf(float64(v), 0) {
			t.Fatalf("%d×%d, sigma %g: value %d is %v", y.W, y.H, sigma, i, v)
		}
	}
	return out
}

// apart is the largest difference.
func apart(a, b []float32) (worst float64) {
	for i := range a {
		worst = max(worst, math.Abs(float64(a[i]-b[i])))
	}
	return worst
}
