package frame

// Write fills a frame from planes in [-1, 1]. Values outside Format.GreyRange are limited, NaN
// becomes black; float formats hold any value. Alpha and bytes between pixels and rows are not
// changed. It fails if the frame does not fit into the planes.
func (c *Converter) Write(dst Planes, pix []float32) error {
	c.check(pix)
	if err := c.resolve(&dst); err != nil {
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
					row[x] = toUnit(v, 0, 1) * 255
				}
				colour = row
			}
			c.store(colour, dst, k, y)
		}
		return
	}
	c.toUnitRow(s[1], s[2], s[3], y)
	c.writeLuma(s, y)
}

// writeLuma writes the luma of a row of colours.
func (c *Converter) writeLuma(s *rows, y int) {
	row, luma := s[0], c.luma
	c.computeLuma(row, s[1], s[2], s[3])
	for x, v := range row {
		row[x] = luma.code(v)
	}
	c.store(row, &c.call.planes, first, y)
}

func (c *Converter) writeColours(s *rows, y int) {
	for k, row := range c.meanChroma(s, y, c.toUnitRow, c.writeLuma) {
		for x, v := range row {
			row[x] = c.chroma.code(v)
		}
		c.store(row, &c.call.planes, second+k, y)
	}
}

// toUnit maps [-1, 1] to [0, 1] and limits the result to [low, high].
func toUnit(v, low, high float32) float32 {
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

// toUnitRow gives R, G and B of a row, limited to the range of codes.
func (c *Converter) toUnitRow(r, g, b []float32, y int) {
	fromR, fromG, fromB := c.colours(c.call.pix, y)
	low, high := c.low, c.high
	for k, from := range [...][]float32{fromR, fromG, fromB} {
		row := [...][]float32{r, g, b}[k][:len(from)]
		for x, v := range from {
			row[x] = toUnit(v, low, high)
		}
	}
}

// computeLuma computes the luma of a row. In this form the luma of grey equals the grey exactly.
func (c *Converter) computeLuma(row, r, g, b []float32) {
	kr, kb := c.kr, c.kb
	r, g, b = r[:len(row)], g[:len(row)], b[:len(row)]
	for x := range row {
		row[x] = g[x] + kr*(r[x]-g[x]) + kb*(b[x]-g[x])
	}
}

// lumaTaps gives the rows of luma that a row of chroma averages, with their weights.
func (c *Converter) lumaTaps(y int) (at [3]int, weight [3]float32, count int) {
	switch {
	case !c.f.HalfY:
		return [3]int{y}, [3]float32{1}, 1
	case c.f.CositedY:
		return [3]int{max(2*y-1, 0), 2 * y, min(2*y+1, c.h-1)}, [3]float32{0.25, 0.5, 0.25}, 3
	}
	return [3]int{2 * y, min(2*y+1, c.h-1)}, [3]float32{0.5, 0.5}, 2
}

// downsampleRow averages a row to the columns of chroma, in place, with the weights that lumaTaps
// has for rows.
func (c *Converter) downsampleRow(row []float32) []float32 {
	if !c.f.HalfX {
		return row
	}
	last := len(row) - 1
	before := row[0] // the old value of the column on the left
	for x := range c.cw {
		v, after := row[2*x], row[min(2*x+1, last)]
		if c.f.CositedX {
			row[x] = 0.25*before + 0.5*v + 0.25*after
		} else {
			row[x] = 0.5*v + 0.5*after
		}
		before = after
	}
	return row[:c.cw]
}

// meanChroma computes a row of Cb and Cr, in [-½, ½]. It averages R, G and B in [0, 1] of the
// nearest rows of luma, which colours gives. For each row of luma that belongs to this row of
// chroma it calls luma once, with R, G and B in s[1] to s[3].
func (c *Converter) meanChroma(s *rows, y int, colours func(r, g, b []float32, y int),
	luma func(s *rows, y int)) [2][]float32 {
	r, g, b := s[1], s[2], s[3]
	rows, weights, count := c.lumaTaps(y)
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
	r, g, b = c.downsampleRow(r), c.downsampleRow(g), c.downsampleRow(b)
	toB, toR := 1/(2*(1-c.kb)), 1/(2*(1-c.kr))
	kr, kb := c.kr, c.kb
	g, b = g[:len(r)], b[:len(r)]
	for x := range r {
		luma := g[x] + kr*(r[x]-g[x]) + kb*(b[x]-g[x])
		r[x], b[x] = (b[x]-luma)*toB, (r[x]-luma)*toR
	}
	return [2][]float32{r, b}
}
