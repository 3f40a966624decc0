package blind

import "math"

// canvas is a plane that wraps around, with its Fourier transform. It is larger than the picture by
// at least the blur kernel's side along each axis, so that what wraps around stays outside the
// picture's middle. The picture lies at (left, top).
type canvas struct {
	*transform
	pw, ph    int // the picture's size
	left, top int
}

// newCanvas returns a canvas for a picture of w×h pixels and blur kernels of n×n.
func newCanvas(w, h, n int) *canvas {
	return &canvas{transform: newTransform(fastSize(w+n+1), fastSize(h+n+1)), pw: w, ph: h, left: n / 2, top: n / 2}
}

// extend puts the picture on the canvas. It fills the rest with a smooth transition from each side
// to the opposite one: mirrored pixels of both sides, blended.
func (c *canvas) extend(p *Plane) []float32 {
	rows := make([]float64, c.pw*c.h)
	line := make([]float64, max(c.w, c.h))
	for x := range c.pw {
		blend(line[:c.h], c.ph, c.top, func(y int) float64 { return p.Pix[y*p.W+x] })
		for y := range c.h {
			rows[y*c.pw+x] = line[y]
		}
	}
	out := make([]float32, c.w*c.h)
	for y := range c.h {
		blend(line[:c.w], c.pw, c.left, func(x int) float64 { return rows[y*c.pw+x] })
		for x, v := range line[:c.w] {
			out[y*c.w+x] = float32(v)
		}
	}
	return out
}

// blend fills a line that wraps around. The n values at(i) are placed from first on; the rest is
// their mirror images, blended.
func blend(line []float64, n, first int, at func(i int) float64) {
	for i := range n {
		line[first+i] = at(i)
	}
	rest := len(line) - n
	for i := range rest {
		t := float64(i+1) / float64(rest+1)
		t = t * t * (3 - 2*t)
		after, before := at(max(n-2-i, 0)), at(min(rest-i, n-1))
		line[(first+n+i)%len(line)] = (1-t)*after + t*before
	}
}

// row returns the canvas' values for row y of the picture.
func (c *canvas) row(v []float32, y int) []float32 {
	return v[(y+c.top)*c.w+c.left:][:c.pw]
}

// cut returns the picture's part of a canvas as a plane.
func (c *canvas) cut(v []float32) *Plane {
	out := NewPlane(c.pw, c.ph)
	for y := range c.ph {
		for x, u := range c.row(v, y) {
			out.Pix[y*c.pw+x] = float64(u)
		}
	}
	return out
}

// place returns a canvas with the plane at the picture's place and 0 elsewhere.
func (c *canvas) place(p *Plane) []float32 {
	out := make([]float32, c.w*c.h)
	for y := range c.ph {
		row := c.row(out, y)
		for x, v := range p.Pix[y*p.W : (y+1)*p.W] {
			row[x] = float32(v)
		}
	}
	return out
}

// otf sets dst to the transform of the blur kernel, the optical transfer function.
func (c *canvas) otf(dst []complex64, k *kernel) {
	plane := make([]float32, c.w*c.h)
	k.spread(plane, c.w, c.h)
	c.forward(dst, plane)
}

// centre multiplies the spectrum f of a blur kernel so that the blur kernel is shifted, by
// fractions of pixels, until its weights' median is at its middle.
func (c *canvas) centre(f []complex64, k *kernel) {
	plane := make([]float32, c.w*c.h)
	k.spread(plane, c.w, c.h)
	var points []massPoint
	for i, v := range plane {
		if v > 0 {
			points = append(points, massPoint{float64(signed(i%c.w, c.w)), float64(signed(i/c.w, c.h)), float64(v)})
		}
	}
	mx, my := median(points)
	mx, my = mx/float64(c.w), my/float64(c.h)
	for fy := range c.h/2 + 1 {
		for fx := range c.w {
			sin, cos := math.Sincos(2 * math.Pi * (float64(signed(fx, c.w))*mx + float64(signed(fy, c.h))*my))
			if 2*fx == c.w || 2*fy == c.h { // a frequency that is its own negative stays real
				sin = 0
			}
			f[c.at(fx, fy)] *= complex(float32(cos), float32(sin))
		}
	}
}

// signed is the position or frequency i of a cycle of n as a number between −n/2 and n/2.
func signed(i, n int) int {
	if 2*i > n {
		return i - n
	}
	return i
}

// massPoint is a place with a weight.
type massPoint struct{ x, y, weight float64 }

// median is the geometric median of points, to which the sum of all distances is least (Weiszfeld's
// algorithm, from the centre of mass on). Of a path it is about the point that is reached at half
// of the time.
func median(points []massPoint) (x, y float64) {
	const (
		rounds = 50
		least  = 0.25 // pixels², so that no distance is 0
	)
	for round := range rounds {
		var sx, sy, sum float64
		for _, p := range points {
			w := p.weight
			if round > 0 {
				w /= math.Sqrt(square(p.x-x) + square(p.y-y) + least)
			}
			sx, sy, sum = sx+w*p.x, sy+w*p.y, sum+w
		}
		x, y = sx/sum, sy/sum
	}
	return x, y
}
