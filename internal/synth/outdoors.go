package synth

import (
	"math"
	"math/rand/v2"
)

// outdoors is a landscape: sky with clouds, ridges in haze, a row of houses, a field with a paved
// path, balls, crates and a board.
type outdoors struct {
	f             field
	aspect        float64
	horizon       float64
	sunU, sunV    float64
	zenith, low   rgb
	sun           rgb
	grass, meadow rgb
	ridges        []ridgeLine
	houses        []house
	objects       []object
	path          float64 // position of the path at the lower edge of the picture
	cloud         float64 // approximate share of clouded sky
}

type ridgeLine struct {
	f            field
	base, height float64
	rate         float64
	colour       rgb
	haze         float64
	snow         float64
}

func newOutdoors(rng *rand.Rand, aspect float64) *outdoors {
	o := &outdoors{f: field(rng.Uint32()), aspect: aspect}
	o.horizon = 0.46 + 0.12*rng.Float64()
	o.sunU, o.sunV = aspect*(0.15+0.7*rng.Float64()), o.horizon*(0.15+0.4*rng.Float64())
	warm := rng.Float64()
	o.zenith = mix(hex(0x2F66B5), hex(0x3B5488), warm)
	o.low = mix(hex(0xBBD6EE), hex(0xF3C79A), warm)
	o.sun = mix(hex(0xFFF4E0), hex(0xFFC27A), warm).scale(1.25)
	o.cloud = 0.15 + 0.5*rng.Float64()
	o.grass = hue(0.22+0.08*rng.Float64(), 0.75, 0.16+0.08*rng.Float64())
	o.meadow = hue(0.12+0.1*rng.Float64(), 0.7, 0.35)
	o.path = aspect * (0.2 + 0.6*rng.Float64())
	for i := 0; i < 3; i++ {
		near := float64(i) / 2
		o.ridges = append(o.ridges, ridgeLine{
			f: o.f + field(100*i+100), base: o.horizon - 0.01,
			height: lerp(0.3, 0.07, near) * (0.7 + 0.5*rng.Float64()),
			rate:   lerp(1.6, 3.5, near), haze: lerp(0.7, 0.15, near), snow: lerp(0.9, 0, near),
			colour: mix(hex(0x66707E), hex(0x2F4A2A), near),
		})
	}
	for u := -0.05; u < aspect; {
		w := 0.07 + 0.09*rng.Float64()
		if rng.Float64() < 0.62 {
			o.houses = append(o.houses, newHouse(rng, u, w, o.horizon))
		}
		u += w + 0.05*rng.Float64()
	}
	o.place(rng)
	return o
}

// place puts objects on the field, and sorts them by distance, the nearest first.
func (o *outdoors) place(rng *rand.Rand) {
	room := 1 - o.horizon
	n := 5
	for i := 0; i < n; i++ {
		depth := 0.25 + 0.7*float64(n-i)/float64(n) // nearest first
		foot := o.horizon + room*depth
		size := 0.055 + 0.1*depth*(0.6+0.6*rng.Float64())
		u := o.aspect * (float64((i*2)%n) + 0.2 + 0.6*rng.Float64()) / float64(n)
		f := field(rng.Uint32())
		switch i % 3 {
		case 0:
			o.objects = append(o.objects,
				&ball{f: f, u: u, v: foot - size, r: size, paint: paints(rng),
					pattern: rng.IntN(3)})
		case 1:
			o.objects = append(o.objects, newNotice(rng, u, foot, 2.4*size))
		default:
			o.objects = append(o.objects,
				&crate{f: f, u: u, v: foot, w: 2 * size, h: 1.6 * size,
					paint: mix(hex(0xB98A55), paints(rng)[0], 0.35)})
		}
	}
}

func (o *outdoors) colour(u, v float64) rgb {
	for _, t := range o.objects {
		if c, ok := t.hit(u, v); ok {
			return c
		}
	}
	if v > o.horizon+0.008*o.f.noise(8*u, 3) {
		return o.ground(u, v)
	}
	for i := range o.houses {
		if c, ok := o.houses[i].hit(u, v); ok {
			return mix(c, o.low, 0.12)
		}
	}
	if c, ok := o.trees(u, v); ok {
		return c
	}
	for i := len(o.ridges) - 1; i >= 0; i-- {
		if c, ok := o.ridges[i].hit(o, u, v); ok {
			return c
		}
	}
	return o.sky(u, v)
}

func (o *outdoors) sky(u, v float64) rgb {
	t := v / o.horizon
	c := mix(o.zenith, o.low, math.Pow(clamp01(t), 1.4))
	d := math.Hypot(u-o.sunU, v-o.sunV)
	c = c.add(o.sun.scale(0.5*math.Exp(-d*d/0.02) + 0.25*math.Exp(-d/0.3)))
	// clouds are on a plane overhead, so they are smaller near the horizon
	p := 1 / (o.horizon*1.12 - v + 0.08)
	x, y := (u-o.aspect/2)*p, 1.6*p
	x += 0.3 * o.f.noise(0.7*x, 0.7*y)
	dens := (o.f + 7).fractal(0.55*x, 0.9*y, 6, 0.55)
	lit := dens - (o.f+7).fractal(0.55*x+0.12, 0.9*y+0.16, 6, 0.55)
	cover := smooth(0.1-o.cloud*0.4, 0.75-o.cloud*0.3, dens)
	shade := mix(hex(0x8C96A6), o.sun.scale(0.85), clamp01(0.6+1.1*lit))
	return mix(c, shade, cover*(0.9-0.4*smooth(0.7, 1, t)))
}

func (r *ridgeLine) hit(o *outdoors, u, v float64) (rgb, bool) {
	crest := r.base - r.height*(0.25+0.9*math.Pow(r.f.ridge(r.rate*u, 0.5, 6), 2))
	if v < crest {
		return rgb{}, false
	}
	// light from the side: the horizontal slope of the noise
	e := 0.01
	x, y := 7*u*r.rate, 10*v*r.rate
	slope := ((r.f+9).fractal(x+e*20, y, 5, 0.62) - (r.f+9).fractal(x-e*20, y, 5, 0.62)) * 1.1
	light := clamp01(0.55 + slope)
	c := r.colour.grain(0.35 * (r.f+5).fractal(60*u, 60*v, 3, 0.7))
	snowLine := crest + r.height*(0.3+0.25*(r.f+3).fractal(12*u, 12*v, 4, 0.6))
	c = mix(c, grey(0.85), r.snow*(1-smooth(snowLine-0.01, snowLine+0.01, v)))
	c = c.scale(0.35 + 0.9*light)
	return mix(c, o.low, r.haze*(0.55+0.45*smooth(crest, r.base, v))), true
}

// trees is a line of conifers and round crowns in front of the ridges.
func (o *outdoors) trees(u, v float64) (rgb, bool) {
	const pitch = 0.028
	for k := -1; k <= 1; k++ {
		i := int(math.Floor(u/pitch)) + k
		if o.f.hash(i, 900) < 0.35 {
			continue
		}
		height := 0.04 + 0.08*o.f.hash(i, 901)
		mid := (float64(i) + 0.5 + 0.5*(o.f.hash(i, 902)-0.5)) * pitch
		t := (o.horizon + 0.005 - v) / height // 0 at the foot, 1 at the top
		if t < 0 || t > 1 {
			continue
		}
		leaf := (o.f + 50).fractal(130*u, 130*v, 3, 0.8)
		half := 0.24 * height * (1 - t) * (0.7 + 0.6*fract(7*t+0.3*leaf))
		if o.f.hash(i, 903) < 0.4 {
			half = 0.42 * height * math.Sqrt(math.Max(0, 1-math.Pow(2*t-1.1, 2))) * (1 + 0.35*leaf)
		}
		if math.Abs(u-mid) < half {
			side := clamp01(0.5 + 0.5*(mid-u)/half*math.Copysign(1, mid-o.sunU))
			c := hue(0.24+0.1*o.f.hash(i, 904), 0.65, 0.11)
			return mix(c.grain(0.8*leaf).scale(0.4+1.6*side), o.low, 0.08), true
		}
	}
	return rgb{}, false
}

func (o *outdoors) ground(u, v float64) rgb {
	depth := 0.12 / (v - o.horizon + 0.03)
	x, y := (u-o.aspect/2)*depth, depth
	near := clamp01((v - o.horizon) / (1 - o.horizon))
	broad := (o.f + 20).fractal(3*x, 6*y, 4, 0.5)
	blades := (o.f + 21).fractal(90*x, 34*y, 4, 0.85)
	c := mix(o.grass, o.meadow, clamp01(0.35+0.5*broad))
	c = c.grain(0.75 * blades * (0.35 + 0.65*near))
	// single blades, a few pixels wide
	c = c.grain(0.5 * near * math.Pow((o.f+26).noise(150*u+9*o.f.noise(20*u, 20*v), 45*v), 2))
	// flowers in patches
	if n, _, id := (o.f + 22).cells(44*x, 30*y); n < 0.17 && id < 0.3 && broad > -0.25 {
		c = hue(id*3.3, 0.75-0.6*fract(id*17), 0.8).scale(1.1 - 2.5*n)
		if n < 0.06 {
			c = hex(0xF2C230)
		}
	}
	edge := o.path + (o.aspect/2-o.path)*math.Pow(1-near, 0.7) + 0.05*(1-near)*math.Sin(9*near)
	half := 0.015 + 0.16*near
	if d := math.Abs(u-edge+0.006*(o.f+24).noise(40*u, 40*v)) / half; d < 1 {
		n, next, id := (o.f + 23).cells(9*(u-edge)/half*0.16+40, 22*y)
		stone := mix(hex(0x8A8178), hex(0xC4B79F), id).grain(
			0.22 * (o.f+25).fractal(160*u, 160*v, 3, 0.8))
		c = mix(hex(0x3C352C), stone.scale(0.8+0.25*(0.5-n)), smooth(0.04, 0.12, next-n))
	}
	for _, t := range o.objects {
		c = c.scale(1 - t.shadow(u, v))
	}
	return mix(c.scale(1.25), o.low, 0.25*math.Exp(-9*near))
}
