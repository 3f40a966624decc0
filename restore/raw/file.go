package raw

import (
	"math"

	"github.com/vfmrestore/restore/restore/noise"
	"github.com/vfmrestore/restore/restore/picture"
)

// Options are options for developing raw files. The zero value has no S-curve; DefaultRendering has
// one.
type Options struct {
	Rendering Rendering
	// Gain (levels of the file per electron) and ReadNoise (standard deviation in levels) describe
	// the sensor at the picture's film speed. They override the file's values, unless both are 0.
	Gain, ReadNoise float64
}

// HasNoise tells whether Gain or ReadNoise is given.
func (o *Options) HasNoise() bool { return o.Gain != 0 || o.ReadNoise != 0 }

// Noise gives the noise of mosaic m by Gain and ReadNoise, with the black and white levels of m.
func (o *Options) Noise(m *Mosaic) *Noise {
	n := NewNoise(o.Gain, o.ReadNoise, (m.Black[0]+m.Black[1]+m.Black[2]+m.Black[3])/4, m.White)
	return &n
}

// Reader opens raw files for package picture, one at a time: set picture.Limits.Raw to its Open.
type Reader struct {
	Options
	File *File // the file opened last, or nil
}

// Open opens a file in memory, and stores it in r.File.
func (r *Reader) Open(b []byte) (picture.RawFile, error) {
	f, err := Open(b, r.Options)
	if err != nil {
		return nil, err
	}
	r.File = f
	return f, nil
}

// DecodeFile reads a DNG file, or a picture of another format, like picture.DecodeFile, and with
// its errors. noise is the noise of a developed picture, for restore.Request.Profile. It is nil if
// it is not known and must be estimated.
func DecodeFile(path string, lim picture.Limits, o Options) (p *picture.Picture,
	noise *noise.Profile, err error) {
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

// File is a DNG file whose header has been read, or a mosaic with a Layout.
type File struct {
	options Options
	pixels  pixels
	read    func() ([]uint16, error) // reads the picture's levels
	mosaic  Mosaic                   // without its pixels
	profile *noise.Profile
}

// Open reads the header of a DNG file. b holds the whole file, and must not be changed while File
// is in use. The error is an [*Error] that names what is damaged or not supported.
func Open(b []byte, o Options) (*File, error) {
	list := picture.Directories(b)
	d, err := findSensor(list)
	if err != nil {
		return nil, err
	}
	f := &File{options: o}
	m := &f.mosaic
	f.read = func() ([]uint16, error) { return f.pixels.read(m.W, m.H) }
	if err := f.pixels.open(b, d); err != nil {
		return nil, err
	}
	if m.Pattern, err = readPattern(d); err != nil {
		return nil, err
	}
	if m.Black, err = readBlack(d); err != nil {
		return nil, err
	}
	m.White = number(d, tagWhite, float64(int(1)<<f.pixels.bits-1))
	if err := f.crop(d); err != nil {
		return nil, err
	}
	if err := colours(m, list[0]); err != nil {
		return nil, err
	}
	// a darker picture would have grey instead of white
	if v := number(list[0], tagExposure, 0); v > 0 {
		m.Exposure = math.Exp2(v)
	}
	if m.Noise = readNoise(d, list[0]); o.HasNoise() {
		m.Noise = o.Noise(m)
	}
	return f, m.checkLevels()
}

// Sides gives the sides of the picture in the file's orientation.
func (f *File) Sides() (w, h int) { return f.mosaic.W, f.mosaic.H }

// Mosaic reads the pixels of the picture, without the sensor's border. Errors: *Error for damage,
// *memory.Error if there is not enough memory.
func (f *File) Mosaic() (*Mosaic, error) {
	m := f.mosaic
	var err error
	if m.Pix, err = f.read(); err != nil {
		return nil, err
	}
	return &m, nil
}

// Develop reads and develops the picture, in the file's orientation. If pack is true, it has
// Levels. Errors: those of Mosaic and Mosaic.Develop.
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

// Profile is the noise of the last developed picture, or nil if the sensor's noise is not known.
func (f *File) Profile() *noise.Profile { return f.profile }
