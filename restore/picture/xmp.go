package picture

import (
	"bytes"
	"encoding/xml"
	"io"
	"regexp"
	"strconv"
)

// XMP is what photographers and programs say of a picture, in XML: keywords, copyright, how it was developed. It is carried over but for
// what the new picture makes untrue or would give away: small pictures inside, the orientation, the size, and pointers to what does not come along.

// maxXMP bounds what is carried: programs write some kilobytes, masks of raw converters more.
// Reading it takes a second for four megabytes, however small it is packed.
const maxXMP = 2 << 20

// Name spaces of XMP whose elements hold pictures, or lead to some.
var xmpPictures = map[string]bool{
	"http://ns.adobe.com/xap/1.0/g/img/":          true, // what xmp:Thumbnails are made of
	"http://ns.google.com/photos/1.0/image/":      true,
	"http://ns.google.com/photos/1.0/depthmap/":   true,
	"http://ns.google.com/photos/1.0/container/":  true,
	"http://ns.google.com/photos/1.0/camera/":     true,
	"http://ns.google.com/photos/dd/1.0/depthmap": true,
}

var (
	xmpOrientation = regexp.MustCompile(`(tiff:Orientation(?:\s*=\s*["']|>\s*))\d+`)
	xmpWidth       = regexp.MustCompile(`((?:tiff:ImageWidth|exif:PixelXDimension)(?:\s*=\s*["']|>\s*))\d+`)
	xmpHeight      = regexp.MustCompile(`((?:tiff:ImageLength|exif:PixelYDimension)(?:\s*=\s*["']|>\s*))\d+`)
	xmpPointers    = regexp.MustCompile(`\s(?:xmpNote:HasExtendedXMP|hdrgm:\w+)\s*=\s*(?:"[^"]*"|'[^']*')`)
)

// settleXMP makes XMP that is true of an upright picture of w×h pixels; nil if it cannot be made sense of, or holds pictures where they cannot be cut out.
func settleXMP(xmp []byte, w, h int) []byte {
	cut, ok := xmpCuts(xmp)
	if !ok {
		return nil
	}
	var b []byte
	at := 0
	for _, c := range cut {
		b = append(b, xmp[at:c[0]]...)
		at = c[1]
	}
	b = append(b, xmp[at:]...)
	if holdsPicture(b) {
		return nil
	}
	b = xmpPointers.ReplaceAll(b, nil)
	b = xmpOrientation.ReplaceAll(b, []byte("${1}1"))
	b = xmpWidth.ReplaceAll(b, []byte("${1}"+strconv.Itoa(w)))
	return xmpHeight.ReplaceAll(b, []byte("${1}"+strconv.Itoa(h)))
}

// xmpCuts finds the elements that hold pictures, from the top, as pairs of offsets; ok is false if there are other places with pictures, or this is not XML.
func xmpCuts(xmp []byte) (cut [][2]int, ok bool) {
	if len(xmp) > maxXMP || !bytes.Contains(xmp, []byte("rdf")) {
		return nil, false
	}
	d := xml.NewDecoder(bytes.NewReader(xmp))
	for {
		from := int(d.InputOffset())
		t, err := d.Token()
		if err == io.EOF {
			return cut, true
		}
		if err != nil {
			return nil, false
		}
		e, isElement := t.(xml.StartElement)
		if !isElement {
			continue
		}
		if xmpPictures[e.Name.Space] || e.Name.Space == "http://ns.adobe.com/xap/1.0/" && e.Name.Local == "Thumbnails" {
			if d.Skip() != nil {
				return nil, false
			}
			cut = append(cut, [2]int{from, int(d.InputOffset())})
			continue
		}
		for _, a := range e.Attr {
			if xmpPictures[a.Name.Space] && len(a.Value) > 1024 {
				return nil, false
			}
		}
	}
}
