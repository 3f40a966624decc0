package picture

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/vfmrestore/restore/restore/picture/jpegcodec"
)

// fileInfo holds what the standard decoders do not report.
type fileInfo struct {
	quality      int // of JPEG
	blocks       *JPEGBlocks
	orientation  int  // EXIF value, 0 if there is none
	gray         bool // one channel of grey, with or without alpha
	hasAlpha     bool
	bitsPerPixel int     // of PNG, before compression
	halved       [2]bool // JPEG and WebP: chroma has half the width, half the height
	icc          []byte  // nil if there is none or it is damaged
	colour       *pngColour
	exif         []byte // a TIFF structure, as in the file
	xmp, iptc    []byte
	text         []byte // text chunks of PNG
	comment      []byte // of JPEG
	density      density
	dropped      []string
}

// drop adds to the list of what a new file will lack.
func (info *fileInfo) drop(what string) { info.dropped = dropOnce(info.dropped, what) }

func (p *Picture) drop(what string) { p.Dropped = dropOnce(slices.Clone(p.Dropped), what) }

func dropOnce(list []string, what string) []string {
	if slices.Contains(list, what) || len(list) >= 8 { // damaged files may have any number
		return list
	}
	return append(list, what)
}

// setEXIF keeps the first EXIF of a file.
func (info *fileInfo) setEXIF(b []byte) {
	if info.exif != nil || len(b) == 0 {
		return
	}
	if len(b) > maxEXIF {
		info.drop("EXIF of more than 16 MB")
		return
	}
	info.exif, info.orientation = b, exifOrientation(b)
}

func (info *fileInfo) setXMP(b []byte) {
	b = bytes.TrimRight(b, "\x00")
	if info.xmp == nil && len(b) > 0 {
		info.xmp = bytes.Clone(b)
	}
}

// setIRB keeps the IPTC record in Photoshop's resources.
func (info *fileInfo) setIRB(irb []byte) {
	irb, _ = bytes.CutPrefix(irb, []byte(irbHead))
	if info.iptc == nil {
		info.iptc = findIPTC(irb)
	}
}

const maxICC = 16 << 20

const (
	xmpHead    = "http://ns.adobe.com/xap/1.0/\x00"
	xmpMore    = "http://ns.adobe.com/xmp/extension/\x00"
	maxComment = 1 << 16
)

// scanJPEG reads the marker segments up to the first scan. Of a damaged file it reads as much as it
// can.
func scanJPEG(b []byte) fileInfo {
	var info fileInfo
	parts := map[byte][]byte{}
	tables := map[byte][64]byte{}
	var frame []byte
	rgb := false // Adobe's segment says that colours are RGB, not luminance and chroma
	total := byte(0)
	for s := range jpegcodec.Segments(b) {
		marker, body := s.Marker, s.Body
		if marker == jpegcodec.MarkerSOS {
			break
		}
		switch {
		case marker == 0xdb:
			readTables(tables, body)
			if t, ok := tables[0]; ok && info.quality == 0 {
				info.quality = jpegcodec.NearestQuality(t[:])
			}
		case marker == 0xe1 && bytes.HasPrefix(body, []byte("Exif\x00\x00")):
			info.setEXIF(body[6:])
		case marker == 0xe1 && bytes.HasPrefix(body, []byte(xmpHead)):
			info.setXMP(body[len(xmpHead):])
		case marker == 0xe1 && bytes.HasPrefix(body, []byte(xmpMore)):
			info.drop("the second part of XMP")
		case marker == 0xe2 && len(body) > 14 && bytes.HasPrefix(body, []byte("ICC_PROFILE\x00")):
			if _, twice := parts[body[12]]; !twice {
				parts[body[12]], total = body[14:], body[13]
			}
		case marker == 0xe2 && bytes.HasPrefix(body, []byte("MPF\x00")):
			info.drop("further pictures in the file, such as previews or a map of HDR")
		case marker == 0xed && bytes.HasPrefix(body, []byte(irbHead)):
			info.setIRB(body)
		case marker == 0xe0 && bytes.HasPrefix(body, []byte("JFIF\x00")):
			info.density = jfifDensity(body)
		case marker == jpegcodec.MarkerAdobe:
			rgb = rgb || len(body) >= 12 && bytes.HasPrefix(body, []byte("Adobe")) && body[11] == 0
		// about the old file
		case marker == 0xe0 && bytes.HasPrefix(body, []byte("JFXX\x00")), marker == 0xec &&
			bytes.HasPrefix(body, []byte("Ducky")):
		case marker == 0xeb && bytes.HasPrefix(body, []byte("JP")):
			info.drop("content credentials, which are about the old file")
		case marker >= 0xe0 && marker <= 0xef && len(body) > 0:
			info.drop(fmt.Sprintf("JPEG's APP%d segment", marker-0xe0))
		case marker == 0xfe && holdsPicture(body):
			info.drop("a comment that holds a picture")
		case marker == 0xfe && info.comment == nil && len(body) <= maxComment:
			info.comment = bytes.Clone(body)
		case marker == 0xfe:
			info.drop("further comments")
		case marker >= 0xc0 && marker <= 0xc2 && len(body) > 5:
			info.gray, frame = body[5] == 1, body
			if body[5] == 3 && len(body) >= 15 {
				luma, cb, cr := body[7], body[10], body[13]
				info.halved[0] = luma>>4 > max(cb>>4, cr>>4)
				info.halved[1] = luma&15 > max(cb&15, cr&15)
			}
		}
	}
	info.blocks = readBlocks(tables, frame, rgb)
	if total == 0 {
		return info
	}
	for i := 1; i <= int(total); i++ {
		part, ok := parts[byte(i)]
		if !ok {
			info.icc = nil
			info.drop("the colour profile, of which a part is missing")
			break
		}
		info.icc = append(info.icc, part...)
	}
	return info
}

// readTables reads the 8-bit quantisation tables of a segment, in zig-zag order.
func readTables(tables map[byte][64]byte, body []byte) {
	for len(body) >= 65 && body[0] < 4 { // tables of 16 bits have a 1 in the upper half
		tables[body[0]] = [64]byte(body[1:65])
		body = body[65:]
	}
}

// usableICC gives the profile if it is for the kind of colours that we write, else nil. A profile
// that is longer than its header says is cut to that length.
func (info *fileInfo) usableICC(gray bool) []byte {
	icc := info.icc
	if icc == nil {
		return nil
	}
	if len(icc) >= 132 {
		if n := int64(binary.BigEndian.Uint32(icc)); n >= 132 && n < int64(len(icc)) {
			icc = icc[:n]
		}
	}
	if profileFits(icc, gray) {
		return icc
	}
	switch {
	case len(icc) < 132 || len(icc) > maxICC ||
		int64(binary.BigEndian.Uint32(icc)) != int64(len(icc)) || string(icc[36:40]) != "acsp":
		info.drop("the colour profile, which is damaged")
	case string(icc[16:20]) == "CMYK":
		info.drop("the CMYK colour profile, as the result is RGB")
	default:
		info.drop("the colour profile, which is for colours of another kind")
	}
	return nil
}

// profileFits tells whether an ICC profile is complete and for the kind of colours that we write.
func profileFits(icc []byte, gray bool) bool {
	if len(icc) < 132 || len(icc) > maxICC ||
		int64(binary.BigEndian.Uint32(icc)) != int64(len(icc)) || string(icc[36:40]) != "acsp" {
		return false
	}
	if gray {
		return string(icc[16:20]) == "GRAY"
	}
	return string(icc[16:20]) == "RGB "
}
