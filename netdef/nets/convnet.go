package nets

import (
	"fmt"

	"github.com/vfmrestore/restore/netdef"
)

// Building blocks that the paper's adapter and its autoencoder have in common: convolutional
// networks with group normalisation.

// normGroups is the number of groups of channels.
const normGroups = 32

// groupNorm normalises 32 groups of channels, or as many as there are channels, with a learned
// scale and shift.
func groupNorm(g *netdef.Graph, name string, x *netdef.Node, eps float64) *netdef.Node {
	defer g.Scope(name)()
	vec := netdef.Shape{1, 1, 1, x.Shape[3]}
	y := g.GroupNorm(x, min(normGroups, x.Shape[3]), eps)
	return g.Add(g.Mul(y, g.Param("scale", vec, netdef.Ones)), g.Param("shift", vec, netdef.Zeros))
}

// normConv is a 3×3 convolution of SiLU(GroupNorm(x)), with parameters norm… and conv….
func normConv(g *netdef.Graph, number string, x *netdef.Node, out int, eps float64, init netdef.Init) *netdef.Node {
	h := g.SiLU(groupNorm(g, "norm"+number, x, eps))
	return convTo(g, "conv"+number, h, out, 3, 1, init)
}

// skip returns x with out channels: x itself, or a 1×1 convolution of it.
func skip(g *netdef.Graph, x *netdef.Node, out int) *netdef.Node {
	if x.Shape[3] == out {
		return x
	}
	return linear(g, "skip", x, out, netdef.HeNormal{Gain: 0.7071})
}

// halve is a 3×3 convolution of stride 2: every second site, from site first (0 or 1) on, of that
// with stride 1. With first 0 this pads by one site on all sides, with 1 only on the far ones.
func halve(g *netdef.Graph, name string, x *netdef.Node, first int) *netdef.Node {
	c := x.Shape[3]
	y := g.SpaceToDepth(convTo(g, name, x, c, 3, 1, netdef.HeNormal{Gain: 0.7071}), 2)
	at := 3 * c * first // sites of a 2×2 block in the order (0,0), (0,1), (1,0), (1,1)
	return g.Slice(y, 3, at, at+c)
}

// double repeats every site 2×2 times.
func double(g *netdef.Graph, x *netdef.Node) *netdef.Node {
	return g.DepthToSpace(g.Concat(3, x, x, x, x), 2)
}

// checkLevels returns an error unless widths are 1 to 8 multiples of 8 that the groups divide.
func checkLevels(network string, widths []int) error {
	if n := len(widths); n < 1 || n > 8 {
		return &ConfigError{network, "widths", fmt.Sprintf("has %d levels, must have 1 to 8", n)}
	}
	for _, w := range widths {
		if w < 8 || w%8 != 0 || w > 4096 || w > normGroups && w%normGroups != 0 {
			return &ConfigError{network, "widths", fmt.Sprintf("holds %d, must be 8, 16, 24 or multiples of 32 up to 4096", w)}
		}
	}
	return nil
}
