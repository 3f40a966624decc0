package tile

import "github.com/vfmrestore/restore/restore/picture"

// Planes is a picture of any number of planes of W×H values, one plane after the other: floats in
// Data or, if Levels is not nil, three planes of levels of 8 or 16 bits.
type Planes struct {
	W, H   int
	Data   []float32
	Levels *picture.Levels
}

// PlanesOf returns the three colour planes of a picture. It shares their memory.
func PlanesOf(p *picture.Picture) Planes {
	return Planes{W: p.W, H: p.H, Data: p.Pix, Levels: p.Levels}
}

func (p Planes) count() int {
	if p.Levels != nil {
		return 3
	}
	return len(p.Data) / (p.W * p.H)
}

// Row reads len(dst) values of row y of plane c, from column x on. It is a task.Source.
func (p Planes) Row(dst []float32, c, y, x int) {
	at := (c*p.H+y)*p.W + x
	if p.Levels != nil {
		p.Levels.Read(dst, at)
	} else {
		copy(dst, p.Data[at:])
	}
}

// Read copies a rectangle, which lies in the picture, of the first three planes to dst.
func (p Planes) Read(dst []float32, r Rect) {
	for c := range 3 {
		for y := range r.H {
			p.Row(dst[(c*r.H+y)*r.W:][:r.W], c, r.Y+y, r.X)
		}
	}
}

// Put writes values from index i on.
func (p Planes) Put(i int, values []float32) {
	if p.Levels != nil {
		p.Levels.Write(i, values)
	} else {
		copy(p.Data[i:], values)
	}
}

// Write copies the own part of a tile's planes, as far as it lies in the picture.
func (p Planes) Write(t Tile, src []float32) {
	own := Inside(t.Own, p.W, p.H)
	if own.W <= 0 {
		return
	}
	for c := range p.count() {
		for y := own.Y; y < own.Bottom(); y++ {
			from := (c*t.At.H+y-t.At.Y)*t.At.W + own.X - t.At.X
			p.Put((c*p.H+y)*p.W+own.X, src[from:][:own.W])
		}
	}
}

// Inside returns the part of a rectangle that lies in a picture of w×h pixels. Its sides are 0 or
// negative if there is none.
func Inside(r Rect, w, h int) Rect {
	x, y := max(r.X, 0), max(r.Y, 0)
	return Rect{x, y, min(r.Right(), w) - x, min(r.Bottom(), h) - y}
}

// CopyValue copies value i from planes that have the same size and also have, or do not have,
// levels.
func (p Planes) CopyValue(from Planes, i int) {
	if p.Levels != nil {
		p.Levels.Copy(from.Levels, i)
	} else {
		p.Data[i] = from.Data[i]
	}
}
