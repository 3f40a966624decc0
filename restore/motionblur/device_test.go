package motionblur

import (
	"context"
	"fmt"
	"testing"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/netdef/compile"
)

var testDev *gpu.Device

func TestMain(m *testing.M) {
	gputest.SmallKernels()
	gputest.Main(m, &testDev, "-")
}

// numbers marks tests that are long sums in float64, compared; the race detector, which makes minutes of them, has nothing to see there.
func numbers(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
}

// runner runs programs on the tests' device. What a run does not write is NaN.
func runner(t testing.TB, portable bool) Runner {
	all, err := NewPrograms(testDev, compile.Options{Portable: portable})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(all.Close)
	return func(ctx context.Context, what Program, in []Input, out [][]float32) error {
		if p := all.list[what]; p != nil {
			if err := p.Poison(); err != nil {
				return err
			}
		}
		return all.Run(ctx, what, in, out)
	}
}

// On a device, by either lowering, comes out what comes out on the host, whose transforms and network are in float64.
func TestDevice(t *testing.T) {
	numbers(t)
	for _, portable := range []bool{false, true} {
		t.Run(fmt.Sprint("portable ", portable), func(t *testing.T) {
			rng := fresh(t)
			host, dev := NewEstimator(0), NewDeviceEstimator(runner(t, portable))
			host.ask = readInFloat64(t)
			for _, size := range [][2]int{{256, 256}, {200, 100}, {70 + rng.IntN(100), 129 + rng.IntN(300)}, {800, 70}, {90, 1100}} {
				if portable && size[0] != 200 && size[0] != 90 {
					continue // seconds, for what differs in sizes only
				}
				sigma := 0.02 + 0.1*rng.Float64()
				y, _ := shaken(t, rng, scene(rng, size[0], size[1]), sigma)
				want, got := deblurred(t, host, y, sigma), deblurred(t, dev, y, sigma)
				for i, s := range host.scores {
					if d := dev.scores[i] - dev.scores[0] - (s - host.scores[0]); d > 1e-2 || d < -1e-2 {
						t.Fatalf("%v: kernel %d scores %g more than the first on the device, %g on the host", size, i, dev.scores[i]-dev.scores[0], s-host.scores[0])
					}
				}
				if d, most := apart(dev.maps, host.maps), apart(host.maps, make([]float32, len(host.maps))); !(d < 1e-4*most) {
					t.Errorf("%v: maps of the kernel are off by %g of %g", size, d, most)
				}
				if d := apart(got.Pix, want.Pix); !(d < 1e-3) {
					t.Errorf("%v: off by %g, blurred by %g", size, d, apart(y.Pix, want.Pix))
				}
			}
		})
	}
}
