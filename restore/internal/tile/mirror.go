package tile

import (
	"context"
	"slices"

	"github.com/vfmrestore/restore/internal/team"
	"github.com/vfmrestore/restore/restore/planar"
)

// MirrorReader reads tiles of a picture that is continued by reflection; tiles may reach beyond the
// picture. It asks a function for rectangles that lie in the picture, some rows of a tile at a time
// and from several goroutines. So a function that computes them needs little memory and uses all
// cores.
type MirrorReader struct {
	w, h    int
	planes  int
	piece   func(dst []float32, r Rect)
	team    *team.Team
	scratch [][]float32 // one per worker
	strip   func(worker, i int)

	// The tile that is being read.
	at  Rect
	dst []float32
	// Column x of the tile shows column columns[x] of the picture. All of these lie in the width
	// columns from left on. The tile's columns from ≤ x < to lie in the picture.
	columns     []int
	left, width int
	from, to    int
}

// stripRows is the number of rows of a tile that are read at a time.
const stripRows = 64

// NewMirrorReader makes a reader for a picture of w×h pixels. piece writes all planes of a
// rectangle that lies in the picture to dst; several goroutines call it at once.
func NewMirrorReader(w, h, planes int, piece func(dst []float32, r Rect)) *MirrorReader {
	t := team.New(0)
	m := &MirrorReader{
		w: w, h: h, planes: planes, piece: piece, team: t,
		scratch: make([][]float32, t.Workers()),
	}
	m.strip = m.readStrip
	return m
}

// Read writes the planes of a tile to dst. Only one goroutine may call it at a time.
func (m *MirrorReader) Read(at Rect, dst []float32) {
	m.at, m.dst = at, dst
	m.columns = m.columns[:0]
	for x := range at.W {
		m.columns = append(m.columns, planar.Mirror(at.X+x, m.w))
	}
	m.left = slices.Min(m.columns)
	m.width = slices.Max(m.columns) + 1 - m.left
	m.from = min(max(-at.X, 0), at.W)
	m.to = max(min(m.w-at.X, at.W), m.from)
	_ = m.team.Each(context.Background(), (at.H+stripRows-1)/stripRows, m.strip)
	m.dst = nil
}

// readStrip reads strip i of the tile.
func (m *MirrorReader) readStrip(worker, i int) {
	y0 := i * stripRows
	n := min(stripRows, m.at.H-y0)
	top, end := MirrorRange(m.at.Y+y0, n, m.h)
	size := m.planes * m.width * (end - top)
	if cap(m.scratch[worker]) < size {
		m.scratch[worker] = make([]float32, size)
	}
	src := m.scratch[worker][:size]
	m.piece(src, Rect{m.left, top, m.width, end - top})
	for c := range m.planes {
		for y := y0; y < y0+n; y++ {
			row := src[(c*(end-top)+planar.Mirror(m.at.Y+y, m.h)-top)*m.width:][:m.width]
			out := m.dst[(c*m.at.H+y)*m.at.W:][:m.at.W]
			if m.from < m.to {
				copy(out[m.from:m.to], row[m.at.X+m.from-m.left:])
			}
			for x := range m.from {
				out[x] = row[m.columns[x]-m.left]
			}
			for x := m.to; x < m.at.W; x++ {
				out[x] = row[m.columns[x]-m.left]
			}
		}
	}
}

// ReuseScratch makes the reader work in the memory of an earlier reader, and keeps its own in *kept
// for a later one. Only one of these readers may be in use at a time.
func (m *MirrorReader) ReuseScratch(kept *[][]float32) {
	if len(*kept) == len(m.scratch) {
		m.scratch = *kept
	} else {
		*kept = m.scratch
	}
}

// MirrorRange returns the range low ≤ i < end of the values of an axis that are read when the n
// positions from first on are reflected into the axis, which has size values.
func MirrorRange(first, n, size int) (low, end int) {
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
