package temporal

import (
	"context"
	"math"

	"github.com/vfmrestore/restore/internal/team"
)

const (
	side         = 8  // of a block with one vector, in pixels
	border       = 2  // pixels around a block that are compared too
	pad          = 24 // pixels around a plane, which repeat its edge
	levels       = 4  // of the pyramid; each has half the size of the one before
	searchRadius = 4  // in the coarsest picture, in pixels
)

// Costs of a vector, as shares of the cost of the residual noise: for moving at all, and for moving
// differently from the block on the left. So where there is only noise, nothing moves, and blocks
// move together.
const (
	residual = 0.2 // share of the noise that is left in restored frames
	moveCost = 0.15
	turnCost = 0.15
)

// vector is the displacement of a block to its position in the previous frame, in pixels.
type vector struct{ x, y float32 }

// grey is the brightness of a frame, with pad pixels around it.
type grey struct {
	w, h   int
	stride int
	pix    []float32
}

func (g *grey) fit(w, h int) {
	g.w, g.h, g.stride = w, h, w+2*pad
	g.pix = make([]float32, g.stride*(h+2*pad))
}

// at is the index of a pixel.
func (g *grey) at(x, y int) int { return (y+pad)*g.stride + x + pad }

// extend fills the border by repeating the outermost pixels.
func (g *grey) extend() {
	for y := range g.h {
		row := g.pix[g.at(-pad, y):][:g.stride]
		for x := range pad {
			row[x], row[pad+g.w+x] = row[pad], row[pad+g.w-1]
		}
	}
	top, bottom := g.pix[g.at(-pad, 0):][:g.stride], g.pix[g.at(-pad, g.h-1):][:g.stride]
	for y := range pad {
		copy(g.pix[y*g.stride:][:g.stride], top)
		copy(g.pix[(pad+g.h+y)*g.stride:][:g.stride], bottom)
	}
}

// matcher finds the vectors of a frame's blocks.
type matcher struct {
	now, before [levels]grey
	used        int              // number of levels that are large enough
	found       [levels][]vector // per block
	level       int
	noise       float32
	job         func(worker, i int)
}

// across and down are the numbers of blocks of a level.
func (m *matcher) across(level int) int { return (m.now[level].w + side - 1) / side }
func (m *matcher) down(level int) int   { return (m.now[level].h + side - 1) / side }

func (m *matcher) fit(w, h int) {
	m.used = 0
	for l := range levels {
		if l > 0 && min(w, h) < 2*side {
			break
		}
		m.now[l].fit(w, h)
		m.before[l].fit(w, h)
		m.used++
		m.found[l] = make([]vector, m.across(l)*m.down(l))
		w, h = w/2, h/2
	}
	m.job = m.row
}

// load makes the pyramid of a frame.
func (m *matcher) load(frame []float32) {
	g := &m.now[0]
	n := g.w * g.h
	for y := range g.h {
		to := g.pix[g.at(0, y):][:g.w]
		red, green, blue := frame[y*g.w:][:g.w], frame[n+y*g.w:][:g.w], frame[2*n+y*g.w:][:g.w]
		for x := range to {
			to[x] = (red[x] + green[x] + blue[x]) * (1. / 3)
		}
	}
	g.extend()
	for l := 1; l < m.used; l++ {
		from, to := &m.now[l-1], &m.now[l]
		for y := range to.h {
			a, b := from.pix[from.at(0, 2*y):][:2*to.w], from.pix[from.at(0, 2*y+1):][:2*to.w]
			row := to.pix[to.at(0, y):][:to.w]
			for x := range row {
				row[x] = (a[2*x] + a[2*x+1] + b[2*x] + b[2*x+1]) / 4
			}
		}
		to.extend()
	}
}

// swap makes the averaged frame the previous one for the next frame.
func (m *matcher) swap(averaged []float32) {
	m.load(averaged)
	m.now, m.before = m.before, m.now
}

// search finds the vectors of all blocks, from the coarsest picture to the finest.
func (m *matcher) search(ctx context.Context, t *team.Team, noise float32) error {
	m.noise = noise
	for m.level = m.used - 1; m.level >= 0; m.level-- {
		if err := t.Each(ctx, m.down(m.level), m.job); err != nil {
			return err
		}
	}
	return nil
}

// row finds the vectors of a row of blocks. A block depends on the one to its left, but rows do not
// depend on each other, so the result is the same for any number of workers.
func (m *matcher) row(_, by int) {
	l := m.level
	across := m.across(l)
	s := blockSearch{m: m, now: &m.now[l], before: &m.before[l]}
	for bx := range across {
		s.start(bx*side, by*side)
		if bx > 0 {
			s.left, s.hasLeft = whole(m.found[l][by*across+bx-1]), true
		}
		s.try(0, 0)
		if s.hasLeft {
			s.try(s.left[0], s.left[1])
		}
		span := 1
		if l == m.used-1 {
			span = searchRadius
		} else {
			m.tryCoarser(&s, bx, by)
		}
		// In the coarsest picture the search is exhaustive; else it steps to neighbours until none
		// is better.
		if span > 1 {
			for y := -span; y <= span; y++ {
				for x := -span; x <= span; x++ {
					s.try(x, y)
				}
			}
		}
		s.descend()
		v := vector{float32(s.best[0]), float32(s.best[1])}
		if l == 0 {
			v = s.refine()
		}
		m.found[l][by*across+bx] = v
	}
}

// tryCoarser tries the vectors of the coarser picture's block and its neighbours.
func (m *matcher) tryCoarser(s *blockSearch, bx, by int) {
	l := m.level + 1
	across, down := m.across(l), m.down(l)
	for _, d := range [5][2]int{{0, 0}, {-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
		x, y := bx/2+d[0], by/2+d[1]
		if x < 0 || y < 0 || x >= across || y >= down {
			continue
		}
		v := whole(m.found[l][y*across+x])
		s.try(2*v[0], 2*v[1])
	}
}

func whole(v vector) [2]int {
	return [2]int{int(math.Round(float64(v.x))), int(math.Round(float64(v.y)))}
}

// blockSearch searches the vector of one block.
type blockSearch struct {
	m              *matcher
	now, before    *grey
	x0, y0, x1, y1 int // the block with its border, inside the picture
	best, left     [2]int
	hasLeft        bool
	cost           float32 // of the best
	noiseCost      float32 // difference caused by residual noise alone
}

func (s *blockSearch) start(x, y int) {
	s.x0, s.y0 = max(x-border, 0), max(y-border, 0)
	s.x1, s.y1 = min(x+side+border, s.now.w), min(y+side+border, s.now.h)
	s.best, s.cost, s.hasLeft = [2]int{}, float32(math.Inf(1)), false
	q := residual * s.m.noise
	s.noiseCost = q * q * float32((s.x1-s.x0)*(s.y1-s.y0))
}

// inside tells whether a vector stays within the padded picture.
func (s *blockSearch) inside(x, y int) bool {
	const room = pad - 2 // interpolation reads beyond
	return s.x0+x >= -room && s.y0+y >= -room && s.x1+x <= s.before.w+room &&
		s.y1+y <= s.before.h+room
}

// difference is the sum of squared differences for a vector.
func (s *blockSearch) difference(x, y int) (sum float32) {
	n := s.x1 - s.x0
	for row := s.y0; row < s.y1; row++ {
		a := s.now.pix[s.now.at(s.x0, row):][:n]
		b := s.before.pix[s.before.at(s.x0+x, row+y):][:n]
		for i, v := range a {
			d := v - b[i]
			sum += d * d
		}
	}
	return sum
}

// vectorCost is the cost of the vector itself.
func (s *blockSearch) vectorCost(x, y int) (cost float32) {
	if x != 0 || y != 0 {
		cost = moveCost * s.noiseCost
	}
	if s.hasLeft && s.left != [2]int{x, y} {
		cost += turnCost * s.noiseCost
	}
	return cost
}

// try keeps a vector if it is better than the best so far.
func (s *blockSearch) try(x, y int) bool {
	if !s.inside(x, y) {
		return false
	}
	if c := s.difference(x, y) + s.vectorCost(x, y); c < s.cost {
		s.cost, s.best = c, [2]int{x, y}
		return true
	}
	return false
}

// descend steps to better neighbours, at most four times.
func (s *blockSearch) descend() {
	for range 4 {
		x, y := s.best[0], s.best[1]
		better := s.try(x-1, y)
		better = s.try(x+1, y) || better
		better = s.try(x, y-1) || better
		better = s.try(x, y+1) || better
		if !better {
			return
		}
	}
}

// refine finds the fraction of a pixel, in eighths. It starts at the minimum of parabolas through
// the differences of the best vector and its neighbours, and steps to better ones. If a whole
// vector is nearly as good, it stays.
func (s *blockSearch) refine() vector {
	x, y := s.best[0], s.best[1]
	if !s.inside(x-1, y-1) || !s.inside(x+1, y+1) {
		return vector{float32(x), float32(y)}
	}
	middle := s.difference(x, y)
	lowest := func(a, b float32) int {
		bend := a + b - 2*middle
		if !(bend > 2*s.noiseCost) { // too flat
			return 0
		}
		return int(math.Round(8 * float64(min(max((a-b)/(2*bend), -0.5), 0.5))))
	}
	u, v := lowest(s.difference(x-1, y), s.difference(x+1, y)),
		lowest(s.difference(x, y-1), s.difference(x, y+1))
	if u == 0 && v == 0 {
		return vector{float32(x), float32(y)}
	}
	best, limit := s.subpixelDifference(x, y, u, v), middle-moveCost*s.noiseCost
	for range 3 {
		at := [2]int{u, v}
		for _, d := range [4][2]int{{-1, 0}, {1, 0}, {0, -1}, {0, 1}} {
			a, b := at[0]+d[0], at[1]+d[1]
			if a < -8 || b < -8 || a > 8 || b > 8 {
				continue
			}
			if c := s.subpixelDifference(x, y, a, b); c < best {
				best, u, v = c, a, b
			}
		}
		if at == [2]int{u, v} {
			break
		}
	}
	if !(best < limit) {
		u, v = 0, 0
	}
	return vector{float32(x) + float32(u)/8, float32(y) + float32(v)/8}
}

// subpixelDifference is difference for a vector and (u, v) eighths of a pixel more, from -8 to 8,
// interpolated linearly.
func (s *blockSearch) subpixelDifference(x, y, u, v int) (sum float32) {
	if u < 0 {
		x, u = x-1, u+8
	}
	if v < 0 {
		y, v = y-1, v+8
	}
	fu, fv := float32(u)/8, float32(v)/8
	n := s.x1 - s.x0
	for row := s.y0; row < s.y1; row++ {
		a := s.now.pix[s.now.at(s.x0, row):][:n]
		b := s.before.pix[s.before.at(s.x0+x, row+y):][:n+1]
		c := s.before.pix[s.before.at(s.x0+x, row+y+1):][:n+1]
		left := b[0] + fv*(c[0]-b[0])
		for i, value := range a {
			right := b[i+1] + fv*(c[i+1]-b[i+1])
			d := value - left - fu*(right-left)
			sum += d * d
			left = right
		}
	}
	return sum
}
