package restore

import (
	"context"

	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/restore/internal/tile"
	"github.com/vfmrestore/restore/restore/motionblur"
)

// guess is the adapter's second view of motion blur: the estimate of package motionblur, which is made block by block as tiles ask for it and forgotten when no later tile does,
// so that of large pictures little more than a row of blocks is in memory.
type secondView struct {
	reader         *tile.MirrorReader
	w, h           int
	ctx            context.Context
	estimator      *deviceEstimator
	blockW, blockH int // sides of a block,
	perRow         int // of which so many lie in a row
	blocks         map[int][]float32
	free           [][]float32
	lastReader     []int // the last tile that reads each block
	next           int   // tile
}

func newSecondView(ctx context.Context, e *deviceEstimator, w, h int) *secondView {
	g := &secondView{w: w, h: h, ctx: ctx, estimator: e, blocks: map[int][]float32{}}
	g.reader = tile.NewMirrorReader(w, h, 3, g.read)
	var down int
	g.blockW, g.blockH, g.perRow, down = e.Grid()
	g.lastReader = make([]int, g.perRow*down)
	return g
}

// plan tells which tiles will be read, in this order.
func (g *secondView) planTiles(ts []tile.Tile) {
	g.next = 0
	clear(g.lastReader)
	for i, t := range ts {
		g.eachBlock(t.At, func(block int) { g.lastReader[block] = i })
	}
}

// each calls f for the blocks that a tile reads.
func (g *secondView) eachBlock(at tile.Rect, f func(block int)) {
	left, right := tile.MirrorRange(at.X, at.W, g.w)
	top, end := tile.MirrorRange(at.Y, at.H, g.h)
	for y := top / g.blockH; y*g.blockH < end; y++ {
		for x := left / g.blockW; x*g.blockW < right; x++ {
			f(y*g.perRow + x)
		}
	}
}

// prepare makes the blocks that the next tile reads and that are not there yet.
func (g *secondView) prepareTile(at tile.Rect) error {
	var which []int
	var room [][]float32
	g.eachBlock(at, func(i int) {
		if g.blocks[i] == nil {
			r := g.area(i)
			g.blocks[i] = g.room()[:3*r.W*r.H]
			which, room = append(which, i), append(room, g.blocks[i])
		}
	})
	err := g.estimator.Blocks(g.ctx, which, room)
	if err != nil {
		for k, i := range which { // not made
			delete(g.blocks, i)
			g.free = append(g.free, room[k])
		}
	}
	return err
}

// fill reads the next tile, which is prepared, and forgets the blocks that no later one reads.
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

// take gives memory for a block.
func (g *secondView) room() []float32 {
	if n := len(g.free); n > 0 {
		b := g.free[n-1]
		g.free = g.free[:n-1]
		return b
	}
	return make([]float32, 3*min(g.blockW, g.w)*min(g.blockH, g.h))
}

// area is where block i lies in the picture.
func (g *secondView) area(i int) tile.Rect {
	x, y, w, h := g.estimator.Area(i)
	return tile.Rect{x, y, w, h}
}

// copy puts a rectangle of the picture together from blocks.
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

// blurRunner runs motionblur's programs on a Model's device, without allocating once they are there.
type motionBlurRunner struct {
	m       *Model
	session *engine.Session // of whoever has the Estimator
	recipes map[motionblur.Program]engine.Recipe
	work    engine.Work
	in      []motionblur.Input
	out     [][]float32
}

// estimator is an Estimator that computes on the device.
type deviceEstimator struct {
	*motionblur.Estimator
	runner *motionBlurRunner
}

func (m *Model) newDeviceEstimator() *deviceEstimator {
	s := &motionBlurRunner{m: m, recipes: map[motionblur.Program]engine.Recipe{}}
	s.work = engine.Work{Count: 1, Fill: s.fill, Take: s.take}
	return &deviceEstimator{motionblur.NewDeviceEstimator(s.run), s}
}

func (s *motionBlurRunner) run(ctx context.Context, p motionblur.Program, in []motionblur.Input, out [][]float32) error {
	r := s.recipes[p]
	if r == nil {
		r = recipe{m: s.m, kind: programMotionBlur, network: s.m.generalNetwork(), blurred: p}
		s.recipes[p] = r
	}
	s.work.Recipe, s.in, s.out = r, in, out
	return s.m.engine.Run(ctx, s.session, &s.work)
}

func (s *motionBlurRunner) fill(_ int, in *engine.Slot) error {
	for _, x := range s.in {
		if to := in.Input(x.Name); to != nil {
			copy(to, x.Values)
		} else {
			in.Set(x.Name, x.Values)
		}
	}
	return nil
}

func (s *motionBlurRunner) take(_ int, out *engine.Slot) error {
	for i, to := range s.out {
		copy(to, out.Output(i))
	}
	return nil
}
