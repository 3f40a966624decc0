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

// DefaultQuality is the JPEG quality that 0 stands for.
const DefaultQuality = 95

// CheckFormat fails with a [*FormatError] if format f cannot hold p: JPEG has no transparency and
// at most 65535 pixels per side, TIFF at most 4 GiB.
func CheckFormat(f Format, p *Picture) error {
	if f == JPEG && !p.Opaque() {
		return &FormatError{What: "JPEG cannot hold the picture's transparency; choose a name " +
			"that ends in .png"}
	}
	return CheckSize(f, p.W, p.H)
}

// CheckSize is CheckFormat for the size alone.
func CheckSize(f Format, w, h int) error {
	if f == TIFF && tiffSize(w, h, 16, false, true) > maxTIFF {
		return &FormatError{What: fmt.Sprintf(
			"TIFF cannot hold %d×%d pixels in its 4 GiB; choose a name that ends in .png", w, h)}
	}
	if f == JPEG && (w > 65535 || h > 65535) {
		return &FormatError{What: fmt.Sprintf(
			"JPEG cannot hold %d×%d pixels, only 65535 per side; choose a name that ends in .png",
			w, h)}
	}
	return nil
}

// Encode writes p in the given format. Values are clamped to [-1, 1] and rounded to the nearest
// level of p.Depth bits (JPEG: 8). NaN is an error. A grey picture is the mean of its three planes.
// PNG and TIFF keep alpha; JPEG drops alpha that is opaque everywhere and refuses other alpha.
// Large PNG files are compressed fast rather than well. quality is for JPEG, 1 to 100, or 0 for
// DefaultQuality. Below 95 JPEG subsamples chroma if p.Halved says that the source did.
//
// The colour profile is written if it fits the kind of picture. EXIF and XMP are written with the
// new orientation and size, and without thumbnails; TIFF files get EXIF without the camera maker's
// notes, which are not valid at other offsets. Loses lists what a format cannot hold.
func Encode(w io.Writer, p *Picture, f Format, quality int) error {
	return EncodeRows(w, p, f, quality, nil)
}

// EncodeRows is Encode for a picture whose rows are still being made, from the top. If wait is not
// nil, it is called before a row is read. All other fields of p must be final. In formats that are
// not written row by row (EncodesByRow) encoding starts when all rows are final.
func EncodeRows(w io.Writer, p *Picture, f Format, quality int, wait Waiter) error {
	if err := p.Check(); err != nil {
		return err
	}
	if err := CheckFormat(f, p); err != nil {
		return err
	}
	if wait != nil && !p.EncodesByRow(f) {
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
	exif, xmp, iptc := cleanEXIF(p.EXIF, p.W, p.H), cleanXMP(p.XMP, p.W, p.H), cleanIPTC(p.IPTC)
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
		w = &inserter{w: w, after: 33, extra: extra} // after signature and IHDR
		if p.Gray && p.Alpha != nil {
			return encodeGrayAlpha(w, p, wait)
		}
		if p.Levels != nil {
			m := newRowImage(p, wait)
			err := imaging.Encode(stopper{w, m}, m, imaging.PNG,
				imaging.PNGCompressionLevel(pngLevel(n)))
			if m.err != nil {
				return m.err
			}
			return err
		}
		return imaging.Encode(w, p.image(p.Depth), imaging.PNG,
			imaging.PNGCompressionLevel(pngLevel(n)))
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
		w = &inserter{w: w, after: 2, extra: extra} // after the start-of-image marker
		return p.encodeJPEG(w, quality)
	}
	return &FormatError{What: fmt.Sprintf("cannot write format %v", f)}
}

// fullColour is the lowest quality at which JPEG files always keep chroma at full resolution.
const fullColour = 95

// encodeJPEG writes chroma at full resolution. Below quality fullColour it uses the subsampling of
// the file that the picture came from.
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

// Loses lists what format f cannot hold of p, in words for users. Dropped lists what was lost on
// reading.
func (p *Picture) Loses(f Format) (what []string) {
	if p.ICC == nil && f != PNG {
		if _, ok := p.colour.profile(p.Gray); !ok {
			what = append(what, "the colour space, which is told by PNG's own chunks")
		}
	}
	switch f {
	case JPEG:
		if len(p.EXIF) > 0 && exifSegment(cleanEXIF(p.EXIF, p.W, p.H)) == nil {
			what = append(what, "EXIF, which is too large for JPEG")
		}
		if len(p.XMP) > maxSegment/2 && xmpSegment(cleanXMP(p.XMP, p.W, p.H)) == nil {
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

// fastPNG is the number of pixels from which PNG is compressed fast rather than well. Then 12
// megapixels take 0.65 s instead of 5.2 s (measured) and 3 to 24 % more bytes; a GPU restores many
// megapixels in that time.
const fastPNG = 1 << 21

func pngLevel(pixels int) png.CompressionLevel {
	if pixels >= fastPNG {
		return png.BestSpeed
	}
	return png.DefaultCompression
}

// EncodeFile writes p to path in the format of its file name extension. It writes a temporary file
// in the same directory and renames it, so path is either the whole picture or unchanged. An
// unsupported extension fails before anything else happens.
func EncodeFile(path string, p *Picture, quality int) error {
	f, err := FormatOf(path)
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		return EncodeTo(w, path, p, f,
			quality)
	})
}

// EncodeTo is Encode for an open file. It buffers w. Errors of w are returned unchanged, as they
// name the file; others get path in front.
func EncodeTo(w io.Writer, path string, p *Picture, f Format, quality int) error {
	return EncodeRowsTo(w, path, p, f, quality, nil)
}

// EncodeRowsTo is EncodeRows for an open file, like EncodeTo.
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

// keepError remembers the first error of the writer, because encoders may wrap or lose it.
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

// image gives p as an image of the standard library with depth bits per channel. Grey with alpha
// becomes colour.
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
