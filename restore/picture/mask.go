package picture

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
)

// MaskSizeError says that mask and picture differ in size.
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
	Lightest float64 // its lightest pixel, in 8-bit levels
}

func (e *EmptyMaskError) Error() string {
	s := fmt.Sprintf("the mask marks nothing: paint white (255 of 255) what is missing and "+
		"black what is there, or paint in any colour on a transparent picture; its lightest "+
		"pixel is %.0f of 255", e.Lightest)
	if e.Path != "" {
		s = e.Path + ": " + s
	}
	return s
}

// Mask reads p as a mask and gives, for each pixel of a w×h picture, whether it is missing. White
// is missing, black is there. A pixel counts as white if the mean of its channels times alpha is at
// least half of full white, so JPEG masks work. If p has transparent and painted pixels, alpha is
// the mask: what was painted, in any colour, is missing. An exception are masks of nearly only
// black and white: there white is missing. The error is a [*MaskSizeError]; a mask without missing
// pixels is no error.
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

// lightest is the largest mean of a pixel's channels, times alpha, in 8-bit levels.
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

// DecodeMaskFile reads the mask at path for a picture of w×h pixels. Errors name the path. A mask
// that marks nothing is an [*EmptyMaskError].
func DecodeMaskFile(path string, w, h int, lim Limits) ([]bool, error) {
	lim.Check = func(pw, ph int) error { // before the pixels are decoded
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

// errMaskFits ends decoding after a header that is valid.
var errMaskFits = errors.New("the mask is of the right size")

// CheckMaskFile checks the header of the mask at path for a picture of w×h pixels, without reading
// its pixels. It does not read pipes, because they can be read only once.
func CheckMaskFile(path string, w, h int, lim Limits) error {
	if st, err := os.Stat(path); err == nil && !st.IsDir() && !st.Mode().IsRegular() {
		return nil
	}
	lim.Check = func(pw, ph int) error {
		if pw != w || ph != h {
			return &MaskSizeError{Path: path, MaskW: pw, MaskH: ph, PictureW: w, PictureH: h}
		}
		return errMaskFits
	}
	if _, err := DecodeFile(path, lim); !errors.Is(err, errMaskFits) {
		return err
	}
	return nil
}

// FromMask makes the picture of a mask for Mask to read: white where missing.
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

// StdScale is the number of grey levels in a map for one level of standard deviation, both of 8
// bits.
const StdScale = 4

// FromStd makes a map of standard deviations. std holds three planes of w×h values in the units of
// Pix, so 2 is the difference of black and white. A pixel's grey is the root mean square over its
// channels, in 8-bit levels, times StdScale: black is no deviation, white is 63.75 levels or more.
// One step of a 16-bit PNG is 1/1028 of a level.
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
