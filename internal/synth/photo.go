// Package synth renders synthetic photographs from a seed, for the demonstration, the documentation
// and the tests, where no real photograph may be committed. They contain what restoration needs:
// smooth gradients, sharp edges, 1/f texture, fine strokes like lettering, saturated colours and
// shading, in the full range of sRGB.
package synth

import (
	"image"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
)

// samples is the number of subsamples per pixel along each axis.
const samples = 3

// scene gives the linear colour at a position. v runs from 0 at the top of the picture to 1 at the
// bottom, u from 0 at the left in the same unit. pixel is the size of a pixel in that unit, for
// details of the camera.
type scene interface {
	colour(u, v float64) rgb
}

// Photo renders an opaque picture of w×h pixels. It panics if a side is below 1. The same arguments
// give the same picture on every machine with the same floating-point rounding. Even seeds give
// landscapes, odd seeds still lifes. Larger pictures show the same scene with more pixels.
func Photo(seed uint64, w, h int) *image.NRGBA {
	if w < 1 || h < 1 {
		panic("synth: empty picture")
	}
	rng := rand.New(rand.NewPCG(seed, 0x5EED))
	aspect := float64(w) / float64(h)
	var s scene
	if seed%2 == 0 {
		s = newOutdoors(rng, aspect)
	} else {
		s = newStill(rng, aspect)
	}
	return render(s, w, h)
}

// render renders a scene on all cores.
func render(s scene, w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	var wg sync.WaitGroup
	parts := runtime.GOMAXPROCS(0)
	for p := 0; p < parts; p++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for y := p; y < h; y += parts {
				for x := 0; x < w; x++ {
					c := pixel(s, x, y, w, h)
					i := img.PixOffset(x, y)
					img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = encode(c[0]),
						encode(c[1]), encode(c[2]), 255
				}
			}
		}()
	}
	wg.Wait()
	return img
}

// pixel averages the subsamples and darkens the corners slightly, like a lens.
func pixel(s scene, x, y, w, h int) (sum rgb) {
	for j := 0; j < samples; j++ {
		for i := 0; i < samples; i++ {
			u := (float64(x) + (float64(i)+0.5)/samples) / float64(h)
			v := (float64(y) + (float64(j)+0.5)/samples) / float64(h)
			sum = sum.add(s.colour(u, v))
		}
	}
	dx, dy := float64(x)/float64(w)-0.5, float64(y)/float64(h)-0.5
	return develop(sum.scale((1 - 0.35*math.Min(1, dx*dx+dy*dy)) / (samples * samples)))
}

// develop raises the contrast, like a camera's tone curve.
func develop(c rgb) rgb {
	for i, v := range c {
		c[i] = 1.15 * math.Pow(math.Max(0, v-0.002), 1.2)
	}
	return c
}
