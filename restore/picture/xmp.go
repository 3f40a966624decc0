package picture

import (
	"bytes"
	"encoding/xml"
	"io"
	"regexp"
	"strconv"
)

// XMP is metadata in XML: keywords, copyright, settings of raw converters. It is copied with the
// new orientation and size, and without previews and references to data that is not copied.

// maxXMP limits XMP in bytes. Programs write some kilobytes, with masks of raw converters more.
// Reading four megabytes takes a second, even if they are compressed to little.
const maxXMP = 2 << 20

// Namespaces of XMP whose elements hold pictures or refer to them.
var xmpPictures = map[string]bool{
	"http://ns.adobe.com/xap/1.0/g/img/":          true, // elements of xmp:Thumbnails
	"http://ns.google.com/photos/1.0/image/":      true,
	"http://ns.google.com/photos/1.0/depthmap/":   true,
	"http://ns.google.com/photos/1.0/container/":  true,
	"http://ns.google.com/photos/1.0/camera/":     true,
	"http://ns.google.com/photos/dd/1.0/depthmap": true,
}

var (
	xmpOrientation = regexp.MustCompile(`(tiff:Orientation(?:\s*=\s*["']|>\s*))\d+`)
	xmpWidth       = regexp.MustCompile(
		`((?:tiff:ImageWidth|exif:PixelXDimension)(?:\s*=\s*["']|>\s*))\d+`)
	xmpHeight = regexp.MustCompile(
		`((?:tiff:ImageLength|exif:PixelYDimension)(?:\s*=\s*["']|>\s*))\d+`)
	xmpPointers = regexp.MustCompile(
		`\s(?:xmpNote:HasExtendedXMP|hdrgm:\w+)\s*=\s*(?:"[^"]*"|'[^']*')`)
)

// cleanXMP copies XMP with the orientation and size of an upright picture of w×h pixels. It gives
// nil if the XMP cannot be read, or holds pictures that cannot be cut out.
func cleanXMP(xmp []byte, w, h int) []byte {
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

// xmpCuts finds the elements that hold pictures, as pairs of offsets in ascending order. ok is
// false if there are pictures elsewhere, or if this is not XML.
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
		if xmpPictures[e.Name.Space] || e.Name.Space == "http://ns.adobe.com/xap/1.0/" &&
			e.Name.Local == "Thumbnails" {
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
