package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"image"
	"io"
	"slices"
)

// scanTIFF reads what the decoder does not report from the first directory.
func scanTIFF(b []byte) (info fileInfo) {
	d, ok := firstDirectory(b)
	if !ok {
		return info
	}
	info.orientation = exifOrientation(b)
	at, _, _ := d.find(tagExtraSamples)
	info.hasAlpha = at != 0
	info.icc = bytes.Clone(d.bytes(tagICC))
	info.setXMP(d.bytes(tagXMP))
	if info.iptc = d.bytesOrLongs(tagIPTC); info.iptc == nil {
		info.setIRB(d.bytes(tagPhotoshop))
	}
	info.exif = exifFromTIFF(b)
	info.density = tiffDensity(d)
	for _, e := range d.entries {
		if tag := d.order.Uint16(b[e:]); !slices.Contains(descriptiveTags, tag) &&
			!aboutPixels(tag) {
			info.drop(fmt.Sprintf("TIFF's entry %d", tag))
		}
	}
	if hasMakerNote(b) {
		info.drop("the camera maker's notes, which cannot be moved")
	}
	if d.next != 0 {
		if next := int64(d.order.Uint32(b[d.next:])); next != 0 {
			if _, ok := readDirectory(b, d.order, next); ok {
				info.drop("all pages but the first")
			}
		}
	}
	return info
}

// aboutPixels tells whether an entry describes the layout of pixels in the file, or is handled
// elsewhere.
func aboutPixels(tag uint16) bool {
	switch {
	case tag >= 0x00fe && tag <= 0x0103, tag >= 0x0106 && tag <= 0x010a, tag >= 0x0111 &&
		tag <= 0x011c, tag >= 0x0120 && tag <= 0x0125, tag >= 0x0128 && tag <= 0x0129,
		// Photoshop's layers
		tag == 0x012d, tag >= 0x013c && tag <= 0x0159, tag == 0x015b, tag >= 0x0200 &&
			tag <= 0x0214, tag == tagPhotoshop, tag == 0x935c:
		return true
	case tag == tagXMP, tag == tagIPTC, tag == tagICC, tag == tagExifDir, tag == tagGPSDir:
		return true
	}
	return false
}

// inverted tells whether golang.org/x/image/tiff inverts the pixels of a fax-compressed file: it
// ignores a photometric interpretation of "black is 0".
func inverted(b []byte) bool {
	d, ok := firstDirectory(b)
	compression, _ := d.number(tagCompression)
	photometric, _ := d.number(tagPhotometric)
	return ok && (compression == 3 || compression == 4) && photometric == 1
}

func invertGray(img image.Image) {
	if m, ok := img.(*image.Gray); ok {
		for i := range m.Pix {
			m.Pix[i] ^= 0xff
		}
	}
}

// bytesOrLongs is bytes for an entry that some writers, for historical reasons, declare as long
// numbers. Its bytes may then be swapped.
func (d directory) bytesOrLongs(tag uint16) []byte {
	if b := d.bytes(tag); b != nil {
		return bytes.Clone(b)
	}
	at, kind, _ := d.find(tag)
	if at == 0 || kind != typeLong {
		return nil
	}
	from, size, ok := d.value(at)
	if !ok || size > maxICC {
		return nil
	}
	b := bytes.Clone(d.b[from : from+size])
	if len(b) > 0 && b[0] != 0x1c { // swapped as numbers
		for i := 0; i+4 <= len(b); i += 4 {
			slices.Reverse(b[i : i+4])
		}
	}
	return b
}

// maxTIFF is the largest size of a TIFF's pixels in bytes, because offsets have 32 bits.
const maxTIFF = 1<<32 - 1<<20

// tiffSize is the size of a TIFF's pixels in bytes.
func tiffSize(w, h, depth int, gray, alpha bool) int64 {
	channels := int64(3)
	if gray {
		channels = 1
	}
	if alpha {
		channels++
	}
	return int64(w) * int64(h) * channels * int64(depth/8)
}

// encodeTIFF writes strips of deflated horizontal differences. golang.org/x/image/tiff can write
// TIFF too, but always with four channels and without a colour profile.
func encodeTIFF(w io.Writer, p *Picture, icc, exif, xmp, iptc []byte) error {
	channels, photometric := 3, 2
	if p.Gray {
		channels, photometric = 1, 1
	}
	if p.Alpha != nil {
		channels++
	}
	size := p.Depth / 8
	row := p.W * channels * size
	perStrip := max(1, min(p.H, (1<<18)/row))
	var offsets, counts []uint32
	var body bytes.Buffer // compressed, so usually much smaller than the picture
	for y := 0; y < p.H; y += perStrip {
		from := body.Len()
		z := zlib.NewWriter(&body)
		line := make([]byte, row)
		for v := y; v < min(y+perStrip, p.H); v++ {
			p.tiffRow(line, v, channels)
			if _, err := z.Write(line); err != nil {
				return err
			}
		}
		if err := z.Close(); err != nil {
			return err
		}
		offsets = append(offsets, uint32(8+from))
		counts = append(counts, uint32(body.Len()-from))
	}
	if body.Len()%2 == 1 { // directories begin on even offsets
		body.WriteByte(0)
	}
	var bits []uint32
	for range channels {
		bits = append(bits, uint32(p.Depth))
	}
	// The EXIF directories follow the pixels. Offsets include the file's header of 8 bytes.
	about, described := splitEXIF(exif).write(8+body.Len(), tagOrientation)
	body.Write(about)
	t := &tiffDirectory{at: uint32(8 + body.Len())}
	t.add(0x0100, typeLong, uint32(p.W))
	t.add(0x0101, typeLong, uint32(p.H))
	t.add(0x0102, typeShort, bits...)
	t.add(0x0103, typeShort, 8) // deflate
	t.add(tagPhotometric, typeShort, uint32(photometric))
	t.add(tagStripOffsets, typeLong, offsets...)
	t.add(tagOrientation, typeShort, 1)
	t.add(0x0115, typeShort, uint32(channels))
	t.add(0x0116, typeLong, uint32(perStrip))
	t.add(0x0117, typeLong, counts...)
	t.add(0x013d, typeShort, 2) // horizontal differences
	if p.Alpha != nil {
		t.add(tagExtraSamples, typeShort, 2) // not premultiplied
	}
	for _, x := range []struct {
		tag, kind uint16
		body      []byte
	}{{tagICC, typeOther, icc}, {tagXMP, typeByte, xmp}, {tagIPTC, typeOther, iptc}} {
		if x.body != nil {
			t.raw(x.tag, x.kind, uint32(len(x.body)), x.body)
		}
	}
	t.entries = append(t.entries, described...)
	if !slices.ContainsFunc(described, func(e tiffEntry) bool {
		return e.tag == tagXResolution || e.tag == tagYResolution || e.tag == tagResolutionUnit
	}) {
		t.entries = append(t.entries, p.density.entries()...)
	}
	slices.SortFunc(t.entries, func(a, b tiffEntry) int { return int(a.tag) - int(b.tag) })
	head := binary.LittleEndian.AppendUint32([]byte("II*\x00"), t.at)
	for _, b := range [][]byte{head, body.Bytes(), t.bytes()} {
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

// tiffRow encodes a row of pixels as differences to the pixel on the left.
func (p *Picture) tiffRow(line []byte, y, channels int) {
	most := float64(int(1)<<p.Depth - 1)
	n := p.W * p.H
	var before [4]uint16
	for x := range p.W {
		i := y*p.W + x
		for c := range channels {
			var v float64
			switch {
			case p.Alpha != nil && c == channels-1:
				v = p.alpha(i, most)
			case p.Gray:
				v = quantise(p.gray(i), most)
			default:
				v = quantise(p.value(c*n+i), most)
			}
			d := uint16(v) - before[c]
			before[c] = uint16(v)
			if p.Depth == 16 {
				binary.LittleEndian.PutUint16(line[2*(x*channels+c):], d)
			} else {
				line[x*channels+c] = byte(d)
			}
		}
	}
}

// tiffDirectory is a directory to write. Entries must be in the order of their tags.
type tiffDirectory struct {
	at      uint32 // offset in the file
	entries []tiffEntry
}

type tiffEntry struct {
	tag, kind uint16
	count     uint32
	data      []byte
}

func (t *tiffDirectory) raw(tag, kind uint16, count uint32, data []byte) {
	t.entries = append(t.entries, tiffEntry{tag, kind, count, data})
}

func (t *tiffDirectory) add(tag, kind uint16, values ...uint32) {
	var b []byte
	for _, v := range values {
		if kind == typeShort {
			b = binary.LittleEndian.AppendUint16(b, uint16(v))
		} else {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
	}
	t.raw(tag, kind, uint32(len(values)), b)
}

func (t *tiffDirectory) bytes() []byte {
	b := binary.LittleEndian.AppendUint16(nil, uint16(len(t.entries)))
	var data []byte
	start := t.at + uint32(2+12*len(t.entries)+4)
	for _, e := range t.entries {
		b = binary.LittleEndian.AppendUint16(b, e.tag)
		b = binary.LittleEndian.AppendUint16(b, e.kind)
		b = binary.LittleEndian.AppendUint32(b, e.count)
		if len(e.data) <= 4 {
			b = append(b, append(e.data, 0, 0, 0, 0)[:4]...)
			continue
		}
		b = binary.LittleEndian.AppendUint32(b, start+uint32(len(data)))
		data = append(data, e.data...)
		if len(data)%2 == 1 {
			data = append(data, 0)
		}
	}
	return append(binary.LittleEndian.AppendUint32(b, 0), data...)
}
