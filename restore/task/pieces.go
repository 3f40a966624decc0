package task

import (
	"context"
	"sync"

	"github.com/vfmrestore/restore/internal/team"
)

// Source reads a picture in pieces of rows: it fills dst with the values of plane c in row y, from
// column x on.
type Source func(dst []float32, c, y, x int)

// Pieces computes View one rectangle at a time, with the same bits, for pictures that are too large
// to hold them or their views in memory as floats. It is safe for concurrent use if its Source is.
type Pieces struct {
	w, h    int // of the view
	src     Source
	fill    *filler   // inpainting
	across  *filter   // super-resolution
	down    *filter   //
	scratch sync.Pool // of *memory; without it the garbage would be as large as the memory that pieces save
}

// NewPieces returns the Pieces of an observation of w×h pixels. Inpainting needs missing; other
// tasks ignore it. Errors as of View.
func NewPieces(t Task, w, h int, missing []bool, src Source) (*Pieces, error) {
	p := &Pieces{w: w, h: h, src: src}
	p.scratch.New = func() any { return &memory{} }
	d := t.Descriptor()
	switch {
	case w < 1 || h < 1:
		return nil, &SizeError{What: "picture", W: w, H: h}
	case !t.Valid():
		return nil, &UnknownTaskError{Name: t.String()}
	case d.masked() && d.checkMask(len(missing), w, h) != nil:
		return nil, d.checkMask(len(missing), w, h)
	case d.View == ViewFilled:
		p.fill = newFiller(w, h, missing, src)
	case d.View == ViewEnlarged:
		p.across, p.down = upFilter(w), upFilter(h)
		p.w, p.h = p.across.m, p.down.m
	}
	return p, nil
}

// Size returns width and height of the view.
func (p *Pieces) Size() (w, h int) { return p.w, p.h }

// Read writes three planes of w×h values to dst: the rectangle of the view at (x, y), which must
// lie in it.
func (p *Pieces) Read(dst []float32, x, y, w, h int) {
	m := p.scratch.Get().(*memory)
	defer p.scratch.Put(m)
	m.used = 0
	r := area{x, y, w, h}
	switch {
	case p.fill != nil:
		p.fill.view(m, dst, r)
	case p.across != nil:
		p.enlarge(m, dst, r)
	default:
		read(p.src, dst, r)
	}
}

// area is a rectangle of pixels.
type area struct{ x, y, w, h int }

// read fills three planes of an area.
func read(src Source, dst []float32, r area) {
	for c := range 3 {
		for y := range r.h {
			src(dst[(c*r.h+y)*r.w:][:r.w], c, r.y+y, r.x)
		}
	}
}

// needs returns the area in of the input that two filters, one along rows and one along columns,
// read to compute the area r of their output. It also returns the filters from in to r.
func needs(across, down *filter, r area) (in area, a, d *filter) {
	a, x := across.part(r.x, r.x+r.w)
	d, y := down.part(r.y, r.y+r.h)
	return area{x, y, a.n, d.n}, a, d
}

func (p *Pieces) enlarge(m *memory, dst []float32, r area) {
	in, across, down := needs(p.across, p.down, r)
	low := m.floats(3 * in.w * in.h)
	read(p.src, low, in)
	for c := range 3 {
		resample(m, across, down, dst[c*r.w*r.h:(c+1)*r.w*r.h], low[c*in.w*in.h:])
	}
}

// resample applies one filter along rows and one along columns to a plane, as resampler does.
func resample(m *memory, across, down *filter, dst, src []float32) {
	defer m.back(m.used)
	between := m.floats(down.n * across.m)
	someRows(across, between, src, 0, down.n)
	someColumns(down, dst, between, m.sums(across.m), 0, down.m)
}

// memory is a stack of scratch values.
type memory struct {
	v    []float32
	used int
	acc  []float64
}

// floats takes n values from the stack. They are not initialised. Slices taken before stay valid.
func (m *memory) floats(n int) []float32 {
	if m.used+n > len(m.v) {
		m.v = make([]float32, max(m.used+n, 2*len(m.v)))
	}
	m.used += n
	return m.v[m.used-n : m.used : m.used]
}

// back releases everything taken since used was to.
func (m *memory) back(to int) { m.used = to }

func (m *memory) sums(n int) []float64 {
	if len(m.acc) < n {
		m.acc = make([]float64, n)
	}
	return m.acc[:n]
}

// pieceLevels is the number of push-pull's finest levels that are computed again for each piece.
// All coarser levels together hold about a 16th of the picture's pixels.
const pieceLevels = 2

// filler is push-pull in pieces, for masks of known and missing pixels. It holds one level, filled,
// and computes the finer ones for each piece.
type filler struct {
	levels  []fillLevel // those computed for each piece, the picture itself first
	w, h    int         // of the level held
	held    []float32   // three planes
	missing []bool
	width   int // of the picture
	src     Source
}

// fillLevel holds the filters between a level and the next.
type fillLevel struct{ poolX, poolY, spreadX, spreadY *filter }

func newFiller(w, h int, missing []bool, src Source) *filler {
	f := &filler{w: w, h: h, missing: missing, width: w, src: src}
	for range min(pieceLevels, PullLevels(w, h)) {
		f.levels = append(f.levels, fillLevel{poolFilter(f.w), poolFilter(f.h), spreadFilter(f.w), spreadFilter(f.h)})
		f.w, f.h = (f.w+1)/2, (f.h+1)/2
	}
	n := f.w * f.h
	weight := make([]float32, n)
	f.held = make([]float32, 3*n)
	t := team.New(0)
	const rows = 8 // of the level held, computed at a time
	scratch := make([]memory, t.Workers())
	_ = t.Each(context.Background(), (f.h+rows-1)/rows, func(worker, i int) {
		m := &scratch[worker]
		m.used = 0
		r := area{0, i * rows, f.w, min(rows, f.h-i*rows)}
		size := r.w * r.h
		x := m.floats(3 * size)
		at := r.y * r.w
		f.pull(m, len(f.levels), r, x, weight[at:at+size])
		for c := range 3 {
			copy(f.held[c*n+at:], x[c*size:(c+1)*size])
		}
	})
	newPyramid(t, weight, f.w, f.h).fill(f.held)
	return f
}

// view fills an area of the picture.
func (f *filler) view(m *memory, dst []float32, r area) {
	w := m.floats(r.w * r.h)
	f.pull(m, 0, r, dst, w)
	f.push(m, 0, r, dst, w)
}

// pull computes an area of a level from the picture, on the way to coarser levels: three planes and
// their weights.
func (f *filler) pull(m *memory, level int, r area, x, weight []float32) {
	if level == 0 {
		read(f.src, x, r)
		for y := range r.h {
			for i, missing := range f.missing[(r.y+y)*f.width+r.x:][:r.w] {
				weight[y*r.w+i] = 1
				if missing {
					weight[y*r.w+i] = 0
				}
			}
		}
		return
	}
	defer m.back(m.used)
	l := f.levels[level-1]
	in, across, down := needs(l.poolX, l.poolY, r)
	n, k := in.w*in.h, r.w*r.h
	fine, w := m.floats(3*n), m.floats(n)
	f.pull(m, level-1, in, fine, w)
	share := m.floats(k)
	resample(m, across, down, weight, w)
	trust(share, weight)
	for c := range 3 {
		p := fine[c*n : (c+1)*n]
		weigh(p, p, w)
		resample(m, across, down, x[c*k:(c+1)*k], p)
		average(x[c*k:(c+1)*k], share)
	}
}

// push turns the area of a level that pull computed into that of the filled level.
func (f *filler) push(m *memory, level int, r area, x, weight []float32) {
	defer m.back(m.used)
	if level == len(f.levels) {
		for c := range 3 {
			for y := range r.h {
				copy(x[(c*r.h+y)*r.w:][:r.w], f.held[(c*f.h+r.y+y)*f.w+r.x:])
			}
		}
		return
	}
	l := f.levels[level]
	in, across, down := needs(l.spreadX, l.spreadY, r)
	n, k := in.w*in.h, r.w*r.h
	coarse, w := m.floats(3*n), m.floats(n)
	if level+1 < len(f.levels) { // the level held needs nothing else
		f.pull(m, level+1, in, coarse, w)
	}
	f.push(m, level+1, in, coarse, w)
	above := m.floats(k)
	for c := range 3 {
		resample(m, across, down, above, coarse[c*n:(c+1)*n])
		blend(x[c*k:(c+1)*k], above, weight)
	}
}
