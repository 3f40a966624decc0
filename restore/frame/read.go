package frame

// Read fills pix, 3·w·h values in planes R, G, B, from a frame. Y′CbCr outside of RGB gives values
// outside [-1, 1]. It fails if the frame does not fit into the planes.
func (c *Converter) Read(pix []float32, src Planes) error {
	c.check(pix)
	if err := c.resolve(&src); err != nil {
		return err
	}
	c.call.planes, c.call.pix = src, pix
	c.run(c.h, c.reading)
	return nil
}

// colours gives row y of the three planes of pix.
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

// chromaTaps gives the two chroma samples, of n along an axis, nearest to position i of luma, and
// the share of the second in the interpolated value. half: chroma has half the resolution; cosited:
// its samples are at even positions.
func chromaTaps(i, n int, half, cosited bool) (a, b int, share float32) {
	switch {
	case !half:
		return i, i, 0
	case cosited: // even positions are samples, odd ones are in the middle of two
		a = i / 2
		b, share = a, 0
		if i%2 == 1 {
			b, share = min(a+1, n-1), 0.5
		}
		return a, b, share
	case i%2 == 0: // sample j is at 2j+½
		return max(i/2-1, 0), i / 2, 0.75
	}
	return i / 2, min(i/2+1, n-1), 0.25
}

// upsampleRow interpolates a row of chroma to luma's columns, with the weights of chromaTaps.
func (c *Converter) upsampleRow(dst, src []float32) {
	if !c.f.HalfX {
		copy(dst, src)
		return
	}
	last := len(src) - 1
	for j, v := range src {
		before, after := src[max(j-1, 0)], src[min(j+1, last)]
		even, odd := v, v+(after-v)/2
		if !c.f.CositedX {
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
	ya, yb, share := chromaTaps(y, c.ch, c.f.HalfY, c.f.CositedY)
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
		c.upsampleRow(wide[k], row)
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
