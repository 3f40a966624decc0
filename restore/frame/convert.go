package frame

import (
	"context"
	"fmt"

	"github.com/vfmrestore/restore/internal/team"
)

// Converter converts frames of one size and format to planes R, G, B and back, on all cores. It has
// scratch memory, so it is not safe for concurrent use.
type Converter struct {
	f           Format // normal
	w, h        int
	cw, ch      int // of chroma
	word, shift int
	top         float32
	luma        scale // to [0, 1]
	chroma      scale // to [-½, ½]
	kr, kg, kb  float32
	low, high   float32 // GreyRange, with black 0 and white 1

	team    *team.Team
	scratch []rows // one per worker
	// Loops over strips of rows, stored once because a new closure would be allocated, and the
	// arguments of the current call.
	reading, writing, changing func(worker, strip int)
	lines                      int // rows for writing and changing: of chroma, if there is any
	call                       struct {
		planes Planes
		pix    []float32 // for Change: after
		before []float32
		codes  []uint16
		in     *Converter
	}
}

// rows is scratch memory: rows of a frame's width.
type rows [7][]float32

// stripRows is the number of rows of luma or chroma in a strip.
const stripRows = 16

// NewConverter makes a Converter for frames of w×h pixels. It fails for an invalid format or size.
func NewConverter(f Format, w, h int) (*Converter, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	if w < 1 || h < 1 || w > 1<<16 || h > 1<<16 {
		return nil, fmt.Errorf("frame: %d×%d pixels; sides are 1 to 65536", w, h)
	}
	f = f.normal()
	c := &Converter{f: f, w: w, h: h, word: f.word(), shift: f.shift(), top: f.top()}
	c.cw, c.ch = f.chromaSize(w, h)
	c.luma, c.chroma = f.lumaScale(), f.chromaScale()
	low, high := f.GreyRange()
	c.low, c.high = (low+1)/2, (high+1)/2
	c.kr, c.kb = f.Matrix.weights()
	c.kg = 1 - c.kr - c.kb
	c.team = team.New(0)
	c.scratch = make([]rows, c.team.Workers())
	for i := range c.scratch {
		for k := range c.scratch[i] {
			c.scratch[i][k] = make([]float32, w)
		}
	}
	write, change := c.writeRow, c.changeRow
	if c.lines = h; f.layout().model == ycc {
		c.lines, write, change = c.ch, c.writeColours, c.changeColours
	}
	c.reading, c.writing, c.changing = c.strips(h, c.readRow), c.strips(c.lines, write),
		c.strips(c.lines, change)
	return c, nil
}

// strips makes a loop over strips from a function for one row. height is the number of rows.
func (c *Converter) strips(height int, row func(s *rows, y int)) func(worker, strip int) {
	return func(worker, strip int) {
		for y := strip * stripRows; y < min((strip+1)*stripRows, height); y++ {
			row(&c.scratch[worker], y)
		}
	}
}

// run runs a loop over all strips of height rows.
func (c *Converter) run(height int, loop func(worker, strip int)) {
	_ = c.team.Each(context.Background(), (height+stripRows-1)/stripRows, loop)
}

// Format, size in pixels, and number of bytes without gaps of the frames.
func (c *Converter) Format() Format   { return c.f }
func (c *Converter) Size() (w, h int) { return c.w, c.h }
func (c *Converter) Bytes() int       { return c.f.Size(c.w, c.h) }

// check panics if the length is wrong. That is an error in the program, not in its data.
func (c *Converter) check(pix []float32) {
	if len(pix) != 3*c.w*c.h {
		panic(fmt.Sprintf("frame: %d×%d pixels have %d values, not %d", c.w, c.h, 3*c.w*c.h,
			len(pix)))
	}
}

// contiguous is Format.Contiguous. It panics if the length is wrong.
func (c *Converter) contiguous(data []byte) Planes {
	if len(data) != c.Bytes() {
		panic(fmt.Sprintf("frame: %d×%d pixels have %d bytes, not %d", c.w, c.h, c.Bytes(),
			len(data)))
	}
	return c.f.Contiguous(data, c.w, c.h)
}

// ToRGB is Read for a frame of Format.Size bytes without gaps.
func (c *Converter) ToRGB(pix []float32, data []byte) {
	if err := c.Read(pix, c.contiguous(data)); err != nil {
		panic(err)
	}
}

// FromRGB is Write for a frame of Format.Size bytes without gaps.
func (c *Converter) FromRGB(data []byte, pix []float32) {
	if err := c.Write(c.contiguous(data), pix); err != nil {
		panic(err)
	}
}
