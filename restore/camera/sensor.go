package camera

import (
	"math"
	"math/rand/v2"

	"github.com/vfmrestore/restore/restore/planar"
)

// matrix is a 3×3 matrix of linear colours, in rows.
type matrix [9]float64

// Matrices take linear sRGB to a camera's colours. The first is the identity; the others are of
// Sony ILCE-7R, Olympus E-M10, Huawei Nexus 6P and Samsung Galaxy S6. Each is the product of the
// camera's XYZ matrix and sRGB's, with rows scaled to sums of 1, so that white stays white.
var Matrices, inverses = colourMatrices()

func colourMatrices() (to, from []matrix) {
	srgb := matrix{0.4124564, 0.3575761, 0.1804375, 0.2126729, 0.7151522, 0.0721750, 0.0193339,
		0.1191920, 0.9503041}
	to = []matrix{{1, 0, 0, 0, 1, 0, 0, 0, 1}}
	for _, m := range []matrix{
		{0.4913, -0.0541, -0.0202, -0.6130, 1.3513, 0.2906, -0.1564, 0.2151, 0.7183},
		{0.8380, -0.2630, -0.0639, -0.2887, 1.0725, 0.2496, -0.0627, 0.1427, 0.5438},
		{1.0234, -0.2969, -0.2266, -0.5625, 1.6328, -0.0469, -0.0703, 0.2188, 0.6406},
		{0.6596, -0.2079, -0.0562, -0.4782, 1.3016, 0.1933, -0.0970, 0.1581, 0.5181},
	} {
		p := product(m, srgb)
		for r := range 3 {
			sum := p[3*r] + p[3*r+1] + p[3*r+2]
			for k := range 3 {
				p[3*r+k] /= sum
			}
		}
		to = append(to, p)
	}
	for _, m := range to {
		from = append(from, inverse(m))
	}
	return to, from
}

func product(a, b matrix) (c matrix) {
	for i := range 3 {
		for j := range 3 {
			for k := range 3 {
				c[3*i+j] += a[3*i+k] * b[3*k+j]
			}
		}
	}
	return c
}

func inverse(m matrix) (v matrix) {
	minor := func(r, c int) float64 {
		a, b, x, y := (r+1)%3, (r+2)%3, (c+1)%3, (c+2)%3
		return m[3*a+x]*m[3*b+y] - m[3*a+y]*m[3*b+x]
	}
	det := m[0]*minor(0, 0) + m[1]*minor(0, 1) + m[2]*minor(0, 2)
	for r := range 3 {
		for c := range 3 {
			v[3*c+r] = minor(r, c) / det
		}
	}
	return v
}

// apply multiplies every pixel by the matrix, in place.
func (m matrix) apply(img *planar.Image) {
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
	Matrices[c.Matrix].apply(img)
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
	inverses[c.Matrix].apply(img)
	for i, v := range img.Pix {
		img.Pix[i] = tone.display(v)
	}
}
