package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/disintegration/imaging"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// DecodeError says why bytes are not a picture that this package reads.
type DecodeError struct {
	Path string // "" if the picture did not come from a file
	What string
	Err  error // the decoder's own words, if it came that far
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

// Decode reads a PNG, JPEG, TIFF (its first page) or WebP picture to the end of r, turned the way up that its EXIF data ask for. Everything that is refused is
// refused before memory for the pixels is asked for: formats without support, no pixels, more pixels than the limit, and headers
// that promise more pixels than the file can hold. Errors: [*DecodeError], and those of r as they are.
func Decode(r io.Reader, lim Limits) (*Picture, error) { return decodeReader(r, 0, lim) }

// decodeReader is Decode of so many bytes, if they are known: growing as they come they would take more than twice their room.
func decodeReader(r io.Reader, size int64, lim Limits) (*Picture, error) {
	lim = lim.withDefaults()
	b, err := readAll(r, size, lim)
	if err != nil {
		return nil, err
	}
	return decodeBytes(b, lim)
}

// DecodeFile is Decode of the file at path; errors name the path.
func DecodeFile(path string, lim Limits) (*Picture, error) {
	if lim.Regular {
		if st, err := os.Stat(path); err == nil && !st.IsDir() && !st.Mode().IsRegular() { // before it is opened: a FIFO waits for its writer
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
	if err != nil {
		return nil, named(path, err)
	}
	return p, nil
}

func decodeBytes(b []byte, lim Limits) (*Picture, error) {
	if len(b) == 0 {
		return nil, &DecodeError{What: "the file is empty"}
	}
	format, ok, name := sniff(b)
	switch {
	case name != "":
		return nil, &DecodeError{What: "it is " + name + ", which is not supported; convert it to PNG or JPEG"}
	case !ok:
		return nil, &DecodeError{What: "it is neither PNG, JPEG, TIFF nor WebP"}
	}
	cfg, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return nil, explain(format, err)
	}
	info, err := scan(format, b)
	if errors.Is(err, errAnimated) {
		return nil, &DecodeError{What: err.Error()}
	}
	if err != nil {
		return nil, explain(format, err)
	}
	if err := checkSize(cfg, format, info, int64(len(b)), lim); err != nil {
		return nil, err
	}
	w, h := turnedSides(info.orientation, cfg.Width, cfg.Height)
	if err := bound(format, b, cfg, w, h, lim); err != nil {
		return nil, err
	}
	if lim.Header != nil {
		lim.Header(w, h)
	}
	img, err := imaging.Decode(bytes.NewReader(b)) // as it lies in the file; it is turned below, in float32
	if err != nil {
		return nil, explain(format, err)
	}
	if s := img.Bounds().Size(); s.X != cfg.Width || s.Y != cfg.Height {
		return nil, &DecodeError{What: fmt.Sprintf("the header says %d×%d pixels, but there are %d×%d", cfg.Width, cfg.Height, s.X, s.Y)}
	}
	convert := fromImage
	if lim.Pack > 0 && int64(cfg.Width)*int64(cfg.Height) >= lim.Pack {
		convert = packed
	}
	p := convert(img, format)
	p.Format = format
	if format == WebP && p.Opaque() { // the decoder of lossless files always makes one
		p.Alpha = nil
	}
	if info.gray {
		p.Gray = true
	}
	if info.hasAlpha && p.Alpha == nil {
		p.Alpha = constant(1, p.W*p.H)
	}
	p.EXIF = bytes.Clone(info.exif)
	if profileFits(info.icc, p.Gray) {
		p.ICC = info.icc
	}
	p.orient(info.orientation)
	return p, nil
}

// checkSize refuses what cannot be a picture, or not one that anybody wants to wait for.
func checkSize(cfg image.Config, format Format, info fileInfo, size int64, lim Limits) error {
	w, h := int64(cfg.Width), int64(cfg.Height)
	if w < 1 || h < 1 {
		return &DecodeError{What: fmt.Sprintf("it has %d×%d pixels", w, h)}
	}
	if w > lim.MaxPixels/h {
		return &DecodeError{What: "too large", Err: &SizeError{w, h, lim.MaxPixels}}
	}
	// The least a file can be: deflate packs at most 1032:1; a JPEG spends at least a bit on every 8×8 block.
	least := w * h / 512
	switch format {
	case PNG:
		least = w * h * int64(info.bitsPerPixel) / 8 / 1032
	case TIFF, WebP:
		least = 0 // a picture of one colour may be very small; a WebP has at most 16383 pixels per side
	}
	if least > size {
		return &DecodeError{What: fmt.Sprintf("truncated %v: the header says %d×%d pixels, which do not fit into %d bytes", format, w, h, size)}
	}
	return nil
}

// explain turns a decoder's error into one for people.
func explain(f Format, err error) error {
	if errors.Is(err, image.ErrFormat) { // the signature itself is cut off, or sniff would have said so
		return &DecodeError{What: "truncated " + f.String()}
	}
	// The decoders report some ends of file in these words instead of io.ErrUnexpectedEOF.
	text := err.Error()
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) ||
		strings.Contains(text, "not enough pixel data") || strings.Contains(text, "short Huffman data") {
		return &DecodeError{What: "truncated " + f.String(), Err: err}
	}
	if strings.Contains(text, "unsupported") {
		return &DecodeError{What: "unusual " + f.String(), Err: err}
	}
	return &DecodeError{What: "damaged " + f.String(), Err: err}
}
