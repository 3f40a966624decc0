package restore

import (
	"math"

	"github.com/vfmrestore/restore/netdef/nets"
	"github.com/vfmrestore/restore/restore/picture"
)

// sites is a tensor of flow space over a domain: dom.h/4 rows of dom.w/4 sites of 48 channels.
type sites struct {
	dom  rect
	data []float32
}

func newSites(dom rect) *sites {
	return &sites{dom, make([]float32, dom.w/4*dom.h/4*nets.FlowChannels)}
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

// planes is a picture of any number of planes, one after the other: floats, or three planes of levels.
type planes struct {
	w, h   int
	data   []float32
	levels *picture.Levels
}

func (p planes) count() int {
	if p.levels != nil {
		return 3
	}
	return len(p.data) / (p.w * p.h)
}

// row reads values of a row of a plane, from column x on: a task.Source.
func (p planes) row(dst []float32, c, y, x int) {
	at := (c*p.h+y)*p.w + x
	if p.levels != nil {
		p.levels.Read(dst, at)
	} else {
		copy(dst, p.data[at:])
	}
}

// write copies what of a tile's own part lies in the picture.
func (p planes) write(t tile, src []float32) {
	x0, y0 := max(t.own.x, 0), max(t.own.y, 0)
	x1, y1 := min(t.own.x+t.own.w, p.w), min(t.own.y+t.own.h, p.h)
	if x0 >= x1 {
		return
	}
	for c := range p.count() {
		for y := y0; y < y1; y++ {
			from := (c*t.at.h+y-t.at.y)*t.at.w + x0 - t.at.x
			to := (c*p.h+y)*p.w + x0
			if p.levels != nil {
				p.levels.Write(to, src[from:from+x1-x0])
			} else {
				copy(p.data[to:to+x1-x0], src[from:])
			}
		}
	}
}

// take copies value i from planes of the same size and kind.
func (p planes) take(from planes, i int) {
	if p.levels != nil {
		p.levels.Copy(from.levels, i)
	} else {
		p.data[i] = from.data[i]
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
