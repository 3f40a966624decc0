package trainhost

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/vfmrestore/restore/internal/synth"
	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/defocus"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/planar"
)

// DefocusFit is the training of the network that finds the width and the shape of a blur (defocus.Network).
type DefocusFit Fit

// defocusSample is one picture's statistics and what should be found.
type defocusSample struct {
	x [defocus.Features]float32
	y [defocus.Outputs]float32
}

// The law of the pictures.
const (
	defocusSideMin, defocusSideMax = 128, 288 // pixels, log-uniform
	sharpShare                     = 0.3
	discShare                      = 0.4 // of those that are blurred
	drawnShare                     = 0.1 // drawings, pages and rendered scenes instead of photographs
	leastDeviation, mostDeviation  = 0.3, 6.1
	mostDisc                       = 8.6 // radius
)

// Run draws the pictures, trains the network and gives it.
func (f DefocusFit) Run(ctx context.Context, pics *Pictures) (*defocus.Network, error) {
	samples := make([]defocusSample, f.Samples)
	err := drawSamples(ctx, len(samples), f.Report, func() func(i int) error {
		return func(i int) error { return f.sample(pics, uint64(i), &samples[i]) }
	})
	if err != nil {
		return nil, err
	}
	return f.fit(ctx, samples)
}

// sample makes one.
func (f DefocusFit) sample(pics *Pictures, i uint64, s *defocusSample) error {
	rng := rand.New(rand.NewPCG(f.Seed, i))
	side := min(int(defocusSideMin*math.Pow(float64(defocusSideMax)/defocusSideMin, rng.Float64())), pics.largest())
	var x *planar.Image
	if rng.Float64() < drawnShare {
		if rng.IntN(2) == 0 {
			x = planar.FromNRGBA(synth.Drawing(rng, side, side))
		} else {
			x = planar.FromNRGBA(synth.Photo(rng.Uint64(), side, side))
		}
	} else if x = pics.source(rng, sizeShares)(side); x == nil {
		return fmt.Errorf("no photograph of at least %d×%d pixels was drawn", side, side)
	}
	d := drawDefocusing(rng)
	s.y = defocus.Targets(d.Blur)
	y, err := d.shootGrey(rng, x)
	if err != nil {
		return err
	}
	defocus.Describe(y, defocus.Clipped(y), &s.x)
	return nil
}

// drawBlur draws no blur, or one whose deviation is log-uniform.
func drawBlur(rng *rand.Rand) defocus.Blur {
	if rng.Float64() < sharpShare {
		return defocus.Blur{}
	}
	b := defocus.Blur{Shape: defocus.Gaussian}
	least, most := leastDeviation, mostDeviation
	if rng.Float64() < discShare {
		b.Shape, least, most = defocus.Disc, 2*leastDeviation, mostDisc
	}
	b.Width = least * math.Pow(most/least, rng.Float64())
	return b
}

// Defocusing says how a camera out of focus shows a picture.
type Defocusing struct {
	Blur    defocus.Blur
	Gamma   float64 // of the tone curve that the blur is behind: 1 blurs displayed values, 2.2 light
	Bright  float64 // how much brighter than white the brightest highlights are, 1 for not at all
	Noise   float64 // standard deviation, in 8-bit levels
	Coarse  float64 // deviation of a Gaussian that the noise has gone through; 0: white
	Quality int     // of JPEG; 0: none
}

// drawDefocusing draws one: blurred in light or in displayed values, some highlights brighter than white, with noise of 0 to 8 levels, a third of it coarser than
// white, and JPEG of quality 75 and more.
func drawDefocusing(rng *rand.Rand) Defocusing {
	d := Defocusing{Blur: drawBlur(rng), Gamma: 1, Bright: 1}
	if rng.IntN(2) == 0 {
		d.Gamma = 1.6 + 1.2*rng.Float64()
		if rng.Float64() < 0.3 {
			d.Bright = 1 + 4*rng.Float64()
		}
	}
	if rng.Float64() < 0.7 {
		d.Noise = 0.3 * math.Pow(8/0.3, rng.Float64())
		if rng.IntN(3) == 0 {
			d.Coarse = 0.4 + 0.5*rng.Float64()
		}
	}
	if rng.Float64() < 0.6 {
		d.Quality = 75 + rng.IntN(26)
	}
	return d
}

// Shoot returns a picture as the camera shows it, with noise that is independent between its planes.
func (d Defocusing) Shoot(rng *rand.Rand, x *planar.Image) (*planar.Image, error) {
	out := planar.New(x.W, x.H)
	for c := range 3 {
		d.expose(rng, out.Plane(c), x.Plane(c), x.W, x.H)
	}
	return d.develop(rng, out)
}

// shootGrey is Shoot of the brightness of a picture, as grey, which costs a third.
func (d Defocusing) shootGrey(rng *rand.Rand, x *planar.Image) (*blind.Plane, error) {
	grey := planar.New(x.W, x.H)
	for i, v := range Brightness(x).Pix {
		grey.Pix[i] = float32(2*v - 1)
	}
	d.expose(rng, grey.Plane(0), grey.Plane(0), x.W, x.H)
	copy(grey.Plane(1), grey.Plane(0))
	copy(grey.Plane(2), grey.Plane(0))
	seen, err := d.develop(rng, grey)
	if err != nil {
		return nil, err
	}
	return Brightness(seen), nil
}

// expose blurs a plane and adds noise to it.
func (d Defocusing) expose(rng *rand.Rand, dst, src []float32, w, h int) {
	y := blind.NewPlane(w, h)
	for i, v := range src {
		v := (float64(v) + 1) / 2
		y.Pix[i] = math.Pow(v, d.Gamma) + (d.Bright-1)*max(v-0.85, 0)/0.15
	}
	for i, v := range d.Blur.Apply(y).Pix {
		dst[i] = float32(2*math.Pow(min(max(v, 0), 1), 1/d.Gamma) - 1)
	}
	d.addNoise(rng, dst, w, h)
}

// develop compresses and rounds.
func (d Defocusing) develop(rng *rand.Rand, x *planar.Image) (*planar.Image, error) {
	_, seen, err := camera.Camera{Round: true, Quality: d.Quality}.Degrade(rng, x)
	return seen, err
}

// Brightness is the mean of a picture's planes, from 0 to 1.
func Brightness(x *planar.Image) *blind.Plane {
	y, n := blind.NewPlane(x.W, x.H), x.W*x.H
	for i := range y.Pix {
		y.Pix[i] = (float64(x.Pix[i]+x.Pix[n+i]+x.Pix[2*n+i])/3 + 1) / 2
	}
	return y
}

func (d Defocusing) addNoise(rng *rand.Rand, p []float32, w, h int) {
	if d.Noise == 0 {
		return
	}
	field := blind.NewPlane(w, h)
	for i := range field.Pix {
		field.Pix[i] = rng.NormFloat64()
	}
	if d.Coarse > 0 {
		field = defocus.Blur{Shape: defocus.Gaussian, Width: d.Coarse}.Apply(field)
	}
	sq := 0.0
	for _, v := range field.Pix {
		sq += v * v
	}
	scale := d.Noise / 127.5 / math.Sqrt(sq/float64(w*h))
	for i, v := range field.Pix {
		p[i] += float32(scale * v)
	}
}

// fit trains the network.
func (f DefocusFit) fit(ctx context.Context, samples []defocusSample) (*defocus.Network, error) {
	held := len(samples) / 10
	check, learn := samples[:held], samples[held:]
	net := &defocus.Network{}
	normal(net.Mean[:], net.Scale[:], len(learn), func(k int) []float32 { return learn[k].x[:] })
	rng := Fit(f).newRand()
	w := newPerceptron(rng, net.Mean[:], net.Scale[:], [4]int{defocus.Features, len(net.A), len(net.B), defocus.Outputs})
	err := Fit(f).run(ctx, rng, w, len(learn), func(k int, weight float64) { w.crossEntropy(learn[k].x[:], learn[k].y[:], weight) }, func() string {
		storeDefocus(w, net)
		return fmt.Sprintf("cross-entropy %.3f on pictures for learning, %.3f on others",
			surprise(net, learn[:min(len(learn), 2000)]), surprise(net, check))
	})
	if err != nil {
		return nil, err
	}
	storeDefocus(w, net)
	return net, nil
}

// storeDefocus writes the weights to a network.
func storeDefocus(w *perceptron, net *defocus.Network) {
	w.layers[0].store(func(o int) []float32 { return net.A[o][:] }, net.BiasA[:])
	w.layers[1].store(func(o int) []float32 { return net.B[o][:] }, net.BiasB[:])
	w.layers[2].store(func(o int) []float32 { return net.C[o][:] }, net.BiasC[:])
}

// surprise is the mean cross-entropy.
func surprise(net *defocus.Network, samples []defocusSample) float64 {
	sum := 0.0
	for i := range samples {
		for o, v := range net.Run(samples[i].x[:]) {
			sum -= float64(samples[i].y[o]) * math.Log(max(float64(v), 1e-9))
		}
	}
	return sum / float64(max(1, len(samples)))
}
