package raw

import (
	"math"

	"github.com/vfmrestore/restore/restore/noise"
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

// Options say how raw files are developed. The zero value has no S-curve; Usual has.
type Options struct {
	Rendering Rendering
	// Gain (levels of the file per electron) and ReadNoise (standard deviation in levels) are those
	// of the sensor at the picture's film speed, in place of what the file says; both 0: not told.
	Gain, ReadNoise float64
}

// Told tells whether the noise of the sensor is.
func (o *Options) Told() bool { return o.Gain != 0 || o.ReadNoise != 0 }

// Noise is what is told of the noise of a mosaic, whose levels of black and white count.
func (o *Options) Noise(m *Mosaic) *Noise {
	n := NoiseOf(o.Gain, o.ReadNoise, (m.Black[0]+m.Black[1]+m.Black[2]+m.Black[3])/4, m.White)
	return &n
}

// Reader opens raw files for package picture, one at a time: as picture.Limits.Raw give its Open.
type Reader struct {
	Options
	File *File // what was opened last; nil if nothing was
}

// Open is Open of a file in memory, remembered.
func (r *Reader) Open(b []byte) (picture.RawFile, error) {
	f, err := Open(b, r.Options)
	if err != nil {
		return nil, err
	}
	r.File = f
	return f, nil
}

// DecodeFile reads a DNG file, or a picture of another kind, as picture.DecodeFile does, whose
// errors it has. noise is that of a developed picture, for restore.Request.Profile; nil where it is
// not known and is to be estimated.
func DecodeFile(path string, lim picture.Limits, o Options) (p *picture.Picture, noise *noise.Profile, err error) {
	r := &Reader{Options: o}
	lim.Raw = r.Open
	if p, err = picture.DecodeFile(path, lim); err != nil {
		return nil, nil, err
	}
	if r.File != nil {
		noise = r.File.Profile()
	}
	return p, noise, nil
}

// File is a DNG file whose header was read, or a mosaic with a Layout.
type File struct {
	options Options
	pixels  pixels
	read    func() ([]uint16, error) // the picture's levels
	mosaic  Mosaic                   // without its levels
	profile *noise.Profile
}

// Open reads the header of a DNG file, which b holds whole and which must not be changed while File
// is in use. Errors, [*Error]: what is damaged, or not supported.
func Open(b []byte, o Options) (*File, error) {
	list := picture.Directories(b)
	d, err := sensorOf(list)
	if err != nil {
		return nil, err
	}
	f := &File{options: o}
	m := &f.mosaic
	f.read = func() ([]uint16, error) { return f.pixels.read(m.W, m.H) }
	if err := f.pixels.open(b, d); err != nil {
		return nil, err
	}
	if m.Pattern, err = patternOf(d); err != nil {
		return nil, err
	}
	if m.Black, err = blackOf(d); err != nil {
		return nil, err
	}
	m.White = number(d, tagWhite, float64(int(1)<<f.pixels.bits-1))
	if err := f.crop(d); err != nil {
		return nil, err
	}
	if err := colours(m, list[0]); err != nil {
		return nil, err
	}
	if v := number(list[0], tagExposure, 0); v > 0 { // darker, white would be grey
		m.Exposure = math.Exp2(v)
	}
	if m.Noise = noiseOf(d, list[0]); o.Told() {
		m.Noise = o.Noise(m)
	}
	return f, m.checkLevels()
}

// sensorOf is the directory of the sensor's values: the largest mosaic that is no reduction.
func sensorOf(list []picture.Directory) (best picture.Directory, err error) {
	area, linear := 0.0, false
	for _, d := range list {
		linear = linear || number(d, tagPhotometric, 0) == photometricLinear
		if number(d, tagPhotometric, 0) != photometricMosaic || int(number(d, tagNewSubfile, 0))&1 != 0 {
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
		return best, wrong("it holds no mosaic but colours that were made of one (LinearRaw), which is not supported")
	}
	return best, wrong("it holds no mosaic of a sensor")
}

// number is the first value of an entry, or another where there is none that is a number.
func number(d picture.Directory, tag uint16, or float64) float64 {
	if v := d.Numbers(tag, 1); len(v) == 1 && !math.IsNaN(v[0]) {
		return v[0]
	}
	return or
}

// patternOf reads the arrangement of colours.
func patternOf(d picture.Directory) (Pattern, error) {
	dim, cells := d.Numbers(tagPatternDim, 2), d.Numbers(tagPattern, 64)
	if number(d, tagLayout, 1) != 1 || len(dim) == 2 && (dim[0] != 2 || dim[1] != 2) {
		return 0, wrong("its mosaic is no Bayer pattern of 2×2 pixels, which is not supported")
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
	return 0, wrong("its mosaic is not of red, green and blue in a Bayer pattern, which is not supported")
}

// blackOf reads the levels of black, which may be a pattern of any even or single sides: of larger
// ones each pixel of the Bayer pattern has the mean.
func blackOf(d picture.Directory) (black [4]float64, err error) {
	rows, columns := 1, 1
	if dim := d.Numbers(tagBlackDim, 2); len(dim) == 2 {
		for i, to := range []*int{&rows, &columns} {
			if v := dim[i]; v == 1 || v >= 2 && v <= 16 && v == 2*math.Floor(v/2) {
				*to = int(v)
				continue
			}
			return black, wrong("its levels of black repeat every %v pixels, which is not supported", dim)
		}
	}
	v := d.Numbers(tagBlack, rows*columns)
	if v == nil {
		return black, nil
	}
	if len(v) < rows*columns {
		return black, wrong("its levels of black are %d, not %d", len(v), rows*columns)
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

// noiseOf reads what the file says of its noise: one law, or one for each of red, green and blue.
func noiseOf(list ...picture.Directory) *Noise {
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

// crop finds the part of the sensor that is the picture.
func (f *File) crop(d picture.Directory) error {
	p, m := &f.pixels, &f.mosaic
	x0, y0, x1, y1 := 0, 0, p.w, p.h
	if v := d.Numbers(tagActive, 4); len(v) == 4 {
		y0, x0, y1, x1 = whole(v[0]), whole(v[1]), whole(v[2]), whole(v[3])
		if x0 < 0 || y0 < 0 || x1 > p.w || y1 > p.h || x1-x0 < 2 || y1-y0 < 2 {
			return wrong("its active area, %v, does not lie in %d×%d pixels", v, p.w, p.h)
		}
	}
	p.blackX, p.blackY = x0, y0
	x, y, w, h := 0, 0, x1-x0, y1-y0
	origin, size := d.Numbers(tagCropOrigin, 2), d.Numbers(tagCropSize, 2)
	if len(origin) == 2 && len(size) == 2 {
		x, y = whole(origin[0]), whole(origin[1])
		if x < 0 || y < 0 || x > w-2 || y > h-2 || !(size[0] >= 2) || !(size[1] >= 2) {
			return wrong("its crop, %v pixels from %v on, does not lie in %d×%d pixels", size, origin, w, h)
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

// whole rounds a number of a file to a whole one of at most 30 bits; what is none becomes -1.
func whole(v float64) int {
	if !(v >= 0 && v < 1<<30) {
		return -1
	}
	return int(math.Round(v))
}

// Sides are those of the picture as it lies in the file.
func (f *File) Sides() (w, h int) { return f.mosaic.W, f.mosaic.H }

// Mosaic reads the pixels of the picture, without the sensor's border. Errors: *Error for damage,
// *memory.Error where there is no room.
func (f *File) Mosaic() (*Mosaic, error) {
	m := f.mosaic
	var err error
	if m.Pix, err = f.read(); err != nil {
		return nil, err
	}
	return &m, nil
}

// Develop reads and develops the picture, which is not turned to how it is meant to be seen, and
// has Levels with pack. Errors: those of Mosaic and Mosaic.Develop.
func (f *File) Develop(pack bool) (*picture.Picture, error) {
	m, err := f.Mosaic()
	if err != nil {
		return nil, err
	}
	if m.Noise != nil {
		p, err := m.Profile(f.options.Rendering)
		if err != nil {
			return nil, err
		}
		f.profile = &p
	}
	return m.develop(f.options.Rendering, pack)
}

// Profile is the noise of the picture that was developed last; nil where the sensor's is not known.
func (f *File) Profile() *noise.Profile { return f.profile }
