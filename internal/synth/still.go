package synth

import (
	"math"
	"math/rand/v2"
)

// still is a still life: a wall with paper and a framed landscape, a wooden table with a checked
// cloth, fruit, books and a bottle.
type still struct {
	f             field
	aspect, table float64
	wall, flower  rgb
	wood, cloth   rgb
	frame         [4]float64 // left, top, width, height
	frameWood     rgb
	picture       *outdoors
	clothU        float64
	objects       []object
}

func newStill(rng *rand.Rand, aspect float64) *still {
	p := paints(rng)
	s := &still{f: field(rng.Uint32()), aspect: aspect, table: 0.58 + 0.08*rng.Float64()}
	s.wall = hue(rng.Float64(), 0.25+0.3*rng.Float64(), 0.4)
	s.flower = mix(s.wall, p[1], 0.5)
	s.wood = mix(hex(0x8A5A33), hex(0xB07B45), rng.Float64())
	s.cloth = p[0].scale(0.8)
	s.frameWood = mix(hex(0xB8923E), hex(0x3A2A1C), rng.Float64())
	fw := 0.36 * math.Max(0.7, math.Min(1.4, aspect))
	s.frame = [4]float64{(aspect - fw) * (0.15 + 0.7*rng.Float64()), 0.06, fw, 0.3}
	s.picture = newOutdoors(rng, (fw-0.06)/(s.frame[3]-0.06))
	s.clothU = aspect * (0.3 + 0.4*rng.Float64())
	// a front row of fruit, a back row of books and a bottle; the front row comes first
	for i := 0; i < 3; i++ {
		r := 0.07 + 0.035*rng.Float64()
		u := aspect * (float64(i) + 0.25 + 0.5*rng.Float64()) / 3
		foot := s.table + (1-s.table)*(0.45+0.35*rng.Float64())
		s.objects = append(s.objects, &ball{f: field(rng.Uint32()), u: u, v: foot - r, r: r,
			paint: paints(rng), pattern: (i + 2) % 3})
	}
	foot := s.table + 0.08
	left := rng.Float64() < 0.5
	at := func(t float64) float64 {
		if left {
			t = 1 - t
		}
		return aspect * t
	}
	s.objects = append(s.objects, newBottle(rng, at(0.3+0.1*rng.Float64()), foot+0.02,
		0.34+0.1*rng.Float64()))
	s.objects = append(s.objects, newBooks(rng, at(0.68+0.1*rng.Float64()), foot,
		math.Min(0.4, 0.36*aspect)))
	return s
}

func (s *still) colour(u, v float64) rgb {
	for _, t := range s.objects {
		if c, ok := t.hit(u, v); ok {
			return c
		}
	}
	if v < s.table {
		return s.background(u, v)
	}
	return s.top(u, v)
}

// background is the wall: paper with a repeated motif, a pool of light, and the frame.
func (s *still) background(u, v float64) rgb {
	x, y := (u-s.frame[0])/s.frame[2], (v-s.frame[1])/s.frame[3]
	light := 0.35 + 1.0*math.Exp(-math.Pow(u-0.25*s.aspect, 2)/(0.35*s.aspect*s.aspect)-math.Pow(
		v-0.15, 2)/0.3)
	if x >= 0 && x <= 1 && y >= 0 && y <= 1 {
		const rim = 0.03
		dx, dy := math.Min(x, 1-x)*s.frame[2], math.Min(y, 1-y)*s.frame[3]
		if d := math.Min(dx, dy); d < rim {
			bevel := 0.5 + 0.5*math.Sin(d/rim*2*math.Pi)
			return s.frameWood.scale(light * (0.5 + 0.8*bevel)).grain(
				0.2 * s.f.fractal(25*u, 90*v, 4, 0.7))
		}
		inside := s.frame[3] - 2*rim
		return s.picture.colour((u-s.frame[0]-rim)/inside, (v-s.frame[1]-rim)/inside).scale(0.85)
	}
	c := s.wall
	i, j := math.Floor(u/0.09), math.Floor(v/0.09+0.5*math.Mod(math.Floor(u/0.09), 2))
	mx, my := u/0.09-i-0.5, v/0.09+0.5*math.Mod(i, 2)-j-0.5
	r, a := math.Hypot(mx, my), math.Atan2(my, mx)
	if r < 0.2+0.12*math.Cos(5*a) {
		c = s.flower
	}
	if r < 0.06 {
		c = grey(0.6)
	}
	if math.Abs(math.Abs(mx)-0.47) < 0.012 {
		c = s.flower.scale(0.7)
	}
	c = c.grain(0.12 * s.f.fractal(70*u, 70*v, 4, 0.75))
	// the frame casts a shadow down and to the right
	shade := 1.0
	if x > 0.02 && x < 1.05 && y > 0.02 && y < 1.07 {
		shade = 0.55
	}
	return c.scale(light * shade * (1 - 0.5*smooth(s.table-0.05, s.table, v)))
}

// top is the table: planks in perspective, a checked cloth, shadows.
func (s *still) top(u, v float64) rgb {
	t := (v - s.table) / (1 - s.table)
	depth := 1 / (0.35 + 0.65*t)
	x, y := (u-s.aspect/2)*depth, 2.2*depth
	plank := math.Floor(4 * x)
	rings := math.Sin(26*((s.f+field(int(plank)+50)).fractal(2.2*x, 0.7*y, 3, 0.5)) + 3*x)
	fine := (s.f + 40).fractal(80*x, 6*y, 4, 0.75)
	c := s.wood.scale(0.8 + 0.35*s.f.hash(int(plank), 60)).grain(0.16*rings + 0.3*fine)
	if e := fract(4 * x); e < 0.02 || e > 0.985 {
		c = c.scale(0.35)
	}
	if cu, cv := (u-s.clothU)*depth, y-2.0; math.Abs(cu)+math.Abs(cv)*0.55 < 0.42 {
		a, b := fract(cu*16+cv*8) < 0.5, fract(cu*16-cv*8) < 0.5
		c = grey(0.8)
		switch {
		case a && b:
			c = s.cloth
		case a || b:
			c = mix(s.cloth, grey(0.8), 0.5)
		}
		weave := 0.5*math.Sin(500*cu) + 0.5*math.Sin(260*cv)
		fold := (s.f + 70).fractal(5*cu, 3*cv, 3, 0.5)
		c = c.grain(0.1*weave + 0.45*fold)
	}
	for _, th := range s.objects {
		c = c.scale(1 - th.shadow(u, v))
	}
	return c.scale(0.55 + 0.6*math.Exp(-math.Pow(u-0.35*s.aspect, 2)/(0.5*s.aspect*s.aspect)))
}

// books is a stack of lying books with lettered spines.
type books struct {
	u, v, w float64
	list    []book
}

type book struct {
	f          field
	height     float64
	left, w    float64
	cover, ink rgb
	page       page
}

func newBooks(rng *rand.Rand, u, v, w float64) *books {
	b := &books{u: u, v: v, w: w}
	for n := 3 + rng.IntN(3); n > 0; n-- {
		p := paints(rng)
		k := book{f: field(rng.Uint32()), height: 0.04 + 0.03*rng.Float64(),
			w: w * (0.75 + 0.25*rng.Float64()), cover: p[0].scale(0.55), ink: hex(0xF2DFA0)}
		k.left = u - k.w/2 + 0.02*(rng.Float64()-0.5)
		if rng.Float64() < 0.3 {
			k.cover, k.ink = mix(p[2], hex(0xD8C9A4), 0.5).scale(0.9), p[0].scale(0.2)
		}
		k.page = newPage(rng, k.w*0.8, k.height, 2)
		b.list = append(b.list, k)
	}
	return b
}

func (b *books) hit(u, v float64) (rgb, bool) {
	foot := b.v
	for i := range b.list {
		k := &b.list[i]
		x, y := u-k.left, v-(foot-k.height)
		if foot -= k.height; x < 0 || x > k.w || y < 0 || y > k.height {
			continue
		}
		t := y/k.height*2 - 1
		c := k.cover.grain(0.18 * k.f.fractal(120*u, 120*v, 3, 0.8))
		if math.Abs(x/k.w-0.06) < 0.012 || math.Abs(x/k.w-0.94) < 0.012 ||
			k.page.ink(x-0.1*k.w, y) {
			c = k.ink
		}
		return c.scale(0.25 + 0.85*math.Sqrt(1-0.9*t*t) - 0.15*t), true
	}
	return rgb{}, false
}

func (b *books) shadow(u, v float64) float64 {
	return ellipseShadow(u-b.u-0.04, v-b.v, 0.6*b.w, 0.05)
}

// bottle is a turned glass body with a label.
type bottle struct {
	f         field
	u, v, h   float64
	glass     rgb
	label     rgb
	labelPage page
}

func newBottle(rng *rand.Rand, u, v, h float64) *bottle {
	b := &bottle{f: field(rng.Uint32()), u: u, v: v, h: h}
	b.glass = hue(0.25+0.4*rng.Float64(), 0.8, 0.22)
	b.label = hex(0xEFE6CF)
	b.labelPage = newPage(rng, 1, 0.8, 4)
	return b
}

func (b *bottle) hit(u, v float64) (rgb, bool) {
	t := (b.v - v) / b.h // 0 at the foot
	if t < 0 || t > 1 {
		return rgb{}, false
	}
	body, neck := 0.17*b.h, 0.055*b.h
	half := lerp(body, neck, smooth(0.55, 0.78, t))
	if t > 0.93 {
		half = 1.25 * neck
	}
	x := (u - b.u) / half
	if math.Abs(x) > 1 {
		return rgb{}, false
	}
	z := math.Sqrt(1 - x*x)
	light := 0.3 + 0.8*math.Max(0, -0.6*x+0.75*z)
	if t > 0.12 && t < 0.46 {
		a := math.Asin(x)/math.Pi + 0.5
		c := b.label.grain(0.06 * b.f.fractal(60*u, 60*v, 4, 0.7))
		if b.labelPage.ink(a, (0.46-t)/0.34*0.8) || math.Abs(t-0.135) < 0.006 ||
			math.Abs(t-0.445) < 0.006 {
			c = hex(0x30251C)
		}
		return c.scale(light), true
	}
	c := b.glass.scale(light + 0.5*math.Pow(math.Abs(x), 4))
	if t > 0.93 {
		c = hex(0x7A2A22).scale(light)
	}
	if math.Abs(x+0.45) < 0.06 && t < 0.9 {
		c = c.add(grey(0.6 * (0.6 + 0.4*b.f.noise(3, 30*t))))
	}
	return c, true
}

func (b *bottle) shadow(u, v float64) float64 {
	return ellipseShadow(u-b.u-0.06*b.h, v-b.v, 0.28*b.h, 0.07*b.h)
}
