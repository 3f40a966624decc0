// Package picture reads and writes photographs without losing what the restoration must not touch: alpha, 16 bits, greyness, the
// way up, the camera's EXIF data, what people said of it (XMP, IPTC, comments) and its colour space. PNG, JPEG and TIFF, and WebP to read, over
// github.com/disintegration/imaging, golang.org/x/image and package jpegcodec.
//
// The orientation is applied to the pixels. Thumbnails and previews are never passed on, as they may show what was to be removed. What else does not survive is
// told by Picture.Dropped and Picture.Loses: into and out of TIFF files the camera maker's notes, PNG's text in other formats, damaged profiles and those of another
// kind of colour than the picture ends up in (a CMYK JPEG becomes RGB).
package picture

import (
	"fmt"
	"math"

	"github.com/vfmrestore/restore/restore/planar"
)

// Picture is a decoded photograph.
type Picture struct {
	W, H int
	// Pix holds three planes (red, green, blue) of H rows of W values in [-1, 1]: v/127.5−1 of an 8-bit value v, v/32767.5−1 of a
	// 16-bit one. Length 3·W·H. A grey picture has three equal planes.
	Pix []float32
	// Levels, if not nil, hold the values in place of Pix, which is nil then: of large pictures, where Limits.Pack asks for it.
	Levels *Levels
	// Alpha holds H rows of W values, 0 transparent to 1 opaque; nil if the file has none. Colours are not multiplied with it.
	Alpha  []float32
	Gray   bool   // the file holds one channel of grey, and so will the next
	Depth  int    // bits per channel: 8 or 16
	Format Format // of the file it came from
	EXIF   []byte // as it stood in the file (TIFF structure), nil if there was none; Encode makes it true of the new picture
	ICC    []byte // colour profile that fits Gray or RGB; nil if there was none
	XMP    []byte // as it stood in the file, nil if there was none; Encode makes it true of the new picture
	IPTC   []byte // records of IPTC-IIM, likewise
	Text   []byte // chunks of text of a PNG file, which only PNG takes
	// Comment is a JPEG file's, nil if it has none.
	Comment []byte
	// Halved tells whether the file kept colour at half the width and half the height: JPEG and lossy WebP. JPEG files of such a picture may, too.
	Halved [2]bool
	// JPEGQuality is the quality of a JPEG file, 1 to 100, whose usual table of quantisation is
	// nearest to the file's; 0 for other files.
	JPEGQuality int
	// Blocks tells how a JPEG file keeps luminance; nil for other files, for rare kinds of JPEG, and
	// for pictures that were made of others.
	Blocks *JPEGBlocks
	// Dropped names what of the file could not be read or will not be written in any format, for people.
	Dropped []string
	// Salvaged, if not nil, tells that the file was cut off or damaged and Limits.Salvage let it pass.
	Salvaged *Salvage

	colour  *pngColour // what a PNG file without a profile says of its colours
	density density
}

// Salvage tells what of a damaged file is there.
type Salvage struct {
	Share float64 // of the picture's area, from 0 to 1; the rest is grey. 1: of all of it, but not in all detail
	Err   error   // what is wrong with the file
}

// Limits bound what Decode is willing to read. A zero field means its default.
type Limits struct {
	MaxPixels int64 // width × height; default 1 000 000 000
	MaxBytes  int64 // size of the file; default 2 GiB
	// Pack is the number of pixels from which on a picture gets Levels instead of Pix; 0: never.
	Pack int64
	// Header, if not nil, is told of the picture what stands before its pixels, once that has passed
	// all checks and before the pixels are read, which may still fail: the sides, as it will lie,
	// Format, Gray, JPEGQuality and Blocks. There are no values in it.
	Header func(p *Picture)
	// Check, if not nil, is asked before Header whether a picture of these sides is wanted; its error is Decode's.
	Check func(w, h int) error
	// Regular makes DecodeFile refuse what is no regular file, such as pipes, which may never end. Otherwise no more is read of them than a picture can have.
	Regular bool
	// Raw, if not nil, opens camera raw files of the kind DNG (raw.Reader has an Open for it), which are
	// refused otherwise. Its errors become a DecodeError's.
	Raw func(b []byte) (RawFile, error)
	// Salvage reads of JPEG and PNG files that are cut off or damaged what is there, and tells so in Picture.Salvaged.
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

// New makes a picture of 8-bit depth, PNG, from three planes of w×h values in [-1, 1]. Pix is shared, not copied.
func New(w, h int, pix []float32) *Picture {
	return &Picture{W: w, H: h, Pix: pix, Depth: 8, Format: PNG}
}

// Planar is the picture's colours as the arithmetic rooms see them. It shares Pix, and is none of a picture with Levels (see Unpacked).
func (p *Picture) Planar() *planar.Image {
	return &planar.Image{W: p.W, H: p.H, Pix: p.Pix}
}

// Like makes a picture with other colours, w×h, that is otherwise as p: grey, depth, format, profile and alpha. Where the size
// differs (super-resolution), alpha is interpolated linearly; where it does not, alpha is the same, bit for bit.
func (p *Picture) Like(w, h int, pix []float32) *Picture {
	q := *p
	q.W, q.H, q.Pix, q.Levels, q.Blocks = w, h, pix, nil, nil
	if p.Alpha != nil && (w != p.W || h != p.H) {
		q.Alpha = resizeLinear(p.Alpha, p.W, p.H, w, h)
	}
	return &q
}

// Check tells whether the fields fit together.
func (p *Picture) Check() error {
	switch {
	case p.W < 1 || p.H < 1 || p.W > math.MaxInt32 || p.H > math.MaxInt32:
		return fmt.Errorf("a picture of %d×%d pixels", p.W, p.H)
	case p.Levels != nil && (p.Pix != nil || p.Levels.Len() != 3*p.W*p.H || p.Levels.B8 != nil && p.Levels.B16 != nil):
		return fmt.Errorf("a picture of %d×%d pixels needs %d levels of one depth and nothing else, not %d of 8 bits, %d of 16 and %d values", p.W, p.H, 3*p.W*p.H, len(p.Levels.B8), len(p.Levels.B16), len(p.Pix))
	case p.Levels == nil && len(p.Pix) != 3*p.W*p.H:
		return fmt.Errorf("a picture of %d×%d pixels needs %d values, not %d", p.W, p.H, 3*p.W*p.H, len(p.Pix))
	case p.Alpha != nil && len(p.Alpha) != p.W*p.H:
		return fmt.Errorf("a picture of %d×%d pixels needs %d values of alpha, not %d", p.W, p.H, p.W*p.H, len(p.Alpha))
	case p.Depth != 8 && p.Depth != 16:
		return fmt.Errorf("a picture of %d bits per channel; 8 and 16 are supported", p.Depth)
	}
	return nil
}

// Opaque tells whether no pixel is transparent, not even partly.
func (p *Picture) Opaque() bool {
	for _, a := range p.Alpha {
		if a < 1 {
			return false
		}
	}
	return true
}

// resizeLinear interpolates one plane between pixel centres, edges held.
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
