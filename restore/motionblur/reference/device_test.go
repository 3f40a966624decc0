package reference

import (
	"context"
	"fmt"
	"testing"

	"github.com/vfmrestore/restore/gpu"
	"github.com/vfmrestore/restore/internal/gputest"
	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/restore/motionblur"
)

var testDev *gpu.Device

func TestMain(m *testing.M) {
	gputest.SmallKernels()
	gputest.Main(m, &testDev, "-")
}

// skipIfShort is for tests that only compare long sums in float64. The race detector would take
// minutes for them and has nothing to find there.
func skipIfShort(t *testing.T) {
	if testing.Short() {
		t.Skip("-short")
	}
}

// recorder remembers what a Backend returned for the last picture.
type recorder struct {
	motionblur.Backend
	likelihood *motionblur.Likelihood
	posterior  *motionblur.Posterior
	maps       []float32
}

func (r *recorder) LogSums(ctx context.Context, l *motionblur.Likelihood) error {
	r.likelihood = l
	return r.Backend.LogSums(ctx, l)
}

func (r *recorder) Moments(ctx context.Context, p *motionblur.Posterior, views, maps []float32) (bool, error) {
	r.posterior, r.maps = p, maps
	return r.Backend.Moments(ctx, p, views, maps)
}

// logLikelihood is the tempered log-likelihood of a blur kernel compared with the first one, for a
// shape of spectra.
func (r *recorder) logLikelihood(shape, kernel int) float64 {
	at := func(i int) float64 {
		return 4.5*r.likelihood.SumObserved[shape][i] - 2.5*r.likelihood.SumExpected[shape][i]
	}
	return -0.02 * (at(kernel) - at(0))
}

// A device computes what the host computes in float64, with either lowering of its programs.
func TestDevice(t *testing.T) {
	skipIfShort(t)
	network, err := KernelNetwork()
	if err != nil {
		t.Fatal(err)
	}
	for _, portable := range []bool{false, true} {
		t.Run(fmt.Sprint("portable ", portable), func(t *testing.T) {
			rng := newRand(t)
			programs, err := motionblur.NewPrograms(testDev, compile.Options{Portable: portable})
			if err != nil {
				t.Fatal(err)
			}
			defer programs.Close()
			run := func(ctx context.Context, p motionblur.Program, in []motionblur.Input, out [][]float32) error {
				if err := programs.Poison(); err != nil { // what a run does not write is NaN
					return err
				}
				return programs.Run(ctx, p, in, out)
			}
			host, dev := &recorder{Backend: New(0, network)}, &recorder{Backend: motionblur.NewDevice(run)}
			onHost, onDevice := motionblur.NewEstimator(host), motionblur.NewEstimator(dev)
			for _, size := range [][2]int{{256, 256}, {200, 100}, {70 + rng.IntN(100), 129 + rng.IntN(300)}, {800, 70}, {90, 1100}} {
				if portable && size[0] != 200 && size[0] != 90 {
					continue // it would take seconds, and differ only in size
				}
				sigma := 0.02 + 0.1*rng.Float64()
				y, _ := blurred(t, rng, scene(rng, size[0], size[1]), sigma)
				want, got := deblurred(t, onHost, y, sigma), deblurred(t, onDevice, y, sigma)
				for s := range host.likelihood.Signal {
					for i := range host.likelihood.SumExpected[s] {
						if a, b := dev.logLikelihood(s, i), host.logLikelihood(s, i); a-b > 1e-2 || a-b < -1e-2 {
							t.Fatalf("%v: the log-likelihood of blur kernel %d is %g more than that of the first on the device, %g on the host", size, i, a, b)
						}
					}
				}
				if d, most := apart(dev.maps, host.maps), apart(host.maps, make([]float32, len(host.maps))); !(d < 1e-4*most) {
					t.Errorf("%v: maps of the blur kernel are off by %g of %g", size, d, most)
				}
				if d := apart(got.Pix, want.Pix); !(d < 1e-3) {
					t.Errorf("%v: off by %g, blurred by %g", size, d, apart(y.Pix, want.Pix))
				}
			}
		})
	}
}
