package frame

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Plane is where a plane of a frame lies in memory.
type Plane struct {
	Data   []byte
	Offset int // in Data of the first row's first byte
	Stride int // bytes from a row to the next, negative where the last row comes first; 0: rows follow each other without gaps
	Step   int // bytes from a pixel of the plane to the next (a pair Cb Cr is one, of YUYV and UYVY two pixels are); 0: no gaps
}

// Planes are the planes of a frame, as many as its format has.
type Planes [3]Plane

// Count is the number of planes.
func (f Format) Count() int { return f.layout().planes }

// unit is the number of bytes of a pixel of a plane without gaps.
func (f Format) unit(plane int) int {
	n := 0
	for _, at := range f.layout().at {
		if at.plane == plane {
			n = max(n, at.step)
		}
	}
	return n * f.word()
}

// extent is the number of pixels of a plane, and of its rows.
func (f Format) extent(plane, w, h int) (columns, rows int) {
	switch l := f.layout(); {
	case l.macro:
		return (w + 1) / 2, h
	case l.model == ycc && plane > 0:
		return f.chromaSize(w, h)
	}
	return w, h
}

// Size is the number of bytes of a frame of w×h pixels whose planes and rows follow each other
// without gaps.
func (f Format) Size(w, h int) (n int) {
	f = f.normal()
	for p := range f.Count() {
		columns, rows := f.extent(p, w, h)
		n += f.unit(p) * columns * rows
	}
	return n
}

// Tight gives the planes of a frame whose planes and rows follow each other without gaps in data,
// which has Size(w, h) bytes.
func (f Format) Tight(data []byte, w, h int) (ps Planes) {
	f = f.normal()
	for p := range f.Count() {
		columns, rows := f.extent(p, w, h)
		n := f.unit(p) * columns * rows
		ps[p].Data, data = data[:n:n], data[n:]
	}
	return ps
}

// settle replaces the zeros of strides and steps by what they mean, and reports planes that are too
// short or whose pixels would lie on each other.
func (c *Converter) settle(ps *Planes) error {
	for i := range c.f.Count() {
		p := &ps[i]
		columns, rows := c.f.extent(i, c.w, c.h)
		unit := c.f.unit(i)
		bad := func(format string, args ...any) error {
			return fmt.Errorf("frame: plane %d of %s of %d×%d pixels: %s", i, c.f.Kind, c.w, c.h, fmt.Sprintf(format, args...))
		}
		if p.Step == 0 {
			p.Step = unit
		}
		if p.Step < unit || p.Step > 1<<16 || c.f.layout().macro && p.Step != unit {
			return bad("a step of %d bytes from pixel to pixel, where %d hold one", p.Step, unit)
		}
		row := (columns-1)*p.Step + unit // bytes
		if p.Stride == 0 {
			p.Stride = row
		}
		stride := max(p.Stride, -p.Stride)
		switch {
		case p.Offset < 0 || p.Offset > len(p.Data):
			return bad("an offset of %d in %d bytes", p.Offset, len(p.Data))
		case rows > 1 && stride < row:
			return bad("a stride of %d bytes, where a row takes %d", p.Stride, row)
		case stride < 0 || stride > (math.MaxInt-len(p.Data)-row)/rows:
			return bad("a stride of %d bytes", p.Stride)
		}
		low, high := p.Offset, p.Offset+(rows-1)*p.Stride
		if low > high {
			low, high = high, low
		}
		if low < 0 || high+row > len(p.Data) {
			return bad("bytes %d to %d are needed of the %d that are there", low, high+row, len(p.Data))
		}
	}
	return nil
}

// Check reports planes that a frame does not lie in.
func (c *Converter) Check(ps Planes) error { return c.settle(&ps) }

// samples is a row of a component: bytes from the first on, and the number of bytes from one to the
// next.
func (c *Converter) samples(ps *Planes, component, y int) (data []byte, step int) {
	at := c.f.layout().at[component]
	p := &ps[at.plane]
	step = p.Step
	if c.f.layout().macro {
		step = at.step
	}
	return p.Data[p.Offset+y*p.Stride+at.offset*c.word:], step
}

// load reads a row of codes, or of values of float formats.
func (c *Converter) load(row []float32, ps *Planes, component, y int) {
	data, step := c.samples(ps, component, y)
	switch c.word {
	case 1:
		for x := range row {
			row[x] = float32(data[x*step])
		}
	case 2:
		for x := range row {
			row[x] = float32(binary.LittleEndian.Uint16(data[x*step:]) >> c.shift)
		}
	default:
		for x := range row {
			row[x] = math.Float32frombits(binary.LittleEndian.Uint32(data[x*step:]))
		}
	}
}

// within limits to 0 … top; what is not a number becomes 0.
func within(v, top float32) float32 {
	switch {
	case v > top:
		return top
	case v > 0:
		return v
	}
	return 0
}

// store writes a row of codes, rounded and limited to those that there are, or of values of float
// formats.
func (c *Converter) store(row []float32, ps *Planes, component, y int) {
	data, step := c.samples(ps, component, y)
	top, shift := c.top, c.shift
	switch c.word {
	case 1:
		for x, v := range row {
			data[x*step] = uint8(within(v, 255) + 0.5)
		}
	case 2:
		for x, v := range row {
			binary.LittleEndian.PutUint16(data[x*step:], uint16(within(v, top)+0.5)<<shift)
		}
	default:
		for x, v := range row {
			binary.LittleEndian.PutUint32(data[x*step:], math.Float32bits(v))
		}
	}
}

// Span is for memory that is told by a pointer: how many bytes a plane of a w×h frame takes from
// the row on that lies first in memory, and how many of them lie before the first row, with a
// stride and a step as in Plane. Strides and steps up to 2^31.
func (f Format) Span(plane, w, h, stride, step int) (bytes, before int) {
	f = f.normal()
	columns, rows := f.extent(plane, w, h)
	unit := f.unit(plane)
	if step == 0 {
		step = unit
	}
	row := (columns-1)*step + unit
	if stride == 0 {
		stride = row
	}
	return (rows-1)*max(stride, -stride) + row, max(0, -(rows-1)*stride)
}
