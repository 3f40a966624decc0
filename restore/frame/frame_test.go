package frame

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func newRand(t testing.TB) *rand.Rand {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// all are the formats that differ.
func all() []Format {
	var fs []Format
	seen := map[Format]bool{}
	for k := range layouts {
		for _, bits := range []int{0, 8, 10, 12, 16} {
			for _, matrix := range []Matrix{BT601, BT709, BT2020} {
				for v := range 32 {
					f := Format{Kind: Kind(k), Bits: bits, HalfX: v&1 > 0, HalfY: v&2 > 0, CoX: v&4 > 0, CoY: v&8 > 0, Full: v&16 > 0, Matrix: matrix}
					if f.Check() == nil && !seen[f.normal()] {
						seen[f.normal()] = true
						fs = append(fs, f)
					}
				}
			}
		}
	}
	return fs
}

var sizes = [][2]int{{1, 1}, {2, 3}, {3, 2}, {12, 6}, {13, 7}}

// spaced gives planes with gaps between pixels and rows, some from the last row to the first, in
// memory whose other bytes are random, and those bytes.
func spaced(rnd *rand.Rand, f Format, w, h int) (ps Planes) {
	f = f.normal()
	for p := range f.Count() {
		columns, rows := f.extent(p, w, h)
		s := &ps[p]
		if !f.layout().macro {
			s.Step = f.unit(p) + rnd.IntN(3)*f.word()
		} else {
			s.Step = f.unit(p)
		}
		row := (columns-1)*s.Step + f.unit(p)
		s.Stride = row + rnd.IntN(9)
		s.Offset = rnd.IntN(5)
		s.Data = make([]byte, s.Offset+(rows-1)*s.Stride+row+rnd.IntN(5))
		if rnd.IntN(2) == 0 {
			s.Offset += (rows - 1) * s.Stride
			s.Stride = -s.Stride
		}
		for i := range s.Data {
			s.Data[i] = byte(rnd.Uint32())
		}
	}
	return ps
}

// where gives the place of sample (x, y) of a component, by what the formats are said to be, apart
// from the converters' table; -1: there is none.
func where(f Format, ps *Planes, component, x, y int) (plane, at int) {
	b := 1 // bytes
	switch {
	case f.Kind == Float32 || f.Kind == FloatRGB:
		b = 4
	case f.Bits > 8 || f.Kind == P010:
		b = 2
	}
	pixel := func(plane, x, offset int) (int, int) {
		return plane, ps[plane].Offset + y*ps[plane].Stride + x*ps[plane].Step + offset
	}
	switch f.Kind {
	case RGB, RGBA:
		return pixel(0, x, component)
	case BGR, BGRA:
		return pixel(0, x, []int{2, 1, 0, 3}[component])
	case FloatRGB:
		return pixel(0, x, 4*component)
	case NV12, P010:
		return pixel(min(component, 1), x, b*max(component-1, 0))
	case NV21:
		return pixel(min(component, 1), x, []int{0, 1, 0}[component])
	case YUYV:
		if component == 0 {
			return pixel(0, x/2, x%2*2)
		}
		return pixel(0, x, 2*component-1)
	case UYVY:
		if component == 0 {
			return pixel(0, x/2, x%2*2+1)
		}
		return pixel(0, x, 2*component-2)
	case Planar, Gray, Float32:
		return pixel(component, x, 0)
	}
	panic(f.Kind)
}

// sampleOf reads a sample as a number.
func sampleOf(f Format, ps *Planes, component, x, y int) float64 {
	plane, at := where(f, ps, component, x, y)
	d := ps[plane].Data[at:]
	switch {
	case f.Kind == Float32 || f.Kind == FloatRGB:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(d)))
	case f.Kind == P010:
		return float64(binary.LittleEndian.Uint16(d) >> (16 - f.Bits))
	case f.Bits > 8:
		return float64(binary.LittleEndian.Uint16(d))
	}
	return float64(d[0])
}

func putSample(f Format, ps *Planes, component, x, y int, v int) {
	plane, at := where(f, ps, component, x, y)
	d := ps[plane].Data[at:]
	switch {
	case f.Kind == P010:
		binary.LittleEndian.PutUint16(d, uint16(v)<<(16-f.Bits))
	case f.Bits > 8:
		binary.LittleEndian.PutUint16(d, uint16(v))
	default:
		d[0] = byte(v)
	}
}

func isFloat(f Format) bool { return f.Kind == Float32 || f.Kind == FloatRGB }
func isRGB(f Format) bool {
	return f.Kind == RGB || f.Kind == RGBA || f.Kind == BGR || f.Kind == BGRA || isFloat(f)
}
func chromaOf(f Format) bool { return !isRGB(f) && f.Kind != Gray }

// coding holds the numbers of ITU-R BT.601, 709 and 2020 for a format.
type coding struct{ kr, kg, kb, yOff, yMul, cOff, cMul, low, high float64 }

func codingOf(f Format) (c coding) {
	c.kr, c.kb = 0.299, 0.114
	if chromaOf(f) {
		c.kr = map[Matrix]float64{BT601: 0.299, BT709: 0.2126, BT2020: 0.2627}[f.Matrix]
		c.kb = map[Matrix]float64{BT601: 0.114, BT709: 0.0722, BT2020: 0.0593}[f.Matrix]
	}
	c.kg = 1 - c.kr - c.kb
	unit, top := math.Pow(2, float64(f.Bits-8)), math.Pow(2, float64(f.Bits))-1
	c.cOff = 128 * unit
	if f.Full {
		c.yMul, c.cMul, c.high = top, top, 1
		return c
	}
	c.yOff, c.yMul, c.cMul = 16*unit, 219*unit, 224*unit
	c.low, c.high = -16*unit/c.yMul, (top-16*unit)/c.yMul
	return c
}

// sited gives the place of chroma sample j on luma's axis.
func sited(j int, half, co bool) float64 {
	switch {
	case !half:
		return float64(j)
	case co:
		return float64(2 * j)
	}
	return float64(2*j) + 0.5
}

// tent gives the weights of samples 0 … n−1 in the value between them at the place at, the ends
// continued.
func tent(n int, at float64, place func(j int) float64) map[int]float64 {
	ws := map[int]float64{}
	if at <= place(0) {
		ws[0] = 1
		return ws
	}
	if at >= place(n-1) {
		ws[n-1] = 1
		return ws
	}
	for j := range n - 1 {
		if a, b := place(j), place(j+1); at >= a && at <= b {
			ws[j] = (b - at) / (b - a)
			ws[j+1] = (at - a) / (b - a)
			return ws
		}
	}
	panic("no place")
}

// reference reads a pixel in float64.
func reference(f Format, ps *Planes, w, h, x, y int) (v [3]float64) {
	if isFloat(f) {
		for k := range v {
			v[k] = sampleOf(f, ps, k, x, y)
		}
		return v
	}
	if isRGB(f) {
		for k := range v {
			v[k] = sampleOf(f, ps, k, x, y)/127.5 - 1
		}
		return v
	}
	c := codingOf(f)
	luma := (sampleOf(f, ps, 0, x, y) - c.yOff) / c.yMul
	if f.Kind == Gray {
		return [3]float64{2*luma - 1, 2*luma - 1, 2*luma - 1}
	}
	cw, ch := w, h
	if f.HalfX {
		cw = (w + 1) / 2
	}
	if f.HalfY {
		ch = (h + 1) / 2
	}
	var chroma [2]float64
	for j, wy := range tent(ch, float64(y), func(j int) float64 { return sited(j, f.HalfY, f.CoY) }) {
		for i, wx := range tent(cw, float64(x), func(i int) float64 { return sited(i, f.HalfX, f.CoX) }) {
			for k := range chroma {
				chroma[k] += wx * wy * (sampleOf(f, ps, 1+k, i, j) - c.cOff) / c.cMul
			}
		}
	}
	r, b := luma+2*(1-c.kr)*chroma[1], luma+2*(1-c.kb)*chroma[0]
	return [3]float64{2*r - 1, 2*(luma-c.kr*r-c.kb*b)/c.kg - 1, 2*b - 1}
}

// randomFrame gives spaced planes whose samples are any codes.
func randomFrame(rnd *rand.Rand, f Format, w, h int) Planes {
	ps := spaced(rnd, f, w, h)
	if isFloat(f) {
		for k := range 3 {
			for i := range w * h {
				plane, at := where(f, &ps, k, i%w, i/w)
				binary.LittleEndian.PutUint32(ps[plane].Data[at:], math.Float32bits(rnd.Float32()*2-1))
			}
		}
		return ps
	}
	for k := range 3 {
		if k > 0 && f.Kind == Gray {
			break
		}
		columns, rows := w, h
		if k > 0 && chromaOf(f) {
			columns, rows = f.normal().chromaSize(w, h)
		}
		for i := range columns * rows {
			putSample(f, &ps, k, i%columns, i/columns, rnd.IntN(1<<f.Bits))
		}
	}
	return ps
}

// Read gives what the float64 reference gives, for every format, whatever lies between pixels and
// rows.
func TestReadAgainstReference(t *testing.T) {
	rnd := newRand(t)
	for _, f := range all() {
		f = f.normal()
		for _, size := range sizes {
			w, h := size[0], size[1]
			c, err := NewConverter(f, w, h)
			if err != nil {
				t.Fatal(err)
			}
			ps := randomFrame(rnd, f, w, h)
			pix := make([]float32, 3*w*h)
			for i := range pix {
				pix[i] = float32(math.NaN())
			}
			if err := c.Read(pix, ps); err != nil {
				t.Fatal(err)
			}
			for i := range w * h {
				want := reference(f, &ps, w, h, i%w, i/w)
				for k := range 3 {
					if got := pix[k*w*h+i]; !(math.Abs(float64(got)-want[k]) < 2e-6) {
						t.Fatalf("%+v %d×%d: component %d of pixel %d is %g, want %g", f, w, h, k, i, got, want[k])
					}
				}
			}
		}
	}
}

// clamp limits in float64 as Write does.
func clamp(v float32, c coding) float64 { return min(max((float64(v)+1)/2, c.low), c.high) }

// Write gives the codes that the float64 reference gives, but for ties, and leaves all other bytes
// alone.
func TestWriteAgainstReference(t *testing.T) {
	rnd := newRand(t)
	for _, f := range all() {
		f = f.normal()
		for _, size := range sizes {
			w, h := size[0], size[1]
			c, err := NewConverter(f, w, h)
			if err != nil {
				t.Fatal(err)
			}
			pix := make([]float32, 3*w*h)
			for i := range pix {
				pix[i] = 3 * (rnd.Float32() - 0.5) // also beyond [-1, 1]
			}
			ps := spaced(rnd, f, w, h)
			written := compareBytes(ps)
			if err := c.Write(ps, pix); err != nil {
				t.Fatal(err)
			}
			numbers := codingOf(f)
			luma := func(x, y int) (v, b, r float64) {
				i := y*w + x
				r, g, b := clamp(pix[i], numbers), clamp(pix[w*h+i], numbers), clamp(pix[2*w*h+i], numbers)
				return numbers.kr*r + numbers.kg*g + numbers.kb*b, b, r
			}
			want := func(k, x, y int) float64 {
				switch {
				case isFloat(f):
					return float64(pix[(k*h+y)*w+x])
				case isRGB(f):
					return 255 * min(max((float64(pix[(k*h+y)*w+x])+1)/2, 0), 1)
				case k == 0:
					v, _, _ := luma(x, y)
					return v*numbers.yMul + numbers.yOff
				}
				sum, total := 0.0, 0.0
				for v := range h {
					for u := range w {
						// The weight of a pixel is how near it is to the sample: 1 at it, 0 at a
						// distance of 2 pixels where it sits on one, else both neighbours alike.
						weight := near(x, u, w, f.HalfX, f.CoX) * near(y, v, h, f.HalfY, f.CoY)
						l, b, r := luma(u, v)
						d := (b - l) / (2 * (1 - numbers.kb))
						if k == 2 {
							d = (r - l) / (2 * (1 - numbers.kr))
						}
						sum, total = sum+weight*d, total+weight
					}
				}
				return sum/total*numbers.cMul + numbers.cOff
			}
			for k := range 3 {
				if k > 0 && f.Kind == Gray {
					break
				}
				columns, rows := w, h
				if k > 0 && chromaOf(f) {
					columns, rows = f.chromaSize(w, h)
				}
				for i := range columns * rows {
					got := sampleOf(f, &ps, k, i%columns, i/columns)
					should := want(k, i%columns, i/columns)
					near := 0.5 + 0.03 // 16 bits in float32 arithmetic
					if isFloat(f) {
						near = 1e-9
					} else {
						should = min(max(should, 0), math.Pow(2, float64(f.Bits))-1)
						if f.Bits < 16 {
							near = 0.502
						}
					}
					if !(math.Abs(got-should) <= near) {
						t.Fatalf("%+v %d×%d: component %d, sample %d is %g, want %g", f, w, h, k, i, got, should)
					}
					plane, at := where(f, &ps, k, i%columns, i/columns)
					written(plane, at, f.word())
				}
			}
			if at, ok := written(-1, 0, 0); !ok {
				t.Fatalf("%+v %d×%d: %s between samples was changed", f, w, h, at)
			}
		}
	}
}

// near is the weight of luma's position u in chroma's sample j: halves of the two around it, or of
// the three around it the middle one twice, the picture's ends continued.
func near(j, u, n int, half, co bool) float64 {
	if !half {
		if u == j {
			return 1
		}
		return 0
	}
	weight := 0.0
	at := map[int]float64{2 * j: 0.5, 2*j + 1: 0.5}
	if co {
		at = map[int]float64{2*j - 1: 0.25, 2 * j: 0.5, 2*j + 1: 0.25}
	}
	for p, w := range at {
		if min(max(p, 0), n-1) == u {
			weight += w
		}
	}
	return weight
}

// compareBytes gives a function that takes the bytes that may change, and for plane -1 tells
// whether any other has.
func compareBytes(ps Planes) func(plane, at, n int) (string, bool) {
	var was [3][]byte
	var free [3][]bool
	for i := range ps {
		was[i] = append([]byte(nil), ps[i].Data...)
		free[i] = make([]bool, len(was[i]))
	}
	return func(plane, at, n int) (string, bool) {
		for i := range n {
			free[plane][at+i] = true
		}
		for p := range was {
			for i, v := range was[p] {
				if plane < 0 && !free[p][i] && ps[p].Data[i] != v {
					return fmt.Sprintf("byte %d of plane %d", i, p), false
				}
			}
		}
		return "", true
	}
}

// A frame that nobody changed comes back to the bit, whatever its codes, in every arrangement, more
// bits and full range from limited included; and no conversion allocates.
func TestUnchangedFrame(t *testing.T) {
	rnd := newRand(t)
	pairs := 0
	for _, f := range all() {
		f = f.normal()
		if isFloat(f) {
			continue
		}
		for _, out := range []Format{f, {Kind: YUYV}, {Kind: UYVY}, {Kind: NV12}, {Kind: NV21}, {Kind: P010}, {Kind: Planar}, {Kind: Planar, Bits: 16}} {
			if !isRGB(f) && out != f {
				bits := out.Bits
				kind := out.Kind
				out = f
				out.Kind, out.Bits = kind, bits
				if out.Bits == 0 {
					out.Bits = f.Bits
				}
				out = out.normal()
				if out.Check() != nil || out.Bits < f.Bits || !Changes(f, out) {
					continue
				}
			} else if out != f {
				continue
			}
			pairs++
			for _, size := range sizes {
				w, h := size[0], size[1]
				from, _ := NewConverter(f, w, h)
				to, err := NewConverter(out, w, h)
				if err != nil {
					t.Fatal(err)
				}
				src, dst := randomFrame(rnd, f, w, h), spaced(rnd, out, w, h)
				pix, codes := make([]float32, 3*w*h), make([]uint16, from.Codes())
				once := func() {
					if err := from.Read(pix, src); err != nil {
						t.Fatal(err)
					}
					if isRGB(f) {
						if err := to.Write(dst, pix); err != nil {
							t.Fatal(err)
						}
						return
					}
					if err := from.ReadCodes(codes, src); err != nil {
						t.Fatal(err)
					}
					if err := to.Change(dst, from, codes, pix, pix); err != nil {
						t.Fatal(err)
					}
				}
				once()
				for k := range 3 {
					if k > 0 && f.Kind == Gray {
						break
					}
					columns, rows := w, h
					if k > 0 && chromaOf(f) {
						columns, rows = f.chromaSize(w, h)
					}
					for i := range columns * rows {
						got, want := sampleOf(out, &dst, k, i%columns, i/columns), sampleOf(f, &src, k, i%columns, i/columns)
						apart := 0.0
						if !f.Full || f.Bits == out.Bits { // codes of more bits are multiples
							want *= math.Pow(2, float64(out.Bits-f.Bits))
						} else if k == 0 {
							want *= (math.Pow(2, float64(out.Bits)) - 1) / (math.Pow(2, float64(f.Bits)) - 1)
							apart = 0.53
						} else {
							continue
						}
						if !(math.Abs(got-want) <= apart) {
							t.Fatalf("%+v to %+v, %d×%d: component %d, sample %d is %g, was %g", f, out, w, h, k, i, got, want)
						}
					}
				}
				if n := testing.AllocsPerRun(2, once); n != 0 {
					t.Fatalf("%+v: %g allocations per frame", f, n)
				}
			}
		}
	}
	if pairs < 150 {
		t.Errorf("only %d pairs of formats", pairs)
	}
}

// What changed in a frame reaches its codes as the reference has it: the change's own luma and
// averaged chroma are added to the codes, and nothing else is.
func TestChangeAgainstReference(t *testing.T) {
	rnd := newRand(t)
	for _, f := range all() {
		f = f.normal()
		if !chromaOf(f) && f.Kind != Gray || f.Bits == 12 {
			continue
		}
		const w, h = 11, 7
		c, err := NewConverter(f, w, h)
		if err != nil {
			t.Fatal(err)
		}
		src, dst := randomFrame(rnd, f, w, h), spaced(rnd, f, w, h)
		before, codes := make([]float32, 3*w*h), make([]uint16, c.Codes())
		if err := c.Read(before, src); err != nil {
			t.Fatal(err)
		}
		if err := c.ReadCodes(codes, src); err != nil {
			t.Fatal(err)
		}
		after := append([]float32(nil), before...)
		for i := range after {
			if rnd.IntN(2) == 0 {
				after[i] += 0.4 * (rnd.Float32() - 0.5)
			}
		}
		if err := c.Change(dst, c, codes, before, after); err != nil {
			t.Fatal(err)
		}
		numbers := codingOf(f)
		change := func(x, y int) (luma, b, r float64) {
			var d [3]float64
			for k := range d {
				was, is := (float64(before[(k*h+y)*w+x])+1)/2, (float64(after[(k*h+y)*w+x])+1)/2
				d[k] = min(max(is, min(numbers.low, was)), max(numbers.high, was)) - was
			}
			return numbers.kr*d[0] + numbers.kg*d[1] + numbers.kb*d[2], d[2], d[0]
		}
		for k := range 3 {
			if k > 0 && f.Kind == Gray {
				break
			}
			columns, rows := w, h
			if k > 0 {
				columns, rows = f.chromaSize(w, h)
			}
			for i := range columns * rows {
				x, y := i%columns, i/columns
				d, _, _ := change(x, y)
				mul := numbers.yMul
				if k > 0 {
					mul, d = numbers.cMul, 0
					for v := range h {
						for u := range w {
							weight := near(x, u, w, f.HalfX, f.CoX) * near(y, v, h, f.HalfY, f.CoY)
							l, b, r := change(u, v)
							if k == 1 {
								d += weight * (b - l) / (2 * (1 - numbers.kb))
							} else {
								d += weight * (r - l) / (2 * (1 - numbers.kr))
							}
						}
					}
				}
				want := sampleOf(f, &src, k, x, y) + mul*d
				want = min(max(want, 0), math.Pow(2, float64(f.Bits))-1)
				if got := sampleOf(f, &dst, k, x, y); !(math.Abs(got-want) < 0.53) {
					t.Fatalf("%+v: component %d, sample %d is %g, want %g", f, k, i, got, want)
				}
			}
		}
	}
}

// Y′CbCr of full range by BT.601 is JPEG's, for which the standard library has its own arithmetic.
func TestAgainstStandardLibrary(t *testing.T) {
	const w, h = 9, 7
	rng := newRand(t)
	c, err := NewConverter(Format{Kind: Planar, Full: true}, w, h)
	if err != nil {
		t.Fatal(err)
	}
	m := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio444)
	data := make([]byte, c.Bytes())
	for i := range data {
		data[i] = uint8(rng.IntN(256))
	}
	copy(m.Y, data)
	copy(m.Cb, data[w*h:])
	copy(m.Cr, data[2*w*h:])
	pix := make([]float32, 3*w*h)
	c.ToRGB(pix, data)
	for i := range w * h {
		r, g, b := color.YCbCrToRGB(m.Y[i], m.Cb[i], m.Cr[i])
		for k, want := range []uint8{r, g, b} {
			if got := limited(pix[k*w*h+i], 0, 1) * 255; math.Abs(float64(got)-float64(want)) > 1.1 {
				t.Errorf("pixel %d channel %d is %.2f, want %d", i, k, got, want)
			}
		}
	}
}

// Known codes: limited range puts black at 16 and white at 235, four times that with 10 bits, and grey has no colour.
func TestKnownCodes(t *testing.T) {
	for _, x := range []struct {
		f     Format
		v     float32
		bytes []byte
	}{
		{I420(BT709), -1, []byte{16, 128, 128}}, {I420(BT709), 1, []byte{235, 128, 128}},
		{Format{Kind: Planar, Bits: 10}, 1, []byte{940 & 255, 940 >> 8, 0, 2, 0, 2}}, {Format{Kind: Planar, Bits: 10, Full: true}, 1, []byte{255, 3, 0, 2, 0, 2}},
		{Format{Kind: Gray, Bits: 8}, 0, []byte{126}}, {Format{Kind: NV12}, float32(math.NaN()), []byte{16, 128, 128}},
		{Format{Kind: Planar, Bits: 16, Full: true}, 7, []byte{255, 255, 0, 128, 0, 128}},
		{Format{Kind: P010}, 1, []byte{940 << 6 & 255, 940 >> 2, 0, 128, 0, 128}}, {Format{Kind: BGRA}, 1, []byte{255, 255, 255, 9}},
		{Format{Kind: YUYV}, 1, []byte{235, 128, 9, 128}}, {Format{Kind: UYVY}, -1, []byte{128, 16, 128, 9}},
	} {
		c, err := NewConverter(x.f, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		data := make([]byte, c.Bytes())
		for i := range data {
			data[i] = 9 // what stays is no pixel's
		}
		c.FromRGB(data, []float32{x.v, x.v, x.v})
		if fmt.Sprint(data) != fmt.Sprint(x.bytes) {
			t.Errorf("%+v of %g is %v, want %v", x.f, x.v, data, x.bytes)
		}
	}
}

// Planes of Android's cameras: NV12 through three pointers, chroma's with a step of 2 bytes.
func TestPixelStride(t *testing.T) {
	const w, h = 7, 5
	rnd := newRand(t)
	nv12, planar := Format{Kind: NV12, CoX: true, Matrix: BT709}, I420(BT709)
	a, _ := NewConverter(nv12, w, h)
	b, _ := NewConverter(planar, w, h)
	data := make([]byte, a.Bytes())
	for i := range data {
		data[i] = byte(rnd.Uint32())
	}
	want, got := make([]float32, 3*w*h), make([]float32, 3*w*h)
	a.ToRGB(want, data)
	chroma := data[w*h:]
	if err := b.Read(got, Planes{{Data: data}, {Data: chroma, Stride: 8, Step: 2}, {Data: chroma[1:], Stride: 8, Step: 2}}); err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("value %d is %g, want %g", i, got[i], want[i])
		}
	}
}

// Whatever planes are given, they are refused or hold a frame: nothing outside them is touched.
func TestAnyPlanes(t *testing.T) {
	rnd := newRand(t)
	formats := all()
	numbers := []int{0, 0, 0, 1, -1, 2, 3, 4, 7, 12, 16, -12, -16, 40, 1 << 16, 1 << 31, -1 << 31, math.MaxInt, math.MinInt, math.MaxInt / 3}
	taken := 0
	for range 60000 {
		f := formats[rnd.IntN(len(formats))]
		w, h := 1+rnd.IntN(5), 1+rnd.IntN(4)
		c, err := NewConverter(f, w, h)
		if err != nil {
			t.Fatal(err)
		}
		var ps Planes
		var all [3][]byte
		for i := range ps {
			all[i] = make([]byte, 8+rnd.IntN(260)+8)
			data := all[i][8 : len(all[i])-8 : len(all[i])-8]
			ps[i] = Plane{Data: data, Stride: numbers[rnd.IntN(len(numbers))], Step: numbers[rnd.IntN(len(numbers))], Offset: numbers[rnd.IntN(len(numbers))]}
			if rnd.IntN(3) > 0 {
				ps[i].Offset = rnd.IntN(len(data) + 1)
			}
			if rnd.IntN(2) > 0 {
				ps[i].Step = 0
			}
		}
		pix := make([]float32, 3*w*h)
		if c.Check(ps) != nil {
			if c.Read(pix, ps) == nil || c.Write(ps, pix) == nil {
				t.Fatalf("%+v: used after it was refused: %+v", f, ps)
			}
			continue
		}
		taken++
		if err := c.Read(pix, ps); err != nil {
			t.Fatal(err)
		}
		for i := range pix {
			pix[i] = 0.9
		}
		if err := c.Write(ps, pix); err != nil {
			t.Fatal(err)
		}
		for i := range all {
			for k := range 8 {
				if all[i][k] != 0 || all[i][len(all[i])-1-k] != 0 {
					t.Fatalf("%+v: written outside of plane %d: %+v", f, i, ps[i])
				}
			}
		}
	}
	if taken < 1000 {
		t.Errorf("only %d frames lie in their planes", taken)
	}
}

// Span is what settle asks for: a byte less is refused.
func TestSpan(t *testing.T) {
	rnd := newRand(t)
	for _, f := range all() {
		for _, size := range sizes {
			ps := spaced(rnd, f, size[0], size[1])
			c, _ := NewConverter(f, size[0], size[1])
			for p := range f.Count() {
				bytes, before := f.Span(p, size[0], size[1], ps[p].Stride, ps[p].Step)
				good := ps
				good[p].Data, good[p].Offset = make([]byte, bytes), before
				if err := c.Check(good); err != nil {
					t.Fatal(err)
				}
				good[p].Data = good[p].Data[1:]
				if c.Check(good) == nil {
					t.Fatalf("%+v %v: a byte less than %d will do", f, size, bytes)
				}
			}
		}
	}
}

// A chroma ramp comes back as it was inside, wherever the samples sit: siting and interpolation agree.
func TestSiting(t *testing.T) {
	const w, h = 16, 16
	for _, f := range all() {
		if f.Kind != Planar || !f.HalfX || f.Bits != 16 {
			continue
		}
		c, err := NewConverter(f, w, h)
		if err != nil {
			t.Fatal(err)
		}
		pix := make([]float32, 3*w*h)
		for i := range pix {
			pix[i] = float32(i/w%h)/40 + float32(i%w)/50 - 0.3
			if i >= w*h {
				pix[i] = -pix[i]
			}
		}
		data, back := make([]byte, c.Bytes()), make([]float32, len(pix))
		c.FromRGB(data, pix)
		c.ToRGB(back, data)
		for i := range pix {
			y, x := i/w%h, i%w
			if x < 2 || x > w-3 || y < 2 || y > h-3 {
				continue
			}
			if d := math.Abs(float64(back[i] - pix[i])); d > 1e-3 {
				t.Fatalf("%+v: (%d,%d) is %g, was %g", f, x, y, back[i], pix[i])
			}
		}
	}
}

// Luma of all codes survives Write in every format of Y′CbCr and grey; Gamut bounds what Read
// gives.
func TestReachAndGamut(t *testing.T) {
	rnd := newRand(t)
	for _, f := range all() {
		low, high := f.Reach()
		f = f.normal()
		if limited := !f.Full; limited != (low < -1.1 && high > 1.1) || !limited && (low != -1 || high != 1) {
			t.Errorf("%+v reaches from %g to %g", f, low, high)
		}
		if isRGB(f) {
			continue
		}
		const w, h = 32, 8
		c, err := NewConverter(f, w, h)
		if err != nil {
			t.Fatal(err)
		}
		src, dst := randomFrame(rnd, f, w, h), spaced(rnd, f, w, h)
		for i := range w * h {
			putSample(f, &src, 0, i%w, i/w, i<<(f.Bits-8))
		}
		if chromaOf(f) {
			columns, rows := f.chromaSize(w, h)
			for i := range columns * rows {
				putSample(f, &src, 1, i%columns, i/columns, 128<<(f.Bits-8))
				putSample(f, &src, 2, i%columns, i/columns, 128<<(f.Bits-8))
			}
		}
		pix := make([]float32, 3*w*h)
		if err := c.Read(pix, src); err != nil {
			t.Fatal(err)
		}
		if err := c.Write(dst, pix); err != nil {
			t.Fatal(err)
		}
		for i := range w * h {
			if got, want := sampleOf(f, &dst, 0, i%w, i/w), sampleOf(f, &src, 0, i%w, i/w); math.Abs(got-want) > 1 {
				t.Fatalf("%+v: luma %g became %g", f, want, got)
			}
		}
		low, high = f.Gamut()
		for range 4 {
			frame := randomFrame(rnd, f, w, h)
			for i := range w * h { // also the corners
				putSample(f, &frame, 0, i%w, i/w, (1<<f.Bits-1)*rnd.IntN(2))
			}
			for k := 1; k < 3 && chromaOf(f); k++ {
				columns, rows := f.chromaSize(w, h)
				for i := range columns * rows {
					putSample(f, &frame, k, i%columns, i/columns, (1<<f.Bits-1)*rnd.IntN(2))
				}
			}
			if err := c.Read(pix, frame); err != nil {
				t.Fatal(err)
			}
			for i, v := range pix {
				if !(v >= low-1e-5 && v <= high+1e-5) {
					t.Fatalf("%+v: value %d is %g, outside %g to %g", f, i, v, low, high)
				}
			}
		}
	}
}

// Alpha goes from any format that has it to any other.
func TestAlpha(t *testing.T) {
	rnd := newRand(t)
	const w, h = 5, 3
	values := make([]byte, w*h)
	for _, k := range []Kind{RGBA, BGRA, RGB} {
		c, _ := NewConverter(Format{Kind: k}, w, h)
		src := spaced(rnd, Format{Kind: k}, w, h)
		if err := c.ReadAlpha(values, src); err != nil {
			t.Fatal(err)
		}
		for _, o := range []Kind{BGRA, RGBA, NV12} {
			to, _ := NewConverter(Format{Kind: o}, 2*w, 2*h)
			dst := spaced(rnd, Format{Kind: o}, 2*w, 2*h)
			same := compareBytes(dst)
			if err := to.WriteAlpha(dst, values, 2); err != nil {
				t.Fatal(err)
			}
			for i := range 4 * w * h {
				x, y := i%(2*w), i/(2*w)
				if o == NV12 {
					break
				}
				want := byte(255)
				if k != RGB {
					plane, at := where(Format{Kind: k}, &src, 3, x/2, y/2)
					want = src[plane].Data[at]
				}
				plane, at := where(Format{Kind: o}, &dst, 3, x, y)
				if same(plane, at, 1); dst[plane].Data[at] != want {
					t.Fatalf("%v to %v: alpha of pixel %d is %d, want %d", k, o, i, dst[plane].Data[at], want)
				}
			}
			if at, ok := same(-1, 0, 0); !ok {
				t.Errorf("%v to %v: %s was changed", k, o, at)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	for _, f := range []Format{{Kind: 99}, {Kind: Planar, Bits: 7}, {Kind: Gray, Bits: -9}, {Kind: Gray, Bits: 17}, {Kind: P010, Bits: 8}, {Kind: Planar, HalfY: true}, {Matrix: 3}} {
		if _, err := NewConverter(f, 4, 4); err == nil {
			t.Errorf("%+v accepted", f)
		}
		_, _ = f.Size(4, 4), f.HasAlpha() // do not panic
		f.Gamut()
	}
	for _, n := range []int{0, -1, 1<<16 + 1} {
		if _, err := NewConverter(Format{}, n, 1); err == nil {
			t.Errorf("side %d accepted", n)
		}
	}
	c, err := NewConverter(Format{Kind: RGB}, 4, 3)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 36)
	for _, p := range []Plane{
		{}, {Data: data[:35]}, {Data: data, Stride: 11}, {Data: data, Stride: 13}, {Data: data, Step: 2}, {Data: data, Offset: -1}, {Data: data, Offset: 1}, {Data: data, Offset: 37},
		{Data: data, Stride: -12}, {Data: data, Stride: -12, Offset: 25}, {Data: data, Stride: math.MaxInt}, {Data: data, Stride: math.MinInt}, {Data: data, Step: math.MaxInt}, {Data: data, Step: -3},
	} {
		if c.Check(Planes{p}) == nil {
			t.Errorf("%d bytes, offset %d, stride %d, step %d accepted", len(p.Data), p.Offset, p.Stride, p.Step)
		}
		if c.Read(make([]float32, 36), Planes{p}) == nil || c.Write(Planes{p}, make([]float32, 36)) == nil {
			t.Error("used")
		}
	}
	for _, p := range []Plane{{Data: data}, {Data: data, Stride: 12, Step: 3}, {Data: data, Stride: -12, Offset: 24}} {
		if err := c.Check(Planes{p}); err != nil {
			t.Error(err)
		}
	}
}

func BenchmarkNV12(b *testing.B) {
	const w, h = 1920, 1080
	c, _ := NewConverter(Format{Kind: NV12, CoX: true, Matrix: BT709}, w, h)
	data, pix, other, codes := make([]byte, c.Bytes()), make([]float32, 3*w*h), make([]float32, 3*w*h), make([]uint16, c.Codes())
	for i := range other {
		other[i] = float32(i%100)/200 - 0.2
	}
	src := c.Format().Tight(data, w, h)
	b.Run("read", func(b *testing.B) {
		for range b.N {
			_ = c.Read(pix, src)
			_ = c.ReadCodes(codes, src)
		}
	})
	b.Run("change", func(b *testing.B) {
		for range b.N {
			_ = c.Change(src, c, codes, pix, other)
		}
	})
	b.Run("write", func(b *testing.B) {
		for range b.N {
			_ = c.Write(src, pix)
		}
	})
}
