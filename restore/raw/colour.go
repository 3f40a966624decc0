package raw

import (
	"math"

	"github.com/vfmrestore/restore/internal/matrix3"
	"github.com/vfmrestore/restore/restore/picture"
)

var (
	// srgbToXYZ takes linear sRGB to XYZ with white D65 (IEC 61966-2-1).
	srgbToXYZ = matrix3.Matrix{0.4124564, 0.3575761, 0.1804375, 0.2126729, 0.7151522, 0.0721750,
		0.0193339, 0.1191920, 0.9503041}
	// d50ToD65 takes XYZ with white D50, which forward matrices give, to white D65 (Bradford).
	d50ToD65 = matrix3.Matrix{0.9555766, -0.0230393, 0.0631636, -0.0282895, 1.0099416, 0.0210077,
		0.0122982, -0.0204830, 1.3299098}
)

// matrixAt reads an entry of nine numbers.
func matrixAt(d picture.Directory, tag uint16) (m matrix3.Matrix, ok bool) {
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

// daylightDistance is the difference in kelvin between an EXIF light source and daylight of 6500 K.
func daylightDistance(source float64) float64 {
	kelvin := map[float64]float64{1: 5500, 2: 4200, 3: 2850, 4: 5500, 9: 5500, 11: 7500, 12: 6430,
		13: 5000, 14: 4200, 15: 3450, 17: 2850, 18: 4874, 20: 5500, 22: 7500, 23: 5000, 24: 3200}
	if k, ok := kelvin[source]; ok {
		return math.Abs(k - 6500)
	}
	return 0
}

// colours sets white balance and matrix from a DNG's first directory. Of two matrices it takes the
// one whose light source is nearer to daylight. White balance is that of the camera, or daylight if
// the file gives none.
func colours(m *Mosaic, d picture.Directory) error {
	camera, forward := uint16(tagColour1), uint16(tagForward1)
	_, two := matrixAt(d, tagColour2)
	if _, one := matrixAt(d, tagColour1); two &&
		(!one || daylightDistance(number(d, tagIlluminant2, 21)) < daylightDistance(
			number(d, tagIlluminant1, 21))) {
		camera, forward = tagColour2, tagForward2
	}
	toCamera, known := matrixAt(d, camera)
	// The camera's values for white.
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
	default: // DNGs of cameras have at least one of the two
		return unsupported("it has no colour information: neither white balance (AsShotNeutral) nor a " +
			"colour matrix")
	}
	for c, v := range neutral {
		if !(v > 1e-3 && v < 1e3) {
			return wrong("its values of white, %v, are invalid", neutral)
		}
		m.Gains[c] = 1 / v
	}
	fromXYZ, _ := srgbToXYZ.Inverse()
	if f, ok := matrixAt(d, forward); ok {
		if v, ok := fromXYZ.Times(d50ToD65).Times(f).NormaliseRows(); ok {
			m.Matrix = v
			return nil
		}
	}
	if !known {
		return nil
	}
	v, ok := toCamera.Times(srgbToXYZ).NormaliseRows()
	if ok {
		v, ok = v.Inverse()
	}
	if !ok {
		return wrong("its colour matrix is invalid")
	}
	m.Matrix = v
	return nil
}
