package raw

import (
	"math"

	"github.com/vfmrestore/restore/restore/picture"
)

type matrix [9]float64

var (
	// fromSRGB takes linear sRGB to XYZ under D65 (IEC 61966-2-1).
	fromSRGB = matrix{0.4124564, 0.3575761, 0.1804375, 0.2126729, 0.7151522, 0.0721750, 0.0193339, 0.1191920, 0.9503041}
	// adapted takes XYZ under D50, which forward matrices give, to D65, by Bradford's method.
	adapted = matrix{0.9555766, -0.0230393, 0.0631636, -0.0282895, 1.0099416, 0.0210077, 0.0122982, -0.0204830, 1.3299098}
)

func (m matrix) times(n matrix) (p matrix) {
	for i := range p {
		for k := range 3 {
			p[i] += m[i/3*3+k] * n[3*k+i%3]
		}
	}
	return p
}

// inverse: ok is false if there is none that is of use.
func (m matrix) inverse() (v matrix, ok bool) {
	minor := func(r, c int) float64 {
		a, b, x, y := (r+1)%3, (r+2)%3, (c+1)%3, (c+2)%3
		return m[3*a+x]*m[3*b+y] - m[3*a+y]*m[3*b+x]
	}
	det := m[0]*minor(0, 0) + m[1]*minor(0, 1) + m[2]*minor(0, 2)
	if !(math.Abs(det) > 1e-6) {
		return v, false
	}
	for i := range v {
		v[i%3*3+i/3] = minor(i/3, i%3) / det
	}
	return v, true
}

// white makes the rows' sums 1, so that white stays white; ok is false if one is not above 0.
func (m matrix) white() (v matrix, ok bool) {
	for i := range m {
		r := i / 3 * 3
		sum := m[r] + m[r+1] + m[r+2]
		if !(sum > 1e-6 && sum < 1e6) {
			return v, false
		}
		v[i] = m[i] / sum
	}
	return v, true
}

// matrixAt reads an entry of nine numbers.
func matrixAt(d picture.Directory, tag uint16) (m matrix, ok bool) {
	v := d.Numbers(tag, 9)
	if len(v) < 9 {
		return m, false
	}
	for i, x := range v {
		if !(math.Abs(x) <= 100) {
			return m, false
		}
		m[i] = x
	}
	return m, true
}

// daylight tells how far a light source of EXIF is from daylight of 6500 K, in kelvin.
func daylight(source float64) float64 {
	kelvin := map[float64]float64{1: 5500, 2: 4200, 3: 2850, 4: 5500, 9: 5500, 11: 7500, 12: 6430, 13: 5000, 14: 4200, 15: 3450, 17: 2850, 18: 4874, 20: 5500, 22: 7500, 23: 5000, 24: 3200}
	if k, ok := kelvin[source]; ok {
		return math.Abs(k - 6500)
	}
	return 0
}

// colours sets white balance and matrix by a DNG's first directory. Of two matrices the one nearer
// to daylight is taken; white balance is what the camera said, or else daylight.
func colours(m *Mosaic, d picture.Directory) error {
	camera, forward := uint16(tagColour1), uint16(tagForward1)
	_, two := matrixAt(d, tagColour2)
	if _, one := matrixAt(d, tagColour1); two && (!one || daylight(number(d, tagIlluminant2, 21)) < daylight(number(d, tagIlluminant1, 21))) {
		camera, forward = tagColour2, tagForward2
	}
	toCamera, known := matrixAt(d, camera)
	// The camera's values of white.
	var neutral [3]float64
	switch v, xy := d.Numbers(tagNeutral, 3), d.Numbers(tagWhiteXY, 2); {
	case len(v) == 3:
		neutral = [3]float64(v)
	case known:
		x, y := 0.3127, 0.3290
		if len(xy) == 2 && xy[0] > 0 && xy[1] > 0 {
			x, y = xy[0], xy[1]
		}
		for r := range neutral {
			neutral[r] = (toCamera[3*r]*x + toCamera[3*r+1]*y + toCamera[3*r+2]*(1-x-y)) / y
		}
	default: // every DNG of a camera says one or the other
		return wrong("it says nothing of its colours: neither white balance (AsShotNeutral) nor a colour matrix")
	}
	for c, v := range neutral {
		if !(v > 1e-3 && v < 1e3) {
			return wrong("its values of white, %v, make no sense", neutral)
		}
		m.Gains[c] = 1 / v
	}
	fromXYZ, _ := fromSRGB.inverse()
	if f, ok := matrixAt(d, forward); ok {
		if v, ok := fromXYZ.times(adapted).times(f).white(); ok {
			m.Matrix = v
			return nil
		}
	}
	if !known {
		return nil
	}
	v, ok := toCamera.times(fromSRGB).white()
	if ok {
		v, ok = v.inverse()
	}
	if !ok {
		return wrong("its colour matrix makes no sense")
	}
	m.Matrix = v
	return nil
}
