package trainhost

import (
	"math"
	"math/rand/v2"

	"github.com/vfmrestore/restore/restore/camera"
	"github.com/vfmrestore/restore/restore/defocus"
	"github.com/vfmrestore/restore/restore/motionblur/blind"
	"github.com/vfmrestore/restore/restore/planar"
)

// The distribution of blurs.
const (
	shareUnblurred             = 0.3
	shareDisc                  = 0.4      // of the blurred ones; the others are Gaussian
	minDeviation, maxDeviation = 0.3, 6.1 // of Gaussians, pixels
	maxRadius                  = 8.6      // of discs, pixels; the least is 2·minDeviation
)

// drawBlur draws no blur, or one whose width is log-uniform.
func drawBlur(rng *rand.Rand) defocus.Blur {
	if rng.Float64() < shareUnblurred {
		return defocus.Blur{}
	}
	b := defocus.Blur{Shape: defocus.Gaussian}
	least, most := minDeviation, maxDeviation
	if rng.Float64() < shareDisc {
		b.Shape, least, most = defocus.Disc, 2*minDeviation, maxRadius
	}
	b.Width = least * math.Pow(most/least, rng.Float64())
	return b
}

// Defocusing says how a camera that is out of focus shows a picture.
type Defocusing struct {
	Blur defocus.Blur
	// Gamma is the exponent from display values to the values that are blurred: 1 blurs display
	// values, 2.2 linear light.
	Gamma   float64
	Bright  float64 // brightness of the brightest highlights, relative to white; 1 for no highlights
	Noise   float64 // standard deviation, in 8-bit levels
	Coarse  float64 // standard deviation in pixels of a Gaussian filter over the noise; 0: white noise
	Quality int     // of JPEG; 0: none
}

// drawDefocusing draws blur in linear light or in display values, with some highlights brighter
// than white. Noise has 0 to 8 levels, a third of it coarser than white. JPEG has quality 75 and
// more.
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

// Shoot returns a picture as the camera shows it. The noise of the three planes is independent.
func (d Defocusing) Shoot(rng *rand.Rand, x *planar.Image) (*planar.Image, error) {
	out := planar.New(x.W, x.H)
	for c := range 3 {
		d.expose(rng, out.Plane(c), x.Plane(c), x.W, x.H)
	}
	return d.develop(rng, out)
}

// shootGrey is Shoot for the brightness of a picture, as grey. It takes a third of the time.
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

// develop compresses a picture and rounds it.
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
