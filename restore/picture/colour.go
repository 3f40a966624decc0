package picture

import (
	"encoding/binary"
	"math"
	"unicode/utf16"

	"github.com/vfmrestore/restore/internal/matrix3"
)

// pngColour holds the bodies of the chunks by which a PNG file describes its colours without an ICC
// profile. A missing chunk is nil.
type pngColour struct {
	cicp []byte // code points of primaries, transfer function, matrix; full range
	gama []byte // 100000 times the exponent of encoding (light to values)
	chrm []byte // 100000 times x and y of white, red, green, blue
	srgb []byte // the rendering intent
}

// Code points of HDR transfer functions (ITU-T H.273).
const (
	transferPQ  = 16
	transferHLG = 18
)

// hdr names the transfer function if it is for HDR, else "".
func (c *pngColour) hdr() string {
	if c == nil || len(c.cicp) != 4 {
		return ""
	}
	switch c.cicp[1] {
	case transferPQ:
		return "PQ"
	case transferHLG:
		return "HLG"
	}
	return ""
}

// chunks gives the chunks for a new PNG file. PNG does not allow sRGB together with an ICC profile.
// cICP overrides the profile, as it did in the old file.
func (c *pngColour) chunks(profile bool) (b []byte) {
	if c == nil {
		return nil
	}
	for _, x := range []struct {
		kind string
		body []byte
	}{{"cICP", c.cicp}, {"gAMA", c.gama}, {"cHRM", c.chrm}, {"sRGB", c.srgb}} {
		if x.body != nil && !(profile && x.kind == "sRGB") {
			b = append(b, pngChunk(x.kind, x.body)...)
		}
	}
	return b
}

// chromaticities are x and y of white, red, green and blue.
type chromaticities [8]float64

var (
	whiteD65 = [2]float64{0.3127, 0.3290}
	srgbXY   = chromaticities{0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06}
)

// primaries by their code point in H.273.
var primaries = map[byte]chromaticities{
	1:  srgbXY,
	4:  {0.310, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08},
	5:  {0.3127, 0.3290, 0.64, 0.33, 0.29, 0.60, 0.15, 0.06},
	6:  {0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070},
	7:  {0.3127, 0.3290, 0.630, 0.340, 0.310, 0.595, 0.155, 0.070},
	9:  {0.3127, 0.3290, 0.708, 0.292, 0.170, 0.797, 0.131, 0.046},
	11: {0.314, 0.351, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060},
	12: {0.3127, 0.3290, 0.680, 0.320, 0.265, 0.690, 0.150, 0.060},
	22: {0.3127, 0.3290, 0.630, 0.340, 0.295, 0.605, 0.155, 0.077},
}

// curve decodes values in [0,1] to linear light.
type curve func(v float64) float64

func power(gamma float64) curve { return func(v float64) float64 { return math.Pow(v, gamma) } }

func srgbCurve(v float64) float64 {
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

// bt709Curve is the inverse of the camera's transfer function of BT.709, 601 and 2020.
func bt709Curve(v float64) float64 {
	if v < 4.5*0.018053968510807 {
		return v / 4.5
	}
	return math.Pow((v+0.09929682680944)/1.09929682680944, 1/0.45)
}

// transfers by their code point in H.273.
var transfers = map[byte]curve{
	1: bt709Curve, 4: power(2.2), 5: power(2.8), 6: bt709Curve, 8: power(1), 13: srgbCurve,
	14: bt709Curve, 15: bt709Curve,
}

// profile makes an ICC profile with the same meaning, for formats without such chunks. ok is false
// if that is not possible. If ok is true and the profile is nil, the colours are sRGB, which needs
// no profile.
func (c *pngColour) profile(gray bool) (icc []byte, ok bool) {
	if c == nil {
		return nil, true
	}
	xy, f := srgbXY, curve(srgbCurve)
	switch {
	case c.cicp != nil:
		p, ok1 := primaries[c.cicp[0]]
		t, ok2 := transfers[c.cicp[1]]
		if !ok1 || !ok2 || c.cicp[2] != 0 || c.cicp[3] != 1 {
			return nil, false
		}
		if c.cicp[0] == 1 && c.cicp[1] == 13 {
			return nil, true
		}
		xy, f = p, t
	case c.srgb != nil:
		return nil, true
	default:
		plain := true
		if c.chrm != nil {
			for i := range xy {
				xy[i] = float64(binary.BigEndian.Uint32(c.chrm[4*i:])) / 100000
				plain = plain && math.Abs(xy[i]-srgbXY[i]) < 0.002
			}
		}
		if c.gama != nil {
			g := float64(binary.BigEndian.Uint32(c.gama)) / 100000
			if g < 0.1 || g > 4 {
				return nil, false
			}
			if math.Abs(g-0.45455) > 0.002 { // this value means sRGB
				plain, f = false, power(1/g)
			}
		}
		if plain {
			return nil, true
		}
	}
	return makeProfile(xy, f, gray)
}

// makeProfile makes an ICC profile (ICC.1:2001-04) from primaries and a transfer curve. ok is false
// if the primaries do not span a colour space.
func makeProfile(xy chromaticities, f curve, gray bool) (icc []byte, ok bool) {
	d50 := [3]float64{0.96420, 1, 0.82491}
	for i := 1; i < len(xy); i += 2 {
		if !(xy[i] > 0) {
			return nil, false
		}
	}
	xyz := func(i int) [3]float64 {
		return [3]float64{xy[i] / xy[i+1], 1,
			(1 - xy[i] - xy[i+1]) / xy[i+1]}
	}
	white := xyz(0)
	// The columns are XYZ of red, green and blue, to be scaled so that they add up to white.
	var m matrix3.Matrix
	for c := range 3 {
		for r, v := range xyz(2 + 2*c) {
			m[3*r+c] = v
		}
	}
	inverse, ok := m.Inverse()
	if !ok {
		return nil, false
	}
	share := inverse.Apply(white)
	// Chromatic adaptation to D50 (Bradford).
	bradford := matrix3.Matrix{0.8951, 0.2664, -0.1614, -0.7502, 1.7135, 0.0367,
		0.0389, -0.0685, 1.0296}
	back, _ := bradford.Inverse()
	from, to := bradford.Apply(white), bradford.Apply(d50)
	adapt := func(v [3]float64) [3]float64 {
		v = bradford.Apply(v)
		for i := range v {
			v[i] *= to[i] / from[i]
		}
		return back.Apply(v)
	}
	tags := []iccTag{
		{"desc", iccText("Colours of a PNG file")},
		{"cprt", append([]byte("text\x00\x00\x00\x00"), "No copyright\x00"...)},
		{"wtpt", iccXYZ(d50)},
	}
	space := "GRAY"
	if gray {
		tags = append(tags, iccTag{"kTRC", iccCurve(f)})
	} else {
		space = "RGB "
		for c, name := range []string{"r", "g", "b"} {
			column := [3]float64{m[c] * share[c], m[3+c] * share[c], m[6+c] * share[c]}
			tags = append(tags, iccTag{name + "XYZ", iccXYZ(adapt(column))})
		}
		for _, name := range []string{"r", "g", "b"} {
			tags = append(tags, iccTag{name + "TRC", iccCurve(f)})
		}
	}
	head := make([]byte, 128)
	copy(head[8:], []byte{2, 0x40, 0, 0})
	copy(head[12:], "mntr"+space+"XYZ ")
	copy(head[24:], []byte{0x07, 0xd0, 0, 1, 0, 1}) // the first of January 2000
	copy(head[36:], "acsp")
	copy(head[68:], iccXYZ(d50)[8:]) // illuminant of the profile connection space
	icc = binary.BigEndian.AppendUint32(head, uint32(len(tags)))
	at := len(icc) + 12*len(tags)
	var bodies []byte
	for _, t := range tags {
		icc = append(icc, t.name...)
		icc = binary.BigEndian.AppendUint32(icc, uint32(at+len(bodies)))
		icc = binary.BigEndian.AppendUint32(icc, uint32(len(t.body)))
		bodies = append(bodies, t.body...)
		for len(bodies)%4 != 0 {
			bodies = append(bodies, 0)
		}
	}
	icc = append(icc, bodies...)
	binary.BigEndian.PutUint32(icc, uint32(len(icc)))
	return icc, true
}

type iccTag struct {
	name string
	body []byte
}

// iccXYZ encodes a colour as s15Fixed16 numbers.
func iccXYZ(v [3]float64) []byte {
	b := []byte("XYZ \x00\x00\x00\x00")
	for _, x := range v {
		b = binary.BigEndian.AppendUint32(b, uint32(int32(math.Round(x*65536))))
	}
	return b
}

// iccCurve encodes a curve as a table.
func iccCurve(f curve) []byte {
	const n = 1024
	b := binary.BigEndian.AppendUint32([]byte("curv\x00\x00\x00\x00"), n)
	for i := range n {
		v := f(float64(i) / (n - 1))
		b = binary.BigEndian.AppendUint16(b, uint16(math.Round(65535*min(max(v, 0), 1))))
	}
	return b
}

// iccText encodes a description in ASCII.
func iccText(s string) []byte {
	b := binary.BigEndian.AppendUint32([]byte("desc\x00\x00\x00\x00"), uint32(len(s)+1))
	b = append(append(b, s...), 0)
	b = append(b, make([]byte, 4)...) // language of the text that follows
	b = binary.BigEndian.AppendUint32(b, uint32(len(utf16.Encode([]rune(s)))+1))
	for _, u := range utf16.Encode([]rune(s + "\x00")) {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return append(b, make([]byte, 2+1+67)...) // no Macintosh text
}
