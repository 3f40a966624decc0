package nets

import (
	"fmt"
	"math"

	"github.com/vfmrestore/restore/netdef"
)

// Frequencies of the sinusoidal features of a scalar condition s: a geometric series from 0.5 to 8.
// The features are the sines and cosines of π·f·s. Higher frequencies would make the derivative
// along t, which the mean-flow loss needs, too large.
const (
	freqCount = 8
	freqLow   = 0.5
	freqHigh  = 8
)

// features maps a scalar s [B,1,1,1] of about 1 in size to [B,1,1,16].
func features(g *netdef.Graph, s *netdef.Node) *netdef.Node {
	f := make([]float32, freqCount)
	for i := range f {
		f[i] = float32(math.Pi * freqLow * math.Pow(freqHigh/freqLow, float64(i)/(freqCount-1)))
	}
	angle := g.Mul(s, g.Const("freq", netdef.Shape{1, 1, 1, freqCount}, f))
	return g.Concat(3, g.Sin(angle), g.Cos(angle))
}

// linear builds a 1×1 convolution with bias.
func linear(g *netdef.Graph, name string, x *netdef.Node, out int, init netdef.Init) *netdef.Node {
	return linearTo(g, name, x, out, init, 0, out)
}

// linearTo is linear for the output channels from ≤ i < to only. If outputs have different uses,
// this saves slicing the result.
func linearTo(g *netdef.Graph, name string, x *netdef.Node, out int, init netdef.Init, from, to int) *netdef.Node {
	defer g.Scope(name)()
	w, b := g.Param("w", netdef.Shape{1, 1, x.Shape[3], out}, init), g.Param("b", netdef.Shape{1, 1, 1, out}, netdef.Zeros)
	if to-from < out {
		w, b = g.Slice(w, 3, from, to), g.Slice(b, 3, from, to)
	}
	return g.Add(g.Conv2D(x, w, 1), b)
}

// linearOf is linear on the concatenation of several inputs, without concatenating them.
func linearOf(g *netdef.Graph, name string, xs []*netdef.Node, out int, init netdef.Init) *netdef.Node {
	defer g.Scope(name)()
	channels := 0
	for _, x := range xs {
		channels += x.Shape[3]
	}
	w := g.Param("w", netdef.Shape{1, 1, channels, out}, init)
	sum, at := g.Param("b", netdef.Shape{1, 1, 1, out}, netdef.Zeros), 0
	for _, x := range xs {
		c := x.Shape[3]
		sum = g.Add(g.Conv2D(x, g.Crop2D(w, 0, at, 1, c), 1), sum)
		at += c
	}
	return sum
}

// film holds the FiLM parameters of all blocks, which one 1×1 convolution makes from an embedding,
// and hands them out block by block: scales γ and shifts β [B,1,1,C]. They are 0 before training.
type film struct {
	all *netdef.Node
	at  int
}

// conditions are what a network is conditioned on: a scalar s [B,1,1,1], the one-hot task [B,1,1,8]
// and the shape of noise [B,1,1,16]. task and noise may be nil. The shape of noise has no effect
// before training.
type conditions struct{ s, task, noise *netdef.Node }

// newFilm embeds conditions in emb channels and makes count FiLM parameters from the embedding.
func newFilm(g *netdef.Graph, name string, emb int, c conditions, count int) *film {
	defer g.Scope(name)()
	e := linear(g, "in", features(g, c.s), emb, netdef.HeNormal{Gain: 1})
	if c.task != nil {
		e = g.Add(e, g.Conv2D(c.task, g.Param("task", netdef.Shape{1, 1, Tasks, emb}, netdef.Normal{Std: 0.5}), 1))
	}
	if c.noise != nil {
		e = g.Add(e, g.Conv2D(c.noise, g.Param("noise", netdef.Shape{1, 1, NoiseNumbers, emb}, netdef.Zeros), 1))
	}
	e = g.SiLU(linear(g, "hidden", g.SiLU(e), emb, netdef.HeNormal{Gain: 1}))
	if count == 0 {
		return &film{}
	}
	return &film{all: linear(g, "film", e, count, netdef.Zeros)}
}

// next returns γ and β for the next block, which has the given width.
func (f *film) next(g *netdef.Graph, width int) (gamma, beta *netdef.Node) {
	gamma = f.take(g, width)
	return gamma, f.take(g, width)
}

// take returns the next width parameters [B,1,1,width].
func (f *film) take(g *netdef.Graph, width int) *netdef.Node {
	f.at += width
	return g.Slice(f.all, 3, f.at-width, f.at)
}

// FilmBlock is a residual block and the position of its γ and β: 2·Width numbers, from At on, in
// the output of the convolution that makes them.
type FilmBlock struct {
	Name      string // as in the parameters' names, "down0/block0"
	Width, At int
}

// FilmBlocks lists the residual blocks in the order in which they take their FiLM parameters: those
// on the way down and in the middle, and those on the way up. The adapter has one convolution for
// both, with the parameters of down first. The flow map has one for each, so the positions in up
// begin at 0.
func (c EdgeConfig) FilmBlocks() (down, up []FilmBlock) {
	last := len(c.Widths) - 1
	add := func(to *[]FilmBlock, stage string, width, count int) {
		at := 0
		if n := len(*to); n > 0 {
			at = (*to)[n-1].At + 2*(*to)[n-1].Width
		}
		for b := range count {
			*to = append(*to, FilmBlock{fmt.Sprintf("%s/block%d", stage, b), width, at + 2*width*b})
		}
	}
	for i, n := range c.Blocks {
		add(&down, fmt.Sprintf("down%d", i), c.Widths[i], n)
	}
	add(&down, "mid", c.Widths[last], c.Mid)
	for i := last - 1; i >= 0; i-- {
		add(&up, fmt.Sprintf("up%d", i), c.Widths[i], c.up(i))
	}
	if c.Fine > 0 {
		add(&up, fineName, c.Fine, 1)
	}
	return down, up
}

// FilmCount returns how many FiLM parameters the blocks take.
func FilmCount(blocks []FilmBlock) int {
	n := 0
	for _, b := range blocks {
		n += 2 * b.Width
	}
	return n
}

// filmCounts returns how many FiLM parameters the blocks on the way down and in the middle take,
// and how many those on the way up.
func (c EdgeConfig) filmCounts() (down, up int) {
	d, u := c.FilmBlocks()
	return FilmCount(d), FilmCount(u)
}
