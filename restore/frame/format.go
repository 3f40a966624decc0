// Package frame turns the pixel formats of cameras and video into the planes that restore works on, and back.
//
// A Format says how a frame's samples are coded and arranged (the table of arrangements is
// layouts), Planes where its planes lie in memory; a Converter for a size does the work without
// allocating. Colours become planar RGB in [-1, 1] like everywhere in restore: Y′CbCr → R′G′B′ by
// the format's matrix and range, chroma interpolated linearly from where its samples sit and
// averaged back to there. Of a frame that was changed in between, Converter.Change adds the change
// to the frame's own codes, so that what is as it was stays so to the bit.
package frame

import "fmt"

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

// Format describes the samples of a frame. Fields that a Kind does not use are ignored.
type Format struct {
	Kind   Kind
	Bits   int    // Planar and Gray: 8 to 16 per sample, 0 means 8; P010: 9 to 16, 0 means 10
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
	l := f.layout()
	switch {
	case l.bits != 0:
		f.Bits = l.bits
	case f.Bits == 0:
		f.Bits = l.usual
	}
	switch l.chroma {
	case full444:
		f.HalfX, f.HalfY = false, false
	case half422:
		f.HalfX, f.HalfY = true, false
	case half420:
		f.HalfX, f.HalfY = true, true
	}
	f.CoX, f.CoY = f.CoX && f.HalfX, f.CoY && f.HalfY
	if l.model != ycc {
		f.Matrix = BT601
	}
	if l.model == rgb {
		f.Full = true
	}
	return f
}

// Check reports a format that no Converter can be made for.
func (f Format) Check() error {
	if int(f.Kind) >= len(layouts) {
		return fmt.Errorf("frame: there is no kind %d", f.Kind)
	}
	n, l := f.normal(), f.layout()
	switch {
	case n.Bits < l.least || n.Bits > 16 && !l.float:
		return fmt.Errorf("frame: samples of %d bits; %s has %d to 16", n.Bits, n.Kind, l.least)
	case f.Matrix > BT2020:
		return fmt.Errorf("frame: there is no matrix %d", f.Matrix)
	case n.HalfY && !n.HalfX:
		return fmt.Errorf("frame: chroma with half the rows and all the columns (4:4:0) is not supported")
	}
	return nil
}

// HasAlpha tells whether pixels have a fourth sample, alpha.
func (f Format) HasAlpha() bool { return f.layout().at[alpha].step > 0 }

// Reach is the least and the greatest value of R, G and B that grey pixels of the format have,
// where -1 is black and 1 white: Y′CbCr and grey of limited range have codes below black and above
// white, which cameras use.
func (f Format) Reach() (low, high float32) {
	f = f.normal()
	if f.Full {
		return -1, 1
	}
	y := f.lumaScale()
	return 2*y.value(0) - 1, 2*y.value(f.top()) - 1
}

// Gamut is the least and the greatest value of R, G and B of any pixel: colours of Y′CbCr lie
// beyond Reach, too.
func (f Format) Gamut() (low, high float32) {
	low, high = f.Reach()
	f = f.normal()
	if f.layout().model != ycc {
		return low, high
	}
	kr, kb := f.Matrix.weights()
	c := f.chromaScale()
	most := max(c.value(f.top()), -c.value(0)) // of Cb and Cr
	spread := 4 * (1 - min(kr, kb)) * most     // of 2·R − 1 and 2·B − 1
	spread = max(spread, 4*most*(kr*(1-kr)+kb*(1-kb))/(1-kr-kb))
	return low - spread, high + spread
}

// top is the greatest code.
func (f Format) top() float32 { return float32(int(1)<<max(f.Bits, 0) - 1) }

// scale is how codes stand for values: value = (code − off)·mul.
type scale struct{ off, mul, per float32 }

func newScale(off, per float32) scale { return scale{off, 1 / per, per} }

func (s scale) value(code float32) float32 { return (code - s.off) * s.mul }
func (s scale) code(value float32) float32 { return value*s.per + s.off }

// lumaScale brings luma to [0, 1], and what lies below black and above white beyond it.
func (f Format) lumaScale() scale {
	if f.Full {
		return newScale(0, f.top())
	}
	unit := float32(int(1) << max(f.Bits-8, 0))
	return newScale(16*unit, 219*unit)
}

// chromaScale brings chroma to [-½, ½].
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
