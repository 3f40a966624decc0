package motionblur

import (
	"math"

	"github.com/vfmrestore/restore/restore/planar"
)

// How far the filter sees, in pixels. In small pictures, which are mostly their own reflection there, it may be less, for a quarter of the work. The last taper
// pixels fade out.
const (
	largestReach = 127
	smallReach   = 95
	taper        = 32
)

// reachOf is the filter's reach on blocks of n×n.
func reachOf(n int) int {
	if n == 256 {
		return smallReach
	}
	return largestReach
}

// largestBlock is the largest side that blockSide gives.
const largestBlock = 1024

// blockSide is the side of the blocks that a picture is filtered in: one small block, or large ones, of which less is surroundings.
func blockSide(w, h int) int {
	if inner := 256 - 2*(smallReach+1); w <= inner && h <= inner {
		return 256
	}
	best, side := math.MaxInt, 0
	for _, n := range []int{512, largestBlock} {
		inner := n - 2*(largestReach+1)
		if work := n * n * ((w + inner - 1) / inner) * ((h + inner - 1) / inner); work < best {
			best, side = work, n
		}
	}
	return side
}

// filter makes the gains of brightness and of colour on a grid of n×n, from the posterior.
func (e *Estimator) filter(n int) {
	if len(e.blocks) == 0 || e.blocks[0] == nil || e.blocks[0].n != n {
		for i := range e.blocks {
			t := e.team // of the first, for what is done once, and for pictures of one block
			if i > 0 {
				t = nil
			}
			e.blocks[i], e.columns[i] = newGrid(n, t), make([]int, n)
		}
		e.gainY, e.gainC = make([]float64, n*n), make([]float64, n*n)
	}
	e.transformed()
	g := e.middle
	for i, k := range e.mean {
		power := max(e.second[i], square(k))
		if i == 0 { // S is infinite
			g.v[i] = complex(k/power, k/power)
			continue
		}
		s := e.prior[i]
		g.v[i] = complex(k*s/(power*s+e.variance), k*s*chromaShare/(power*s*chromaShare+e.variance))
	}
	g.inverse() // even again: brightness is the real part, colour the imaginary one

	b, reach := e.blocks[0], reachOf(n)
	b.team = e.team
	clear(b.v)
	sum := complex(0, 0)
	for y := -reach; y <= reach; y++ {
		for x := -reach; x <= reach; x++ {
			v := g.v[g.wrapped(y, x)] * complex(fade(y, reach)*fade(x, reach), 0)
			b.v[b.wrapped(y, x)] = v
			sum += v
		}
	}
	// Flat areas stay as they are: what the filter's sum lacks is taken from the mean of all that it sees. To scale the filter would change every frequency by what
	// was cut off at the lowest.
	all := 0.0
	for y := -reach; y <= reach; y++ {
		all += fade(y, reach)
	}
	lacks := (complex(1, 1) - sum) / complex(all*all, 0)
	for y := -reach; y <= reach; y++ {
		for x := -reach; x <= reach; x++ {
			b.v[b.wrapped(y, x)] += lacks * complex(fade(y, reach)*fade(x, reach), 0)
		}
	}
	b.forward()
	for i, v := range b.v {
		e.gainY[i], e.gainC[i] = real(v), imag(v)
	}
}

// fade is 1, and falls to 0 over the last taper pixels.
func fade(d, reach int) float64 {
	if d < 0 {
		d = -d
	}
	if d <= reach-taper {
		return 1
	}
	return 0.5 + 0.5*math.Cos(math.Pi*float64(d-reach+taper)/(taper+1))
}

// tile is the size of what a block gives, without its surroundings.
func (e *Estimator) tile() (w, h int) {
	if r := e.remote; r != nil {
		return r.width.inner(e.w), r.height.inner(e.h)
	}
	n := e.blocks[0].n - 2*(reachOf(e.blocks[0].n)+1)
	return n, n
}

// Area is what block i gives: its place in the picture of Begin and its size, in pixels.
func (e *Estimator) Area(i int) (x, y, w, h int) {
	tw, th := e.tile()
	across := (e.w + tw - 1) / tw
	x, y = i%across*tw, i/across*th
	return x, y, min(tw, e.w-x), min(th, e.h-y)
}

// place is where a block's result goes: to three planes, so many values apart, in rows of stride.
type place struct {
	block         int
	dst           []float32
	stride, plane int
}

// block filters a block.
func (e *Estimator) block(worker int, to place) {
	g := e.blocks[worker]
	reach := reachOf(g.n)
	x0, y0, xs, ys := e.Area(to.block)
	from := e.columns[worker][:g.n]
	for x := range from {
		from[x] = planar.Mirror(x0+x-reach-1, e.w)
	}
	rows, left := e.span(worker, from)
	// Brightness alone, then both colours at once.
	for pass := range 2 {
		re, im := axes[0], [3]float64{}
		gain := e.gainY
		if pass == 1 {
			re, im, gain = axes[1], axes[2], e.gainC
		}
		for y := range g.n {
			for c, row := range rows {
				e.src(row, c, planar.Mirror(y0+y-reach-1, e.h), left)
			}
			line := g.v[y*g.n:][:g.n]
			for x := range line {
				at := from[x] - left
				r, gr, b := float64(rows[0][at]), float64(rows[1][at]), float64(rows[2][at])
				line[x] = complex(re[0]*r+re[1]*gr+re[2]*b, im[0]*r+im[1]*gr+im[2]*b)
			}
		}
		g.forward()
		for j, k := range gain {
			g.v[j] *= complex(k, 0)
		}
		g.inverse()
		for y := range ys {
			line := g.v[(y+reach+1)*g.n+reach+1:][:xs]
			for c := range 3 {
				out := to.dst[c*to.plane+y*to.stride:][:xs]
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
