package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/disintegration/imaging"
	"github.com/vfmrestore/restore/restore/picture/jpegcodec"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// DecodeError says why a file cannot be read as a picture.
type DecodeError struct {
	Path string // "" if the picture did not come from a file
	What string
	Err  error // the decoder's error, if it was reached
}

func (e *DecodeError) Error() string {
	s := "not a picture I can read (" + e.What
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	s += ")"
	if e.Path != "" {
		s = e.Path + ": " + s
	}
	return s
}

func (e *DecodeError) Unwrap() error { return e.Err }

// SizeError says that a picture has more pixels than Limits.MaxPixels.
type SizeError struct{ W, H, Most int64 }

func (e *SizeError) Error() string {
	return fmt.Sprintf("%d×%d pixels are more than the %d allowed", e.W, e.H, e.Most)
}

// Decode reads a PNG, JPEG, TIFF (its first page) or WebP picture to the end of r, and applies its
// EXIF orientation. Before it allocates memory for pixels it refuses unsupported formats, pictures
// without pixels or with more than the limit, and headers that promise more pixels than the file
// can hold. Errors: [*DecodeError], and errors of r unchanged.
func Decode(r io.Reader, lim Limits) (*Picture, error) { return decodeReader(r, 0, lim) }

// decodeReader is Decode for a file of size bytes, or 0 if its size is not known. A buffer that
// grows takes more than twice the memory.
func decodeReader(r io.Reader, size int64, lim Limits) (*Picture, error) {
	lim = lim.withDefaults()
	b, err := readAll(r, size, lim)
	if err != nil {
		return nil, err
	}
	return decodeBytes(b, lim)
}

// DecodeFile is Decode for the file at path. Errors name the path.
func DecodeFile(path string, lim Limits) (*Picture, error) {
	if lim.Regular {
		// checked first, because opening a FIFO waits for its writer
		if st, err := os.Stat(path); err == nil && !st.IsDir() && !st.Mode().IsRegular() {
			return nil, fmt.Errorf("%s: it is not a regular file", path)
		}
	}
	f, err := os.Open(path)
	if err != nil {
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return nil, fmt.Errorf("%s: cannot open: %w", path, err)
	}
	defer f.Close()
	size := int64(0)
	if st, err := f.Stat(); err == nil && st.IsDir() {
		return nil, fmt.Errorf("%s: it is a directory, not a picture", path)
	} else if err == nil {
		if st.Mode().IsRegular() {
			size = st.Size()
		}
	}
	p, err := decodeReader(f, size, lim)
	if err == nil && p.Format == TIFF && rawName(path) {
		err = rawError(strings.ToUpper(strings.TrimPrefix(filepath.Ext(path), ".")))
	}
	if err != nil {
		return nil, withPath(path, err)
	}
	return p, nil
}

func decodeBytes(b []byte, lim Limits) (*Picture, error) {
	if len(b) == 0 {
		return nil, &DecodeError{What: "the file is empty"}
	}
	format, ok, name := sniff(b)
	switch {
	case strings.HasPrefix(name, "a camera raw"):
		return nil, &DecodeError{What: "it is " + name +
			", which is not supported; develop it first, e.g. with darktable or RawTherapee"}
	case name != "":
		return nil, &DecodeError{What: "it is " + name +
			", which is not supported; convert it to PNG or JPEG"}
	case !ok:
		return nil, &DecodeError{What: "it is neither PNG, JPEG, TIFF nor WebP"}
	}
	if format == TIFF && lim.Raw != nil && rawKind(b) == rawDNG {
		return decodeRaw(b, lim)
	}
	f := &file{format: format, b: b}
	if err := f.open(); err != nil {
		return nil, err
	}
	if err := checkSize(f.cfg, format, f.info, int64(len(b)), lim); err != nil {
		return nil, err
	}
	info := &f.info
	w, h := turnedSides(info.orientation, f.cfg.Width, f.cfg.Height)
	if err := bound(format, b, f.cfg, w, h, lim); err != nil {
		return nil, err
	}
	if lim.Header != nil {
		lim.Header(f.header(w, h))
	}
	img, salvaged, err := f.decode(lim.Salvage) // in the file's orientation; it is turned below
	if err != nil {
		return nil, explain(format, err)
	}
	if s := img.Bounds().Size(); s.X != f.cfg.Width || s.Y != f.cfg.Height {
		return nil, &DecodeError{What: fmt.Sprintf(
			"the header says %d×%d pixels, but there are %d×%d", f.cfg.Width, f.cfg.Height, s.X,
			s.Y)}
	}
	convert := fromImage
	if lim.Pack > 0 && int64(f.cfg.Width)*int64(f.cfg.Height) >= lim.Pack {
		convert = packed
	}
	p := convert(img, format)
	p.Format, p.Salvaged = format, salvaged
	if format == WebP && p.Opaque() { // the decoder of lossless files always gives alpha
		p.Alpha = nil
	}
	if info.gray {
		p.Gray = true
	}
	if info.hasAlpha && p.Alpha == nil {
		p.Alpha = constant(1, p.W*p.H)
	}
	info.into(p)
	p.orient(info.orientation)
	return p, nil
}

// header is the picture without its pixels. w and h are its sides after orientation.
func (f *file) header(w, h int) *Picture {
	p := &Picture{W: w, H: h, Format: f.format, Gray: f.info.gray, JPEGQuality: f.info.quality}
	if f.info.blocks != nil {
		b := *f.info.blocks
		b.turn(f.info.orientation, f.cfg.Width, f.cfg.Height)
		p.Blocks = &b
	}
	return p
}

// into copies the file's metadata to the picture.
func (info *fileInfo) into(p *Picture) {
	p.EXIF = bytes.Clone(info.exif)
	p.ICC = info.usableICC(p.Gray)
	if info.xmp != nil {
		if cleanXMP(info.xmp, p.W, p.H) == nil {
			info.drop("XMP, which is damaged, too long or holds pictures")
		} else {
			p.XMP = info.xmp
		}
	}
	if p.IPTC = cleanIPTC(info.iptc); p.IPTC == nil && info.iptc != nil {
		info.drop("IPTC, which is damaged")
	}
	if info.exif != nil && cleanEXIF(info.exif, p.W, p.H) == nil {
		info.drop("EXIF, which is damaged")
		p.EXIF = nil
	} else if info.exif != nil && exifDamaged(info.exif) {
		info.drop("parts of EXIF, which are damaged")
	}
	p.Text, p.Comment, p.colour, p.Halved, p.density = info.text, info.comment, info.colour,
		info.halved, info.density
	p.Dropped, p.JPEGQuality, p.Blocks = info.dropped, info.quality, info.blocks
}

func rawError(kind string) error {
	return &DecodeError{What: "it is a camera raw file (" + kind +
		"), which is not supported; develop it first, e.g. with darktable or RawTherapee"}
}

// file is the state of reading a file.
type file struct {
	format Format
	b      []byte
	cfg    image.Config
	info   fileInfo
	png    pngFile
	tiff   *tiffLayout // set if golang.org/x/image/tiff does not read it
}

// open reads headers and metadata.
func (f *file) open() (err error) {
	switch f.format {
	case PNG:
		f.png, f.info, err = walkPNG(f.b)
	case TIFF:
		if kind := rawKind(f.b); kind != "" {
			return rawError(kind)
		}
		if largerElsewhere(f.b) {
			return &DecodeError{What: "it begins with a thumbnail of a larger picture in the " +
				"same file; convert it to PNG or JPEG"}
		}
		if f.tiff, err = unusualTIFF(f.b); f.tiff != nil && err == nil && !f.tiff.fits() {
			return &DecodeError{What: fmt.Sprintf(
				"truncated TIFF: its directory says %d×%d pixels, which do not fit into %d bytes",
				f.tiff.w, f.tiff.h, len(f.b))}
		}
		f.info = scanTIFF(f.b)
	case WebP:
		f.info, err = scanWebP(f.b)
	default:
		f.info = scanJPEG(f.b)
	}
	if errors.Is(err, errAnimated) {
		return &DecodeError{What: err.Error()}
	}
	if err != nil {
		return explain(f.format, err)
	}
	if hdr := f.info.colour.hdr(); hdr != "" {
		return &DecodeError{What: "it is an HDR picture (" + hdr +
			"), which is not supported; convert it to SDR"}
	}
	if f.tiff != nil {
		f.cfg = f.tiff.config()
		f.info.gray = f.tiff.colours == 1
		f.info.hasAlpha = f.tiff.alpha != 0
		if more := f.tiff.channels - f.tiff.colours; more > 1 || more == 1 && f.tiff.alpha == 0 {
			f.info.drop("TIFF's further channels")
		}
		return nil
	}
	if f.cfg, _, err = image.DecodeConfig(f.reader()); err != nil {
		return explain(f.format, err)
	}
	return nil
}

// reader gives the bytes that the decoder reads.
func (f *file) reader() io.Reader {
	if len(f.png.parts) < 2 { // unchanged
		return bytes.NewReader(f.b)
	}
	var parts []io.Reader
	for _, p := range f.png.parts {
		parts = append(parts, bytes.NewReader(p))
	}
	return io.MultiReader(parts...)
}

// decode reads the pixels. If a decoder refuses a file that has all its pixels, the file is
// repaired first: a JPEG without its end marker, a PNG with more data than pixels. With salvage, a
// file that lacks pixels is decoded too.
func (f *file) decode(salvage bool) (image.Image, *Salvage, error) {
	if f.tiff != nil {
		img, err := f.tiff.decode()
		return img, nil, err
	}
	pixels := func(b []byte) (image.Image, error) {
		if f.format == JPEG {
			return jpegcodec.DecodeImage(b)
		}
		return imaging.Decode(bytes.NewReader(b))
	}
	var img image.Image
	var err error
	if f.format == JPEG {
		img, err = pixels(f.b)
	} else {
		img, err = imaging.Decode(f.reader())
	}
	if err == nil {
		if f.format == TIFF && inverted(f.b) {
			invertGray(img)
		}
		return img, nil, nil
	}
	again := func(b []byte) bool {
		var e error
		img, e = pixels(b)
		return e == nil
	}
	switch f.format {
	case JPEG:
		if whole := append(f.b[:len(f.b):len(f.b)], 0xff, 0xd9); jpegcodec.Complete(f.b) &&
			again(whole) {
			return img, nil, nil
		}
		if !salvage {
			break
		}
		if whole, share, e := jpegcodec.Salvage(f.b); e == nil && again(whole) {
			return img, &Salvage{share, explain(f.format, err)}, nil
		}
	case PNG:
		if whole, _, ok := f.png.rescue(false); ok && again(whole) {
			return img, nil, nil
		}
		if !salvage {
			break
		}
		if whole, share, ok := f.png.rescue(true); ok && again(whole) {
			return img, &Salvage{share, explain(f.format, err)}, nil
		}
	}
	return nil, nil, err
}

// checkSize refuses pictures without pixels, with too many, or with more than a file of size bytes
// can hold.
func checkSize(cfg image.Config, format Format, info fileInfo, size int64, lim Limits) error {
	w, h := int64(cfg.Width), int64(cfg.Height)
	if w < 1 || h < 1 {
		return &DecodeError{What: fmt.Sprintf("it has %d×%d pixels", w, h)}
	}
	if w > lim.MaxPixels/h {
		return &DecodeError{What: "too large", Err: &SizeError{w, h, lim.MaxPixels}}
	}
	// The smallest possible file: deflate compresses at most 1032:1; a JPEG needs at least one bit
	// for every 8×8 block.
	least := w * h / 512
	switch format {
	case PNG:
		least = w * h * int64(info.bitsPerPixel) / 8 / 1032
	case TIFF, WebP, DNG:
		// a file of one colour may be very small; a WebP has at most 16383 pixels per side
		least = 0
	}
	if least > size {
		return &DecodeError{What: fmt.Sprintf(
			"truncated %v: the header says %d×%d pixels, which do not fit into %d bytes", format, w,
			h, size)}
	}
	return nil
}

// explain turns a decoder's error into one that names the cause.
func explain(f Format, err error) error {
	// the signature is cut off, else sniff would have reported it
	if errors.Is(err, image.ErrFormat) {
		return &DecodeError{What: "truncated " + f.String()}
	}
	// For some files that end too early the decoders report these texts instead of
	// io.ErrUnexpectedEOF.
	text := err.Error()
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		strings.Contains(text, "not enough pixel data") ||
		strings.Contains(text, "short Huffman data") {
		return &DecodeError{What: "truncated " + f.String(), Err: err}
	}
	if strings.Contains(text, "unsupported") {
		return &DecodeError{What: "unusual " + f.String(), Err: err}
	}
	return &DecodeError{What: "damaged " + f.String(), Err: err}
}
