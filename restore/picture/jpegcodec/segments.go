package jpegcodec

import (
	"bytes"
	"encoding/binary"
	"iter"
)

// Segment is a marker of a JPEG file with what belongs to it.
type Segment struct {
	Marker uint8 // the byte behind 0xff
	At     int   // offset of Body in the file
	Body   []byte
}

// Markers of segments.
const (
	MarkerSOS   = 0xda // begins a scan, whose pixels follow its body
	MarkerAdobe = 0xee // APP14
)

// Segments walks the segments of a file that begins with its start of image, over all its scans, as
// decoders do: what is no marker is passed over. It ends at the end of the image or at a segment
// that is cut off. Markers without a length (restarts) are left out.
func Segments(b []byte) iter.Seq[Segment] {
	return func(yield func(Segment) bool) {
		for at := 2; at+4 <= len(b); {
			if b[at] != 0xff { // a scan's pixels, or bytes that do not belong there
				next := bytes.IndexByte(b[at:], 0xff)
				if next < 0 {
					return
				}
				at += next
				continue
			}
			switch marker := b[at+1]; {
			case marker == 0xff: // fill byte
				at++
			case marker <= 0x01 || marker >= 0xd0 && marker <= 0xd8: // a pixel's 0xff, a restart
				at += 2
			case marker == 0xd9:
				return
			default:
				n := int(binary.BigEndian.Uint16(b[at+2:]))
				if n < 2 || at+2+n > len(b) {
					return
				}
				if !yield(Segment{marker, at + 4, b[at+4 : at+2+n]}) {
					return
				}
				at += 2 + n
			}
		}
	}
}

// isFrame tells whether a marker begins a frame: sizes and components.
func isFrame(marker uint8) bool {
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc
}
