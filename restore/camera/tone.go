package camera

import (
	"math"
	"sync"
)

// tone is a tone curve and its inverse, as tables over [0,1]: sRGB's curve, followed by a share of
// the S-curve 3v²−2v³. Brooks et al. use a share of 1; telephones apply more, cameras set to
// neutral less.
type tone struct{ up, down [toneSteps + 2]float32 }

const toneSteps = 4096

var tones sync.Map // by share, in hundredths

// toneFor gives the curve for a share of the S-curve. The share is rounded to hundredths.
func toneFor(share float64) *tone {
	key := int(math.Round(100 * share))
	if t, ok := tones.Load(key); ok {
		return t.(*tone)
	}
	t := &tone{}
	s := float64(key) / 100
	for i := range t.up {
		v := float64(i) / toneSteps
		// The display table is spaced by the square root of light, because the curve is steep near
		// black.
		t.up[i] = float32(curve(srgbEncode(v*v), s))
		t.down[i] = float32(srgbDecode(inverseCurve(v, s)))
	}
	tones.Store(key, t)
	return t
}

// light turns a displayed value in [-1,1] into linear light in [0,1].
func (t *tone) light(v float32) float32 { return lookUp(&t.down, (v+1)/2) }

// display turns linear light into a displayed value in [-1,1]. Values out of range are clipped.
func (t *tone) display(v float32) float32 {
	return 2*lookUp(&t.up, float32(math.Sqrt(float64(max(v, 0))))) - 1
}

func lookUp(table *[toneSteps + 2]float32, v float32) float32 {
	if !(v > 0) {
		return table[0]
	}
	x := min(v, 1) * toneSteps
	i := int(x)
	f := x - float32(i)
	return table[i] + f*(table[i+1]-table[i])
}

// curve mixes a value in [0,1] with its S-curve.
func curve(v, share float64) float64 {
	v = min(v, 1)
	return (1-share)*v + share*v*v*(3-2*v)
}

// inverseCurve is the inverse of curve, by bisection; the curve rises everywhere.
func inverseCurve(v, share float64) float64 {
	lo, hi := 0.0, 1.0
	for range 40 {
		if mid := (lo + hi) / 2; curve(mid, share) < v {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}

// srgbEncode is sRGB's transfer function (IEC 61966-2-1), srgbDecode its inverse.
func srgbEncode(v float64) float64 {
	if v <= 0.0031308 {
		return 12.92 * v
	}
	return 1.055*math.Pow(v, 1/2.4) - 0.055
}

func srgbDecode(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

// Tone is a tone curve for developing pictures.
type Tone struct{ t *tone }

// NewTone gives sRGB's curve followed by a share, 0 to 1, of the S-curve 3v²−2v³ (Camera.Curve).
func NewTone(share float64) Tone { return Tone{toneFor(min(max(share, 0), 1))} }

// Display turns linear light into a displayed value in [-1,1]; light below 0 and above 1 is
// clipped.
func (t Tone) Display(light float32) float32 { return t.t.display(light) }

// Light is the inverse of Display, from 0 to 1; values beyond [-1,1] are clipped.
func (t Tone) Light(v float32) float32 { return t.t.light(v) }

// Light is the linear light, from 0 to 1, of a value of planar.Image by sRGB's curve. Values out of
// range are clipped.
func Light(v float32) float32 { return toneFor(0).light(v) }

// Display is the inverse of Light.
func Display(light float32) float32 { return toneFor(0).display(light) }

// LightSlope is the derivative of sRGB's light by its value, where both go from 0 to 1.
func LightSlope(v float64) float64 {
	if v <= 0.04045 {
		return 1 / 12.92
	}
	return 2.4 / 1.055 * math.Pow((min(v, 1)+0.055)/1.055, 1.4)
}
