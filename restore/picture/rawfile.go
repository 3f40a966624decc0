package picture

import (
	"errors"
	"image"
	"math"

	"github.com/vfmrestore/restore/internal/memory"
)

// RawFile is a camera raw file whose header has been read. Package raw implements it.
type RawFile interface {
	// Sides gives the sides of the picture in the file's orientation.
	Sides() (w, h int)
	// Develop reads the pixels. If pack is true, the picture has Levels.
	Develop(pack bool) (*Picture, error)
}

// Directory is a directory of a TIFF file: lists of numbers by tag.
type Directory struct{ d directory }

// Directories gives the directories of a TIFF file: the first, those that follow it, and those
// below them, at most 64. It gives none for other files.
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

// BigEndian tells whether the file is big-endian.
func (d Directory) BigEndian() bool { return d.d.order.Uint16([]byte{0, 1}) == 1 }

// Has tells whether there is an entry with this tag.
func (d Directory) Has(tag uint16) bool {
	at, _, _ := d.d.find(tag)
	return at != 0
}

// Numbers gives at most `most` values of an entry of any numerical type. It gives nil if there is
// no such entry, or if the file does not hold its values. The fraction 0/0 is NaN.
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

// element decodes one value of a type from its bytes.
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

// DevelopRaw develops a mosaic that has no file of its own. Like Decode it checks the limits before
// it allocates memory. Errors of f are returned unchanged.
func DevelopRaw(f RawFile, lim Limits) (*Picture, error) {
	return develop(f, fileInfo{}, lim.withDefaults(), func(err error) error { return err })
}

// decodeRaw is decodeBytes for a camera raw file that lim.Raw reads.
func decodeRaw(b []byte, lim Limits) (*Picture, error) {
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

// develop checks the limits and develops a raw file. It passes errors of f through explained.
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

// scanDNG is scanTIFF for a raw file. It ignores what the first directory says about the preview
// that it may hold.
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
