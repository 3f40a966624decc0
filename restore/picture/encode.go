package picture

import (
	"bufio"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"

	"github.com/disintegration/imaging"

	"github.com/vfmrestore/restore/internal/atomicfile"
	"github.com/vfmrestore/restore/restore/picture/jpegcodec"
)

// DefaultQuality is the JPEG quality used where 0 is given.
const DefaultQuality = 95

// CanHold says what is wrong with writing p in a format, before any work is spent on it: JPEG has no transparency, and at most
// 65535 pixels per side.
func CanHold(f Format, p *Picture) error {
	if f == JPEG && !p.Opaque() {
		return &FormatError{What: "JPEG cannot hold the picture's transparency; choose a name that ends in .png"}
	}
	return FitsSize(f, p.W, p.H)
}

// FitsSize is the part of CanHold that is about size.
func FitsSize(f Format, w, h int) error {
	if f == TIFF && tiffSize(w, h, 16, false, true) > tiffMost {
		return &FormatError{What: fmt.Sprintf("TIFF cannot hold %d×%d pixels in its 4 GiB; choose a name that ends in .png", w, h)}
	}
	if f == JPEG && (w > 65535 || h > 65535) {
		return &FormatError{What: fmt.Sprintf("JPEG cannot hold %d×%d pixels, only 65535 per side; choose a name that ends in .png", w, h)}
	}
	return nil
}

// Encode writes p in the given format. Values are clamped to [-1, 1] and rounded to the nearest level of p.Depth bits (JPEG: 8); a
// value that is not a number is an error, not a pixel. Grey pictures are the mean of their three planes. PNG keeps alpha, JPEG
// drops it if it is opaque everywhere and refuses it otherwise. Large PNG files are compressed fast instead of well. quality is JPEG's, 1 to 100, or 0 for DefaultQuality;
// below 95 colour is halved where Halved says that it was. The colour
// profile is written if it fits the kind of picture, EXIF and XMP with orientation and size made true and without thumbnails (and EXIF to TIFF
// without the camera maker's notes, which break when they move). Loses tells what a format has no room for.
func Encode(w io.Writer, p *Picture, f Format, quality int) error {
	return EncodeRows(w, p, f, quality, nil)
}

// EncodeRows is Encode of a picture whose rows are still coming, from the top: wait, if not nil, is asked before any is read. All else of p stands from the
// beginning. In formats in which the picture does not grow (GrowsIn) the rest begins when all rows are there.
func EncodeRows(w io.Writer, p *Picture, f Format, quality int, wait Waiter) error {
	if err := p.Check(); err != nil {
		return err
	}
	if err := CanHold(f, p); err != nil {
		return err
	}
	if wait != nil && !p.GrowsIn(f) {
		if err := wait(p.H); err != nil {
			return err
		}
	}
	n := p.W * p.H
	for i, v := range p.Pix {
		if v != v {
			return fmt.Errorf("channel %d of pixel (%d, %d) is not a number", i/n, i%n%p.W, i%n/p.W)
		}
	}
	icc := p.ICC
	if !profileFits(icc, p.Gray) {
		icc = nil
	}
	if icc == nil && f != PNG {
		icc, _ = p.colour.profile(p.Gray)
	}
	exif, xmp, iptc := settleEXIF(p.EXIF, p.W, p.H), settleXMP(p.XMP, p.W, p.H), settleIPTC(p.IPTC)
	switch f {
	case TIFF:
		return encodeTIFF(w, p, icc, exif, xmp, iptc)
	case PNG:
		extra, err := iccChunk(icc)
		if err != nil {
			return err
		}
		extra = append(extra, p.colour.chunks(icc != nil)...)
		extra = append(extra, p.density.physChunk()...)
		if exif != nil {
			extra = append(extra, pngChunk("eXIf", exif)...)
		}
		extra = append(extra, p.textChunks(xmp, iptc)...)
		w = &inserter{w: w, after: 33, extra: extra} // signature and IHDR
		if p.Gray && p.Alpha != nil {
			return encodeGrayAlpha(w, p, wait)
		}
		if p.Levels != nil {
			m := newRowImage(p, wait)
			err := imaging.Encode(stopper{w, m}, m, imaging.PNG, imaging.PNGCompressionLevel(pngLevel(n)))
			if m.err != nil {
				return m.err
			}
			return err
		}
		return imaging.Encode(w, p.image(p.Depth), imaging.PNG, imaging.PNGCompressionLevel(pngLevel(n)))
	case JPEG:
		if quality == 0 {
			quality = DefaultQuality
		}
		if quality < 1 || quality > 100 {
			return fmt.Errorf("JPEG quality %d is not from 1 to 100", quality)
		}
		extra := append(p.density.jfifSegment(), exifSegment(exif)...)
		extra = append(extra, xmpSegment(xmp)...)
		extra = append(append(extra, iccSegments(icc)...), iptcSegment(iptc)...)
		extra = append(extra, commentSegment(p.Comment)...)
		w = &inserter{w: w, after: 2, extra: extra} // start of image
		return p.encodeJPEG(w, quality)
	}
	return &FormatError{What: fmt.Sprintf("cannot write format %v", f)}
}

// fullColour is the quality from which on JPEG files keep colour at full resolution, whatever the file had that the picture came from.
const fullColour = 95

// encodeJPEG writes the picture with colour at full resolution, or below fullColour at that of the file it came from.
func (p *Picture) encodeJPEG(w io.Writer, quality int) error {
	o := jpegcodec.Options{Quality: quality, Subsampling: jpegcodec.Sub444}
	n := p.W * p.H
	if p.Gray {
		o.Subsampling = jpegcodec.Gray
		return jpegcodec.EncodeRows(w, p.W, p.H, o, func(y int, row []uint8) error {
			for x := range row {
				row[x] = uint8(quantise(p.gray(y*p.W+x), 255))
			}
			return nil
		})
	}
	switch {
	case quality >= fullColour:
	case p.Halved[0] && p.Halved[1]:
		o.Subsampling = jpegcodec.Sub420
	case p.Halved[0]:
		o.Subsampling = jpegcodec.Sub422
	}
	return jpegcodec.EncodeRows(w, p.W, p.H, o, func(y int, row []uint8) error {
		for x := range p.W {
			for c := range 3 {
				row[3*x+c] = uint8(quantise(p.value(c*n+y*p.W+x), 255))
			}
		}
		return nil
	})
}

// Loses names what of the picture a format cannot hold, beside what Dropped names, for people.
func (p *Picture) Loses(f Format) (what []string) {
	if p.ICC == nil && f != PNG {
		if _, ok := p.colour.profile(p.Gray); !ok {
			what = append(what, "the colour space, which is told by PNG's own chunks")
		}
	}
	switch f {
	case JPEG:
		if len(p.EXIF) > 0 && exifSegment(settleEXIF(p.EXIF, p.W, p.H)) == nil {
			what = append(what, "EXIF, which is too large for JPEG")
		}
		if len(p.XMP) > maxSegment/2 && xmpSegment(settleXMP(p.XMP, p.W, p.H)) == nil {
			what = append(what, "XMP, which is too large for JPEG")
		}
		if p.IPTC != nil && iptcSegment(p.IPTC) == nil {
			what = append(what, "IPTC, which is too large for JPEG")
		}
	case TIFF:
		if hasMakerNote(p.EXIF) {
			what = append(what, "the camera maker's notes, which cannot be moved")
		}
		if p.Comment != nil {
			what = append(what, "the comment")
		}
	}
	if f != PNG && p.Text != nil {
		what = append(what, "PNG's text")
	}
	return what
}

// fastPNG is the number of pixels from which on PNG is compressed fast instead of well: 12 megapixels then take 0.65 s instead of 5.2 (measured), in which a GPU restores many of
// them, and 3 to 24 % more bytes.
const fastPNG = 1 << 21

func pngLevel(pixels int) png.CompressionLevel {
	if pixels >= fastPNG {
		return png.BestSpeed
	}
	return png.DefaultCompression
}

// EncodeFile writes p to path in the format of its ending, through a temporary file beside it: path is either the whole picture or
// what it was before. An ending that is not supported fails before anything else happens.
func EncodeFile(path string, p *Picture, quality int) error {
	f, err := FormatOf(path)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error { return EncodeTo(w, path, p, f, quality) })
}

// EncodeTo is Encode to a file that is already open and whose errors name it: w is buffered, and the errors of Encode itself get
// path in front.
func EncodeTo(w io.Writer, path string, p *Picture, f Format, quality int) error {
	return EncodeRowsTo(w, path, p, f, quality, nil)
}

// EncodeRowsTo is EncodeRows as EncodeTo is Encode.
func EncodeRowsTo(w io.Writer, path string, p *Picture, f Format, quality int, wait Waiter) error {
	out := &keepError{w: w}
	buf := bufio.NewWriterSize(out, 1<<18)
	err := EncodeRows(buf, p, f, quality, wait)
	if err == nil {
		err = buf.Flush()
	}
	if out.err != nil {
		return out.err
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// keepError remembers the writer's own error, which encoders may wrap or lose.
type keepError struct {
	w   io.Writer
	err error
}

func (k *keepError) Write(p []byte) (int, error) {
	n, err := k.w.Write(p)
	if err != nil && k.err == nil {
		k.err = err
	}
	return n, err
}

func quantise(v float32, most float64) float64 {
	return math.Round(min(max((float64(v)+1)/2, 0), 1) * most)
}

// gray is the value of pixel i of a grey picture.
func (p *Picture) gray(i int) float32 {
	n := p.W * p.H
	return (p.value(i) + p.value(n+i) + p.value(2*n+i)) / 3
}

// image gives p as the standard library's image of that many bits per channel; grey with alpha comes out in colour.
func (p *Picture) image(depth int) image.Image {
	n := p.W * p.H
	r := image.Rect(0, 0, p.W, p.H)
	gray := p.Gray && p.Alpha == nil
	switch {
	case gray && depth == 16:
		m := image.NewGray16(r)
		for i := 0; i < n; i++ {
			put16(m.Pix[2*i:], quantise(p.gray(i), 65535))
		}
		return m
	case gray:
		m := image.NewGray(r)
		for i := 0; i < n; i++ {
			m.Pix[i] = uint8(quantise(p.gray(i), 255))
		}
		return m
	case depth == 16:
		m := image.NewNRGBA64(r)
		for i := 0; i < n; i++ {
			for c := 0; c < 3; c++ {
				put16(m.Pix[8*i+2*c:], quantise(p.value(c*n+i), 65535))
			}
			put16(m.Pix[8*i+6:], p.alpha(i, 65535))
		}
		return m
	}
	m := image.NewNRGBA(r)
	for i := 0; i < n; i++ {
		for c := 0; c < 3; c++ {
			m.Pix[4*i+c] = uint8(quantise(p.value(c*n+i), 255))
		}
		m.Pix[4*i+3] = uint8(p.alpha(i, 255))
	}
	return m
}

func (p *Picture) alpha(i int, most float64) float64 {
	if p.Alpha == nil {
		return most
	}
	return math.Round(min(max(float64(p.Alpha[i]), 0), 1) * most)
}

func put16(b []byte, v float64) { b[0], b[1] = uint8(uint16(v)>>8), uint8(uint16(v)) }
