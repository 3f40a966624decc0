package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
)

// fileInfo is what the standard decoders keep to themselves.
type fileInfo struct {
	orientation  int  // EXIF value, 0 if there is none
	gray         bool // one channel of grey, with or without alpha
	hasAlpha     bool
	bitsPerPixel int    // of PNG, before compression
	icc          []byte // nil if there is none or it is broken
	exif         []byte // TIFF structure, as it stands in the file
}

const maxICC = 16 << 20

func scan(f Format, b []byte) (fileInfo, error) {
	switch f {
	case PNG:
		return scanPNG(b)
	case TIFF:
		return scanTIFF(b), nil
	case WebP:
		return scanWebP(b)
	}
	return scanJPEG(b), nil
}

// scanPNG walks the chunks up to the pixels. b has already passed png.DecodeConfig, so IHDR is sound.
func scanPNG(b []byte) (fileInfo, error) {
	var info fileInfo
	rest := b[8:]
	for len(rest) >= 12 {
		n := int64(binary.BigEndian.Uint32(rest))
		if n > int64(len(rest))-12 {
			break
		}
		kind, body := string(rest[4:8]), rest[8:8+n]
		rest = rest[12+n:]
		switch kind {
		case "IHDR":
			if len(body) != 13 {
				return info, errors.New("bad IHDR length")
			}
			color := body[9]
			channels := map[byte]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
			info.bitsPerPixel = int(body[8]) * channels
			info.gray = color == 0 || color == 4
			info.hasAlpha = color == 4 || color == 6
		case "tRNS":
			info.hasAlpha = true
		case "eXIf":
			info.exif, info.orientation = body, exifOrientation(body)
		case "acTL":
			return info, errAnimated
		case "iCCP":
			info.icc = inflateICC(body)
		case "IDAT", "IEND":
			return info, nil
		}
	}
	return info, nil // the decoder will say what is wrong
}

// inflateICC reads the body of an iCCP chunk: name, 0, method 0, zlib data.
func inflateICC(body []byte) []byte {
	_, rest, ok := bytes.Cut(body, []byte{0})
	if !ok || len(rest) < 1 || rest[0] != 0 {
		return nil
	}
	z, err := zlib.NewReader(bytes.NewReader(rest[1:]))
	if err != nil {
		return nil
	}
	defer z.Close()
	icc, err := io.ReadAll(io.LimitReader(z, maxICC+1))
	if err != nil || len(icc) > maxICC {
		return nil
	}
	return icc
}

// scanJPEG walks the marker segments up to the first scan. A broken walk gives what was found until then.
func scanJPEG(b []byte) fileInfo {
	var info fileInfo
	parts := map[byte][]byte{}
	total := byte(0)
	for at := 2; at+4 <= len(b); {
		if b[at] != 0xff {
			break
		}
		marker := b[at+1]
		if marker == 0xff { // fill byte
			at++
			continue
		}
		if marker == 0x01 || marker >= 0xd0 && marker <= 0xd8 { // no length
			at += 2
			continue
		}
		if marker == 0xda || marker == 0xd9 {
			break
		}
		n := int(binary.BigEndian.Uint16(b[at+2:]))
		if n < 2 || at+2+n > len(b) {
			break
		}
		body := b[at+4 : at+2+n]
		at += 2 + n
		switch {
		case marker == 0xe1 && info.exif == nil && bytes.HasPrefix(body, []byte("Exif\x00\x00")):
			info.exif, info.orientation = body[6:], exifOrientation(body[6:])
		case marker == 0xe2 && len(body) > 14 && bytes.HasPrefix(body, []byte("ICC_PROFILE\x00")):
			if _, twice := parts[body[12]]; !twice {
				parts[body[12]], total = body[14:], body[13]
			}
		case marker >= 0xc0 && marker <= 0xc2 && len(body) > 5:
			info.gray = body[5] == 1
		}
	}
	if total == 0 || len(parts) != int(total) {
		return info
	}
	for i := 1; i <= int(total); i++ {
		part, ok := parts[byte(i)]
		if !ok {
			info.icc = nil
			break
		}
		info.icc = append(info.icc, part...)
	}
	return info
}

// profileFits tells whether an ICC profile is whole and describes colours of the kind that we write.
func profileFits(icc []byte, gray bool) bool {
	if len(icc) < 132 || len(icc) > maxICC || int64(binary.BigEndian.Uint32(icc)) != int64(len(icc)) || string(icc[36:40]) != "acsp" {
		return false
	}
	if gray {
		return string(icc[16:20]) == "GRAY"
	}
	return string(icc[16:20]) == "RGB "
}
