package picture

import (
	"encoding/binary"
	"math"
)

// density is the resolution in pixels per metre, horizontal and vertical. It is 0 if the file does
// not give it.
type density struct{ x, y float64 }

const perInch, perCentimetre = 1 / 0.0254, 100.0

func (d density) known() bool {
	return d.x > 0 && d.y > 0 && !math.IsInf(d.x, 0) && !math.IsInf(d.y, 0)
}

// jfifDensity reads JPEG's APP0 segment.
func jfifDensity(body []byte) (d density) {
	if len(body) < 12 || string(body[:5]) != "JFIF\x00" {
		return d
	}
	unit := map[byte]float64{1: perInch, 2: perCentimetre}[body[7]]
	return density{unit * float64(binary.BigEndian.Uint16(body[8:])),
		unit * float64(binary.BigEndian.Uint16(body[10:]))}
}

// jfifSegment makes that segment, or nothing if the density is not known.
func (d density) jfifSegment() []byte {
	x, y := math.Round(d.x/perInch), math.Round(d.y/perInch)
	if !d.known() || x < 1 || y < 1 || x > 65535 || y > 65535 {
		return nil
	}
	body := binary.BigEndian.AppendUint16([]byte{1, 2, 1}, uint16(x))
	return segment(0xe0, "JFIF\x00", append(binary.BigEndian.AppendUint16(body, uint16(y)), 0, 0))
}

// physDensity reads PNG's pHYs chunk.
func physDensity(body []byte) (d density) {
	if len(body) != 9 || body[8] != 1 { // else only the aspect ratio of pixels
		return d
	}
	return density{float64(binary.BigEndian.Uint32(body)),
		float64(binary.BigEndian.Uint32(body[4:]))}
}

func (d density) physChunk() []byte {
	x, y := math.Round(d.x), math.Round(d.y)
	if !d.known() || x < 1 || y < 1 || x > math.MaxInt32 || y > math.MaxInt32 {
		return nil
	}
	body := binary.BigEndian.AppendUint32(nil, uint32(x))
	return pngChunk("pHYs", append(binary.BigEndian.AppendUint32(body, uint32(y)), 1))
}

// Tags of the resolution in a first directory.
const (
	tagXResolution    = 0x011a
	tagYResolution    = 0x011b
	tagResolutionUnit = 0x0128
)

// tiffDensity reads the first directory of a TIFF file.
func tiffDensity(d directory) density {
	unit, ok := d.number(tagResolutionUnit)
	if !ok {
		unit = 2
	}
	scale := map[int64]float64{2: perInch, 3: perCentimetre}[unit]
	fraction := func(tag uint16) float64 {
		at, kind, count := d.find(tag)
		if at == 0 || kind != typeFraction || count != 1 {
			return 0
		}
		from, _, ok := d.value(at)
		if !ok {
			return 0
		}
		over := d.order.Uint32(d.b[from+4:])
		if over == 0 {
			return 0
		}
		return scale * float64(d.order.Uint32(d.b[from:])) / float64(over)
	}
	return density{fraction(tagXResolution), fraction(tagYResolution)}
}

// entries gives the entries for a TIFF file, in hundredths of dots per inch.
func (d density) entries() (e []tiffEntry) {
	x, y := math.Round(100*d.x/perInch), math.Round(100*d.y/perInch)
	if !d.known() || x < 1 || y < 1 || x > math.MaxInt32 || y > math.MaxInt32 {
		return nil
	}
	fraction := func(v float64) []byte {
		return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, uint32(v)),
			100)
	}
	return []tiffEntry{
		{tagXResolution, typeFraction, 1, fraction(x)},
		{tagYResolution, typeFraction, 1, fraction(y)},
		{tagResolutionUnit, typeShort, 1, []byte{2, 0}},
	}
}
