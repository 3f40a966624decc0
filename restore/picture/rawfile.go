package picture

import (
	"errors"
	"image"
	"math"

	"github.com/vfmrestore/restore/internal/memory"
)

// RawFile is a camera raw file whose header was read; package raw makes them.
type RawFile interface {
	// Sides are those of the picture as it lies in the file.
	Sides() (w, h int)
	// Develop reads the pixels. With pack the picture has Levels.
	Develop(pack bool) (*Picture, error)
}

// Directory is one of a TIFF file's: a list of numbers under tags.
type Directory struct{ d directory }

// Directories are those of a TIFF file, the first one first, then those that follow it and those
// below, at most 64; none if it is no TIFF file.
func Directories(b []byte) (list []Directory) {
	first, ok := firstDirectory(b)
	if !ok {
		return nil
	}
	for _, d := range allDirectories(first) {
		list = append(list, Directory{d})
	}
	return list
}

// BigEndian tells whether the file's numbers begin with the highest byte.
func (d Directory) BigEndian() bool { return d.d.order.Uint16([]byte{0, 1}) == 1 }

// Has tells whether there is an entry.
func (d Directory) Has(tag uint16) bool {
	at, _, _ := d.d.find(tag)
	return at != 0
}

// Numbers are the values of an entry of any type of numbers, at most so many; nil if there is none,
// or if its values are not in the file. Fractions with a divisor of 0 are not a number.
func (d Directory) Numbers(tag uint16, most int) (v []float64) {
	e, kind, count := d.d.find(tag)
	if e == 0 {
		return nil
	}
	from, _, ok := d.d.value(e)
	if !ok {
		return nil
	}
	size := elementSize(kind)
	for i := int64(0); i < min(count, int64(most)); i++ {
		v = append(v, d.d.element(kind, d.d.b[from+i*size:][:size]))
	}
	return v
}

// element is a value of a type, of which b holds the bytes.
func (d directory) element(kind uint16, b []byte) float64 {
	switch kind {
	case typeByte, typeASCII, typeOther:
		return float64(b[0])
	case 6:
		return float64(int8(b[0]))
	case typeShort:
		return float64(d.order.Uint16(b))
	case 8:
		return float64(int16(d.order.Uint16(b)))
	case typeLong, 13:
		return float64(d.order.Uint32(b))
	case 9:
		return float64(int32(d.order.Uint32(b)))
	case typeFraction:
		return float64(d.order.Uint32(b)) / float64(d.order.Uint32(b[4:]))
	case 10:
		return float64(int32(d.order.Uint32(b))) / float64(int32(d.order.Uint32(b[4:])))
	case 11:
		return float64(math.Float32frombits(d.order.Uint32(b)))
	case 12:
		return math.Float64frombits(d.order.Uint64(b))
	}
	return math.NaN()
}

// Developed is the picture of a mosaic that is no file's of its own, within the limits: as Decode
// has it, refused before memory is asked for. Errors of f come as they are.
func Developed(f RawFile, lim Limits) (*Picture, error) {
	return develop(f, fileInfo{}, lim.withDefaults(), func(err error) error { return err })
}

// developed is decodeBytes of a camera raw file that lim.Raw reads.
func developed(b []byte, lim Limits) (*Picture, error) {
	explained := func(err error) error {
		var little *memory.Error
		if errors.As(err, &little) {
			return err
		}
		return &DecodeError{What: "camera raw file (DNG)", Err: err}
	}
	f, err := lim.Raw(b)
	if err != nil {
		return nil, explained(err)
	}
	p, err := develop(f, scanDNG(b), lim, explained)
	if err == nil {
		p.Format = DNG
	}
	return p, err
}

// develop asks for the pixels of a raw file, whose errors are explained.
func develop(f RawFile, info fileInfo, lim Limits, explained func(error) error) (*Picture, error) {
	w, h := f.Sides()
	if err := checkSize(image.Config{Width: w, Height: h}, DNG, fileInfo{}, 0, lim); err != nil {
		return nil, err
	}
	seenW, seenH := turnedSides(info.orientation, w, h)
	if lim.Check != nil {
		if err := lim.Check(seenW, seenH); err != nil {
			return nil, err
		}
	}
	pack := lim.Pack > 0 && memory.Bytes(w, h) >= lim.Pack
	perPixel := 2 + 12
	if pack {
		perPixel = 2 + 6
	}
	if err := memory.Check("developing the picture", memory.Bytes(w, h, perPixel)); err != nil {
		return nil, err
	}
	if lim.Header != nil {
		lim.Header(&Picture{W: seenW, H: seenH, Format: DNG})
	}
	p, err := f.Develop(pack)
	if err != nil {
		return nil, explained(err)
	}
	info.into(p)
	p.orient(info.orientation)
	return p, nil
}

// scanDNG is scanTIFF of a raw file: what its first directory says of the picture, not of the
// preview whose pixels it may hold.
func scanDNG(b []byte) (info fileInfo) {
	info = scanTIFF(b)
	info.icc, info.hasAlpha, info.dropped = nil, false, nil
	if hasMakerNote(b) {
		info.drop("the camera maker's notes, which cannot be moved")
	}
	for _, d := range Directories(b) {
		for _, tag := range []uint16{0xc740, 0xc741, 0xc74e} {
			if d.Has(tag) {
				info.drop("the DNG's corrections of the lens (opcodes), which are not applied")
			}
		}
	}
	return info
}
