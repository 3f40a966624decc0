package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/vfmrestore/restore/internal/memory"
	"github.com/vfmrestore/restore/restore/picture/jpegcodec"
)

// The work and memory for a file are limited before it is read and decoded: by its format, by the
// number of pixels in its header, and by the available memory.

const (
	headBytes = 1 << 16 // enough to recognise the format
	// metadataBytes is the largest size of everything in a file except pixels: profiles, EXIF with
	// previews.
	metadataBytes = 64 << 20
)

// readAll reads a file. size is its size in bytes, or 0 if it is not known, as for a pipe. Then no
// more is read than a picture with the sides in the header can have; a file of no known format is
// not read beyond its first bytes.
func readAll(r io.Reader, size int64, lim Limits) ([]byte, error) {
	var buf bytes.Buffer
	buf.Grow(int(min(size, headBytes)) + bytes.MinRead)
	if _, err := buf.ReadFrom(io.LimitReader(r, headBytes)); err != nil {
		return nil, err
	}
	if err := recognise(buf.Bytes()); err != nil {
		return nil, err
	}
	if size > lim.MaxBytes {
		return nil, tooLarge(lim.MaxBytes)
	}
	if size > 0 {
		if err := memory.Check("reading the file", size); err != nil {
			return nil, err
		}
		buf.Grow(int(max(size-int64(buf.Len()), 0)) + bytes.MinRead)
		return readTo(&buf, r, lim.MaxBytes)
	}
	// a growing buffer needs the old memory and the new at once
	most := min(lim.MaxBytes, memory.Available()/3)
	for step := int64(headBytes); ; {
		picture, known := maxFileSize(buf.Bytes())
		if known || int64(buf.Len()) < step { // or the stream has ended
			return readTo(&buf, r, min(most, picture))
		}
		if picture > most || step >= picture {
			return nil, tooLarge(min(most, picture))
		}
		step = min(2*step, picture)
		if _, err := buf.ReadFrom(io.LimitReader(r, step-int64(buf.Len()))); err != nil {
			return nil, err
		}
	}
}

// readTo reads the rest of a file that may have at most `most` bytes.
func readTo(buf *bytes.Buffer, r io.Reader, most int64) ([]byte, error) {
	if _, err := buf.ReadFrom(io.LimitReader(r, most+1-int64(buf.Len()))); err != nil {
		return nil, err
	}
	if int64(buf.Len()) > most {
		return nil, tooLarge(most)
	}
	return buf.Bytes(), nil
}

func tooLarge(most int64) error {
	return &DecodeError{What: fmt.Sprintf("the file is larger than %d bytes", most)}
}

// recognise fails if b is not the beginning of a known format.
func recognise(b []byte) error {
	if len(b) == 0 {
		return &DecodeError{What: "the file is empty"}
	}
	switch _, ok, name := sniff(b); {
	case name != "":
		return nil // decodeBytes reports it
	case !ok:
		return &DecodeError{What: "it is neither PNG, JPEG, TIFF nor WebP"}
	}
	return nil
}

// maxFileSize is the largest number of bytes that a file with this beginning can have: its pixels,
// which no format enlarges by more than half, and its metadata. If the beginning is too short to
// tell, known is false; the result is then the number of bytes after which it must be known.
func maxFileSize(b []byte) (bytes int64, known bool) {
	format, ok, _ := sniff(b)
	if !ok {
		return headBytes, true
	}
	if cfg, err := sides(format, b); err == nil {
		most := memory.Sum(memory.Bytes(cfg.Width, cfg.Height, 12), metadataBytes)
		// has its size in the header, but some writers leave out chunks that they add
		if format == WebP {
			most = min(most, memory.Sum(8+int64(binary.LittleEndian.Uint32(b[4:])), metadataBytes))
		}
		return most, true
	}
	if _, at, ok := tiffStart(b); format == TIFF && ok { // its directory may be anywhere
		return memory.Sum(at, metadataBytes), false
	}
	return metadataBytes, false
}

// sides reads the sides of the picture from the beginning of a file.
func sides(format Format, b []byte) (cfg image.Config, err error) {
	if format != TIFF {
		cfg, _, err = image.DecodeConfig(bytes.NewReader(b))
		return cfg, err
	}
	d, ok := firstDirectory(b)
	// its first directory may describe a preview
	if at, _, _ := d.find(tagDNGVersion); ok && at != 0 {
		return rawSides(d)
	}
	w, ok1 := d.number(tagImageWidth)
	h, ok2 := d.number(tagImageLength)
	if !ok || !ok1 || !ok2 {
		return cfg, io.ErrUnexpectedEOF
	}
	return image.Config{Width: int(w), Height: int(h)}, nil
}

// rawSides gives the sides of the largest picture in a raw file. It fails if a directory is cut
// off.
func rawSides(first directory) (cfg image.Config, err error) {
	for _, d := range allDirectories(first) {
		for _, at := range d.numbers(tagSubDirs, maxDirectories) {
			if _, ok := readDirectory(d.b, d.order, at); !ok {
				return cfg, io.ErrUnexpectedEOF
			}
		}
		w, _ := d.number(tagImageWidth)
		h, _ := d.number(tagImageLength)
		if memory.Bytes(int(w), int(h)) > memory.Bytes(cfg.Width, cfg.Height) {
			cfg = image.Config{Width: int(w), Height: int(h)}
		}
	}
	return cfg, nil
}

// Limits of the work that a file of any size may cause.
const (
	// of a JPEG: each is a pass over the picture; encoders write up to about thirty
	maxScans = 100
	// pixels that a TIFF's tiles may have in addition to four times the picture's
	tileSpare = 4 << 20
	blockCost = 256 // starting a strip or tile takes as long as unpacking this many pixels
)

// bound refuses a picture that takes too much work or memory to decode. w and h are its sides after
// orientation.
func bound(format Format, b []byte, cfg image.Config, w, h int, lim Limits) error {
	if lim.Check != nil {
		if err := lim.Check(w, h); err != nil {
			return err
		}
	}
	switch format {
	case JPEG:
		if n := countScans(b, maxScans); n > maxScans {
			return &DecodeError{What: fmt.Sprintf(
				"it has more than %d scans, which no camera or program writes", maxScans)}
		}
	case TIFF:
		if err := boundTiles(b, cfg); err != nil {
			return err
		}
	}
	// Bytes of the decoder's picture and of our planes.
	perPixel := 4 + 12
	if lim.Pack > 0 && memory.Bytes(w, h) >= lim.Pack {
		perPixel = 4 + 3
	}
	return memory.Check(fmt.Sprintf("a picture of %d×%d pixels", w, h),
		memory.Bytes(w, h, perPixel))
}

// countScans counts the scans of a JPEG, at most up to most+1.
func countScans(b []byte, most int) (n int) {
	for s := range jpegcodec.Segments(b) {
		if s.Marker == jpegcodec.MarkerSOS {
			n++
		}
		if n > most {
			break
		}
	}
	return n
}

// boundTiles refuses TIFFs with tiles far larger than the picture, because each tile is unpacked as
// a whole. It also refuses those with so many strips or tiles that starting them takes more time
// than decoding their pixels.
func boundTiles(b []byte, cfg image.Config) error {
	d, ok := firstDirectory(b)
	if !ok {
		return nil
	}
	w, h := int64(cfg.Width), int64(cfg.Height)
	blocks := int64(0)
	if tw, _ := d.number(tagTileWidth); tw != 0 {
		th, _ := d.number(tagTileLength)
		if tw < 1 || th < 1 || tw > 1<<31 || th > 1<<31 {
			return nil // the decoder reports the error
		}
		across, down := (w+tw-1)/tw, (h+th-1)/th
		if area := memory.Bytes(int(across*tw), int(down*th)); area > 4*w*h+tileSpare {
			return &DecodeError{What: fmt.Sprintf(
				"its tiles of %d×%d pixels are far larger than its %d×%d pixels need", tw, th, w,
				h)}
		}
		blocks = across * down
	} else if rows, ok := d.number(tagRowsPerStrip); ok && rows > 0 {
		blocks = (h + rows - 1) / rows
	}
	if planes, _ := d.number(tagPlanarConfig); planes == 2 {
		samples, _ := d.number(tagSamples)
		blocks = memory.Bytes(int(blocks), int(max(samples, 1)))
	}
	if memory.Bytes(int(blocks), blockCost) > 4*w*h+tileSpare {
		return &DecodeError{What: fmt.Sprintf(
			"it is cut into %d strips or tiles, far more than its %d×%d pixels need", blocks, w, h)}
	}
	return nil
}

// withPath puts a path into an error of this package.
func withPath(path string, err error) error {
	var de *DecodeError
	var size *MaskSizeError
	switch {
	case errors.As(err, &de):
		if de.Path == "" { // else Limits.Check has read another file, and named it
			de.Path = path
		}
		return de
	case errors.As(err, &size):
		if size.Path == "" {
			size.Path = path
		}
		return size
	}
	return fmt.Errorf("%s: cannot read: %w", path, err)
}
