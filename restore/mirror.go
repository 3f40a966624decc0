package restore

import (
	"context"
	"slices"

	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/planar"
)

// mirrored gives tiles of a picture, which may reach beyond it: it is continued by reflection. The picture itself is asked for rectangles that lie in it,
// some rows of a tile at a time and from several goroutines, so that whoever makes them on the way needs little memory and all cores work.
type mirrored struct {
	w, h, count int
	piece       func(dst []float32, r rect) // writes count planes of a rectangle
	team        *team.Team
	scratch     [][]float32 // one per worker
	strip       func(worker, i int)

	at          rect // the tile at hand
	dst         []float32
	xs          []int // where its columns come from,
	left, width int   // of the picture's columns from left on,
	from, to    int   // and which of its columns lie in the picture
}

// stripRows is how many rows of a tile are made at a time.
const stripRows = 64

func newMirrored(w, h, count int, piece func(dst []float32, r rect)) *mirrored {
	t := team.New(0)
	m := &mirrored{w: w, h: h, count: count, piece: piece, team: t, scratch: make([][]float32, t.Workers())}
	m.strip = m.rows
	return m
}

// read fills a tile. It is for one goroutine at a time.
func (m *mirrored) read(at rect, dst []float32) {
	m.at, m.dst = at, dst
	m.xs = m.xs[:0]
	for x := range at.w {
		m.xs = append(m.xs, planar.Mirror(at.x+x, m.w))
	}
	m.left = slices.Min(m.xs)
	m.width = slices.Max(m.xs) + 1 - m.left
	m.from = min(max(-at.x, 0), at.w)
	m.to = max(min(m.w-at.x, at.w), m.from)
	_ = m.team.Each(context.Background(), (at.h+stripRows-1)/stripRows, m.strip)
	m.dst = nil
}

// rows makes strip i.
func (m *mirrored) rows(worker, i int) {
	y0 := i * stripRows
	n := min(stripRows, m.at.h-y0)
	top, end := extent(m.at.y+y0, n, m.h)
	size := m.count * m.width * (end - top)
	if cap(m.scratch[worker]) < size {
		m.scratch[worker] = make([]float32, size)
	}
	src := m.scratch[worker][:size]
	m.piece(src, rect{m.left, top, m.width, end - top})
	for c := range m.count {
		for y := y0; y < y0+n; y++ {
			row := src[(c*(end-top)+planar.Mirror(m.at.y+y, m.h)-top)*m.width:][:m.width]
			out := m.dst[(c*m.at.h+y)*m.at.w:][:m.at.w]
			if m.from < m.to {
				copy(out[m.from:m.to], row[m.at.x+m.from-m.left:])
			}
			for x := range m.from {
				out[x] = row[m.xs[x]-m.left]
			}
			for x := m.to; x < m.at.w; x++ {
				out[x] = row[m.xs[x]-m.left]
			}
		}
	}
}

// extent returns the range low ≤ i < end of the values of an axis that are read when the n positions
// from first on are reflected into the axis, which has size values.
func extent(first, n, size int) (low, end int) {
	if first >= 0 && first+n <= size {
		return first, first + n
	}
	low, end = size, 0
	for i := first; i < first+n; i++ {
		v := planar.Mirror(i, size)
		low, end = min(low, v), max(end, v+1)
	}
	return low, end
}
