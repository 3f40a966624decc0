package raw

import (
	"math"

	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/picture"
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
