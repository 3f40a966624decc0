package frame

import (
	"context"
	"fmt"

	"github.com/vfmrestore/restore/internal/team"
)

// Converter turns frames of one size and format to planes R, G, B and back, on all cores. It holds
// a few rows of scratch for each, so it serves one goroutine at a time.
type Converter struct {
	f           Format // normal
	w, h        int
	cw, ch      int // of chroma
	word, shift int
	top         float32
	luma        scale // to [0, 1]
	chroma      scale // to [-½, ½]
	kr, kg, kb  float32
	low, high   float32 // what the codes reach to; black is 0 and white 1

	team    *team.Team
	scratch []rows // one per worker
	// Loops over strips of rows, made once, as a new closure would take memory, and the arguments
	// of the call at hand.
	reading, writing, changing func(worker, strip int)
	lines                      int // rows that writing and changing take one by one: of chroma, where there is any
	call                       struct {
		planes Planes
		pix    []float32 // of Change: after
		before []float32
		codes  []uint16
		in     *Converter
	}
}

// rows is scratch of a frame's width.
type rows [7][]float32

// stripRows is how many rows of luma or chroma are a worker's at a time.
const stripRows = 16

// NewConverter makes a Converter for frames of w×h pixels.
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
	low, high := f.Reach()
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
	c.reading, c.writing, c.changing = c.strips(h, c.readRow), c.strips(c.lines, write), c.strips(c.lines, change)
	return c, nil
}

// strips makes a loop over strips of so many rows from what is done with one.
func (c *Converter) strips(height int, row func(s *rows, y int)) func(worker, strip int) {
	return func(worker, strip int) {
		for y := strip * stripRows; y < min((strip+1)*stripRows, height); y++ {
			row(&c.scratch[worker], y)
		}
	}
}

// run does a loop over so many rows.
func (c *Converter) run(height int, loop func(worker, strip int)) {
	_ = c.team.Each(context.Background(), (height+stripRows-1)/stripRows, loop)
}

// Format and size of the frames, and the number of their bytes without gaps.
func (c *Converter) Format() Format   { return c.f }
func (c *Converter) Size() (w, h int) { return c.w, c.h }
func (c *Converter) Bytes() int       { return c.f.Size(c.w, c.h) }

// check panics on wrong lengths: they are the caller's constants, not somebody's data.
func (c *Converter) check(pix []float32) {
	if len(pix) != 3*c.w*c.h {
		panic(fmt.Sprintf("frame: %d×%d pixels have %d values, not %d", c.w, c.h, 3*c.w*c.h, len(pix)))
	}
}

// tight is Format.Tight; it panics on a wrong length.
func (c *Converter) tight(data []byte) Planes {
	if len(data) != c.Bytes() {
		panic(fmt.Sprintf("frame: %d×%d pixels have %d bytes, not %d", c.w, c.h, c.Bytes(), len(data)))
	}
	return c.f.Tight(data, c.w, c.h)
}

// ToRGB is Read of the bytes of a frame without gaps (Format.Size of them).
func (c *Converter) ToRGB(pix []float32, data []byte) {
	if err := c.Read(pix, c.tight(data)); err != nil {
		panic(err)
	}
}

// FromRGB is Write to the bytes of a frame without gaps.
func (c *Converter) FromRGB(data []byte, pix []float32) {
	if err := c.Write(c.tight(data), pix); err != nil {
		panic(err)
	}
}

// Read fills pix, 3·w·h values in planes R, G, B, from a frame. Y′CbCr beyond the RGB cube gives
// values beyond [-1, 1]. Errors: planes that the frame does not lie in.
func (c *Converter) Read(pix []float32, src Planes) error {
	c.check(pix)
	if err := c.settle(&src); err != nil {
		return err
	}
	c.call.planes, c.call.pix = src, pix
	c.run(c.h, c.reading)
	return nil
}

// colours gives row y of three planes.
func (c *Converter) colours(pix []float32, y int) (r, g, b []float32) {
	n, at := c.w*c.h, y*c.w
	return pix[at:][:c.w], pix[n+at:][:c.w], pix[2*n+at:][:c.w]
}

func (c *Converter) readRow(s *rows, y int) {
	src := &c.call.planes
	r, g, b := c.colours(c.call.pix, y)
	switch l := c.f.layout(); {
	case l.model == rgb:
		for k, row := range [...][]float32{r, g, b} {
			c.load(row, src, k, y)
			for x, v := range row {
				if l.float {
					break
				}
				row[x] = v/127.5 - 1
			}
		}
	case l.model == gray:
		c.load(r, src, first, y)
		for x, v := range r {
			r[x] = 2*c.luma.value(v) - 1
		}
		copy(g, r)
		copy(b, r)
	default:
		c.readColours(r, g, b, s, y)
	}
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

// widen brings a row of chroma to luma's columns, as between says.
func (c *Converter) widen(dst, src []float32) {
	if !c.f.HalfX {
		copy(dst, src)
		return
	}
	last := len(src) - 1
	for j, v := range src {
		before, after := src[max(j-1, 0)], src[min(j+1, last)]
		even, odd := v, v+(after-v)/2
		if !c.f.CoX {
			even, odd = before+0.75*(v-before), v+0.25*(after-v)
		}
		dst[2*j] = even
		if 2*j+1 < len(dst) {
			dst[2*j+1] = odd
		}
	}
}

// readColours fills a row from Y′CbCr.
func (c *Converter) readColours(r, g, b []float32, s *rows, y int) {
	src := &c.call.planes
	luma, wide := s[0], [2][]float32{s[1], s[2]} // Cb and Cr
	c.load(luma, src, first, y)
	ya, yb, share := between(y, c.ch, c.f.HalfY, c.f.CoY)
	row, other := s[3][:c.cw], s[4][:c.cw]
	for k := range wide {
		c.load(row, src, second+k, ya)
		if share > 0 {
			c.load(other, src, second+k, yb)
			for x, v := range other {
				row[x] += share * (v - row[x])
			}
		}
		chroma := c.chroma
		for x, v := range row {
			row[x] = chroma.value(v)
		}
		c.widen(wide[k], row)
	}
	toR, toB := 2*(1-c.kr), 2*(1-c.kb)
	greenR, greenB := toR*c.kr/c.kg, toB*c.kb/c.kg
	cb, cr := wide[0][:len(luma)], wide[1][:len(luma)]
	r, g, b = r[:len(luma)], g[:len(luma)], b[:len(luma)]
	scale := c.luma
	for x, code := range luma {
		v := 2*scale.value(code) - 1
		r[x], g[x], b[x] = v+2*toR*cr[x], v-2*greenR*cr[x]-2*greenB*cb[x], v+2*toB*cb[x]
	}
}

// Write fills a frame from planes in [-1, 1]; values beyond what grey of the format reaches to
// (Format.Reach) are limited, NaN becomes black; float formats hold any. Alpha is left as it
// stands, as is all that lies between pixels and rows. Errors: planes that the frame does not lie
// in.
func (c *Converter) Write(dst Planes, pix []float32) error {
	c.check(pix)
	if err := c.settle(&dst); err != nil {
		return err
	}
	c.call.planes, c.call.pix = dst, pix
	c.run(c.lines, c.writing)
	return nil
}

func (c *Converter) writeRow(s *rows, y int) {
	dst, row := &c.call.planes, s[0]
	r, g, b := c.colours(c.call.pix, y)
	l := c.f.layout()
	if l.model == rgb {
		for k, colour := range [...][]float32{r, g, b} {
			if !l.float {
				for x, v := range colour {
					row[x] = limited(v, 0, 1) * 255
				}
				colour = row
			}
			c.store(colour, dst, k, y)
		}
		return
	}
	c.limitedRow(s[1], s[2], s[3], y)
	c.writeLuma(s, y)
}

// writeLuma writes the luma of a row of colours.
func (c *Converter) writeLuma(s *rows, y int) {
	row, luma := s[0], c.luma
	c.lumaOf(row, s[1], s[2], s[3])
	for x, v := range row {
		row[x] = luma.code(v)
	}
	c.store(row, &c.call.planes, first, y)
}

func (c *Converter) writeColours(s *rows, y int) {
	for k, row := range c.meanChroma(s, y, c.limitedRow, c.writeLuma) {
		for x, v := range row {
			row[x] = c.chroma.code(v)
		}
		c.store(row, &c.call.planes, second+k, y)
	}
}

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

// limitedRow gives R, G and B of a row, as far as the codes reach.
func (c *Converter) limitedRow(r, g, b []float32, y int) {
	fromR, fromG, fromB := c.colours(c.call.pix, y)
	low, high := c.low, c.high
	for k, from := range [...][]float32{fromR, fromG, fromB} {
		row := [...][]float32{r, g, b}[k][:len(from)]
		for x, v := range from {
			row[x] = limited(v, low, high)
		}
	}
}

// lumaOf gives the luma of a row. Written so, that of grey is the grey itself, to the bit.
func (c *Converter) lumaOf(row, r, g, b []float32) {
	kr, kb := c.kr, c.kb
	r, g, b = r[:len(row)], g[:len(row)], b[:len(row)]
	for x := range row {
		row[x] = g[x] + kr*(r[x]-g[x]) + kb*(b[x]-g[x])
	}
}

// taps gives the rows of luma that a row of chroma averages: those around where it sits.
func (c *Converter) taps(y int) (at [3]int, weight [3]float32, count int) {
	switch {
	case !c.f.HalfY:
		return [3]int{y}, [3]float32{1}, 1
	case c.f.CoY:
		return [3]int{max(2*y-1, 0), 2 * y, min(2*y+1, c.h-1)}, [3]float32{0.25, 0.5, 0.25}, 3
	}
	return [3]int{2 * y, min(2*y+1, c.h-1)}, [3]float32{0.5, 0.5}, 2
}

// narrow averages a row at luma's columns to those of chroma, as taps says of rows, in place.
func (c *Converter) narrow(row []float32) []float32 {
	if !c.f.HalfX {
		return row
	}
	last := len(row) - 1
	before := row[0] // the column on the left, as it was
	for x := range c.cw {
		v, after := row[2*x], row[min(2*x+1, last)]
		if c.f.CoX {
			row[x] = 0.25*before + 0.5*v + 0.25*after
		} else {
			row[x] = 0.5*v + 0.5*after
		}
		before = after
	}
	return row[:c.cw]
}

// meanChroma averages a row of Cb and Cr, in [-½, ½], from R, G and B in [0, 1] of the rows of luma
// around it, which colours gives. Of each row of luma that is this row's and no other's it calls
// luma, with R, G and B in the scratch after the first row.
func (c *Converter) meanChroma(s *rows, y int, colours func(r, g, b []float32, y int), luma func(s *rows, y int)) [2][]float32 {
	r, g, b := s[1], s[2], s[3]
	rows, weights, count := c.taps(y)
	if count > 1 {
		sums := [...][]float32{s[4], s[5], s[6]}
		for k := range count {
			colours(r, g, b, rows[k])
			if rows[k]/2 == y && (k == 0 || rows[k] != rows[k-1]) {
				luma(s, rows[k])
			}
			for i, row := range [...][]float32{r, g, b} {
				sum, weight := sums[i][:len(row)], weights[k]
				if k == 0 {
					for x, v := range row {
						sum[x] = weight * v
					}
					continue
				}
				for x, v := range row {
					sum[x] += weight * v
				}
			}
		}
		r, g, b = sums[0], sums[1], sums[2]
	} else {
		colours(r, g, b, rows[0])
		luma(s, rows[0])
	}
	r, g, b = c.narrow(r), c.narrow(g), c.narrow(b)
	toB, toR := 1/(2*(1-c.kb)), 1/(2*(1-c.kr))
	kr, kb := c.kr, c.kb
	g, b = g[:len(r)], b[:len(r)]
	for x := range r {
		luma := g[x] + kr*(r[x]-g[x]) + kb*(b[x]-g[x])
		r[x], b[x] = (b[x]-luma)*toB, (r[x]-luma)*toR
	}
	return [2][]float32{r, b}
}
