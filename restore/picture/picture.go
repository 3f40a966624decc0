// Package picture reads and writes photographs and keeps what restoration must not change: alpha,
// 16 bits, grey, orientation, EXIF, XMP, IPTC, comments and the colour space. It reads PNG, JPEG,
// TIFF and WebP and writes PNG, JPEG and TIFF, with github.com/disintegration/imaging,
// golang.org/x/image and package jpegcodec.
//
// The orientation is applied to the pixels. Thumbnails and previews are never copied, because they
// may show what the user wanted removed. Picture.Dropped and Picture.Loses list what else is lost:
// the camera maker's notes into and out of TIFF files, PNG's text in other formats, damaged
// profiles, and profiles for another kind of colour (a CMYK JPEG becomes RGB).
package picture

import (
	"fmt"
	"math"

	"github.com/vfmrestore/restore/restore/planar"
)

// Picture is a decoded photograph.
type Picture struct {
	W, H int
	// Pix holds three planes (red, green, blue) of H rows of W values in [-1, 1]: v/127.5−1 for an
	// 8-bit value v, v/32767.5−1 for a 16-bit value. Its length is 3·W·H. A grey picture has three
	// equal planes.
	Pix []float32
	// Levels, if not nil, holds the values instead of Pix, which then is nil. Large pictures have
	// Levels if Limits.Pack is set.
	Levels *Levels
	// Alpha holds H rows of W values from 0 (transparent) to 1 (opaque), or is nil. Colours are not
	// premultiplied.
	Alpha  []float32
	Gray   bool   // the file holds one channel of grey, and is written so
	Depth  int    // bits per channel: 8 or 16
	Format Format // of the file that was read
	EXIF   []byte // the file's EXIF (a TIFF structure), or nil; Encode updates it
	ICC    []byte // colour profile for grey or RGB, or nil
	XMP    []byte // the file's XMP, or nil; Encode updates it
	IPTC   []byte // records of IPTC-IIM, or nil
	Text   []byte // text chunks of a PNG file; only PNG can hold them
	// Comment is the comment of a JPEG file, or nil.
	Comment []byte
	// Halved tells whether the file (JPEG or lossy WebP) has chroma of half the width, and of half
	// the height. A JPEG file written from the picture may have the same; see Encode.
	Halved [2]bool
	// JPEGQuality is the quality, 1 to 100, whose standard quantisation table is nearest to that of
	// the JPEG file. 0 for other files.
	JPEGQuality int
	// Blocks describes the luminance blocks of a JPEG file. It is nil for other files, for rare
	// kinds of JPEG, and for pictures made by Like.
	Blocks *JPEGBlocks
	// Dropped lists what could not be read from the file, or is not written in any format, in words
	// for users.
	Dropped []string
	// Salvaged is not nil if the file was cut off or damaged, and read because of Limits.Salvage.
	Salvaged *Salvage

	colour  *pngColour // colours of a PNG file without a profile
	density density
}

// Salvage tells how much of a damaged file was read.
type Salvage struct {
	// of the picture's area, 0 to 1; the rest is grey. 1: all of the area, but not all detail
	Share float64
	Err   error // what is wrong with the file
}

// Limits are limits and options of Decode. A zero field means its default.
type Limits struct {
	MaxPixels int64 // width × height; default 1 000 000 000
	MaxBytes  int64 // size of the file; default 2 GiB
	// Pack is the number of pixels from which a picture gets Levels instead of Pix; 0 means never.
	Pack int64
	// Header, if not nil, is called after all checks and before the pixels are read, which may
	// still fail. p holds the sides after orientation, Format, Gray, JPEGQuality and Blocks, but no
	// pixels.
	Header func(p *Picture)
	// Check, if not nil, is called before Header with the sides of the picture. If it fails, Decode
	// returns its error.
	Check func(w, h int) error
	// Regular makes DecodeFile refuse files that are not regular, such as pipes, which may never
	// end. Without it no more is read from them than a picture can have.
	Regular bool
	// Raw, if not nil, opens DNG files, such as raw.Reader.Open. Without it they are refused. Its
	// errors are wrapped in a DecodeError.
	Raw func(b []byte) (RawFile, error)
	// Salvage reads as much as possible of JPEG and PNG files that are cut off or damaged, and sets
	// Picture.Salvaged.
	Salvage bool
}

func (l Limits) withDefaults() Limits {
	if l.MaxPixels <= 0 {
		l.MaxPixels = 1_000_000_000
	}
	if l.MaxBytes <= 0 {
		l.MaxBytes = 2 << 30
	}
	return l
}

// New makes a picture with a depth of 8 bits and format PNG from three planes of w×h values in [-1,
// 1]. It shares pix.
func New(w, h int, pix []float32) *Picture {
	return &Picture{W: w, H: h, Pix: pix, Depth: 8, Format: PNG}
}

// Planar gives the colours as the type of the numerical packages. It shares Pix. A picture with
// Levels must be unpacked first (see Unpacked).
func (p *Picture) Planar() *planar.Image {
	return &planar.Image{W: p.W, H: p.H, Pix: p.Pix}
}

// Like makes a picture with other pixels, w×h, that otherwise equals p: grey, depth, format,
// profile, metadata and alpha. If the size differs (super-resolution), alpha is interpolated
// linearly, else it is the same, bit for bit.
func (p *Picture) Like(w, h int, pix []float32) *Picture {
	q := *p
	q.W, q.H, q.Pix, q.Levels, q.Blocks = w, h, pix, nil, nil
	if p.Alpha != nil && (w != p.W || h != p.H) {
		q.Alpha = resizeLinear(p.Alpha, p.W, p.H, w, h)
	}
	return &q
}

// Check fails if the fields contradict each other.
func (p *Picture) Check() error {
	switch {
	case p.W < 1 || p.H < 1 || p.W > math.MaxInt32 || p.H > math.MaxInt32:
		return fmt.Errorf("a picture of %d×%d pixels", p.W, p.H)
	case p.Levels != nil && (p.Pix != nil || p.Levels.Len() != 3*p.W*p.H || p.Levels.B8 != nil &&
		p.Levels.B16 != nil):
		return fmt.Errorf("a picture of %d×%d pixels needs %d levels of one depth and nothing "+
			"else, not %d of 8 bits, %d of 16 and %d values", p.W, p.H, 3*p.W*p.H, len(p.Levels.B8),
			len(p.Levels.B16), len(p.Pix))
	case p.Levels == nil && len(p.Pix) != 3*p.W*p.H:
		return fmt.Errorf("a picture of %d×%d pixels needs %d values, not %d", p.W, p.H, 3*p.W*p.H,
			len(p.Pix))
	case p.Alpha != nil && len(p.Alpha) != p.W*p.H:
		return fmt.Errorf("a picture of %d×%d pixels needs %d values of alpha, not %d", p.W, p.H,
			p.W*p.H, len(p.Alpha))
	case p.Depth != 8 && p.Depth != 16:
		return fmt.Errorf("a picture of %d bits per channel; 8 and 16 are supported", p.Depth)
	}
	return nil
}

// Opaque tells whether all pixels are fully opaque.
func (p *Picture) Opaque() bool {
	for _, a := range p.Alpha {
		if a < 1 {
			return false
		}
	}
	return true
}

// resizeLinear interpolates one plane between pixel centres. Edges are repeated.
func resizeLinear(src []float32, w, h, w2, h2 int) []float32 {
	type tap struct {
		i, j int
		f    float32
	}
	taps := func(n, m int) []tap {
		ts := make([]tap, m)
		for k := range ts {
			at := (float64(k)+0.5)*float64(n)/float64(m) - 0.5
			at = min(max(at, 0), float64(n-1))
			i := int(at)
			ts[k] = tap{i, min(i+1, n-1), float32(at - float64(i))}
		}
		return ts
	}
	xs, ys := taps(w, w2), taps(h, h2)
	out := make([]float32, w2*h2)
	for y, ty := range ys {
		a, b := src[ty.i*w:ty.i*w+w], src[ty.j*w:ty.j*w+w]
		for x, tx := range xs {
			// a + f·(b−a) gives exactly a where both are equal, so opaque stays opaque.
			top := a[tx.i] + tx.f*(a[tx.j]-a[tx.i])
			bottom := b[tx.i] + tx.f*(b[tx.j]-b[tx.i])
			out[y*w2+x] = top + ty.f*(bottom-top)
		}
	}
	return out
}
