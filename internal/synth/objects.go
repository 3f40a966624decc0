package synth

import (
	"math"
	"math/rand/v2"
)

// object is an object of a scene. hit gives its colour at a position that it covers, shadow the
// share of light that it blocks there.
type object interface {
	hit(u, v float64) (rgb, bool)
	shadow(u, v float64) float64
}

// paints draws three saturated colours that match.
func paints(rng *rand.Rand) [3]rgb {
	h := rng.Float64()
	return [3]rgb{hue(h, 0.9, 0.75), hue(h+0.08+0.3*rng.Float64(), 0.85, 0.8),
		hue(h+0.5, 0.12, 0.85)}
}

// ellipseShadow is a soft shadow on the ground around (u, v).
func ellipseShadow(du, dv, wide, high float64) float64 {
	return 0.7 * (1 - smooth(0.5, 1.25, math.Hypot(du/wide, dv/high)))
}

// ball is a shaded sphere: striped, dotted or with a peel.
type ball struct {
	f       field
	u, v, r float64
	paint   [3]rgb
	pattern int
}

var lamp = [3]float64{-0.48, -0.62, 0.62} // direction of the light: from the upper left, in front

func (b *ball) hit(u, v float64) (rgb, bool) {
	x, y := (u-b.u)/b.r, (v-b.v)/b.r
	q := x*x + y*y
	if q > 1 {
		return rgb{}, false
	}
	z := math.Sqrt(1 - q)
	// texture coordinates of a ball that is tilted
	tilt := 0.5 + 0.4*b.f.hash(1, 1)
	sin, cos := math.Sincos(tilt)
	px, py := x*cos-y*sin, x*sin+y*cos
	lon, lat := math.Atan2(px, z)/math.Pi, math.Asin(math.Max(-1, math.Min(1, py)))/math.Pi
	c := b.paint[0]
	nx, ny := x, y
	switch b.pattern {
	case 0: // beach ball
		c = b.paint[int(math.Floor(9+6*lon))%3]
		if math.Abs(lat) > 0.43 {
			c = b.paint[2]
		}
	case 1: // dots
		if i, j := math.Floor(8*lon), math.Floor(8*lat); math.Hypot(8*lon-i-0.5,
			8*lat-j-0.5) < 0.3 {
			c = b.paint[2]
		}
	default: // orange peel: the normal is bumpy
		c = mix(hex(0xE8801A), b.paint[0], 0.4)
		nx += 0.22 * b.f.fractal(18*lon, 18*lat, 2, 0.7)
		ny += 0.22 * (b.f+5).fractal(18*lon, 18*lat, 2, 0.7)
	}
	c = c.grain(0.08 * (b.f+9).fractal(14*lon, 14*lat, 4, 0.7))
	n := nx*lamp[0] + ny*lamp[1] + z*lamp[2]
	diffuse := math.Max(0, n)
	shine := math.Pow(math.Max(0, 2*n*z-lamp[2]), 40)
	rim := 0.12 * math.Pow(1-z, 2)
	return c.scale(0.14 + 0.95*diffuse + rim + 0.1*math.Max(0, y)).add(grey(0.75 * shine)), true
}

func (b *ball) shadow(u, v float64) float64 {
	return ellipseShadow(u-b.u-0.45*b.r, v-b.v-b.r, 1.35*b.r, 0.35*b.r)
}

// crate is a box of planks with the lower edge at v. A narrow side is visible on the right.
type crate struct {
	f          field
	u, v, w, h float64
	paint      rgb
}

func (c *crate) hit(u, v float64) (rgb, bool) {
	x, y := (u-c.u)/c.w+0.5, (v-c.v)/c.h+1
	light := 1.0
	if x > 0.8 { // the side in perspective
		k := (x - 0.8) / 0.2
		y += 0.12 * k
		light, x = 0.45, 0.5*k
	} else {
		x /= 0.8
	}
	if x < 0 || x > 1 || y < 0 || y > 1 || (light < 1 && x > 0.5) {
		return rgb{}, false
	}
	plank := math.Floor(5 * y)
	tone := 0.8 + 0.4*c.f.hash(int(plank), 3)
	grainy := (c.f+field(plank)).fractal(6*x, 60*y, 4, 0.7) +
		0.3*math.Sin(40*y+7*c.f.noise(3*x, 4*y))
	p := c.paint.scale(tone).grain(0.3 * grainy)
	if t := fract(5 * y); t < 0.06 || t > 0.96 {
		p = p.scale(0.3)
	}
	if x < 0.12 || x > 0.88 || math.Abs(x-y) < 0.06 && light == 1 {
		p = c.paint.scale(1.15).grain(0.25 * (c.f+8).fractal(50*x, 6*y, 4, 0.7))
		if d := math.Hypot(x-0.06, fract(5*y)-0.5); d < 0.03 && light == 1 { // nails
			p = grey(0.1)
		}
	}
	return p.scale(light), true
}

func (c *crate) shadow(u, v float64) float64 {
	return ellipseShadow(u-c.u-0.2*c.w, v-c.v+0.02*c.h, 0.68*c.w, 0.16*c.h)
}

// notice is a board with lettering on two posts.
type notice struct {
	f           field
	u, v, size  float64
	page        page
	board, ink  rgb
	post        rgb
	boardHeight float64
}

func newNotice(rng *rand.Rand, u, v, size float64) *notice {
	p := paints(rng)
	n := &notice{f: field(rng.Uint32()), u: u, v: v, size: size, post: hex(0x6B4A2B),
		boardHeight: 0.62}
	n.board, n.ink = mix(p[2], grey(0.8), 0.5), p[0].scale(0.25)
	if rng.Float64() < 0.4 {
		n.board, n.ink = p[0].scale(0.5), grey(0.9)
	}
	n.page = newPage(rng, 1, n.boardHeight, 5)
	return n
}

func (n *notice) hit(u, v float64) (rgb, bool) {
	x, y := (u-n.u)/n.size+0.5, (v-n.v)/n.size+1 // 0..1 across, 0 at the top, 1 at the ground
	if x < 0 || x > 1 || y < 0 || y > 1 {
		return rgb{}, false
	}
	if y > n.boardHeight {
		for _, p := range [2]float64{0.2, 0.8} {
			if d := (x - p) / 0.03; math.Abs(d) < 1 {
				return n.post.scale(1 - 0.5*d).grain(0.3 * n.f.fractal(60*x, 9*y, 3, 0.7)), true
			}
		}
		return rgb{}, false
	}
	c := n.board.grain(0.06 * n.f.fractal(20*x, 20*y, 4, 0.7)).scale(1.05 - 0.25*x)
	if min(x, 1-x, y, n.boardHeight-y) < 0.03 {
		return n.ink.add(grey(0.03)), true
	}
	if n.page.ink(x, y) {
		c = n.ink
	}
	return c, true
}

func (n *notice) shadow(u, v float64) float64 {
	return 0.8 * ellipseShadow(u-n.u-0.2*n.size, v-n.v, 0.6*n.size, 0.07*n.size)
}

// house is a front with windows, a door and a tiled roof, at the horizon.
type house struct {
	f                  field
	u, w, v, h, gable  float64
	wall, roof, window rgb
	columns, floors    int
}

func newHouse(rng *rand.Rand, u, w, ground float64) house {
	walls := []uint32{0xE8D9B8, 0xC96F4A, 0xD8A25E, 0xB9C4CC, 0xE9E3D5, 0xA84B3A, 0x8FA58A}
	h := house{f: field(rng.Uint32()), u: u, w: w, v: ground + 0.012, h: 0.08 + 0.13*rng.Float64(),
		gable: 0.03 + 0.05*rng.Float64()}
	h.wall = hex(walls[rng.IntN(len(walls))])
	h.roof = mix(hex(0x8C3B24), hex(0x4A4E57), rng.Float64())
	h.window = hex(0x1C2A3A)
	h.columns, h.floors = 2+int(w/0.04), 1+int(h.h/0.055)
	return h
}

func (h *house) hit(u, v float64) (rgb, bool) {
	x, y := (u-h.u)/h.w, (h.v-v)/h.h
	if y > 1 { // roof: a trapezium with rows of tiles
		t := (h.v - h.h - v) / h.gable
		in := 0.25 * t
		if t > 1 || x < in-0.05 || x > 1.05-in {
			return rgb{}, false
		}
		row := math.Floor(6 * t)
		tile := h.f.hash(int(row), int(math.Floor(22*x+0.5*row)))
		c := h.roof.scale(0.75 + 0.5*tile)
		if fract(6*t) < 0.22 {
			c = c.scale(0.55)
		}
		return c, true
	}
	if x < 0 || x > 1 || y < 0 {
		return rgb{}, false
	}
	c := h.wall.grain(0.1 * h.f.fractal(50*u, 50*v, 4, 0.7)).scale(0.95 - 0.3*x)
	cx, cy := fract(x*float64(h.columns)), fract(y*float64(h.floors))
	door := math.Floor(x*float64(h.columns)) == 1 && y*float64(h.floors) < 0.62
	if door && cx > 0.25 && cx < 0.75 {
		return h.roof.scale(0.6), true
	}
	if cx > 0.2 && cx < 0.8 && cy > 0.22 && cy < 0.8 && !door {
		if cx < 0.27 || cx > 0.73 || cy < 0.3 || cy > 0.73 || math.Abs(cx-0.5) < 0.035 {
			return grey(0.75), true // frames
		}
		lit := h.f.hash(int(x*float64(h.columns)), int(y*float64(h.floors)))
		if lit > 0.8 {
			return hex(0xFFD98A), true
		}
		return h.window.add(rgb{0.1, 0.16, 0.25}.scale(2 * lit * (cy))), true
	}
	return c, true
}
