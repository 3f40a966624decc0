package reference

import (
	"context"
	"math"
	"slices"

	"github.com/vfmrestore/restore/restore/motionblur"
	"github.com/vfmrestore/restore/restore/planar"
)

const (
	smallBlock   = 256
	largestBlock = 1024
	// smallReach is how far the filter reaches in pictures that fit into one small block. These are
	// mostly their own reflection further away, and a small block is a quarter of the work.
	smallReach = 95
)

// filterReach is how far the filter reaches from its centre on blocks of n×n pixels.
func filterReach(n int) int {
	if n == smallBlock {
		return smallReach
	}
	return motionblur.FilterReach
}

// blockSide is the side of the blocks that a picture is filtered in, with their surroundings: one
// small block, or large ones, of which less is surroundings.
func blockSide(w, h int) int {
	if inner := smallBlock - 2*(smallReach+1); w <= inner && h <= inner {
		return smallBlock
	}
	best, side := math.MaxInt, 0
	for _, n := range []int{512, largestBlock} {
		inner := n - 2*(motionblur.FilterReach+1)
		if work := n * n * ((w + inner - 1) / inner) * ((h + inner - 1) / inner); work < best {
			best, side = work, n
		}
	}
	return side
}

// PrepareFilter implements motionblur.Backend.
func (b *Backend) PrepareFilter(w, h int, variance float64) {
	b.prepare(blockSide(w, h), variance)
}

// prepare sets the gains of brightness and of colour on a grid of n×n from the moments.
func (b *Backend) prepare(n int, variance float64) {
	if b.grids[0] == nil || b.grids[0].n != n {
		for i := range b.grids {
			t := b.team // the first grid is also for what is done once, and for pictures of one block
			if i > 0 {
				t = nil
			}
			b.grids[i], b.workers[i].columns = newGrid(n, t), make([]int, n)
		}
		b.gainY, b.gainC = make([]float64, n*n), make([]float64, n*n)
	}
	// Brightness is the real part, colour the imaginary part, as both filters are even.
	g := b.window
	for i, k := range b.mean {
		power := max(b.second[i], k*k)
		if i == 0 { // S is infinite
			g.v[i] = complex(k/power, k/power)
			continue
		}
		s := b.spectrum[i]
		c := s * motionblur.ColourPower
		g.v[i] = complex(k*s/(power*s+variance), k*c/(power*c+variance))
	}
	g.inverse()

	to, reach := b.grids[0], filterReach(n)
	to.team = b.team
	clear(to.v)
	taper := func(y, x int) float64 { return motionblur.Taper(y, reach) * motionblur.Taper(x, reach) }
	sum := complex(0, 0)
	for y := -reach; y <= reach; y++ {
		for x := -reach; x <= reach; x++ {
			v := g.v[g.index(y, x)] * complex(taper(y, x), 0)
			to.v[to.index(y, x)] = v
			sum += v
		}
	}
	// Flat areas must stay as they are. What the sum of the filter lacks to 1 is therefore spread
	// over all of it, as a weighted mean of the pixels it reaches. Scaling the filter instead would
	// change every frequency by what was cut off at the lowest.
	all := 0.0
	for d := -reach; d <= reach; d++ {
		all += motionblur.Taper(d, reach)
	}
	lacks := (complex(1, 1) - sum) / complex(all*all, 0)
	for y := -reach; y <= reach; y++ {
		for x := -reach; x <= reach; x++ {
			to.v[to.index(y, x)] += lacks * complex(taper(y, x), 0)
		}
	}
	to.forward()
	for i, v := range to.v {
		b.gainY[i], b.gainC[i] = real(v), imag(v)
	}
}

// BlockSize implements motionblur.Backend.
func (b *Backend) BlockSize() (w, h int) {
	n := b.grids[0].n
	inner := n - 2*(filterReach(n)+1)
	return inner, inner
}

// FilterBlocks implements motionblur.Backend.
func (b *Backend) FilterBlocks(ctx context.Context, count int, block func(i int) motionblur.Block) error {
	b.block = block
	defer func() { b.block = nil }()
	if count == 1 { // the team works inside the block
		b.grids[0].team = b.team
		b.filterOne(0, 0)
		return ctx.Err()
	}
	b.grids[0].team = nil
	return b.team.Each(ctx, count, b.filterOne)
}

// filterBlock filters a block: first brightness, then both colour axes as one complex number.
func (b *Backend) filterBlock(worker int, to motionblur.Block) {
	g, columns := b.grids[worker], b.workers[worker].columns
	reach := filterReach(g.n)
	for x := range columns {
		columns[x] = planar.Mirror(to.X+x-reach-1, to.Width)
	}
	left := slices.Min(columns)
	rows := b.workers[worker].rows
	for c := range rows {
		rows[c] = rows[c][:slices.Max(columns)+1-left]
	}
	axes := &motionblur.ColourAxes
	for pass := range 2 {
		re, im := axes[0], [3]float64{}
		gain := b.gainY
		if pass == 1 {
			re, im, gain = axes[1], axes[2], b.gainC
		}
		for y := range g.n {
			for c, row := range rows {
				to.Src(row, c, planar.Mirror(to.Y+y-reach-1, to.Height), left)
			}
			line := g.v[y*g.n:][:g.n]
			for x := range line {
				at := columns[x] - left
				r, gr, bl := float64(rows[0][at]), float64(rows[1][at]), float64(rows[2][at])
				line[x] = complex(re[0]*r+re[1]*gr+re[2]*bl, im[0]*r+im[1]*gr+im[2]*bl)
			}
		}
		g.forward()
		for j, k := range gain {
			g.v[j] *= complex(k, 0)
		}
		g.inverse()
		for y := range to.H {
			line := g.v[(y+reach+1)*g.n+reach+1:][:to.W]
			for c := range 3 {
				out := to.Result[c*to.Plane+y*to.Stride:][:to.W]
				for x, v := range line {
					f := float32(re[c]*real(v) + im[c]*imag(v))
					if pass == 1 {
						f += out[x]
					}
					out[x] = f
				}
			}
		}
	}
}
