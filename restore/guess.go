package restore

import (
	"context"
	"fmt"

	"github.com/vfmrestore/restore/internal/engine"
	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/restore/task"
)

// guess is the adapter's second view of motion blur: the estimate of package motionblur, which is made block by block as tiles ask for it and forgotten when no later tile does,
// so that of large pictures little more than a row of blocks is in memory.
type guess struct {
	*mirrored
	ctx    context.Context
	e      *estimator
	bw, bh int // sides of a block,
	across int // of which so many lie in a row
	blocks map[int][]float32
	free   [][]float32
	last   []int // the last tile that reads each block
	next   int   // tile
}

func newGuess(ctx context.Context, e *estimator, w, h int) *guess {
	g := &guess{ctx: ctx, e: e, blocks: map[int][]float32{}}
	g.mirrored = newMirrored(w, h, 3, g.copy)
	var down int
	g.bw, g.bh, g.across, down = e.Grid()
	g.last = make([]int, g.across*down)
	return g
}

// plan tells which tiles will be read, in this order.
func (g *guess) plan(ts []tile) {
	g.next = 0
	clear(g.last)
	for i, t := range ts {
		g.each(t.at, func(block int) { g.last[block] = i })
	}
}

// each calls f for the blocks that a tile reads.
func (g *guess) each(at rect, f func(block int)) {
	left, right := extent(at.x, at.w, g.w)
	top, end := extent(at.y, at.h, g.h)
	for y := top / g.bh; y*g.bh < end; y++ {
		for x := left / g.bw; x*g.bw < right; x++ {
			f(y*g.across + x)
		}
	}
}

// prepare makes the blocks that the next tile reads and that are not there yet.
func (g *guess) prepare(at rect) error {
	var which []int
	var room [][]float32
	g.each(at, func(i int) {
		if g.blocks[i] == nil {
			r := g.area(i)
			g.blocks[i] = g.take()[:3*r.w*r.h]
			which, room = append(which, i), append(room, g.blocks[i])
		}
	})
	err := g.e.Blocks(g.ctx, which, room)
	if err != nil {
		for k, i := range which { // not made
			delete(g.blocks, i)
			g.free = append(g.free, room[k])
		}
	}
	return err
}

// fill reads the next tile, which is prepared, and forgets the blocks that no later one reads.
func (g *guess) fill(at rect, dst []float32) {
	g.read(at, dst)
	g.next++
	for i, b := range g.blocks {
		if g.last[i] < g.next {
			delete(g.blocks, i)
			g.free = append(g.free, b)
		}
	}
}

// take gives memory for a block.
func (g *guess) take() []float32 {
	if n := len(g.free); n > 0 {
		b := g.free[n-1]
		g.free = g.free[:n-1]
		return b
	}
	return make([]float32, 3*min(g.bw, g.w)*min(g.bh, g.h))
}

// area is where block i lies in the picture.
func (g *guess) area(i int) rect {
	x, y, w, h := g.e.Area(i)
	return rect{x, y, w, h}
}

// copy puts a rectangle of the picture together from blocks.
func (g *guess) copy(dst []float32, r rect) {
	g.each(r, func(i int) {
		b := g.area(i)
		x0, y0 := max(r.x, b.x), max(r.y, b.y)
		n := min(r.x+r.w, b.x+b.w) - x0
		for c := range 3 {
			for y := y0; y < min(bottom(r), bottom(b)); y++ {
				copy(dst[(c*r.h+y-r.y)*r.w+x0-r.x:][:n], g.blocks[i][(c*b.h+y-b.y)*b.w+x0-b.x:])
			}
		}
	})
}

// blurRunner runs motionblur's programs on a Model's device, without allocating once they are there.
type blurRunner struct {
	m       *Model
	session *engine.Session // of whoever has the Estimator
	recipes map[motionblur.Program]engine.Recipe
	work    engine.Work
	in      []motionblur.Input
	out     [][]float32
}

// estimator is an Estimator that computes on the device.
type estimator struct {
	*motionblur.Estimator
	runner *blurRunner
}

// newEstimator fails if the program was built without the network that reads blur kernels.
func (m *Model) newEstimator() (*estimator, error) {
	if _, err := m.kernels(); err != nil {
		return nil, fmt.Errorf("%v reads the blur by a network of its own: %w", task.MotionDeblur, err)
	}
	s := &blurRunner{m: m, recipes: map[motionblur.Program]engine.Recipe{}}
	s.work = engine.Work{Count: 1, Fill: s.fill, Take: s.take}
	return &estimator{motionblur.NewDeviceEstimator(s.run), s}, nil
}

func (s *blurRunner) run(ctx context.Context, p motionblur.Program, in []motionblur.Input, out [][]float32) error {
	r := s.recipes[p]
	if r == nil {
		r = recipe{m: s.m, kind: kindMotionBlur, of: s.m.general(), blurred: p}
		s.recipes[p] = r
	}
	s.work.Recipe, s.in, s.out = r, in, out
	return s.m.engine.Run(ctx, s.session, &s.work)
}

func (s *blurRunner) fill(_ int, in *engine.Slot) error {
	for _, x := range s.in {
		if to := in.Input(x.Name); to != nil {
			copy(to, x.Values)
		} else {
			in.Set(x.Name, x.Values)
		}
	}
	return nil
}

func (s *blurRunner) take(_ int, out *engine.Slot) error {
	for i, to := range s.out {
		copy(to, out.Output(i))
	}
	return nil
}
