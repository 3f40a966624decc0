package frame

import (
	"encoding/binary"
	"fmt"
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

// all gives all different formats.
func all() []Format {
	var fs []Format
	seen := map[Format]bool{}
	for k := range layouts {
		for _, bits := range []int{0, 8, 10, 12, 16} {
			for _, matrix := range []Matrix{BT601, BT709, BT2020} {
				for v := range 32 {
					f := Format{Kind: Kind(k), Bits: bits, HalfX: v&1 > 0, HalfY: v&2 > 0,
						CositedX: v&4 > 0, CositedY: v&8 > 0, Full: v&16 > 0, Matrix: matrix}
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

// spaced gives planes with gaps between pixels and rows, some from the last row to the first. All
// bytes are random.
func spaced(rnd *rand.Rand, f Format, w, h int) (ps Planes) {
	f = f.normal()
	for p := range f.PlaneCount() {
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

// where gives plane and offset of sample (x, y) of a component. It is written from the definitions
// of the formats, not from the table layouts.
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

// sampleOf reads a sample.
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

// componentCount is the number of components without alpha.
func componentCount(f Format) int {
	if f.Kind == Gray {
		return 1
	}
	return 3
}

// componentSize is the number of columns and rows of a component of a w×h frame.
func componentSize(f Format, component, w, h int) (columns, rows int) {
	if component > 0 && chromaOf(f) {
		return f.normal().chromaSize(w, h)
	}
	return w, h
}

// randomFrame gives spaced planes with random codes.
func randomFrame(rnd *rand.Rand, f Format, w, h int) Planes {
	ps := spaced(rnd, f, w, h)
	if isFloat(f) {
		for k := range 3 {
			for i := range w * h {
				plane, at := where(f, &ps, k, i%w, i/w)
				binary.LittleEndian.PutUint32(ps[plane].Data[at:],
					math.Float32bits(rnd.Float32()*2-1))
			}
		}
		return ps
	}
	for k := range componentCount(f) {
		columns, rows := componentSize(f, k, w, h)
		for i := range columns * rows {
			putSample(f, &ps, k, i%columns, i/columns, rnd.IntN(1<<f.Bits))
		}
	}
	return ps
}

// compareBytes gives a function that registers bytes that may change. Called with plane -1, it
// tells whether any other byte has changed.
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
