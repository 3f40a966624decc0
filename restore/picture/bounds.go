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

// What comes of a file must be bounded before it is read and unpacked: by what its first bytes are, by the pixels that its header promises, and by the memory there is.

const (
	headBytes = 1 << 16 // are enough to know what a file is
	// beside is how many bytes a picture's file may have beside its pixels: profiles, EXIF with previews.
	beside = 64 << 20
)

// readAll reads a file whose size is known, or 0: one that tells no size, such as a pipe, is read no further than a picture of its sides can reach, and what is no
// picture not beyond its first bytes.
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
	most := min(lim.MaxBytes, memory.Available()/3) // growing takes the old room beside the new
	for step := int64(headBytes); ; {
		picture, known := reach(buf.Bytes())
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

// readTo reads the rest of a file of at most so many bytes.
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

// recognise fails for bytes that do not begin a picture that this package reads.
func recognise(b []byte) error {
	if len(b) == 0 {
		return &DecodeError{What: "the file is empty"}
	}
	switch _, ok, name := sniff(b); {
	case name != "":
		return nil // decodeBytes has the words for it
	case !ok:
		return &DecodeError{What: "it is neither PNG, JPEG, TIFF nor WebP"}
	}
	return nil
}

// reach is how many bytes a picture that begins with these can have: those of its pixels, which no
// format that is read enlarges by more than half, and what stands beside. known is false if these
// bytes do not tell yet; then it is how many will, or nothing does.
func reach(b []byte) (bytes int64, known bool) {
	format, ok, _ := sniff(b)
	if !ok {
		return headBytes, true
	}
	if cfg, err := sides(format, b); err == nil {
		most := memory.Sum(memory.Bytes(cfg.Width, cfg.Height, 12), beside)
		if format == WebP { // tells its size too, though some writers forget what they add
			most = min(most, memory.Sum(8+int64(binary.LittleEndian.Uint32(b[4:])), beside))
		}
		return most, true
	}
	if _, at, ok := tiffStart(b); format == TIFF && ok { // its directory may stand anywhere
		return memory.Sum(at, beside), false
	}
	return beside, false
}

// sides are those of the picture, from what of a file is there.
func sides(format Format, b []byte) (cfg image.Config, err error) {
	if format != TIFF {
		cfg, _, err = image.DecodeConfig(bytes.NewReader(b))
		return cfg, err
	}
	d, ok := firstDirectory(b)
	if at, _, _ := d.find(tagDNGVersion); ok && at != 0 { // its first directory may be a preview's
		return rawSides(d)
	}
	w, ok1 := d.number(tagImageWidth)
	h, ok2 := d.number(tagImageLength)
	if !ok || !ok1 || !ok2 {
		return cfg, io.ErrUnexpectedEOF
	}
	return image.Config{Width: int(w), Height: int(h)}, nil
}

// rawSides are those of the largest picture in a raw file all of whose directories are there.
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

// Work that files may ask for, whatever their size.
const (
	mostScans = 100     // of a JPEG: encoders write up to about thirty, each of which is a pass over the picture
	tileSpare = 4 << 20 // pixels of a TIFF's tiles beyond four times its own
	blockCost = 256     // pixels that are unpacked in the time in which a strip or tile is begun
)

// bound refuses a picture whose pixels take more work or memory than they are worth. w and h are its sides as they will lie.
func bound(format Format, b []byte, cfg image.Config, w, h int, lim Limits) error {
	if lim.Check != nil {
		if err := lim.Check(w, h); err != nil {
			return err
		}
	}
	switch format {
	case JPEG:
		if n := countScans(b, mostScans); n > mostScans {
			return &DecodeError{What: fmt.Sprintf("it has more than %d scans, which no camera or program writes", mostScans)}
		}
	case TIFF:
		if err := boundTiles(b, cfg); err != nil {
			return err
		}
	}
	// The decoder's picture, and the planes that are made of it.
	perPixel := 4 + 12
	if lim.Pack > 0 && memory.Bytes(w, h) >= lim.Pack {
		perPixel = 4 + 3
	}
	return memory.Check(fmt.Sprintf("a picture of %d×%d pixels", w, h), memory.Bytes(w, h, perPixel))
}

// countScans counts the scans of a JPEG, and stops counting beyond most.
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

// boundTiles refuses TIFFs most of whose tiles' pixels lie outside the picture, as each is unpacked
// as a whole, and those cut into so many strips or tiles that beginning them takes more time than
// their pixels.
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
			return nil // the decoder says what is wrong
		}
		across, down := (w+tw-1)/tw, (h+th-1)/th
		if area := memory.Bytes(int(across*tw), int(down*th)); area > 4*w*h+tileSpare {
			return &DecodeError{What: fmt.Sprintf("its tiles of %d×%d pixels are far larger than its %d×%d pixels need", tw, th, w, h)}
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
		return &DecodeError{What: fmt.Sprintf("it is cut into %d strips or tiles, far more than its %d×%d pixels need", blocks, w, h)}
	}
	return nil
}

// named puts a path into an error of this package.
func named(path string, err error) error {
	var de *DecodeError
	var size *MaskSizeError
	switch {
	case errors.As(err, &de):
		if de.Path == "" { // else it is another file's, which Limits.Check has read
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
