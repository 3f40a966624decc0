package picture

import "bytes"

// Text can hold a picture too: in base64, in which the beginnings of JPEG, PNG and WebP files look
// like this.
var pictureText = [][]byte{[]byte("/9j/"), []byte("iVBORw0KGgo"), []byte("UklGR")}

// leastPreview is how many characters of base64 make a preview, and more than a word that looks
// like it.
const leastPreview = 256

// holdsPicture tells whether a text holds a picture file, as it is or in base64, also over several
// lines.
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
			if n-i >= leastPreview {
				return true
			}
			rest = rest[n:]
		}
	}
	return false
}

// inBase64 tells whether a byte may stand in base64, with what breaks its lines, in XML too
// ("&#xA;").
func inBase64(c byte) bool {
	switch {
	case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z':
		return true
	}
	return bytes.IndexByte([]byte("+/=&#;\\ \t\r\n"), c) >= 0
}
