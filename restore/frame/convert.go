package frame

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Converter turns frames of one size and format to planes and back. It holds a few rows of scratch, so it serves one goroutine at a time.
type Converter struct {
	f      Format
	w, h   int
	cw, ch int
	// y = (code - yOff)·yMul in [0, 1], c = (code - cOff)·cMul in [-½, ½]
	yOff, yMul, cOff, cMul float32
	kr, kg, kb             float32
	low, high              float32      // what the codes reach to; black is 0 and white 1
	rows                   [4][]float32 // of luma's or chroma's length
}

// NewConverter makes a Converter for frames of w×h pixels.
func NewConverter(f Format, w, h int) (*Converter, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	if w < 1 || h < 1 || w > 1<<16 || h > 1<<16 {
		return nil, fmt.Errorf("frame: %d×%d pixels; sides are 1 to 65536", w, h)
	}
	f = f.normal()
	c := &Converter{f: f, w: w, h: h}
	c.cw, c.ch = f.chroma(w, h)
	unit := float32(int(1) << (f.Bits - 8))
	c.yOff, c.yMul = 16*unit, 1/(219*unit)
	c.cOff, c.cMul = 128*unit, 1/(224*unit)
	if f.Full {
		top := float32(int(1)<<f.Bits - 1)
		c.yOff, c.yMul, c.cMul = 0, 1/top, 1/top
	}
	low, high := f.Reach()
	c.low, c.high = (low+1)/2, (high+1)/2
	c.kr, c.kb = f.Matrix.weights()
	c.kg = 1 - c.kr - c.kb
	for i := range c.rows {
		c.rows[i] = make([]float32, w)
	}
	return c, nil
}

// Format and size of the frames.
func (c *Converter) Format() Format   { return c.f }
func (c *Converter) Size() (w, h int) { return c.w, c.h }
func (c *Converter) Bytes() int       { return c.f.Size(c.w, c.h) }

// check panics on wrong lengths: they are the caller's constants, not somebody's data.
func (c *Converter) check(pix []float32, data []byte) {
	if len(pix) != 3*c.w*c.h || len(data) != c.Bytes() {
		panic(fmt.Sprintf("frame: %d×%d pixels have %d values and %d bytes, not %d and %d", c.w, c.h, 3*c.w*c.h, c.Bytes(), len(pix), len(data)))
	}
}

// ToRGB fills pix, 3·w·h values in planes R, G, B, from the bytes of a frame (Format.Size of them). Y′CbCr beyond the RGB cube gives values beyond
// [-1, 1].
func (c *Converter) ToRGB(pix []float32, data []byte) {
	c.check(pix, data)
	n := c.w * c.h
	switch c.f.Kind {
	case RGB, RGBA:
		step := c.f.step()
		for i := range n {
			for k := range 3 {
				pix[k*n+i] = float32(data[step*i+k])/127.5 - 1
			}
		}
	case Float32:
		for i := range pix {
			pix[i] = math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		}
	case Gray:
		for i := range n {
			v := 2*(c.sample(data, i)-c.yOff)*c.yMul - 1
			pix[i], pix[n+i], pix[2*n+i] = v, v, v
		}
	default:
		for y := range c.h {
			c.rowToRGB(pix, data, y)
		}
	}
}

// sample is the sample i of the frame, counted from its start.
func (c *Converter) sample(data []byte, i int) float32 {
	if c.f.Bits == 8 {
		return float32(data[i])
	}
	return float32(binary.LittleEndian.Uint16(data[2*i:]))
}

// chromaAt is the place of chroma sample x of row y: plane 0 is Cb, 1 is Cr.
func (c *Converter) chromaAt(plane, y, x int) int {
	if c.f.Kind == NV12 {
		return c.w*c.h + 2*(y*c.cw+x) + plane
	}
	return c.w*c.h + (plane*c.ch+y)*c.cw + x
}

// between gives the two samples of a chroma axis of n samples between which position i of luma lies, and the share of the second.
func between(i, n int, half, co bool) (a, b int, share float32) {
	switch {
	case !half:
		return i, i, 0
	case co: // even positions are samples, odd ones lie in the middle
		a = i / 2
		b, share = a, 0
		if i%2 == 1 {
			b, share = min(a+1, n-1), 0.5
		}
		return a, b, share
	case i%2 == 0: // sample j sits at 2j+½
		return max(i/2-1, 0), i / 2, 0.75
	}
	return i / 2, min(i/2+1, n-1), 0.25
}

func (c *Converter) rowToRGB(pix []float32, data []byte, y int) {
	ya, yb, ys := between(y, c.ch, c.f.HalfY, c.f.CoY)
	var chroma [2][]float32 // Cb and Cr of this row of luma, at chroma's columns
	for p := range chroma {
		row := c.rows[p][:c.cw]
		for x := range row {
			a := c.sample(data, c.chromaAt(p, ya, x))
			if ys > 0 {
				a += ys * (c.sample(data, c.chromaAt(p, yb, x)) - a)
			}
			row[x] = (a - c.cOff) * c.cMul
		}
		chroma[p] = row
	}
	n, at := c.w*c.h, y*c.w
	for x := range c.w {
		a, b, s := between(x, c.cw, c.f.HalfX, c.f.CoX)
		cb := chroma[0][a] + s*(chroma[0][b]-chroma[0][a])
		cr := chroma[1][a] + s*(chroma[1][b]-chroma[1][a])
		luma := (c.sample(data, at+x) - c.yOff) * c.yMul
		red, blue := luma+2*(1-c.kr)*cr, luma+2*(1-c.kb)*cb
		green := (luma - c.kr*red - c.kb*blue) / c.kg
		pix[at+x], pix[n+at+x], pix[2*n+at+x] = 2*red-1, 2*green-1, 2*blue-1
	}
}

// FromRGB fills the bytes of a frame from planes in [-1, 1]; values beyond what the format's codes reach to (Format.Reach) are limited, NaN becomes black. For RGBA the fourth byte of every pixel is
// left as it stands in data.
func (c *Converter) FromRGB(data []byte, pix []float32) {
	c.check(pix, data)
	n := c.w * c.h
	switch c.f.Kind {
	case RGB, RGBA:
		step := c.f.step()
		for i := range n {
			for k := range 3 {
				data[step*i+k] = uint8(unit(pix[k*n+i])*255 + 0.5)
			}
		}
	case Float32:
		for i, v := range pix {
			binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(v))
		}
	case Gray:
		for i := range n {
			c.put(data, i, c.luma(pix, i)/c.yMul+c.yOff)
		}
	default:
		for i := range n {
			c.put(data, i, c.luma(pix, i)/c.yMul+c.yOff)
		}
		for y := range c.ch {
			c.chromaRow(data, pix, y)
		}
	}
}

// unit maps [-1, 1] to [0, 1] and limits to it.
func unit(v float32) float32 { return limited(v, 0, 1) }

// limited maps [-1, 1] to [0, 1] and limits to [low, high].
func limited(v, low, high float32) float32 {
	v = (v + 1) / 2
	switch {
	case v >= high:
		return high
	case v > low:
		return v
	case v == v:
		return low
	}
	return 0 // not a number
}

// unit maps [-1, 1] to [0, 1] and limits to what the codes reach to.
func (c *Converter) unit(v float32) float32 { return limited(v, c.low, c.high) }

func (c *Converter) luma(pix []float32, i int) float32 {
	n := c.w * c.h
	return c.kr*c.unit(pix[i]) + c.kg*c.unit(pix[n+i]) + c.kb*c.unit(pix[2*n+i])
}

func (c *Converter) put(data []byte, i int, v float32) {
	v = min(max(v, 0), float32(int(1)<<c.f.Bits-1)) + 0.5
	if c.f.Bits == 8 {
		data[i] = uint8(min(v, 255))
		return
	}
	binary.LittleEndian.PutUint16(data[2*i:], uint16(min(v, float32(int(1)<<c.f.Bits-1))))
}

// taps gives the positions of luma that a chroma sample averages: those around where it sits.
func taps(j, n int, half, co bool) (at [3]int, weight [3]float32, count int) {
	switch {
	case !half:
		return [3]int{j}, [3]float32{1}, 1
	case co:
		return [3]int{max(2*j-1, 0), 2 * j, min(2*j+1, n-1)}, [3]float32{0.25, 0.5, 0.25}, 3
	}
	return [3]int{2 * j, min(2*j+1, n-1)}, [3]float32{0.5, 0.5}, 2
}

// chromaRow makes a row of both chroma planes.
func (c *Converter) chromaRow(data []byte, pix []float32, y int) {
	n := c.w * c.h
	cb, cr := c.rows[2], c.rows[3]
	clear(cb)
	clear(cr)
	rows, weights, count := taps(y, c.h, c.f.HalfY, c.f.CoY)
	for k := range count {
		for x := range c.w {
			i := rows[k]*c.w + x
			luma := c.luma(pix, i)
			cb[x] += weights[k] * (c.unit(pix[2*n+i]) - luma) / (2 * (1 - c.kb))
			cr[x] += weights[k] * (c.unit(pix[i]) - luma) / (2 * (1 - c.kr))
		}
	}
	for x := range c.cw {
		cols, ws, count := taps(x, c.w, c.f.HalfX, c.f.CoX)
		var b, r float32
		for k := range count {
			b += ws[k] * cb[cols[k]]
			r += ws[k] * cr[cols[k]]
		}
		c.put(data, c.chromaAt(0, y, x), b/c.cMul+c.cOff)
		c.put(data, c.chromaAt(1, y, x), r/c.cMul+c.cOff)
	}
}
