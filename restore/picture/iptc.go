package picture

import (
	"bytes"
	"encoding/binary"
)

// IPTC-IIM is the metadata of press agencies. A data set has a marker, the number of its record,
// its own number and a length. JPEG files hold IPTC in a Photoshop resource, among others of which
// one is a thumbnail.

const (
	irbHead     = "Photoshop 3.0\x00"
	irbResource = "8BIM"
	irbIPTC     = 0x0404
)

// findIPTC finds the IPTC record among Photoshop's resources, or gives nil.
func findIPTC(irb []byte) []byte {
	for len(irb) >= 12 && string(irb[:4]) == irbResource {
		id := binary.BigEndian.Uint16(irb[4:])
		name := int(irb[6]) + 1
		name += name % 2
		if 6+name+4 > len(irb) {
			return nil
		}
		size := int64(binary.BigEndian.Uint32(irb[6+name:]))
		from := int64(6 + name + 4)
		if from+size > int64(len(irb)) {
			return nil
		}
		if id == irbIPTC {
			return bytes.Clone(irb[from : from+size])
		}
		irb = irb[min(from+size+size%2, int64(len(irb))):]
	}
	return nil
}

// makeIRB makes a Photoshop resource that holds an IPTC record.
func makeIRB(iptc []byte) []byte {
	b := append([]byte(irbResource), irbIPTC>>8, irbIPTC&0xff, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(iptc)))
	b = append(b, iptc...)
	if len(iptc)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

// cleanIPTC leaves out the data sets that hold a preview of the picture (2:200 to 2:202) or the
// picture itself (records 7 to 9). It stops at damaged data.
func cleanIPTC(iptc []byte) (out []byte) {
	for len(iptc) >= 5 && iptc[0] == 0x1c {
		record, set := iptc[1], iptc[2]
		size, head := int64(binary.BigEndian.Uint16(iptc[3:])), int64(5)
		if size&0x8000 != 0 { // extended: the low bits give the number of length bytes that follow
			n := size & 0x7fff
			if n > 4 || head+n > int64(len(iptc)) {
				break
			}
			size = 0
			for _, b := range iptc[5 : 5+n] {
				size = size<<8 | int64(b)
			}
			head += n
		}
		if head+size > int64(len(iptc)) {
			break
		}
		if !(record == 2 && set >= 200 && set <= 202) && record < 7 {
			out = append(out, iptc[:head+size]...)
		}
		iptc = iptc[head+size:]
	}
	return out
}
