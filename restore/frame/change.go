package frame

import "fmt"

// Changes tells whether frames of format in, changed, can be written in format out by Change: their
// luma and chroma must be the same but for bits, range and arrangement.
func Changes(in, out Format) bool {
	in, out = in.normal(), out.normal()
	if in.layout().model != out.layout().model || in.layout().model == rgb {
		return false
	}
	in.Kind, in.Bits, in.Full = out.Kind, out.Bits, out.Full
	return in == out
}

// Codes is the number of codes of a frame, alpha apart.
func (c *Converter) Codes() int {
	switch c.f.layout().model {
	case gray:
		return c.w * c.h
	case rgb:
		return 3 * c.w * c.h
	}
	return c.w*c.h + 2*c.cw*c.ch
}

// codesOf gives the place among the codes of a row of a component, and its length.
func (c *Converter) codesOf(component, y int) (at, n int) {
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

// ReadCodes keeps the codes of a frame, component after component. Float formats have none. Errors:
// as of Read.
func (c *Converter) ReadCodes(codes []uint16, src Planes) error {
	if len(codes) != c.Codes() || c.f.layout().float {
		panic(fmt.Sprintf("frame: %d codes of %s", len(codes), c.f.Kind))
	}
	if err := c.settle(&src); err != nil {
		return err
	}
	for k := range c.f.layout().colours {
		for y := range c.height(k) {
			at, n := c.codesOf(k, y)
			row := c.scratch[0][0][:n]
			c.load(row, &src, k, y)
			for x, v := range row {
				codes[at+x] = uint16(v)
			}
		}
	}
	return nil
}

// Change writes a frame that was read as before, by Converter in, and has become after. To every
// sample of the frame, codes as in.ReadCodes gave them, it adds what came to it by the difference
// of the two: what did not change keeps its code, colours that RGB does not hold included, and of
// chroma that was interpolated only the change is averaged. Values are limited to what grey of the
// format reaches to, or to before where that is farther out. in and c must be of one size, and
// Changes(in's format, c's) true. Errors: as of Write.
func (c *Converter) Change(dst Planes, in *Converter, codes []uint16, before, after []float32) error {
	c.check(before)
	c.check(after)
	if len(codes) != in.Codes() || in.w != c.w || in.h != c.h || !Changes(in.f, c.f) {
		panic("frame: Change between formats or sizes that do not fit")
	}
	if err := c.settle(&dst); err != nil {
		return err
	}
	c.call.planes, c.call.pix, c.call.before, c.call.codes, c.call.in = dst, after, before, codes, in
	c.run(c.lines, c.changing)
	return nil
}

func (c *Converter) changeRow(s *rows, y int) {
	c.difference(s[1], s[2], s[3], y)
	c.changeLuma(s, y)
}

// changeLuma adds the luma of a row's difference.
func (c *Converter) changeLuma(s *rows, y int) {
	c.lumaOf(s[0], s[1], s[2], s[3])
	c.add(s[0], first, y, c.call.in.luma, c.luma)
}

func (c *Converter) changeColours(s *rows, y int) {
	for k, row := range c.meanChroma(s, y, c.difference, c.changeLuma) {
		c.add(row, second+k, y, c.call.in.chroma, c.chroma)
	}
}

// difference gives how R, G and B of a row have changed, with black at 0 and white at 1.
func (c *Converter) difference(r, g, b []float32, y int) {
	wasR, wasG, wasB := c.colours(c.call.before, y)
	isR, isG, isB := c.colours(c.call.pix, y)
	low, high := 2*c.low-1, 2*c.high-1
	for k, was := range [...][]float32{wasR, wasG, wasB} {
		is, row := [...][]float32{isR, isG, isB}[k][:len(was)], [...][]float32{r, g, b}[k][:len(was)]
		for x, v := range was {
			to := is[x]
			switch { // in the order of how often
			case to >= low && to <= high:
			case to > high:
				to = min(to, max(high, v))
			case to < low:
				to = max(to, min(low, v))
			default: // not a number: black
				to = -1
			}
			row[x] = (to - v) / 2
		}
	}
}

// add adds the change of a row to its codes, and writes them.
func (c *Converter) add(change []float32, component, y int, from, to scale) {
	at, n := c.call.in.codesOf(component, y)
	change = change[:n]
	for x, code := range c.call.codes[at:][:n] {
		change[x] = to.code(from.value(float32(code)) + change[x])
	}
	c.store(change, &c.call.planes, component, y)
}

// ReadAlpha gives the alpha of a frame, a byte for every pixel, opaque (255) where the format has
// none. Errors: as of Read.
func (c *Converter) ReadAlpha(values []byte, src Planes) error {
	if err := c.settle(&src); err != nil {
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

// WriteAlpha writes alpha, a byte for every pixel of a frame whose sides are the factor-th part of
// this one's; nil: opaque. It does nothing where the format has no alpha. Errors: as of Write.
func (c *Converter) WriteAlpha(dst Planes, values []byte, factor int) error {
	if !c.f.HasAlpha() {
		return nil
	}
	if err := c.settle(&dst); err != nil {
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
