package picture

import (
	"encoding/binary"
	"errors"
	"image"
)

// errAnimated is the error for animated pictures.
var errAnimated = errors.New("it is animated; extract a frame, or use `restore video` for video")

// scanWebP walks the chunks of the container.
func scanWebP(b []byte) (info fileInfo, err error) {
	const alpha, animated = 0x10, 0x02
	for at := 12; at+8 <= len(b); {
		n := int64(binary.LittleEndian.Uint32(b[at+4:]))
		if int64(at)+8+n > int64(len(b)) {
			break // the decoder reports the error
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
			// some writers keep the prefix of JPEG files
			if len(body) > 6 && string(body[:6]) == "Exif\x00\x00" {
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

// webpRows calls put with every row of decoded lossy WebP, counted from 0, with the bytes of
// libwebp. It interpolates chroma, which has half the resolution, and converts from BT.601's
// limited range, in libwebp's integer arithmetic (package frame converts video in floating point).
// The standard library would repeat chroma and assume JPEG's full range.
func webpRows(m *image.YCbCr, put func(y int, red, green, blue []uint8)) {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	cw, ch := (w+1)/2, (h+1)/2
	buf := make([]uint8, 5*w)
	cb, cr, red, green, blue := buf[:w], buf[w:2*w], buf[2*w:3*w], buf[3*w:4*w], buf[4*w:]
	for y := range h {
		near := y / 2
		far := near + 1
		if y%2 == 0 {
			far = near - 1
		}
		far = min(max(far, 0), ch-1)
		for _, c := range []struct{ to, plane []uint8 }{{cb, m.Cb}, {cr, m.Cr}} {
			webpUpsample(c.to, c.plane[m.COffset(m.Rect.Min.X, m.Rect.Min.Y+2*near):][:cw],
				c.plane[m.COffset(m.Rect.Min.X, m.Rect.Min.Y+2*far):][:cw])
		}
		luma := m.Y[m.YOffset(m.Rect.Min.X, m.Rect.Min.Y+y):]
		for x := range w {
			l, b, r := int(luma[x])*19077>>8, int(cb[x]), int(cr[x])
			red[x] = webpClip(l + r*26149>>8 - 14234)
			green[x] = webpClip(l - b*6419>>8 - r*13320>>8 + 8708)
			blue[x] = webpClip(l + b*33050>>8 - 17685)
		}
		put(y, red, green, blue)
	}
}

// webpUpsample makes a chroma row of full resolution from the two nearest rows: near is the nearer
// one. It rounds like libwebp.
func webpUpsample(to, near, far []uint8) {
	edge := func(x int) uint8 { return uint8((3*int(near[x]) + int(far[x]) + 2) >> 2) }
	to[0] = edge(0)
	for x := 1; 2*x-1 < len(to); x++ {
		if x == len(near) { // the last pixel of an even width
			to[2*x-1] = edge(x - 1)
			break
		}
		a, b, c, d := int(near[x-1]), int(near[x]), int(far[x-1]), int(far[x])
		sum := a + b + c + d + 8
		to[2*x-1] = uint8(((sum+2*(b+c))>>3 + a) >> 1)
		if 2*x < len(to) {
			to[2*x] = uint8(((sum+2*(a+d))>>3 + b) >> 1)
		}
	}
}

// webpClip converts a fixed-point value with 6 fractional bits to an 8-bit level.
func webpClip(v int) uint8 { return uint8(min(max(v>>6, 0), 255)) }
