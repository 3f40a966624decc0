package trainhost

import (
	"math"
	"math/rand/v2"

	"github.com/vfmrestore/restore/restore/planar"
)

// movingLayer is a picture that moves.
type movingLayer struct {
	picture *planar.Image
	opacity []float32 // 0 to 1 for each pixel; nil: 1 everywhere
	path    path
}

// path is a movement over the time from -½ to ½, with the offset 0 at time 0: a curve, and a
// rotation about a point.
type path struct {
	wave             [3][4]float64 // amplitudes along x and y, frequency, phase
	line             [4]float64    // velocity and acceleration along x and y
	rotation         float64       // radians from the first to the last moment
	centreX, centreY float64       // pixels from the middle of the picture
}

// drawPath draws a path with a larger extent of about extent pixels.
func drawPath(rng *rand.Rand, extent, side float64) path {
	var p path
	angle := 2 * math.Pi * rng.Float64()
	p.line[1], p.line[0] = math.Sincos(angle)
	bend := rng.NormFloat64() * rng.Float64()
	p.line[2], p.line[3] = -bend*p.line[1], bend*p.line[0]
	if rng.Float64() < 0.4 { // a trembling hand
		for i := range p.wave {
			p.wave[i] = [4]float64{0.3 * rng.NormFloat64(), 0.3 * rng.NormFloat64(), 0.5 + 2*rng.Float64(), 2 * math.Pi * rng.Float64()}
		}
	}
	lo, hi := [2]float64{}, [2]float64{}
	for i := range 33 {
		x, y := p.at(float64(i)/32 - 0.5)
		lo, hi = [2]float64{min(lo[0], x), min(lo[1], y)}, [2]float64{max(hi[0], x), max(hi[1], y)}
	}
	scale := extent / max(hi[0]-lo[0], hi[1]-lo[1], 1e-9)
	for i := range p.line {
		p.line[i] *= scale
	}
	for i := range p.wave {
		p.wave[i][0] *= scale
		p.wave[i][1] *= scale
	}
	if rng.IntN(2) == 0 {
		p.rotation = extent / 300 * rng.NormFloat64()
		p.rotation = max(-0.1, min(0.1, p.rotation))
		p.centreX, p.centreY = side*(4*rng.Float64()-2), side*(4*rng.Float64()-2)
	}
	return p
}

// at returns the offset at a time, in pixels.
func (p *path) at(t float64) (x, y float64) {
	x, y = p.line[0]*t+p.line[2]*t*t, p.line[1]*t+p.line[3]*t*t
	for _, w := range p.wave {
		s := math.Sin(2*math.Pi*w[2]*t+w[3]) - math.Sin(w[3])
		x, y = x+w[0]*s, y+w[1]*s
	}
	return x, y
}

// draw draws the layer, as it is at a time, over dst.
func (l *movingLayer) draw(dst *planar.Image, t float64) {
	dx, dy := l.path.at(t)
	sin, cos := math.Sincos(l.path.rotation * t)
	src := l.picture
	middle := float64(dst.W) / 2
	mx, my := middle+l.path.centreX, middle+l.path.centreY
	ox, oy := float64(src.W-dst.W)/2, float64(src.H-dst.H)/2
	n, size := dst.W*dst.H, src.W*src.H
	for v := range dst.H {
		for u := range dst.W {
			a, b := float64(u)-mx, float64(v)-my
			fx := min(max(cos*a-sin*b+mx+ox+dx, 0), float64(src.W)-1.001)
			fy := min(max(sin*a+cos*b+my+oy+dy, 0), float64(src.H)-1.001)
			x, y := int(fx), int(fy)
			wx, wy := float32(fx-float64(x)), float32(fy-float64(y))
			k := y*src.W + x
			w := [4]float32{(1 - wx) * (1 - wy), wx * (1 - wy), (1 - wx) * wy, wx * wy}
			at := func(p []float32) float32 { return w[0]*p[k] + w[1]*p[k+1] + w[2]*p[k+src.W] + w[3]*p[k+src.W+1] }
			opacity := float32(1)
			if l.opacity != nil {
				if opacity = at(l.opacity); opacity == 0 {
					continue
				}
			}
			for c := range 3 {
				d := &dst.Pix[c*n+v*dst.W+u]
				*d += opacity * (at(src.Pix[c*size:]) - *d)
			}
		}
	}
}

// drawShape draws the opacity of something in front: overlapping ellipses with an edge of two
// pixels.
func drawShape(rng *rand.Rand, side int) []float32 {
	opacity := make([]float32, side*side)
	s := float64(side)
	cx, cy := s*(0.2+0.6*rng.Float64()), s*(0.2+0.6*rng.Float64())
	for range 1 + rng.IntN(4) {
		a, b := s*(0.06+0.2*rng.Float64()), s*(0.06+0.2*rng.Float64())
		sin, cos := math.Sincos(math.Pi * rng.Float64())
		x0, y0 := cx+a*rng.NormFloat64(), cy+b*rng.NormFloat64()
		for v := range side {
			for u := range side {
				dx, dy := float64(u)-x0, float64(v)-y0
				r := math.Hypot((cos*dx+sin*dy)/a, (cos*dy-sin*dx)/b)
				in := float32(max(0, min(1, 0.5+(1-r)*min(a, b)/2)))
				opacity[v*side+u] = max(opacity[v*side+u], in)
			}
		}
	}
	return opacity
}
