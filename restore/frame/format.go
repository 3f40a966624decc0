// Package frame turns the pixel formats of cameras and video into the planes that restore works on, and back.
//
// A Format says how the bytes of a frame lie; a Converter for a size does the work without allocating. Colours become planar RGB in
// [-1, 1] like everywhere in restore: Y′CbCr → R′G′B′ by the format's matrix and range, chroma interpolated linearly from where its
// samples sit and averaged back to there.
package frame

import "fmt"

// Kind is the arrangement of a frame's samples.
type Kind uint8

const (
	RGB     Kind = iota // R G B, R G B, ... of 8 bits
	RGBA                // the same with a fourth byte, alpha, which FromRGB leaves alone
	Planar              // a plane of Y, one of Cb, one of Cr; samples of more than 8 bits in two bytes, little-endian
	NV12                // a plane of Y, one of Cb and Cr in turn; 4:2:0, 8 bits
	Gray                // a plane of Y
	Float32             // three planes R, G, B of little-endian float32 in [-1, 1]
)

// Matrix holds the luma weights of a Y′CbCr encoding.
type Matrix uint8

const (
	BT601  Matrix = iota // standard definition, and JPEG
	BT709                // high definition
	BT2020               // ultra high definition, non-constant luminance
)

// weights are Kr and Kb.
func (m Matrix) weights() (kr, kb float32) {
	switch m {
	case BT709:
		return 0.2126, 0.0722
	case BT2020:
		return 0.2627, 0.0593
	}
	return 0.299, 0.114
}

// Format describes the bytes of a frame. Fields that a Kind does not use are ignored.
type Format struct {
	Kind   Kind
	Bits   int    // Planar and Gray: 8 to 16 per sample; 0 means 8
	HalfX  bool   // Planar: chroma has half the columns (4:2:x)
	HalfY  bool   // Planar: chroma has half the rows (4:2:0)
	CoX    bool   // chroma sits on the even columns of luma instead of between two (MPEG-2 and later; JPEG between)
	CoY    bool   // chroma sits on the even rows (DV, BT.2020) instead of between two
	Matrix Matrix // Y′CbCr only
	Full   bool   // Y′CbCr and Gray: all codes are used, 0 is black; otherwise 16 is black and 235 white, in 8 bits
}

// I420 is planar 4:2:0 of 8 bits and limited range, as most cameras and decoders give it.
func I420(m Matrix) Format {
	return Format{Kind: Planar, Bits: 8, HalfX: true, HalfY: true, CoX: true, Matrix: m}
}

// normal is the format with the fields that its kind fixes or ignores set.
func (f Format) normal() Format {
	if f.Bits == 0 {
		f.Bits = 8
	}
	switch f.Kind {
	case NV12:
		f.HalfX, f.HalfY, f.Bits = true, true, 8
	case RGB, RGBA, Float32:
		f.Bits = 8
	case Gray:
		f.HalfX, f.HalfY = false, false
	}
	if !f.HalfX {
		f.CoX = false
	}
	if !f.HalfY {
		f.CoY = false
	}
	return f
}

// Check reports a format that no Converter can be made for.
func (f Format) Check() error {
	n := f.normal()
	switch {
	case n.Kind > Float32:
		return fmt.Errorf("frame: there is no kind %d", n.Kind)
	case n.Bits < 8 || n.Bits > 16:
		return fmt.Errorf("frame: samples of %d bits; 8 to 16 are supported", n.Bits)
	case n.Matrix > BT2020:
		return fmt.Errorf("frame: there is no matrix %d", n.Matrix)
	case n.HalfY && !n.HalfX:
		return fmt.Errorf("frame: chroma with half the rows and all the columns (4:4:0) is not supported")
	}
	return nil
}

// Reach is the least and the greatest value of R, G and B that the format holds, where -1 is black and 1 white: Y′CbCr and grey of limited range have codes below
// black and above white, which cameras use.
func (f Format) Reach() (low, high float32) {
	if f.Full || f.Kind == RGB || f.Kind == RGBA || f.Kind == Float32 {
		return -1, 1
	}
	f = f.normal()
	unit := float32(int(1) << (f.Bits - 8))
	top := float32(int(1)<<f.Bits - 1)
	return 2*(0-16*unit)/(219*unit) - 1, 2*(top-16*unit)/(219*unit) - 1
}

// step is the number of bytes per pixel of RGB and RGBA.
func (f Format) step() int {
	if f.Kind == RGBA {
		return 4
	}
	return 3
}

// chroma is the size of a chroma plane.
func (f Format) chroma(w, h int) (int, int) {
	if f.HalfX {
		w = (w + 1) / 2
	}
	if f.HalfY {
		h = (h + 1) / 2
	}
	return w, h
}

// Size is the number of bytes of a frame of w×h pixels.
func (f Format) Size(w, h int) int {
	f = f.normal()
	b := (f.Bits + 7) / 8
	cw, ch := f.chroma(w, h)
	switch f.Kind {
	case RGB, RGBA:
		return f.step() * w * h
	case Float32:
		return 12 * w * h
	case Gray:
		return b * w * h
	}
	return b * (w*h + 2*cw*ch)
}
