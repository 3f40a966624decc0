package frame

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Plane is the position of a plane of a frame in memory.
type Plane struct {
	Data   []byte
	Offset int // offset in Data of the first row
	Stride int // bytes from a row to the next; negative if the last row comes first; 0: no gaps
	// bytes from a pixel of the plane to the next (for a pair Cb Cr, or two pixels of YUYV and
	// UYVY, to the next pair); 0: no gaps
	Step int
}

// Planes are the planes of a frame. Only the first Format.PlaneCount are used.
type Planes [3]Plane

// PlaneCount is the number of planes.
func (f Format) PlaneCount() int { return f.layout().planes }

// unit is the number of bytes of a pixel of a plane.
func (f Format) unit(plane int) int {
	n := 0
	for _, at := range f.layout().at {
		if at.plane == plane {
			n = max(n, at.step)
		}
	}
	return n * f.word()
}

// extent gives the number of columns and rows of a plane.
func (f Format) extent(plane, w, h int) (columns, rows int) {
	switch l := f.layout(); {
	case l.macro:
		return (w + 1) / 2, h
	case l.model == ycc && plane > 0:
		return f.chromaSize(w, h)
	}
	return w, h
}

// Size is the number of bytes of a frame of w×h pixels without gaps.
func (f Format) Size(w, h int) (n int) {
	f = f.normal()
	for p := range f.PlaneCount() {
		columns, rows := f.extent(p, w, h)
		n += f.unit(p) * columns * rows
	}
	return n
}

// Contiguous gives the planes of a frame without gaps in data, which has Size(w, h) bytes.
func (f Format) Contiguous(data []byte, w, h int) (ps Planes) {
	f = f.normal()
	for p := range f.PlaneCount() {
		columns, rows := f.extent(p, w, h)
		n := f.unit(p) * columns * rows
		ps[p].Data, data = data[:n:n], data[n:]
	}
	return ps
}

// resolve replaces strides and steps of 0 by their values. It fails if a plane is too short or its
// pixels overlap.
func (c *Converter) resolve(ps *Planes) error {
	for i := range c.f.PlaneCount() {
		p := &ps[i]
		columns, rows := c.f.extent(i, c.w, c.h)
		unit := c.f.unit(i)
		bad := func(format string, args ...any) error {
			return fmt.Errorf("frame: plane %d of %s of %d×%d pixels: %s", i, c.f.Kind, c.w, c.h,
				fmt.Sprintf(format, args...))
		}
		if p.Step == 0 {
			p.Step = unit
		}
		if p.Step < unit || p.Step > 1<<16 || c.f.layout().macro && p.Step != unit {
			return bad("a step of %d bytes from pixel to pixel; a pixel has %d bytes", p.Step, unit)
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
			return bad("a stride of %d bytes; a row needs %d", p.Stride, row)
		case stride < 0 || stride > (math.MaxInt-len(p.Data)-row)/rows:
			return bad("a stride of %d bytes", p.Stride)
		}
		low, high := p.Offset, p.Offset+(rows-1)*p.Stride
		if low > high {
			low, high = high, low
		}
		if low < 0 || high+row > len(p.Data) {
			return bad("bytes %d to %d are needed, but there are %d", low, high+row, len(p.Data))
		}
	}
	return nil
}

// Check fails if a frame does not fit into the planes.
func (c *Converter) Check(ps Planes) error { return c.resolve(&ps) }

// samples gives a row of a component: its bytes, and the number of bytes from one sample to the
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

// load reads a row of codes, or of values for float formats.
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

// clampCode limits v to [0, top]. NaN becomes 0.
func clampCode(v, top float32) float32 {
	switch {
	case v > top:
		return top
	case v > 0:
		return v
	}
	return 0
}

// store writes a row of codes, rounded and limited to the format's range, or of values for float
// formats.
func (c *Converter) store(row []float32, ps *Planes, component, y int) {
	data, step := c.samples(ps, component, y)
	top, shift := c.top, c.shift
	switch c.word {
	case 1:
		for x, v := range row {
			data[x*step] = uint8(clampCode(v, 255) + 0.5)
		}
	case 2:
		for x, v := range row {
			binary.LittleEndian.PutUint16(data[x*step:], uint16(clampCode(v, top)+0.5)<<shift)
		}
	default:
		for x, v := range row {
			binary.LittleEndian.PutUint32(data[x*step:], math.Float32bits(v))
		}
	}
}

// Span is for planes given by a pointer to the first row: it gives the number of bytes of a plane
// of a w×h frame, and how many of them are before the first row. stride and step are like those of
// Plane, up to 2^31.
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
