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
	g := &secondView{w: w, h: h, ctx: ctx, estimator: e, blocks: map[int][]float32{}}
	g.reader = tile.NewMirrorReader(w, h, 3, g.read)
	var down int
	g.blockW, g.blockH, g.perRow, down = e.Grid()
	g.lastReader = make([]int, g.perRow*down)
	return g
}

// planTiles says which tiles will be read, in this order.
func (g *secondView) planTiles(ts []tile.Tile) {
	g.next = 0
	clear(g.lastReader)
	for i, t := range ts {
		g.eachBlock(t.At, func(block int) { g.lastReader[block] = i })
	}
}

// eachBlock calls f for the blocks that a tile reads.
func (g *secondView) eachBlock(at tile.Rect, f func(block int)) {
	left, right := tile.MirrorRange(at.X, at.W, g.w)
	top, end := tile.MirrorRange(at.Y, at.H, g.h)
	for y := top / g.blockH; y*g.blockH < end; y++ {
		for x := left / g.blockW; x*g.blockW < right; x++ {
			f(y*g.perRow + x)
		}
	}
}

// prepareTile computes the blocks that the next tile reads and that are not in memory.
func (g *secondView) prepareTile(at tile.Rect) error {
	var missing []int
	var values [][]float32
	g.eachBlock(at, func(i int) {
		if g.blocks[i] == nil {
			r := g.area(i)
			g.blocks[i] = g.room()[:3*r.W*r.H]
			missing, values = append(missing, i), append(values, g.blocks[i])
		}
	})
	err := g.estimator.Blocks(g.ctx, missing, values)
	if err != nil {
		for k, i := range missing {
			delete(g.blocks, i)
			g.free = append(g.free, values[k])
		}
	}
	return err
}

// readTile reads the next tile, which is prepared, and drops the blocks that no later one reads.
func (g *secondView) readTile(at tile.Rect, dst []float32) {
	g.reader.Read(at, dst)
	g.next++
	for i, b := range g.blocks {
		if g.lastReader[i] < g.next {
			delete(g.blocks, i)
			g.free = append(g.free, b)
		}
	}
}

// room returns memory for a block.
func (g *secondView) room() []float32 {
	if n := len(g.free); n > 0 {
		b := g.free[n-1]
		g.free = g.free[:n-1]
		return b
	}
	return make([]float32, 3*min(g.blockW, g.w)*min(g.blockH, g.h))
}

// area is the rectangle of block i in the picture.
func (g *secondView) area(i int) tile.Rect {
	x, y, w, h := g.estimator.Area(i)
	return tile.Rect{X: x, Y: y, W: w, H: h}
}

// read copies a rectangle of the picture from its blocks.
func (g *secondView) read(dst []float32, r tile.Rect) {
	g.eachBlock(r, func(i int) {
		b := g.area(i)
		x0, y0 := max(r.X, b.X), max(r.Y, b.Y)
		n := min(r.X+r.W, b.X+b.W) - x0
		for c := range 3 {
			for y := y0; y < min(r.Bottom(), b.Bottom()); y++ {
				copy(dst[(c*r.H+y-r.Y)*r.W+x0-r.X:][:n], g.blocks[i][(c*b.H+y-b.Y)*b.W+x0-b.X:])
			}
		}
	})
}
