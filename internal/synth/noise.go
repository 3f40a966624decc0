package synth

import "math"

// field gives random numbers as a function of position.
type field uint32

// hash returns a number in [0, 1) for the cell (i, j).
func (f field) hash(i, j int) float64 {
	h := uint32(f)*0x9E3779B9 ^ uint32(int32(i))*0x85EBCA6B ^ uint32(int32(j))*0xC2B2AE35
	h = (h ^ h>>15) * 0x2C1B3C6D
	h = (h ^ h>>12) * 0x297A2D39
	h ^= h >> 15
	return float64(h) / (1 << 32)
}

// noise is gradient noise in about [-1, 1] with features of size 1.
func (f field) noise(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	i, j := int(fx), int(fy)
	x, y = x-fx, y-fy
	slope := func(di, dj int) float64 {
		h := f.hash(i+di, j+dj)
		// sixteen directions are enough and cheap
		d := directions[int(h*16)]
		return d[0]*(x-float64(di)) + d[1]*(y-float64(dj))
	}
	sx, sy := x*x*x*(x*(6*x-15)+10), y*y*y*(y*(6*y-15)+10)
	return 1.5 * lerp(lerp(slope(0, 0), slope(1, 0), sx), lerp(slope(0, 1), slope(1, 1), sx), sy)
}

var directions = func() (d [16][2]float64) {
	for i := range d {
		d[i][1], d[i][0] = math.Sincos(float64(i) * math.Pi / 8)
	}
	return d
}()

// fractal is a sum of octaves of noise in about [-1, 1]. Each octave is twice as fine and gain
// times as strong; gain ½ gives a 1/f spectrum.
func (f field) fractal(x, y float64, octaves int, gain float64) float64 {
	sum, amp, total := 0.0, 1.0, 0.0
	for k := 0; k < octaves; k++ {
		sum += amp * (f+field(k)).noise(x, y)
		total += amp
		amp *= gain
		x, y = 2*x+17.3, 2*y-9.1
	}
	return 1.6 * sum / total
}

// ridge is fractal noise with sharp crests, in about [0, 1].
func (f field) ridge(x, y float64, octaves int) float64 {
	sum, amp, total := 0.0, 1.0, 0.0
	for k := 0; k < octaves; k++ {
		sum += amp * (1 - math.Abs((f+field(k)).noise(x, y)))
		total += amp
		amp *= 0.5
		x, y = 2*x+3.7, 2*y+5.9
	}
	return sum / total
}

// cells returns the distances to the nearest and the second nearest of random points, one in each
// unit cell, and the random number of the nearest.
func (f field) cells(x, y float64) (near, next, id float64) {
	fx, fy := math.Floor(x), math.Floor(y)
	near, next = 9, 9
	for dj := -1.0; dj <= 1; dj++ {
		for di := -1.0; di <= 1; di++ {
			i, j := int(fx+di), int(fy+dj)
			px, py := fx+di+0.15+0.7*f.hash(i, j), fy+dj+0.15+0.7*(f+77).hash(i, j)
			d := math.Hypot(px-x, py-y)
			if d < near {
				near, next, id = d, near, (f+33).hash(i, j)
			} else if d < next {
				next = d
			}
		}
	}
	return near, next, id
}

func lerp(a, b, t float64) float64 { return a + (b-a)*t }

func clamp01(t float64) float64 { return min(max(t, 0), 1) }

// smooth rises from 0 at a to 1 at b.
func smooth(a, b, t float64) float64 {
	t = clamp01((t - a) / (b - a))
	return t * t * (3 - 2*t)
}

func fract(t float64) float64 { return t - math.Floor(t) }
