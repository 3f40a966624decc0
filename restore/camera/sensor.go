package camera

import (
	"math"
	"math/rand/v2"

	"github.com/vfmrestore/restore/internal/matrix3"
	"github.com/vfmrestore/restore/restore/planar"
)

// matrices take linear sRGB to a camera's colours. The first is the identity; the others are of
// Sony ILCE-7R, Olympus E-M10, Huawei Nexus 6P and Samsung Galaxy S6. Each is the product of the
// camera's XYZ matrix and sRGB's, with rows scaled to sums of 1, so that white stays white.
var matrices, inverses = colourMatrices()

func colourMatrices() (to, from []matrix3.Matrix) {
	srgb := matrix3.Matrix{0.4124564, 0.3575761, 0.1804375, 0.2126729, 0.7151522, 0.0721750,
		0.0193339,
		0.1191920, 0.9503041}
	to = []matrix3.Matrix{matrix3.Identity}
	for _, m := range []matrix3.Matrix{
		{0.4913, -0.0541, -0.0202, -0.6130, 1.3513, 0.2906, -0.1564, 0.2151, 0.7183},
		{0.8380, -0.2630, -0.0639, -0.2887, 1.0725, 0.2496, -0.0627, 0.1427, 0.5438},
		{1.0234, -0.2969, -0.2266, -0.5625, 1.6328, -0.0469, -0.0703, 0.2188, 0.6406},
		{0.6596, -0.2079, -0.0562, -0.4782, 1.3016, 0.1933, -0.0970, 0.1581, 0.5181},
	} {
		p, _ := m.Times(srgb).NormaliseRows()
		to = append(to, p)
	}
	for _, m := range to {
		v, _ := m.Inverse()
		from = append(from, v)
	}
	return to, from
}

// multiply multiplies every pixel by the matrix, in place.
func multiply(m matrix3.Matrix, img *planar.Image) {
	r, g, b := img.Plane(0), img.Plane(1), img.Plane(2)
	var f [9]float32
	for i, v := range m {
		f[i] = float32(v)
	}
	for i := range r {
		x, y, z := r[i], g[i], b[i]
		r[i] = f[0]*x + f[1]*y + f[2]*z
		g[i] = f[3]*x + f[4]*y + f[5]*z
		b[i] = f[6]*x + f[7]*y + f[8]*z
	}
}

// simulateSensor takes a displayed picture to the sensor and develops it, in place. It adds noise
// if rng is not nil.
func (c Camera) simulateSensor(rng *rand.Rand, img *planar.Image) {
	tone := toneFor(c.Curve)
	for i, v := range img.Pix {
		img.Pix[i] = tone.light(v)
	}
	multiply(matrices[c.Matrix], img)
	gains := [3]float64{c.RedGain, 1, c.BlueGain}
	n := img.W * img.H
	for ch, gain := range gains {
		f := float32(c.Exposure / gain)
		for i, v := range img.Plane(ch) {
			img.Plane(ch)[i] = v * f
		}
	}
	mosaic := c.Demosaic != NoMosaic
	for ch := range gains {
		p := img.Pix[ch*n : (ch+1)*n]
		for y := range img.H {
			for x := range img.W {
				if mosaic && bayerColour(x+c.PhaseX, y+c.PhaseY) != ch {
					continue
				}
				v := float64(p[y*img.W+x])
				if rng != nil {
					v += math.Sqrt(max(c.Shot*v, 0)+c.Read) * rng.NormFloat64()
				}
				p[y*img.W+x] = float32(min(v, 1))
			}
		}
	}
	// The tone curve clips highlights at the level at which the first colour is full, as raw
	// converters do, so that white stays white.
	for ch, gain := range gains {
		f := float32(gain / c.Exposure)
		p := img.Plane(ch)
		for i, v := range p {
			p[i] = v * f
		}
	}
	c.Demosaic.Interpolate(img, c.PhaseX, c.PhaseY)
	multiply(inverses[c.Matrix], img)
	for i, v := range img.Pix {
		img.Pix[i] = tone.display(v)
	}
}
