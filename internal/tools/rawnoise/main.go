// Command rawnoise measures the gain from knowing a sensor's noise. It takes synthetic scenes to
// the mosaic of a camera at several film speeds and develops them. It restores the pictures with
// the noise profile from the sensor's parameters, and with estimated noise.
//
//	go run ./internal/tools/rawnoise -count 8 -size 320
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math"
	"math/rand/v2"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore"
	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/metric"
	"github.com/vfmrestore/restore/restore/picture"
	"github.com/vfmrestore/restore/restore/planar"
	"github.com/vfmrestore/restore/restore/raw"
	"github.com/vfmrestore/restore/restore/task"
)

// full and black are the white and black level of the sensor, which has 14 bits.
const (
	full  = 15872
	black = 512
)

func main() {
	log.SetFlags(0)
	count := flag.Int("count", 8, "scenes")
	size := flag.Int("size", 320, "side of the scenes in pixels")
	scene := flag.Bool("scene", false,
		"compare with the scene, not with its mosaic without noise, developed")
	flag.Parse()
	model, err := restore.Open(restore.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	fmt.Println("| ISO | developed | noise found | noise known | worst: found | known |")
	fmt.Println("|---|---|---|---|---|---|")
	for _, iso := range []float64{400, 1600, 6400, 25600} {
		var sum [3]float64
		worst := [3]float64{1: math.Inf(1), 2: math.Inf(1)}
		for i := range *count {
			v, err := measure(model, uint64(i), *size, iso, *scene)
			if err != nil {
				log.Fatal(err)
			}
			for k := range v {
				sum[k] += v[k] / float64(*count)
				worst[k] = min(worst[k], v[k]-v[0])
			}
		}
		fmt.Printf("| %g | %.2f | %.2f | %.2f | %+.2f | %+.2f |\n", iso, sum[0], sum[1], sum[2],
			worst[1], worst[2])
	}
}

// measure gives the PSNR of a scene: developed, restored with estimated noise, and restored with
// known noise.
func measure(model *restore.Model, seed uint64, size int, iso float64, scene bool) (
	psnr [3]float64, err error) {
	rng := rand.New(rand.NewPCG(seed, uint64(iso)))
	truth := planar.FromNRGBA(synth.Photo(seed, size, size))
	clean, noisy := expose(rng, truth, iso)
	if !scene {
		developed, err := clean.Develop(raw.DefaultRendering)
		if err != nil {
			return psnr, err
		}
		truth = developed.Planar()
	}
	pic, err := noisy.Develop(raw.DefaultRendering)
	if err != nil {
		return psnr, err
	}
	profile, err := noisy.Profile(raw.DefaultRendering)
	if err != nil {
		return psnr, err
	}
	pics := [3]*picture.Picture{pic}
	for k, req := range []restore.Request{{Task: task.Denoise},
		{Task: task.Denoise, Profile: &profile}} {
		r, err := model.Restore(context.Background(), pic, req)
		if err != nil {
			return psnr, err
		}
		pics[1+k] = r.Picture
	}
	for k, p := range pics {
		if psnr[k], err = metric.PSNR(p.Planar(), truth); err != nil {
			return psnr, err
		}
	}
	return psnr, nil
}

// expose makes a sensor's mosaic of a scene, without and with noise.
func expose(rng *rand.Rand, x *planar.Image, iso float64) (clean, noisy *raw.Mosaic) {
	shot, read := camera.ISO(iso)
	law := raw.Noise{Shot: [3]float64{shot, shot, shot}, Read: [3]float64{read, read, read}}
	// A camera whose colours are less saturated than sRGB's, and the inverse matrix.
	gains := [3]float64{2, 1, 1.6}
	toCamera := [9]float64{0.7, 0.25, 0.05, 0.15, 0.75, 0.1, 0.05, 0.25, 0.7}
	toSRGB := [9]float64{20. / 13, -0.5, -0.5 / 13, -4. / 13, 1.5, -2.5 / 13, 0, -0.5, 1.5}
	mosaic := func() *raw.Mosaic {
		return &raw.Mosaic{W: x.W, H: x.H, Pix: make([]uint16, x.W*x.H),
			Black: [4]float64{black, black, black, black}, White: full, Gains: gains,
			Matrix: toSRGB, Noise: &law}
	}
	clean, noisy = mosaic(), mosaic()
	level := func(v float64) uint16 {
		return uint16(math.Round(min(max(black+v*(full-black), 0), full)))
	}
	for i := range clean.Pix {
		c := i%x.W&1 + i/x.W&1 // RGGB
		v := 0.0
		for k := range 3 {
			v += toCamera[3*c+k] * float64(camera.Light(x.Plane(k)[i]))
		}
		v /= gains[c]
		clean.Pix[i] = level(v)
		noisy.Pix[i] = level(v + math.Sqrt(shot*v+read)*rng.NormFloat64())
	}
	return clean, noisy
}
