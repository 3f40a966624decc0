package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"

	"github.com/vfmrestore/restore/internal/memory"
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
	most := lim.MaxBytes
	if size > 0 {
		if err := memory.Check("reading the file", size); err != nil {
			return nil, err
		}
		buf.Grow(int(max(size-int64(buf.Len()), 0)) + bytes.MinRead)
	} else {
		most = min(most, reach(buf.Bytes()), memory.Available()/3) // growing takes the old room beside the new
	}
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

// reach is how many bytes a picture that begins with these can have: those of its pixels, which no format that is read enlarges by more than half, and what stands beside.
func reach(b []byte) int64 {
	format, ok, _ := sniff(b)
	if !ok {
		return headBytes
	}
	if format == WebP && len(b) >= 8 { // tells its size
		return memory.Sum(8+int64(binary.LittleEndian.Uint32(b[4:])), beside) // some writers forget what they add
	}
	cfg, _, err := image.DecodeConfig(bytes.NewReader(b))
	if err != nil || format == TIFF { // of which the directory may stand at the end
		return 1<<63 - 1
	}
	return memory.Sum(memory.Bytes(cfg.Width, cfg.Height, 12), beside)
}

// Work that files may ask for, whatever their size.
const (
	mostScans = 100     // of a JPEG: encoders write up to about thirty, each of which is a pass over the picture
	tileSpare = 4 << 20 // pixels of a TIFF's tiles beyond four times its own
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
	for at := 2; at+4 <= len(b) && n <= most; {
		if b[at] != 0xff { // the pixels' bits; 0xff is followed by 0 there, or by a restart marker
			next := bytes.IndexByte(b[at:], 0xff)
			if next < 0 {
				return n
			}
			at += next
			continue
		}
		switch marker := b[at+1]; {
		case marker == 0xff:
			at++
		case marker <= 0x01 || marker >= 0xd0 && marker <= 0xd8:
			at += 2
		case marker == 0xd9:
			return n
		default:
			if marker == 0xda {
				n++
			}
			at += 2 + int(binary.BigEndian.Uint16(b[at+2:]))
		}
	}
	return n
}

// boundTiles refuses TIFFs most of whose tiles' pixels lie outside the picture: each is unpacked as a whole.
func boundTiles(b []byte, cfg image.Config) error {
	d, ok := firstDirectory(b)
	if !ok {
		return nil
	}
	tw, _ := d.number(tagTileWidth)
	th, _ := d.number(tagTileLength)
	if tw < 1 || th < 1 || tw > 1<<31 || th > 1<<31 {
		return nil // none, or the decoder says what is wrong
	}
	w, h := int64(cfg.Width), int64(cfg.Height)
	area := memory.Bytes(int((w+tw-1)/tw*tw), int((h+th-1)/th*th))
	if area > 4*w*h+tileSpare {
		return &DecodeError{What: fmt.Sprintf("its tiles of %d×%d pixels are far larger than its %d×%d pixels need", tw, th, w, h)}
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
