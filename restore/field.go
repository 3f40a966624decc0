package restore

import (
	"math"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/planar"
)

// sites is a tensor of flow space over a domain: dom.h/4 rows of dom.w/4 sites of 48 channels.
type sites struct {
	dom  rect
	data []float32
}

func newSites(dom rect) *sites {
	return &sites{dom, make([]float32, dom.w*dom.h/16*nets.FlowChannels)}
}

// rows calls f with the ranges in the field and in a tile's tensor that hold the same sites, for the rows of part, which lies in
// the field and in the tile.
func (s *sites) rows(at, part rect, f func(field, tensor, n int)) {
	n := part.w / 4 * nets.FlowChannels
	for y := part.y; y < part.y+part.h; y += 4 {
		field := ((y-s.dom.y)/4*(s.dom.w/4) + (part.x-s.dom.x)/4) * nets.FlowChannels
		tensor := ((y-at.y)/4*(at.w/4) + (part.x-at.x)/4) * nets.FlowChannels
		f(field, tensor, n)
	}
}

// read copies what lies in a tile to its tensor.
func (s *sites) read(at rect, dst []float32) {
	s.rows(at, at, func(field, tensor, n int) { copy(dst[tensor:tensor+n], s.data[field:field+n]) })
}

// write copies the own part of a tile's tensor to the field.
func (s *sites) write(t tile, src []float32) {
	s.rows(t.at, t.own, func(field, tensor, n int) { copy(s.data[field:field+n], src[tensor:tensor+n]) })
}

// planes is a picture of any number of planes, one after the other.
type planes struct {
	w, h int
	data []float32
}

// read copies a tile that may reach beyond the picture, which is continued by reflection.
func (p planes) read(at rect, dst []float32) {
	xs := make([]int, at.w)
	for i := range xs {
		xs[i] = planar.Mirror(at.x+i, p.w)
	}
	// Columns from..to lie in the picture and are copied in one go.
	from := min(max(-at.x, 0), at.w)
	to := max(min(p.w-at.x, at.w), from)
	for c := range len(p.data) / (p.w * p.h) {
		plane := p.data[c*p.w*p.h:]
		for y := range at.h {
			row := plane[planar.Mirror(at.y+y, p.h)*p.w:][:p.w]
			out := dst[(c*at.h+y)*at.w:][:at.w]
			if from < to {
				copy(out[from:to], row[at.x+from:at.x+to])
			}
			for i := range from {
				out[i] = row[xs[i]]
			}
			for i := to; i < at.w; i++ {
				out[i] = row[xs[i]]
			}
		}
	}
}

// write copies what of a tile's own part lies in the picture.
func (p planes) write(t tile, src []float32) {
	x0, y0 := max(t.own.x, 0), max(t.own.y, 0)
	x1, y1 := min(t.own.x+t.own.w, p.w), min(t.own.y+t.own.h, p.h)
	if x0 >= x1 {
		return
	}
	for c := range len(p.data) / (p.w * p.h) {
		for y := y0; y < y1; y++ {
			from := (c*t.at.h+y-t.at.y)*t.at.w + x0 - t.at.x
			copy(p.data[(c*p.h+y)*p.w+x0:(c*p.h+y)*p.w+x1], src[from:])
		}
	}
}

// firstBad returns the index of the first value that is not a finite number, or -1.
func firstBad(v []float32) int {
	for i, x := range v {
		if math.Float32bits(x)&0x7f800000 == 0x7f800000 {
			return i
		}
	}
	return -1
}
