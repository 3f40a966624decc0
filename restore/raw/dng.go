package raw

import (
	"math"

	"github.com/vfmrestore/restore/restore/picture"
)

// Tags of DNG (Adobe, Digital Negative Specification 1.6) and TIFF.
const (
	tagNewSubfile  = 254
	tagWidth       = 256
	tagHeight      = 257
	tagBits        = 258
	tagCompression = 259
	tagPhotometric = 262
	tagOffsets     = 273
	tagSamples     = 277
	tagRows        = 278
	tagCounts      = 279
	tagPredictor   = 317
	tagTileWidth   = 322
	tagTileHeight  = 323
	tagTileOffsets = 324
	tagTileCounts  = 325

	tagPatternDim   = 33421
	tagPattern      = 33422
	tagPlanes       = 50710
	tagLayout       = 50711
	tagLinear       = 50712
	tagBlackDim     = 50713
	tagBlack        = 50714
	tagBlackColumns = 50715
	tagBlackRows    = 50716
	tagWhite        = 50717
	tagCropOrigin   = 50719
	tagCropSize     = 50720
	tagColour1      = 50721
	tagColour2      = 50722
	tagNeutral      = 50728
	tagWhiteXY      = 50729
	tagExposure     = 50730
	tagIlluminant1  = 50778
	tagIlluminant2  = 50779
	tagActive       = 50829
	tagForward1     = 50964
	tagForward2     = 50965
	tagNoise        = 51041

	photometricMosaic = 32803
	photometricLinear = 34892

	compressionNone     = 1
	compressionLossless = 7
)

// findSensor gives the directory of the sensor's values: the largest mosaic that is not a reduced
// version.
func findSensor(list []picture.Directory) (best picture.Directory, err error) {
	area, linear := 0.0, false
	for _, d := range list {
		linear = linear || number(d, tagPhotometric, 0) == photometricLinear
		if number(d, tagPhotometric, 0) != photometricMosaic ||
			int(number(d, tagNewSubfile, 0))&1 != 0 {
			continue
		}
		if a := number(d, tagWidth, 0) * number(d, tagHeight, 0); a > area {
			best, area = d, a
		}
	}
	switch {
	case area > 0:
		return best, nil
	case linear:
		return best, unsupported("it holds demosaiced colours (LinearRaw), not a mosaic, which is not " +
			"supported")
	}
	return best, unsupported("it holds no mosaic of a sensor")
}

// number is the first value of an entry, or the given default if there is none or it is NaN.
func number(d picture.Directory, tag uint16, or float64) float64 {
	if v := d.Numbers(tag, 1); len(v) == 1 && !math.IsNaN(v[0]) {
		return v[0]
	}
	return or
}

// readPattern reads the arrangement of colours in the mosaic.
func readPattern(d picture.Directory) (Pattern, error) {
	dim, cells := d.Numbers(tagPatternDim, 2), d.Numbers(tagPattern, 64)
	if number(d, tagLayout, 1) != 1 || len(dim) == 2 && (dim[0] != 2 || dim[1] != 2) {
		return 0, unsupported("its mosaic is not a Bayer pattern of 2×2 pixels, which is not supported")
	}
	planes := d.Numbers(tagPlanes, 4)
	if len(cells) == 4 && (planes == nil || len(planes) == 3) {
		for p := RGGB; p <= BGGR; p++ {
			same := true
			for i, c := range cells {
				same = same && c == float64(p.colour(i&1, i>>1))
			}
			if same {
				return p, nil
			}
		}
	}
	return 0, unsupported("its mosaic is not of red, green and blue in a Bayer pattern, which is not " +
		"supported")
}

// readBlack reads the black levels. They may repeat with any even period, or with period 1. For
// periods above 2 each pixel of the Bayer pattern gets the mean.
func readBlack(d picture.Directory) (black [4]float64, err error) {
	rows, columns := 1, 1
	if dim := d.Numbers(tagBlackDim, 2); len(dim) == 2 {
		for i, to := range []*int{&rows, &columns} {
			if v := dim[i]; v == 1 || v >= 2 && v <= 16 && v == 2*math.Floor(v/2) {
				*to = int(v)
				continue
			}
			return black, unsupported("its black levels repeat every %v pixels, which is not supported",
				dim)
		}
	}
	v := d.Numbers(tagBlack, rows*columns)
	if v == nil {
		return black, nil
	}
	if len(v) < rows*columns {
		return black, wrong("it has %d black levels, not %d", len(v), rows*columns)
	}
	for k := range black {
		sum, n := 0.0, 0.0
		for y := range rows {
			for x := range columns {
				if (rows == 1 || y&1 == k>>1) && (columns == 1 || x&1 == k&1) {
					sum, n = sum+v[y*columns+x], n+1
				}
			}
		}
		black[k] = sum / n
	}
	return black, nil
}

// readNoise reads the noise parameters of the file: one pair, or one for each of red, green and
// blue.
func readNoise(list ...picture.Directory) *Noise {
	for _, d := range list {
		v := d.Numbers(tagNoise, 6)
		n := &Noise{}
		for c := range 3 {
			switch len(v) {
			case 2:
				n.Shot[c], n.Read[c] = v[0], v[1]
			case 6:
				n.Shot[c], n.Read[c] = v[2*c], v[2*c+1]
			default:
				n.Shot[c] = math.NaN()
			}
		}
		if n.valid() && *n != (Noise{}) {
			return n
		}
	}
	return nil
}

// crop finds the part of the sensor that is shown.
func (f *File) crop(d picture.Directory) error {
	p, m := &f.pixels, &f.mosaic
	x0, y0, x1, y1 := 0, 0, p.w, p.h
	if v := d.Numbers(tagActive, 4); len(v) == 4 {
		y0, x0, y1, x1 = whole(v[0]), whole(v[1]), whole(v[2]), whole(v[3])
		if x0 < 0 || y0 < 0 || x1 > p.w || y1 > p.h || x1-x0 < 2 || y1-y0 < 2 {
			return wrong("its active area, %v, is not inside %d×%d pixels", v, p.w, p.h)
		}
	}
	p.blackX, p.blackY = x0, y0
	x, y, w, h := 0, 0, x1-x0, y1-y0
	origin, size := d.Numbers(tagCropOrigin, 2), d.Numbers(tagCropSize, 2)
	if len(origin) == 2 && len(size) == 2 {
		x, y = whole(origin[0]), whole(origin[1])
		if x < 0 || y < 0 || x > w-2 || y > h-2 || !(size[0] >= 2) || !(size[1] >= 2) {
			return wrong("its crop, %v pixels from %v on, is not inside %d×%d pixels", size, origin,
				w, h)
		}
		w, h = int(min(size[0], float64(w-x))), int(min(size[1], float64(h-y)))
	}
	p.x, p.y = x0+x, y0+y
	m.W, m.H, m.Pattern = w, h, m.Pattern.shifted(x, y)
	black := m.Black
	for k := range black {
		m.Black[k] = black[k^(x&1|y&1<<1)]
	}
	return nil
}

// whole rounds a number of a file to an integer of at most 30 bits. Others become -1.
func whole(v float64) int {
	if !(v >= 0 && v < 1<<30) {
		return -1
	}
	return int(math.Round(v))
}
