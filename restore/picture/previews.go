package picture

import "bytes"

// Text can hold a picture in base64. These are the beginnings of JPEG, PNG and WebP files in
// base64.
var pictureText = [][]byte{[]byte("/9j/"), []byte("iVBORw0KGgo"), []byte("UklGR")}

// minPreview is the number of base64 characters from which text counts as a picture, not as a word
// that happens to begin like one.
const minPreview = 256

// holdsPicture tells whether a text holds a picture file, as bytes or in base64, which may be on
// several lines.
func holdsPicture(text []byte) bool {
	if bytes.Contains(text, []byte("\xff\xd8\xff")) || bytes.Contains(text, []byte(pngSignature)) {
		return true
	}
	for _, begin := range pictureText {
		for rest := text; ; {
			i := bytes.Index(rest, begin)
			if i < 0 {
				break
			}
			n := i
			for n < len(rest) && inBase64(rest[n]) {
				n++
			}
			if n-i >= minPreview {
				return true
			}
			rest = rest[n:]
		}
	}
	return false
}

// inBase64 tells whether a byte can occur in base64 or in its line breaks, including those of XML
// ("&#xA;").
func inBase64(c byte) bool {
	switch {
	case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
		return true
	}
	return bytes.IndexByte([]byte("+/=&#;\\ \t\r\n"), c) >= 0
}
