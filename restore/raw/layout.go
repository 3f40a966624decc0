package raw

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/vfmrestore/restore/internal/memory"
	"github.com/vfmrestore/restore/restore/picture"
)

// Layout describes mosaics in raw bytes without a header.
type Layout struct {
	W, H    int
	Packing Packing
	Bits    int // per sample
	Stride  int // bytes from row to row; 0 means no gaps
	Offset  int // bytes before the first row
	// Mosaic holds all other fields. Its W, H and Pix are not used.
	Mosaic Mosaic
}

// LayoutUsage lists the names that ParseLayout accepts, for help texts.
const LayoutUsage = `size=WxH        of the mosaic in pixels (needed)
bits=N          of a sample, 8 to 16 (needed)
packing=P       bytes (8 bits), words (two bytes each, little-endian, the default for more), upper (the same, in the upper
                bits), mipi (CSI-2's RAW10, RAW12, RAW14) or big (bit after bit from the highest on, as in DNG)
pattern=P       rggb (default), grbg, gbrg or bggr
black=N         level that no light gives (default 0); white=N: level of a full pixel (default: the highest)
red=G, blue=G   gains of white balance relative to green's (default 1)
matrix=A:B:...  nine numbers, row by row: colours after white balance to linear sRGB (default: none)
exposure=E      factor of the light (default 1)
stride=N        bytes from row to row (default: no gaps); offset=N: bytes before the first row (default 0)`

// ParseLayout reads a layout from "name=value" pairs with commas between them; see LayoutUsage.
// Errors, [*Error], name the pair and what is allowed.
func ParseLayout(spec string) (*Layout, error) {
	l := &Layout{Mosaic: Mosaic{Gains: [3]float64{1, 1, 1}}}
	given := map[string]bool{}
	for _, pair := range strings.Split(spec, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok || value == "" {
			return nil, wrong("%q is not name=value", pair)
		}
		if given[name] {
			return nil, wrong("%s is given twice", name)
		}
		given[name] = true
		if err := l.set(name, value); err != nil {
			return nil, err
		}
	}
	if !given["size"] || !given["bits"] {
		return nil, wrong("size=WxH and bits=N are needed")
	}
	if !given["packing"] && l.Bits > 8 {
		l.Packing = Words
	}
	if !given["white"] {
		l.Mosaic.White = float64(int(1)<<l.Bits - 1)
	}
	return l, l.Check()
}

// Check fails with an [*Error] if the fields are invalid or contradict each other.
func (l *Layout) Check() error {
	if l.W < 2 || l.H < 2 || l.W > 1<<20 || l.H > 1<<20 {
		return wrong("a mosaic of %d×%d pixels; sides are 2 to %d", l.W, l.H, 1<<20)
	}
	if err := l.Packing.Check(l.Bits); err != nil {
		return err
	}
	if row := l.Packing.RowBytes(l.W, l.Bits); l.Stride != 0 &&
		(l.Stride < row || l.Stride > 1<<24) {
		return wrong("a stride of %d bytes; a row takes %d, and at most %d are possible", l.Stride,
			row, 1<<24)
	}
	if l.Offset < 0 || l.Offset > 1<<30 {
		return wrong("an offset of %d bytes; it is 0 to %d", l.Offset, 1<<30)
	}
	return l.Mosaic.checkLevels()
}

// set reads one pair.
func (l *Layout) set(name, value string) (err error) {
	m := &l.Mosaic
	number := func(lo, hi float64) float64 {
		v, e := strconv.ParseFloat(value, 64)
		if e != nil || !(v >= lo && v <= hi) {
			err = wrong("%s=%s: must be a number from %.10g to %.10g", name, value, lo, hi)
		}
		return v
	}
	whole := func(lo, hi int) int {
		v, e := strconv.Atoi(value)
		if e != nil || v < lo || v > hi {
			err = wrong("%s=%s: must be a whole number from %d to %d", name, value, lo, hi)
		}
		return v
	}
	choice := func(names ...string) int {
		i := slices.Index(names, strings.ToLower(value))
		if i < 0 {
			err = wrong("%s=%s: must be one of %s", name, value, strings.Join(names, ", "))
		}
		return max(i, 0)
	}
	switch name {
	case "size":
		w, h, _ := strings.Cut(value, "x")
		var e1, e2 error
		l.W, e1 = strconv.Atoi(w)
		l.H, e2 = strconv.Atoi(h)
		if e1 != nil || e2 != nil {
			err = wrong("size=%s: must be width and height with an x between them, as in 640x480",
				value)
		}
	case "bits":
		l.Bits = whole(8, 16)
	case "packing":
		l.Packing = Packing(choice("bytes", "words", "upper", "mipi", "big"))
	case "pattern":
		m.Pattern = Pattern(choice("rggb", "grbg", "gbrg", "bggr"))
	case "black":
		v := number(0, 65535)
		m.Black = [4]float64{v, v, v, v}
	case "white":
		m.White = number(1, 65536)
	case "red":
		m.Gains[0] = number(0.01, 100)
	case "blue":
		m.Gains[2] = number(0.01, 100)
	case "matrix":
		list := strings.Split(value, ":")
		if len(list) != 9 {
			return wrong("matrix=%s: must be nine numbers with colons between them", value)
		}
		for i, s := range list {
			if m.Matrix[i], err = strconv.ParseFloat(s, 64); err != nil ||
				!(math.Abs(m.Matrix[i]) <= 100) {
				return wrong("matrix: %q is no number from -100 to 100", s)
			}
		}
	case "exposure":
		m.Exposure = number(0.01, 256)
	case "stride":
		l.Stride = whole(1, 1<<24)
	case "offset":
		l.Offset = whole(0, 1<<30)
	default:
		err = wrong("unknown name %q; the names are:\n%s", name, LayoutUsage)
	}
	return err
}

// stride is the number of bytes from row to row.
func (l *Layout) stride() int {
	if l.Stride != 0 {
		return l.Stride
	}
	return l.Packing.RowBytes(l.W, l.Bits)
}

// Bytes is the number of bytes of a mosaic, with a gap after each row, and without Offset.
func (l *Layout) Bytes() int { return l.H * l.stride() }

// Decode reads a mosaic to the end of r and develops it within the limits. Limits about file
// formats are not used. f gives the noise profile. Errors: *Error if the number of bytes does not
// fit the layout, *picture.DecodeError and *memory.Error if a limit is exceeded, and errors of r.
func (l *Layout) Decode(r io.Reader, lim picture.Limits, o Options) (p *picture.Picture, f *File,
	err error) {
	if err := l.Check(); err != nil {
		return nil, nil, err
	}
	f = &File{options: o, mosaic: l.Mosaic}
	m := &f.mosaic
	m.W, m.H = l.W, l.H
	if o.HasNoise() {
		m.Noise = o.Noise(m)
	}
	if err := m.checkLevels(); err != nil {
		return nil, nil, err
	}
	f.read = func() ([]uint16, error) { return l.read(r) }
	p, err = picture.DevelopRaw(f, lim)
	return p, f, err
}

// read reads the levels.
func (l *Layout) read(r io.Reader) ([]uint16, error) {
	if err := memory.Check(fmt.Sprintf("a mosaic of %d×%d pixels", l.W, l.H),
		memory.Sum(memory.Bytes(l.W, l.H, 2), int64(l.Bytes()))); err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, r, int64(l.Offset)); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(r, int64(l.Bytes())+1))
	if err != nil {
		return nil, err
	}
	least := (l.H-1)*l.stride() + l.Packing.RowBytes(l.W, l.Bits)
	if len(b) > l.Bytes() {
		return nil, wrong("there are more bytes than the %d of a mosaic of %d×%d pixels of %d "+
			"bits; size=, bits=, packing=, stride= and offset= give the layout", l.Bytes(), l.W,
			l.H, l.Bits)
	}
	if len(b) < least {
		return nil, wrong("there are %d bytes after the offset, but a mosaic of %d×%d pixels of "+
			"%d bits needs %d; size=, bits=, packing=, stride= and offset= give the layout", len(b),
			l.W, l.H, l.Bits, least)
	}
	pix := make([]uint16, l.W*l.H)
	return pix, l.Packing.Unpack(pix, b, l.W, l.H, l.Bits, l.stride())
}
