package restore

import (
	"context"

	"github.com/vfmrestore/restore/restore/internal/tile"
)

// secondView is the adapter's second view of motion blur: the estimate of package motionblur. It is
// computed block by block when tiles need a block, and a block is dropped after the last tile that
// reads it. So for large pictures little more than a row of blocks is in memory.
type secondView struct {
	reader         *tile.MirrorReader
	w, h           int
	ctx            context.Context
	estimator      *deviceEstimator
	blockW, blockH int
	perRow         int // blocks in a row of blocks
	blocks         map[int][]float32
	free           [][]float32 // memory of dropped blocks
	lastReader     []int       // for each block, the last tile that reads it
	next           int         // the next tile
}

func newSecondView(ctx context.Context, e *deviceEstimator, w, h int) *secondView {
	v := &secondView{w: w, h: h, ctx: ctx, estimator: e, blocks: map[int][]float32{}}
	v.reader = tile.NewMirrorReader(w, h, 3, v.read)
	var down int
	v.blockW, v.blockH, v.perRow, down = e.Grid()
	v.lastReader = make([]int, v.perRow*down)
	return v
}

// planTiles says which tiles will be read, in this order.
func (v *secondView) planTiles(ts []tile.Tile) {
	v.next = 0
	clear(v.lastReader)
	for i, t := range ts {
		v.eachBlock(t.At, func(block int) { v.lastReader[block] = i })
	}
}

// eachBlock calls f for the blocks that a tile reads.
func (v *secondView) eachBlock(at tile.Rect, f func(block int)) {
	left, right := tile.MirrorRange(at.X, at.W, v.w)
	top, end := tile.MirrorRange(at.Y, at.H, v.h)
	for y := top / v.blockH; y*v.blockH < end; y++ {
		for x := left / v.blockW; x*v.blockW < right; x++ {
			f(y*v.perRow + x)
		}
	}
}

// prepareTile computes the blocks that the next tile reads and that are not in memory.
func (v *secondView) prepareTile(at tile.Rect) error {
	var missing []int
	var values [][]float32
	v.eachBlock(at, func(i int) {
		if v.blocks[i] == nil {
			r := v.area(i)
			v.blocks[i] = v.room()[:3*r.W*r.H]
			missing, values = append(missing, i), append(values, v.blocks[i])
		}
	})
	err := v.estimator.Blocks(v.ctx, missing, values)
	if err != nil {
		for k, i := range missing {
			delete(v.blocks, i)
			v.free = append(v.free, values[k])
		}
	}
	return err
}

// readTile reads the next tile, which is prepared, and drops the blocks that no later one reads.
func (v *secondView) readTile(at tile.Rect, dst []float32) {
	v.reader.Read(at, dst)
	v.next++
	for i, b := range v.blocks {
		if v.lastReader[i] < v.next {
			delete(v.blocks, i)
			v.free = append(v.free, b)
		}
	}
}

// room returns memory for a block.
func (v *secondView) room() []float32 {
	if n := len(v.free); n > 0 {
		b := v.free[n-1]
		v.free = v.free[:n-1]
		return b
	}
	return make([]float32, 3*min(v.blockW, v.w)*min(v.blockH, v.h))
}

// area is the rectangle of block i in the picture.
func (v *secondView) area(i int) tile.Rect {
	x, y, w, h := v.estimator.Area(i)
	return tile.Rect{X: x, Y: y, W: w, H: h}
}

// read copies a rectangle of the picture from its blocks.
func (v *secondView) read(dst []float32, r tile.Rect) {
	v.eachBlock(r, func(i int) {
		b := v.area(i)
		x0, y0 := max(r.X, b.X), max(r.Y, b.Y)
		n := min(r.X+r.W, b.X+b.W) - x0
		for c := range 3 {
			for y := y0; y < min(r.Bottom(), b.Bottom()); y++ {
				copy(dst[(c*r.H+y-r.Y)*r.W+x0-r.X:][:n], v.blocks[i][(c*b.H+y-b.Y)*b.W+x0-b.X:])
			}
		}
	})
}
