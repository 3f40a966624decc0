package reference

import (
	"context"
	"math"
	"math/cmplx"
	"testing"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/motionblur"
)

// The moments of the kernel network's maps are what the definitions give: the even part of the
// first map's transform, and the sum of the powers of all maps with the weighted prior.
func TestMoments(t *testing.T) {
	skipIfShort(t)
	rng := newRand(t)
	maps := make([]float32, mapSide*mapSide*nets.KernelParts)
	b := New(1, func(_, m []float32) error {
		for range 400 { // few, so that the sums of the definition are quick
			m[rng.IntN(len(m))] = float32(rng.NormFloat64())
		}
		return nil
	})
	if mapped, err := b.Moments(context.Background(), nil, nil, maps); !mapped || err != nil {
		t.Fatal(mapped, err)
	}
	const side = motionblur.WindowSide
	for range 20 {
		fy, fx := rng.IntN(side)-side/2, rng.IntN(side)-side/2
		var mean float64
		second := motionblur.NetworkPriorWeight * motionblur.PriorPower(fx, fy)
		for c := range nets.KernelParts {
			sum := complex(0, 0)
			for i := range mapSide * mapSide {
				if v := maps[i*nets.KernelParts+c]; v != 0 {
					sum += complex(float64(v), 0) * cmplx.Rect(1, -2*math.Pi*float64(fy*(i/mapSide-32)+fx*(i%mapSide-32))/side)
				}
			}
			second += absSquare(sum)
			if c == 0 {
				mean = real(sum)
			}
		}
		i := b.window.index(fy, fx)
		if math.Abs(b.mean[i]-mean) > 1e-5 || math.Abs(b.second[i]-second) > 1e-5*(1+second) {
			t.Errorf("at (%d, %d): %g and %g, the definitions give %g and %g", fx, fy, b.mean[i], b.second[i], mean, second)
		}
	}
}
