package jpegcodec

import "image"

// Rows gives the colours of a decoded JPEG file row by row. It interpolates chroma as libjpeg does
// by default ("fancy upsampling"): in each subsampled direction a value of full resolution is three
// quarters of the nearest value and one quarter of the next nearest. Rounding, also of the
// conversion from Y′CbCr to RGB, is that of libjpeg. For other ratios, which are rare, values are
// repeated.
type Rows struct {
	m         *image.YCbCr
	cw, ch    int     // sides of the chroma planes
	sum       []int32 // weighted sum of two chroma rows
	cb, cr    []uint8
	x, y      bool // whether chroma has half the width, half the height
	byOffsets bool // an unusual ratio
}

// NewRows makes Rows for a picture that image/jpeg has decoded. Subimages, whose Rect does not
// begin at (0, 0), are not interpolated.
func NewRows(m *image.YCbCr) *Rows {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	r := &Rows{m: m, cw: w, ch: h, cb: make([]uint8, w+1), cr: make([]uint8, w+1)}
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio444:
	case image.YCbCrSubsampleRatio422:
		r.x = true
	case image.YCbCrSubsampleRatio440:
		r.y = true
	case image.YCbCrSubsampleRatio420:
		r.x, r.y = true, true
	default:
		r.byOffsets = true
	}
	if m.Rect.Min != (image.Point{}) {
		r.byOffsets = true
	}
	if r.x {
		r.cw = (w + 1) / 2
		if r.cw <= 2 { // libjpeg does not interpolate such narrow pictures
			r.byOffsets = true
		}
	}
	if r.y {
		r.ch = (h + 1) / 2
	}
	r.sum = make([]int32, r.cw)
	return r
}

// Row writes row y, counted from the top of the picture, to three slices of at least the picture's
// width.
func (r *Rows) Row(y int, red, green, blue []uint8) {
	w := r.m.Rect.Dx()
	cb, cr := r.colour(r.m.Cb, r.cb, y), r.colour(r.m.Cr, r.cr, y)
	luma := r.m.Y[r.m.YOffset(r.m.Rect.Min.X, r.m.Rect.Min.Y+y):][:w]
	toRGB(luma, cb[:w], cr[:w], red[:w], green[:w], blue[:w])
}

// colour gives row y of a chroma plane in full resolution, in buf or as a slice of the plane.
func (r *Rows) colour(plane, buf []uint8, y int) []uint8 {
	m := r.m
	if r.byOffsets {
		for x := range m.Rect.Dx() {
			buf[x] = plane[m.COffset(m.Rect.Min.X+x, m.Rect.Min.Y+y)]
		}
		return buf
	}
	if !r.y {
		row := plane[y*m.CStride:][:r.cw]
		if !r.x {
			return row
		}
		across(buf, row)
		return buf
	}
	// near is the nearer chroma row, far the one on the other side of y. At the border both are the
	// same.
	near := y / 2
	far := near + 1
	if y%2 == 0 {
		far = near - 1
	}
	far = min(max(far, 0), r.ch-1)
	a, b := plane[near*m.CStride:][:r.cw], plane[far*m.CStride:][:r.cw]
	if !r.x {
		bias := int32(1 + y%2)
		for x := range a {
			buf[x] = uint8((3*int32(a[x]) + int32(b[x]) + bias) >> 2)
		}
		return buf
	}
	for x := range a {
		r.sum[x] = 3*int32(a[x]) + int32(b[x])
	}
	acrossSums(buf, r.sum)
	return buf
}

// across doubles a row of more than two values. to must have an even length.
func across(to, row []uint8) {
	last := len(row) - 1
	to[0] = row[0]
	for x := 1; x <= last; x++ {
		a, b := int32(row[x-1]), int32(row[x])
		to[2*x-1] = uint8((3*a + b + 2) >> 2)
		to[2*x] = uint8((3*b + a + 1) >> 2)
	}
	if 2*last+1 < len(to) {
		to[2*last+1] = row[last]
	}
}

// acrossSums is across for values that are scaled by four.
func acrossSums(to []uint8, sum []int32) {
	last := len(sum) - 1
	to[0] = uint8((4*sum[0] + 8) >> 4)
	for x := 1; x <= last; x++ {
		a, b := sum[x-1], sum[x]
		to[2*x-1] = uint8((3*a + b + 7) >> 4)
		to[2*x] = uint8((3*b + a + 8) >> 4)
	}
	if 2*last+1 < len(to) {
		to[2*last+1] = uint8((4*sum[last] + 7) >> 4)
	}
}

// toRGB is the conversion of JFIF in libjpeg's fixed point.
func toRGB(luma, cb, cr, red, green, blue []uint8) {
	const half = 1 << 15
	for x, l := range luma {
		y, b, r := int32(l), int32(cb[x])-128, int32(cr[x])-128
		red[x] = clamp(y + (91881*r+half)>>16)
		green[x] = clamp(y + (-22554*b-46802*r+half)>>16)
		blue[x] = clamp(y + (116130*b+half)>>16)
	}
}

func clamp(v int32) uint8 { return uint8(min(max(v, 0), 255)) }
