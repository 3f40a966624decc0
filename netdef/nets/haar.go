// Package nets builds the project's networks as graphs. An Architecture is a form of an adapter and
// a flow map, which work on an orthonormal Haar transform of 4×4 pixel blocks: EdgeConfig makes
// small U-Nets, PlainConfig plain residual networks. The package also has the network that
// estimates blur kernels, and the small perceptrons of the paper's experiments.
package nets

import (
	"math"

	"github.com/vfmrestore/restore/netdef"
)

// FlowChannels is the number of channels of flow space: 16 Haar coefficients of every 4×4 block in
// each of 3 opponent colours.
const FlowChannels = 48

// Band is a kind of Haar coefficient.
type Band int

// Bands from coarse to fine. H means detail along x (vertical edges), V detail along y, D both.
// Level 2 has one coefficient per 4×4 block, level 1 has four.
const (
	LL2 Band = iota // four times the block's mean
	H2
	V2
	D2
	H1
	V1
	D1
)

var bandNames = [...]string{"LL2", "H2", "V2", "D2", "H1", "V1", "D1"}

// String returns the band's name.
func (b Band) String() string { return bandNames[b] }

// Channel describes one channel of flow space.
type Channel struct {
	Band   Band
	DY, DX int // position of the 2×2 block within the 4×4 block, for level 1
	Colour int // 0: (1,1,1)/√3, 1: (1,-1,0)/√2, 2: (1,1,-2)/√6 of (R,G,B)
}

// Channels lists the channels of flow space in order: three colours of LL2, of H2, V2 and D2, then
// of H1 for the 2×2 blocks (dy,dx) = (0,0), (0,1), (1,0), (1,1), then V1 and D1 likewise. Channel c
// is colour c%3 of coefficient c/3.
var Channels = listChannels()

func listChannels() (cs [FlowChannels]Channel) {
	i := 0
	for b := LL2; b <= D1; b++ {
		for block := range 4 {
			if b <= D2 && block > 0 {
				break
			}
			for colour := range 3 {
				cs[i] = Channel{Band: b, DY: block / 2, DX: block % 2, Colour: colour}
				i++
			}
		}
	}
	return cs
}

// HaarMatrix is the orthonormal 48×48 matrix of the Haar transform. Flow channel i of a block is
// Σ_j HaarMatrix[i][j]·p_j over its pixel values p in the order of netdef's Patchify, j =
// (dy·4+dx)·3 + colour.
var HaarMatrix = haarMatrix()

func haarMatrix() (m [FlowChannels][FlowChannels]float64) {
	colours := [3][3]float64{{1, 1, 1}, {1, -1, 0}, {1, 1, -2}}
	norms := [3]float64{math.Sqrt(3), math.Sqrt(2), math.Sqrt(6)}
	for i, c := range Channels {
		for dy := range 4 {
			for dx := range 4 {
				v := haarValue(c, dy, dx)
				for rgb := range 3 {
					m[i][(dy*4+dx)*3+rgb] = v * colours[c.Colour][rgb] / norms[c.Colour]
				}
			}
		}
	}
	return m
}

// haarValue returns the basis function of a coefficient at one pixel of the block.
func haarValue(c Channel, dy, dx int) float64 {
	// At level 2 the sign is that of the halves of the block.
	kind, amplitude, y, x := c.Band, 0.25, dy/2, dx/2
	if c.Band >= H1 {
		if dy/2 != c.DY || dx/2 != c.DX {
			return 0
		}
		kind, amplitude, y, x = c.Band-H1+H2, 0.5, dy%2, dx%2
	}
	sy, sx := 1-2*float64(y), 1-2*float64(x)
	switch kind {
	case H2:
		return amplitude * sx
	case V2:
		return amplitude * sy
	case D2:
		return amplitude * sx * sy
	}
	return amplitude
}

// haarWeights returns the matrix, or its inverse, as weights of a 1×1 convolution, [in][out].
func haarWeights(inverse bool) []float32 {
	w := make([]float32, 0, FlowChannels*FlowChannels)
	for in := range FlowChannels {
		for out := range FlowChannels {
			v := HaarMatrix[out][in]
			if inverse {
				v = HaarMatrix[in][out]
			}
			w = append(w, float32(v))
		}
	}
	return w
}

var haarForward, haarInverse = haarWeights(false), haarWeights(true)

// Haar transforms patches [B,h,w,48], as Patchify makes them from pictures, to flow space
// [B,h,w,48]. The transform is orthonormal: white noise stays white and distances stay the same.
func Haar(g *netdef.Graph, patch *netdef.Node) *netdef.Node {
	return g.Conv2D(patch, g.Const("haar", netdef.Shape{1, 1, FlowChannels, FlowChannels}, haarForward), 1)
}

// Unhaar is the inverse of Haar, and its adjoint.
func Unhaar(g *netdef.Graph, x *netdef.Node) *netdef.Node {
	return g.Conv2D(x, g.Const("unhaar", netdef.Shape{1, 1, FlowChannels, FlowChannels}, haarInverse), 1)
}

// ToFlow transforms patches of pictures to the flow space of an architecture: Haar minus the mean
// of every channel.
func ToFlow(g *netdef.Graph, a Architecture, patch *netdef.Node) *netdef.Node {
	mean := a.Traits().Mean
	if mean == [FlowChannels]float32{} {
		return Haar(g, patch)
	}
	return g.Sub(Haar(g, patch), channelConst(g, "mean", mean))
}

// FromFlow is the inverse of ToFlow.
func FromFlow(g *netdef.Graph, a Architecture, x *netdef.Node) *netdef.Node {
	if mean := a.Traits().Mean; mean != [FlowChannels]float32{} {
		x = g.Add(x, channelConst(g, "mean", mean))
	}
	return Unhaar(g, x)
}

func channelConst(g *netdef.Graph, name string, v [FlowChannels]float32) *netdef.Node {
	return g.Const(name, netdef.Shape{1, 1, 1, FlowChannels}, append([]float32(nil), v[:]...))
}
