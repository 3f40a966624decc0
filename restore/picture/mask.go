package picture

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
)

// MaskSizeError says that a mask does not belong to a picture.
type MaskSizeError struct {
	Path               string // of the mask; "" if it did not come from a file
	MaskW, MaskH       int
	PictureW, PictureH int
}

func (e *MaskSizeError) Error() string {
	s := fmt.Sprintf("mask is %d×%d but picture is %d×%d", e.MaskW, e.MaskH, e.PictureW, e.PictureH)
	if e.Path != "" {
		s = e.Path + ": " + s
	}
	return s
}

// EmptyMaskError says that a mask marks no pixel.
type EmptyMaskError struct {
	Path     string  // "" if it did not come from a file
	Lightest float64 // of its pixels, in 8-bit levels
}

func (e *EmptyMaskError) Error() string {
	s := fmt.Sprintf("the mask marks nothing: paint white (255 of 255) what is missing and black what is there, or paint in any colour on a transparent picture; its lightest pixel is %.0f of 255", e.Lightest)
	if e.Path != "" {
		s = e.Path + ": " + s
	}
	return s
}

// Mask is which pixels of a w×h picture are missing, from a picture of the mask: white is missing,
// black is there. Pixels count as white from half way up (the mean of the three channels, times
// alpha, at least 0.5 of full white), so JPEG masks work. Where alpha is not the same everywhere,
// the mask is alpha: what was painted, in whatever colours, is missing; but for masks of hardly
// anything than black and white, where white is. Errors: [*MaskSizeError]; that nothing is missing
// is none.
func (p *Picture) Mask(w, h int) ([]bool, error) {
	if p.W != w || p.H != h {
		return nil, &MaskSizeError{MaskW: p.W, MaskH: p.H, PictureW: w, PictureH: h}
	}
	missing := make([]bool, w*h)
	for i := range missing {
		v := (p.gray(i) + 1) / 2
		if p.Alpha != nil {
			v *= p.Alpha[i]
		}
		missing[i] = v >= 0.5
	}
	if p.Alpha == nil {
		return missing, nil
	}
	clear, white, black, other := 0, 0, 0, 0
	for i, a := range p.Alpha {
		switch v := p.gray(i); {
		case a < 0.5:
			clear++
		case v >= 0.8:
			white++
		case v <= -0.8:
			black++
		default:
			other++
		}
	}
	painted := white + black + other
	if clear > 0 && painted > 0 && (white == 0 || black == 0 || other > painted/4) {
		for i, a := range p.Alpha {
			missing[i] = a >= 0.5
		}
	}
	return missing, nil
}

// lightest is the mean of the channels of the lightest pixel, times alpha, in 8-bit levels.
func (p *Picture) lightest() float64 {
	most := 0.0
	for i := range p.W * p.H {
		v := float64(p.gray(i)+1) * 127.5
		if p.Alpha != nil {
			v *= float64(p.Alpha[i])
		}
		most = max(most, v)
	}
	return most
}

// DecodeMaskFile reads the mask at path for a picture of w×h pixels. Errors name the path; a mask that marks nothing is an [*EmptyMaskError].
func DecodeMaskFile(path string, w, h int, lim Limits) ([]bool, error) {
	lim.Check = func(pw, ph int) error { // before it is unpacked
		if pw != w || ph != h {
			return &MaskSizeError{Path: path, MaskW: pw, MaskH: ph, PictureW: w, PictureH: h}
		}
		return nil
	}
	p, err := DecodeFile(path, lim)
	if err != nil {
		return nil, err
	}
	m, err := p.Mask(w, h)
	if e, ok := err.(*MaskSizeError); ok {
		e.Path = path
	}
	if err == nil && !slices.Contains(m, true) {
		return nil, &EmptyMaskError{path, p.lightest()}
	}
	return m, err
}

// errRight says that a mask's header is in order.
var errRight = errors.New("the mask is of the right size")

// CheckMaskFile is DecodeMaskFile without the pixels: whether the header of the file at path is that of a mask for w×h pixels. Of pipes, which can be read only once,
// nothing is read.
func CheckMaskFile(path string, w, h int, lim Limits) error {
	if st, err := os.Stat(path); err == nil && !st.IsDir() && !st.Mode().IsRegular() {
		return nil
	}
	lim.Check = func(pw, ph int) error {
		if pw != w || ph != h {
			return &MaskSizeError{Path: path, MaskW: pw, MaskH: ph, PictureW: w, PictureH: h}
		}
		return errRight
	}
	if _, err := DecodeFile(path, lim); !errors.Is(err, errRight) {
		return err
	}
	return nil
}

// FromMask makes the picture of a mask, white where missing: what Mask reads.
func FromMask(missing []bool, w, h int) *Picture {
	n := w * h
	p := New(w, h, constant(-1, 3*n))
	p.Gray = true
	for i, m := range missing {
		if m {
			p.Pix[i], p.Pix[n+i], p.Pix[2*n+i] = 1, 1, 1
		}
	}
	return p
}

// StdScale is how many 8-bit grey levels of a standard-deviation map stand for one 8-bit level of standard deviation.
const StdScale = 4

// FromStd makes the picture of a per-pixel standard deviation: std holds three planes of w×h values in the units of Pix (as a
// difference: 2 is black to white). A pixel's grey is the root mean square over its channels, in 8-bit levels, times StdScale: black
// is certain, white is a standard deviation of 63.75 levels or more. As 16-bit PNG one step is 1/1028 of a level.
func FromStd(std []float32, w, h int) *Picture {
	n := w * h
	p := New(w, h, make([]float32, 3*n))
	p.Gray, p.Depth = true, 16
	for i := 0; i < n; i++ {
		r, g, b := float64(std[i]), float64(std[n+i]), float64(std[2*n+i])
		v := float32(2*math.Sqrt((r*r+g*g+b*b)/3)*127.5*StdScale/255 - 1)
		p.Pix[i], p.Pix[n+i], p.Pix[2*n+i] = v, v, v
	}
	return p
}

// EncodeStd writes FromStd's map.
func EncodeStd(w io.Writer, std []float32, width, height int, f Format, quality int) error {
	if len(std) != 3*width*height {
		return fmt.Errorf("a map of %d×%d pixels needs %d values, not %d", width, height, 3*width*height, len(std))
	}
	return Encode(w, FromStd(std, width, height), f, quality)
}
