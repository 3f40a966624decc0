package picture

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
	"strings"
)

// pngFile holds the chunks of a PNG file, and the parts of it that the decoder reads. Like libpng,
// it skips ancillary chunks with a wrong checksum and adds a missing end.
type pngFile struct {
	head, palette, trans []byte   // whole chunks
	idat                 [][]byte // bodies; the last may be cut off
	cut                  bool     // the last of idat is cut off
	bad                  bool     // a chunk of idat has a wrong checksum
	parts                [][]byte // for the decoder
}

// technical are chunks about the encoding of the old file. They are dropped without a message.
var technical = []string{"bKGD", "hIST", "sBIT", "sPLT", "tIME", "oFFs", "vpAg", "iDOT", "orNT",
	"gIFg", "gIFx", "mDCV", "mDCv", "cLLI", "cLLi"}

// maxText limits the text that is copied, in bytes.
const maxText = 1 << 20

// walkPNG reads the chunks of a file. err is errAnimated, or an error that no decoder can work
// around.
func walkPNG(b []byte) (f pngFile, info fileInfo, err error) {
	f.parts = [][]byte{b[:min(8, len(b))]}
	rest := b[min(8, len(b)):]
	changed, ended := false, false
	inflated := int64(maxICC) // limit of the total size of unpacked chunks
	for len(rest) >= 8 && !ended {
		n := int64(binary.BigEndian.Uint32(rest))
		kind := string(rest[4:8])
		critical := kind[0]&0x20 == 0
		if n > int64(len(rest))-12 { // cut off
			if kind == "IDAT" {
				f.idat, f.cut = append(f.idat, rest[8:min(8+n, int64(len(rest)))]), true
			}
			if critical || f.idat == nil {
				f.parts = append(f.parts, rest)
				return f, info, nil
			}
			break
		}
		chunk, body := rest[:12+n], rest[8:8+n]
		rest = rest[12+n:]
		if critical {
			f.parts = append(f.parts, chunk)
			switch kind {
			case "IHDR":
				if len(body) != 13 {
					return f, info, errors.New("bad IHDR length")
				}
				f.head = chunk
				color := body[9]
				channels := map[byte]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
				info.bitsPerPixel = int(body[8]) * channels
				info.gray = color == 0 || color == 4
				info.hasAlpha = color == 4 || color == 6
			case "PLTE":
				f.palette = chunk
			case "IDAT":
				f.idat = append(f.idat, body)
				f.bad = f.bad || !validChecksum(chunk)
			case "IEND":
				ended = true
			case "CgBI":
				return f, info, errors.New(
					"it has Apple's own chunks for telephones, not those of the standard")
			}
			continue
		}
		if !validChecksum(chunk) {
			changed = true
			info.drop("PNG's " + kind + " chunk, whose checksum is wrong")
			continue
		}
		if kind == "tRNS" {
			f.trans, info.hasAlpha = chunk, true
			f.parts = append(f.parts, chunk)
			continue
		}
		switch kind {
		case "acTL":
			return f, info, errAnimated
		case "iCCP":
			if info.icc, inflated = inflateICC(body, inflated); info.icc == nil {
				info.drop("the colour profile, which is damaged")
			}
		case "cICP", "gAMA", "cHRM", "sRGB":
			info.colourChunk(kind, body)
		case "eXIf":
			info.setEXIF(body)
		case "tEXt", "zTXt", "iTXt":
			inflated = info.textChunk(kind, body, chunk, inflated)
		case "pHYs":
			info.density = physDensity(body)
		case "caBX":
			info.drop("content credentials, which are about the old file")
		default:
			if !slices.Contains(technical, kind) {
				info.drop(fmt.Sprintf("PNG's %s chunk", kind))
			}
		}
	}
	if f.idat == nil {
		return f, info, nil // the decoder reports the error
	}
	if !ended {
		changed = true
		f.parts = append(f.parts, pngChunk("IEND", nil))
	}
	if !changed {
		f.parts = [][]byte{b}
	}
	return f, info, nil
}

// validChecksum tells whether a chunk's checksum is right.
func validChecksum(chunk []byte) bool {
	n := len(chunk) - 4
	return crc32.ChecksumIEEE(chunk[4:n]) == binary.BigEndian.Uint32(chunk[n:])
}

// colourChunk keeps a chunk about colours if it has the right length.
func (info *fileInfo) colourChunk(kind string, body []byte) {
	if size := map[string]int{"cICP": 4, "gAMA": 4, "cHRM": 32, "sRGB": 1}[kind]; len(
		body) != size {
		return
	}
	if info.colour == nil {
		info.colour = &pngColour{}
	}
	body = bytes.Clone(body)
	switch c := info.colour; kind {
	case "cICP":
		c.cicp = body
	case "gAMA":
		c.gama = body
	case "cHRM":
		c.chrm = body
	case "sRGB":
		c.srgb = body
	}
}

// inflate unpacks at most left bytes, and gives the new value of left. The data is nil if it is
// damaged or longer.
func inflate(packed []byte, left int64) ([]byte, int64) {
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, left
	}
	defer z.Close()
	b, err := io.ReadAll(io.LimitReader(z, left+1))
	left -= int64(len(b))
	if err != nil || left < 0 {
		return nil, max(left, 0)
	}
	return b, left
}

// inflateICC unpacks the body of an iCCP chunk: name, 0, method 0, zlib data.
func inflateICC(body []byte, left int64) ([]byte, int64) {
	_, rest, ok := bytes.Cut(body, []byte{0})
	if !ok || len(rest) < 1 || rest[0] != 0 {
		return nil, left
	}
	return inflate(rest[1:], left)
}

const xmpKeyword = "XML:com.adobe.xmp"

// textChunk reads a text chunk: XMP, a raw profile of ImageMagick and others, or plain text, which
// is kept unchanged.
func (info *fileInfo) textChunk(kind string, body, chunk []byte, left int64) int64 {
	key, rest, ok := bytes.Cut(body, []byte{0})
	if !ok {
		return left
	}
	keyword := string(key)
	raw, isRaw := strings.CutPrefix(keyword, "Raw profile type ")
	if strings.HasPrefix(keyword, "Thumb::") { // about the old file
		return left
	}
	switch kind {
	case "zTXt":
		if len(rest) < 1 {
			return left
		}
		rest, left = inflate(rest[1:], left)
	case "iTXt":
		if len(rest) < 2 {
			return left
		}
		packed := rest[0] == 1
		rest = rest[2:]
		for range 2 { // language and translated keyword
			if _, rest, ok = bytes.Cut(rest, []byte{0}); !ok {
				return left
			}
		}
		if packed {
			rest, left = inflate(rest, left)
		}
	}
	switch {
	case keyword == xmpKeyword:
		info.setXMP(rest)
		return left
	case isRaw:
	case rest == nil:
		info.drop("text that is damaged, or too long")
		return left
	case holdsPicture(rest):
		info.drop("text that holds a picture")
		return left
	default:
		if len(info.text)+len(chunk) <= maxText {
			info.text = append(info.text, chunk...)
		} else {
			info.drop("text beyond a megabyte")
		}
		return left
	}
	data := rawProfile(rest)
	switch raw {
	case "exif", "APP1":
		if xmp, ok := bytes.CutPrefix(data, []byte(xmpHead)); ok {
			info.setXMP(xmp)
		} else {
			data, _ = bytes.CutPrefix(data, []byte("Exif\x00\x00"))
			info.setEXIF(data)
		}
	case "xmp":
		info.setXMP(data)
	case "iptc", "8bim":
		info.setIRB(data)
	}
	return left
}

// rawProfile decodes a raw profile: a name, a number of bytes, and hexadecimal digits.
func rawProfile(b []byte) []byte {
	fields := bytes.Fields(b)
	if len(fields) < 3 {
		return nil
	}
	data, err := hex.DecodeString(string(bytes.Join(fields[2:], nil)))
	if err != nil {
		return nil
	}
	return data
}

// textChunks gives the text chunks of a new PNG file.
func (p *Picture) textChunks(xmp, iptc []byte) []byte {
	b := bytes.Clone(p.Text)
	if xmp != nil {
		b = append(b, pngChunk("iTXt", append([]byte(xmpKeyword+"\x00\x00\x00\x00\x00"),
			xmp...))...)
	}
	if iptc != nil {
		irb := makeIRB(iptc)
		text := fmt.Sprintf("\niptc\n%8d\n", len(irb))
		for digits := hex.EncodeToString(irb); digits != ""; {
			n := min(72, len(digits))
			text += digits[:n] + "\n"
			digits = digits[n:]
		}
		b = append(b, pngChunk("tEXt", []byte("Raw profile type iptc\x00"+text))...)
	}
	if p.Comment != nil {
		b = append(b, pngChunk("iTXt", append([]byte("Comment\x00\x00\x00\x00\x00"),
			bytes.ToValidUTF8(p.Comment, []byte("?"))...))...)
	}
	return b
}

// rescue makes a readable file from one that the decoder refuses, if all pixels can be unpacked.
// There may be more data than the header says, and the end may be missing or damaged. With salvage
// missing pixels become grey, or transparent. share is the share of pixels that are there.
func (f *pngFile) rescue(salvage bool) (b []byte, share float64, ok bool) {
	if f.head == nil || f.idat == nil || f.bad && !salvage {
		return nil, 0, false
	}
	h := f.head[8:]
	width, height := int64(binary.BigEndian.Uint32(h)), int64(binary.BigEndian.Uint32(h[4:]))
	bits := int64(h[8]) * map[byte]int64{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[h[9]]
	need := passBytes(width, height, bits)
	if h[12] == 1 {
		need = 0
		for _, p := range [7][4]int64{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
			{0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
			need += passBytes((width-p[0]+p[2]-1)/p[2], (height-p[1]+p[3]-1)/p[3], bits)
		}
	}
	var packed []io.Reader
	for _, part := range f.idat {
		packed = append(packed, bytes.NewReader(part))
	}
	z, err := zlib.NewReader(io.MultiReader(packed...))
	if err != nil || need <= 0 {
		return nil, 0, false
	}
	// grows with the data, because the header may promise more pixels than there are
	var raw bytes.Buffer
	n, _ := io.Copy(&raw, io.LimitReader(z, need))
	if n < need {
		if !salvage || h[12] == 1 || n < passBytes(width, 1, bits) {
			return nil, 0, false
		}
		row := 1 + (width*bits+7)/8
		raw.Truncate(int(n - n%row))
		fill := make([]byte, row)
		if h[9] == 0 || h[9] == 2 {
			for i := range fill[1:] {
				fill[1+i] = 0x80
			}
		}
		for int64(raw.Len()) < need {
			raw.Write(fill)
		}
		n -= n % row
	}
	var body bytes.Buffer
	w, _ := zlib.NewWriterLevel(&body, zlib.BestSpeed)
	_, _ = w.Write(raw.Bytes())
	_ = w.Close()
	b = append([]byte(pngSignature), f.head...)
	b = append(append(b, f.palette...), f.trans...)
	b = append(append(b, pngChunk("IDAT", body.Bytes())...), pngChunk("IEND", nil)...)
	return b, float64(n) / float64(need), true
}

// passBytes is the number of bytes of the filtered rows of w×h pixels.
func passBytes(w, h, bits int64) int64 {
	if w <= 0 || h <= 0 {
		return 0
	}
	return h * (1 + (w*bits+7)/8)
}
