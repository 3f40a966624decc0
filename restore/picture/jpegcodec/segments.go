package jpegcodec

import (
	"bytes"
	"encoding/binary"
	"iter"
)

// Segment is a marker segment of a JPEG file.
type Segment struct {
	Marker uint8 // the byte after 0xff
	At     int   // offset of Body in the file
	Body   []byte
}

// Markers of segments.
const (
	MarkerSOS   = 0xda // starts a scan; its pixels follow the body
	MarkerAdobe = 0xee // APP14
)

// Segments iterates over the segments of a file, including those between scans. b must begin with
// the start-of-image marker. Like decoders it skips bytes that are not markers. It ends at the
// end-of-image marker or at a segment that is cut off. Markers without a length (restarts) are left
// out.
func Segments(b []byte) iter.Seq[Segment] {
	return func(yield func(Segment) bool) {
		for at := 2; at+4 <= len(b); {
			if b[at] != 0xff { // pixels of a scan, or stray bytes
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
			case marker <= 0x01 || marker >= 0xd0 && marker <= 0xd8: // a stuffed 0xff, a restart
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

// isFrame tells whether a marker is a frame header.
func isFrame(marker uint8) bool {
	return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc
}
