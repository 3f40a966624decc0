package picture

import (
	"encoding/binary"
	"errors"
	"image"
)

// errAnimated is for pictures that are films.
var errAnimated = errors.New("it is animated; extract a frame, or use `restore video` for films")

// scanWebP walks the chunks of the container.
func scanWebP(b []byte) (info fileInfo, err error) {
	const alpha, animated = 0x10, 0x02
	for at := 12; at+8 <= len(b); {
		n := int64(binary.LittleEndian.Uint32(b[at+4:]))
		if int64(at)+8+n > int64(len(b)) {
			break // the decoder will say so
		}
		body := b[at+8 : int64(at)+8+n]
		switch string(b[at : at+4]) {
		case "VP8X":
			if len(body) > 0 && body[0]&animated != 0 {
				return info, errAnimated
			}
			info.hasAlpha = len(body) > 0 && body[0]&alpha != 0
		case "ICCP":
			info.icc = append([]byte(nil), body...)
		case "EXIF":
			if len(body) > 6 && string(body[:6]) == "Exif\x00\x00" { // some writers keep JPEG's prefix
				body = body[6:]
			}
			info.setEXIF(body)
		case "XMP ":
			info.setXMP(body)
		case "VP8 ":
			info.halved = [2]bool{true, true}
		}
		at += 8 + int(n+n%2)
	}
	return info, nil
}

// fromVP8 converts the Y′CbCr of lossy WebP, which has BT.601's limited range, where the standard library means JPEG's full one.
func fromVP8(m *image.YCbCr, red, green, blue []float32) {
	r := m.Rect
	i := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := m.COffset(x, y)
			luma := (float32(m.Y[m.YOffset(x, y)]) - 16) * (255.0 / 219)
			cb, cr := (float32(m.Cb[c])-128)*(255.0/224), (float32(m.Cr[c])-128)*(255.0/224)
			for _, v := range []struct {
				to *float32
				v  float32
			}{
				{&red[i], luma + 1.402*cr}, {&green[i], luma - 0.344136*cb - 0.714136*cr}, {&blue[i], luma + 1.772*cb},
			} {
				*v.to = level8(uint8(min(max(v.v, 0), 255) + 0.5))
			}
			i++
		}
	}
}
