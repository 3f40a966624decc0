package frame

import "fmt"

// CanChange tells whether Change can write changed frames of format in as format out: they may
// differ only in bits, range and arrangement, and must not be RGB.
func CanChange(in, out Format) bool {
	in, out = in.normal(), out.normal()
	if in.layout().model != out.layout().model || in.layout().model == rgb {
		return false
	}
	in.Kind, in.Bits, in.Full = out.Kind, out.Bits, out.Full
	return in == out
}

// Codes is the number of codes of a frame, without alpha.
func (c *Converter) Codes() int {
	switch c.f.layout().model {
	case gray:
		return c.w * c.h
	case rgb:
		return 3 * c.w * c.h
	}
	return c.w*c.h + 2*c.cw*c.ch
}

// codeRange gives the index of the first code of a row of a component, and the number of its codes.
func (c *Converter) codeRange(component, y int) (at, n int) {
	switch {
	case component == first:
		return y * c.w, c.w
	case c.f.layout().model == rgb:
		return (component*c.h + y) * c.w, c.w
	}
	return c.w*c.h + ((component-1)*c.ch+y)*c.cw, c.cw
}

// height is the number of rows of a component.
func (c *Converter) height(component int) int {
	if component != first && c.f.layout().model == ycc {
		return c.ch
	}
	return c.h
}

// ReadCodes copies the codes of a frame, component after component. Float formats have none. Errors
// are those of Read.
func (c *Converter) ReadCodes(codes []uint16, src Planes) error {
	if len(codes) != c.Codes() || c.f.layout().float {
		panic(fmt.Sprintf("frame: %d codes of %s", len(codes), c.f.Kind))
	}
	if err := c.resolve(&src); err != nil {
		return err
	}
	for k := range c.f.layout().colours {
		for y := range c.height(k) {
			at, n := c.codeRange(k, y)
			row := c.scratch[0][0][:n]
			c.load(row, &src, k, y)
			for x, v := range row {
				codes[at+x] = uint16(v)
			}
		}
	}
	return nil
}

// Change writes a frame that Converter in has read as before, and that has become after. It adds
// the difference of the two to the frame's codes, which in.ReadCodes gave. So unchanged samples
// keep their codes, even for colours outside RGB, and interpolated chroma is averaged only for the
// change. Values are limited to the format's GreyRange, or to before if that is farther out. in and
// c must have the same size, and CanChange(in's format, c's) must be true. Errors are those of
// Write.
func (c *Converter) Change(dst Planes, in *Converter, codes []uint16, before,
	after []float32) error {
	c.check(before)
	c.check(after)
	if len(codes) != in.Codes() || in.w != c.w || in.h != c.h || !CanChange(in.f, c.f) {
		panic("frame: Change between incompatible formats or sizes")
	}
	if err := c.resolve(&dst); err != nil {
		return err
	}
	c.call.planes, c.call.pix, c.call.before, c.call.codes, c.call.in = dst, after, before, codes,
		in
	c.run(c.lines, c.changing)
	return nil
}

func (c *Converter) changeRow(s *rows, y int) {
	c.difference(s[1], s[2], s[3], y)
	c.changeLuma(s, y)
}

// changeLuma adds the change of luma of a row.
func (c *Converter) changeLuma(s *rows, y int) {
	c.computeLuma(s[0], s[1], s[2], s[3])
	c.add(s[0], first, y, c.call.in.luma, c.luma)
}

func (c *Converter) changeColours(s *rows, y int) {
	for k, row := range c.meanChroma(s, y, c.difference, c.changeLuma) {
		c.add(row, second+k, y, c.call.in.chroma, c.chroma)
	}
}

// difference gives the change of R, G and B of a row, on the scale of black 0 to white 1.
func (c *Converter) difference(r, g, b []float32, y int) {
	wasR, wasG, wasB := c.colours(c.call.before, y)
	isR, isG, isB := c.colours(c.call.pix, y)
	low, high := 2*c.low-1, 2*c.high-1
	for k, was := range [...][]float32{wasR, wasG, wasB} {
		is, row := [...][]float32{isR, isG, isB}[k][:len(was)],
			[...][]float32{r, g, b}[k][:len(was)]
		for x, v := range was {
			to := is[x]
			switch { // the most frequent case first
			case to >= low && to <= high:
			case to > high:
				to = min(to, max(high, v))
			case to < low:
				to = max(to, min(low, v))
			default: // NaN: black
				to = -1
			}
			row[x] = (to - v) / 2
		}
	}
}

// add adds the change of a row to its codes, and writes them.
func (c *Converter) add(change []float32, component, y int, from, to scale) {
	at, n := c.call.in.codeRange(component, y)
	change = change[:n]
	for x, code := range c.call.codes[at:][:n] {
		change[x] = to.code(from.value(float32(code)) + change[x])
	}
	c.store(change, &c.call.planes, component, y)
}

// ReadAlpha reads the alpha of a frame, a byte per pixel. It is opaque (255) if the format has
// none. Errors are those of Read.
func (c *Converter) ReadAlpha(values []byte, src Planes) error {
	if err := c.resolve(&src); err != nil {
		return err
	}
	for y := range c.h {
		row := values[y*c.w:][:c.w]
		if !c.f.HasAlpha() {
			for x := range row {
				row[x] = 255
			}
			continue
		}
		data, step := c.samples(&src, alpha, y)
		for x := range row {
			row[x] = data[x*step]
		}
	}
	return nil
}

// WriteAlpha writes alpha. values has a byte for every pixel of a frame whose sides are smaller by
// factor; nil means opaque. It does nothing if the format has no alpha. Errors are those of Write.
func (c *Converter) WriteAlpha(dst Planes, values []byte, factor int) error {
	if !c.f.HasAlpha() {
		return nil
	}
	if err := c.resolve(&dst); err != nil {
		return err
	}
	for y := range c.h {
		data, step := c.samples(&dst, alpha, y)
		for x := range c.w {
			a := byte(255)
			if values != nil {
				a = values[y/factor*(c.w/factor)+x/factor]
			}
			data[x*step] = a
		}
	}
	return nil
}
