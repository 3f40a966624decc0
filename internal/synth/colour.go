package synth

import "math"

// rgb is a colour in linear light.
type rgb [3]float64

func (a rgb) add(b rgb) rgb       { return rgb{a[0] + b[0], a[1] + b[1], a[2] + b[2]} }
func (a rgb) scale(s float64) rgb { return rgb{a[0] * s, a[1] * s, a[2] * s} }
func mix(a, b rgb, t float64) rgb { return a.scale(1 - t).add(b.scale(t)) }
func (a rgb) grain(n float64) rgb { return a.scale(math.Max(0, 1+n)) }
func grey(v float64) rgb          { return rgb{v, v, v} }
func hex(c uint32) rgb            { return rgb{linear(c >> 16), linear(c >> 8), linear(c)} }

// linear decodes an 8-bit sRGB value.
func linear(v uint32) float64 {
	f := float64(v&255) / 255
	if f <= 0.04045 {
		return f / 12.92
	}
	return math.Pow((f+0.055)/1.055, 2.4)
}

// encode returns the 8-bit sRGB value of linear light, with a soft shoulder towards white, like
// film.
func encode(v float64) uint8 {
	if v > 0.75 {
		v = 1 - 0.25*math.Exp(-(v-0.75)/0.25)
	}
	v = clamp01(v)
	if v <= 0.0031308 {
		v *= 12.92
	} else {
		v = 1.055*math.Pow(v, 1/2.4) - 0.055
	}
	return uint8(math.Round(255 * v))
}

// hue returns a colour of the given hue (in turns), saturation and value.
func hue(h, s, v float64) rgb {
	var c rgb
	for i := range c {
		k := fract(h-float64(i)/3+1) * 6
		c[i] = v * (1 - s*clamp01(math.Min(k, 6-k)-1)) // full at the channel's own hue
	}
	return c
}
