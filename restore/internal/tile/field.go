package tile

import "github.com/vfmrestore/restore/netdef/nets"

// Field is a tensor of flow space over a domain, as large as the picture: Domain.H/4 rows of
// Domain.W/4 sites of nets.FlowChannels float32 values, channels last.
type Field struct {
	Domain Rect
	Data   []float32
}

// NewField returns a field of zeros.
func NewField(dom Rect) *Field {
	return &Field{dom, make([]float32, dom.W/4*dom.H/4*nets.FlowChannels)}
}

// Site returns the values of the site that holds the pixel (x, y).
func (f *Field) Site(x, y int) []float32 {
	return f.Data[f.index(x, y):][:nets.FlowChannels]
}

func (f *Field) index(x, y int) int {
	return ((y-f.Domain.Y)/4*(f.Domain.W/4) + (x-f.Domain.X)/4) * nets.FlowChannels
}

// rows calls do for every row of sites of part, which lies in the field and in the tile at. field
// and tensor are where the row begins in the field and in the tile's tensor; n is its length.
func (f *Field) rows(at, part Rect, do func(field, tensor, n int)) {
	n := part.W / 4 * nets.FlowChannels
	for y := part.Y; y < part.Bottom(); y += 4 {
		tensor := ((y-at.Y)/4*(at.W/4) + (part.X-at.X)/4) * nets.FlowChannels
		do(f.index(part.X, y), tensor, n)
	}
}

// Read copies the part that a tile covers to the tile's tensor.
func (f *Field) Read(at Rect, dst []float32) {
	f.rows(at, at, func(field, tensor, n int) { copy(dst[tensor:tensor+n], f.Data[field:field+n]) })
}

// Write copies the own part of a tile's tensor to the field.
func (f *Field) Write(t Tile, src []float32) {
	f.rows(t.At, t.Own, func(field, tensor, n int) {
		copy(f.Data[field:field+n], src[tensor:tensor+n])
	})
}
