// Package frame converts the pixel formats of cameras and video to the planes that restore works
// on, and back.
//
// A Format describes the coding and arrangement of a frame's samples (the table layouts lists the
// arrangements), and Planes the position of its planes in memory. A Converter for a size converts
// frames without allocating. Colours become planar RGB in [-1, 1], as everywhere in restore. Y′CbCr
// becomes R′G′B′ by the format's matrix and range. Chroma is interpolated linearly from the
// positions of its samples, and averaged back to them. Converter.Change adds a change to the codes
// of a frame, so that unchanged samples stay equal, bit for bit.
package frame

import "fmt"

// Matrix holds the luma weights of a Y′CbCr encoding.
type Matrix uint8

const (
	BT601  Matrix = iota // standard definition, and JPEG
	BT709                // high definition
	BT2020               // ultra high definition, non-constant luminance
)

// weights gives Kr and Kb.
func (m Matrix) weights() (kr, kb float32) {
	switch m {
	case BT709:
		return 0.2126, 0.0722
	case BT2020:
		return 0.2627, 0.0593
	}
	return 0.299, 0.114
}

// Format describes the samples of a frame. Fields that a Kind does not use are ignored.
type Format struct {
	Kind  Kind
	Bits  int  // Planar and Gray: 8 to 16 per sample, 0 means 8; P010: 9 to 16, 0 means 10
	HalfX bool // Planar: chroma has half the columns (4:2:x)
	HalfY bool // Planar: chroma has half the rows (4:2:0)
	// chroma samples are at even columns of luma (MPEG-2 and later), not between two (JPEG)
	CositedX bool
	CositedY bool   // chroma samples are at even rows of luma (DV, BT.2020), not between two
	Matrix   Matrix // Y′CbCr only
	// Y′CbCr and Gray: full range, 0 is black; else limited range, in 8 bits 16 is black and 235
	// white
	Full bool
}

// I420 is planar 4:2:0 with 8 bits and limited range, which most cameras and decoders give.
func I420(m Matrix) Format {
	return Format{Kind: Planar, Bits: 8, HalfX: true, HalfY: true, CositedX: true, Matrix: m}
}

// normal sets the fields that the kind fixes or ignores, so that equal formats are equal.
func (f Format) normal() Format {
	l := f.layout()
	switch {
	case l.bits != 0:
		f.Bits = l.bits
	case f.Bits == 0:
		f.Bits = l.defaultBits
	}
	switch l.chroma {
	case full444:
		f.HalfX, f.HalfY = false, false
	case half422:
		f.HalfX, f.HalfY = true, false
	case half420:
		f.HalfX, f.HalfY = true, true
	}
	f.CositedX, f.CositedY = f.CositedX && f.HalfX, f.CositedY && f.HalfY
	if l.model != ycc {
		f.Matrix = BT601
	}
	if l.model == rgb {
		f.Full = true
	}
	return f
}

// Check fails for a format that is invalid or not supported.
func (f Format) Check() error {
	if int(f.Kind) >= len(layouts) {
		return fmt.Errorf("frame: unknown kind %d", f.Kind)
	}
	n, l := f.normal(), f.layout()
	switch {
	case n.Bits < l.minBits || n.Bits > 16 && !l.float:
		return fmt.Errorf("frame: samples of %d bits; %s has %d to 16", n.Bits, n.Kind, l.minBits)
	case f.Matrix > BT2020:
		return fmt.Errorf("frame: unknown matrix %d", f.Matrix)
	case n.HalfY && !n.HalfX:
		return fmt.Errorf("frame: chroma with half the rows and all the columns (4:4:0) is not " +
			"supported")
	}
	return nil
}

// HasAlpha tells whether pixels have alpha.
func (f Format) HasAlpha() bool { return f.layout().at[alpha].step > 0 }

// GreyRange gives the smallest and largest value of grey pixels of the format, where -1 is black
// and 1 is white. Y′CbCr and grey of limited range have codes below black and above white, and
// cameras use them.
func (f Format) GreyRange() (low, high float32) {
	f = f.normal()
	if f.Full {
		return -1, 1
	}
	y := f.lumaScale()
	return 2*y.value(0) - 1, 2*y.value(f.top()) - 1
}

// RGBRange gives the smallest and largest value of R, G and B of any pixel. Colours of Y′CbCr can
// be outside GreyRange.
func (f Format) RGBRange() (low, high float32) {
	low, high = f.GreyRange()
	f = f.normal()
	if f.layout().model != ycc {
		return low, high
	}
	kr, kb := f.Matrix.weights()
	c := f.chromaScale()
	most := max(c.value(f.top()), -c.value(0)) // largest absolute value of Cb and Cr
	spread := 4 * (1 - min(kr, kb)) * most     // for 2·R − 1 and 2·B − 1
	spread = max(spread, 4*most*(kr*(1-kr)+kb*(1-kb))/(1-kr-kb))
	return low - spread, high + spread
}

// top is the largest code.
func (f Format) top() float32 { return float32(int(1)<<max(f.Bits, 0) - 1) }

// scale converts codes to values: value = (code − off)·mul, code = value·per + off.
type scale struct{ off, mul, per float32 }

func newScale(off, per float32) scale { return scale{off, 1 / per, per} }

func (s scale) value(code float32) float32 { return (code - s.off) * s.mul }
func (s scale) code(value float32) float32 { return value*s.per + s.off }

// lumaScale maps luma from black to white to [0, 1]. Codes below black and above white are outside.
func (f Format) lumaScale() scale {
	if f.Full {
		return newScale(0, f.top())
	}
	unit := float32(int(1) << max(f.Bits-8, 0))
	return newScale(16*unit, 219*unit)
}

// chromaScale maps chroma to [-½, ½].
func (f Format) chromaScale() scale {
	unit := float32(int(1) << max(f.Bits-8, 0))
	if f.Full {
		return newScale(128*unit, f.top())
	}
	return newScale(128*unit, 224*unit)
}

// chromaSize is the size of a chroma plane.
func (f Format) chromaSize(w, h int) (int, int) {
	if f.HalfX {
		w = (w + 1) / 2
	}
	if f.HalfY {
		h = (h + 1) / 2
	}
	return w, h
}
