package noise_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/planar"
)

// Noise of every kind is found in scenes that the network has never seen, within a factor on
// average and a larger one for each picture.
func TestKindsOfNoise(t *testing.T) {
	var scenes []*planar.Image
	for seed := range uint64(6) {
		scenes = append(scenes, planar.FromNRGBA(synth.Photo(900+seed, 256, 256)))
	}
	for _, k := range []struct {
		spec       string
		mean, each float64 // largest factor by which the level may be off
	}{
		{"white=5", 1.25, 1.6},
		{"white=15", 1.15, 1.3},
		{"white=25", 1.12, 1.25},
		{"white=50", 1.12, 1.25},
		{"white=25,subsampling=420", 1.25, 1.5},
		{"white=25,subsampling=422", 1.25, 1.5},
		{"white=25,jpeg=95", 1.25, 1.5},
		{"white=25,mosaic=1", 1.25, 1.5},
		{"iso=3200", 1.3, 2},
		{"iso=6400,jpeg=90", 1.3, 2},
		{"iso=6400,demosaic=bilinear,chroma=3:0.8,luma=12:0.5,jpeg=92", 1.4, 2.2},
		{"jpeg=10", 1.4, 2},
		{"jpeg=30", 1.5, 2.2},
	} {
		sum := 0.0
		for i, x := range scenes {
			rng := rand.New(rand.NewPCG(17, uint64(i)))
			c, err := camera.Parse(k.spec, rng)
			if err != nil {
				t.Fatal(err)
			}
			clean, noisy, err := c.Degrade(rng, x)
			if err != nil {
				t.Fatal(err)
			}
			truth, found := noise.Measure(clean, noisy), noise.Estimate(noisy, nil)
			off := math.Log(found.Sigma() / truth.Sigma())
			sum += off / float64(len(scenes))
			t.Logf("%s, scene %d: %.2f levels found, %.2f there", k.spec, i, 127.5*found.Sigma(), 127.5*truth.Sigma())
			if math.Abs(off) > math.Log(k.each) {
				t.Errorf("%s, scene %d: found %.2f levels, there are %.2f", k.spec, i, 127.5*found.Sigma(), 127.5*truth.Sigma())
			}
		}
		if math.Abs(sum) > math.Log(k.mean) {
			t.Errorf("%s: off by a factor of %.2f on the average", k.spec, math.Exp(sum))
		}
	}
}

// Hardly any noise is found in pictures without noise: drawings, rendered scenes and gradients,
// also in grey and with more than 8 bits.
func TestCleanPictures(t *testing.T) {
	const worst, mean = 4.0, 0.6 // levels of 255
	sum, n := 0.0, 0
	check := func(name string, x *planar.Image) {
		s := 127.5 * noise.Estimate(x, nil).Sigma()
		sum, n = sum+s, n+1
		if s > worst {
			t.Errorf("%s: %.2f levels of noise found in a picture without any", name, s)
		}
	}
	for i := range 24 {
		rng := rand.New(rand.NewPCG(1e6, uint64(i)))
		x := planar.FromNRGBA(synth.Drawing(rng, 200+rng.IntN(200), 200+rng.IntN(200)))
		check("drawing", x)
	}
	for seed := range uint64(6) {
		x := planar.FromNRGBA(synth.Photo(950+seed, 256, 192))
		check("scene", x)
		for i := range x.W * x.H {
			v := (x.Plane(0)[i] + x.Plane(1)[i] + x.Plane(2)[i]) / 3
			x.Plane(0)[i], x.Plane(1)[i], x.Plane(2)[i] = v, v, v
		}
		check("grey scene with values between the levels of 8 bits", x)
	}
	ramp := planar.New(256, 256)
	for i := range ramp.Pix {
		ramp.Pix[i] = float32(i%256)/128 - 1
	}
	check("ramp", ramp)
	if sum/float64(n) > mean {
		t.Errorf("%.2f levels found in clean pictures on the average", sum/float64(n))
	}
}
