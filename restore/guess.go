package restore

import (
	"context"
	"time"

	"github.com/vfmrestore/restore/restore/motionblur"
)

// guess is the adapter's second view of motion blur: the estimate of package motionblur, which is made block by block as tiles ask for it and forgotten when no later tile does,
// so that of large pictures little more than a row of blocks is in memory.
type guess struct {
	*mirrored
	ctx    context.Context
	e      *motionblur.Estimator
	bw, bh int // sides of a block,
	across int // of which so many lie in a row
	blocks map[int][]float32
	free   [][]float32
	last   []int // the last tile that reads each block
	next   int   // tile
}

func newGuess(ctx context.Context, e *motionblur.Estimator, w, h int) *guess {
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

// fill reads the next tile.
func (g *guess) fill(at rect, dst []float32) error {
	var which []int
	var room [][]float32
	g.each(at, func(i int) {
		if g.blocks[i] == nil {
			r := g.area(i)
			g.blocks[i] = g.take()[:3*r.w*r.h]
			which, room = append(which, i), append(room, g.blocks[i])
		}
	})
	if err := g.e.Blocks(g.ctx, which, room); err != nil {
		for k, i := range which { // not made
			delete(g.blocks, i)
			g.free = append(g.free, room[k])
		}
		return err
	}
	g.read(at, dst)
	g.next++
	for i, b := range g.blocks {
		if g.last[i] < g.next {
			delete(g.blocks, i)
			g.free = append(g.free, b)
		}
	}
	return nil
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
	m    *Model
	p    motionblur.Program
	in   []motionblur.Input
	out  [][]float32
	turn func() error // compute, made a value once
}

// newEstimator makes an Estimator that computes on the device.
func (m *Model) newEstimator() *motionblur.Estimator {
	s := &blurRunner{m: m}
	s.turn = s.compute
	return motionblur.NewDeviceEstimator(s.run)
}

func (s *blurRunner) run(ctx context.Context, p motionblur.Program, in []motionblur.Input, out [][]float32) error {
	s.p, s.in, s.out = p, in, out
	return s.m.onDevice(ctx, s.turn)
}

// compute runs the program; the caller has the turn.
func (s *blurRunner) compute() error {
	p, err := s.m.program(recipe{kind: kindMotionBlur, of: s.m.general(), blurred: s.p})
	if err != nil {
		return err
	}
	began := time.Now()
	err = motionblur.Run(p, s.in, s.out)
	end := time.Now()
	s.m.rest.note(end, end.Sub(began))
	return err
}
