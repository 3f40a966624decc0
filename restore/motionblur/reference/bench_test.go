package reference

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/netdef/compile"
	"github.com/vfmrestore/restore/restore/motionblur"
)

// What the second view costs on the host, on one core and on all, and on the device.
func BenchmarkDeblur(b *testing.B) {
	for _, side := range []struct {
		name string
		w, h int
	}{{"256x256", 256, 256}, {"1280x720", 1280, 720}} {
		for _, where := range []struct {
			name string
			make func(b *testing.B) *motionblur.Estimator
		}{
			{"host1", func(*testing.B) *motionblur.Estimator { return NewEstimator(1) }},
			{"host", func(*testing.B) *motionblur.Estimator { return NewEstimator(0) }},
			{"device", func(b *testing.B) *motionblur.Estimator {
				p, err := motionblur.NewPrograms(testDev, compile.Options{})
				if err != nil {
					b.Fatal(err)
				}
				b.Cleanup(p.Close)
				return motionblur.NewDeviceEstimator(p.Run)
			}},
		} {
			b.Run(side.name+"/"+where.name, func(b *testing.B) {
				y := scene(rand.New(rand.NewPCG(1, 2)), side.w, side.h)
				out := make([]float32, len(y.Pix))
				e := where.make(b)
				if err := e.Deblur(context.Background(), out, y, 0.05); err != nil { // builds programs
					b.Fatal(err)
				}
				for b.Loop() {
					if err := e.Deblur(context.Background(), out, y, 0.05); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)*1e9/float64(side.w*side.h), "ns/pixel")
			})
		}
	}
}
