package nets

import (
	"fmt"
	"slices"

	"github.com/vfmrestore/restore/netdef"
)

// normEps is added to the variance by LayerNorm.
const normEps = 1e-5

// branchGain scales the initial weights of the last convolution of a residual block. It is small,
// so that the stack of blocks is near the identity at first, but not 0, so that every layer learns
// from the first steps.
const branchGain = 0.3

// resBlock is a pre-activation residual block with FiLM. If gate is not 0, it also has a gate, a
// convolution of that kernel size (1 or 3):
//
//	h = SiLU((1+γ)·LN(x) + β)
//	x + conv3(SiLU(affine(LN(conv3(h)))) · (1 + gate(h)))
//
// The gate lets one feature multiply another. A filter that depends on the picture, such as
// deblurring by an unknown kernel, needs this. Its weights are 0 at first, so a network to which
// gates are added computes the same as before.
func resBlock(g *netdef.Graph, name string, x *netdef.Node, f *film, gate int) *netdef.Node {
	defer g.Scope(name)()
	gamma, beta := f.next(g, x.Shape[3])
	return residual(g, x, g.Offset(gamma, 1), beta, gate)
}

// residual is a residual block whose first activation is SiLU(scale·LN(x) + shift).
func residual(g *netdef.Graph, x, scale, shift *netdef.Node, gate int) *netdef.Node {
	h := normAct(g, x, scale, shift)
	a := conv(g, "conv0", h, 3, netdef.HeNormal{Gain: 1})
	a = learnedNormAct(g, a, "scale", "shift")
	if gate > 0 {
		a = g.Mul(a, g.Offset(conv(g, "gate", h, gate, netdef.Zeros), 1))
	}
	return g.Add(x, conv(g, "conv1", a, 3, netdef.HeNormal{Gain: branchGain}))
}

// normAct returns SiLU(scale·LN(x) + shift).
func normAct(g *netdef.Graph, x, scale, shift *netdef.Node) *netdef.Node {
	return g.SiLU(g.Add(g.Mul(g.LayerNorm(x, normEps), scale), shift))
}

// learnedNormAct is normAct with learned vectors, parameters of the given names.
func learnedNormAct(g *netdef.Graph, x *netdef.Node, scale, shift string) *netdef.Node {
	vec := netdef.Shape{1, 1, 1, x.Shape[3]}
	return normAct(g, x, g.Param(scale, vec, netdef.Ones), g.Param(shift, vec, netdef.Zeros))
}

// conv is a convolution with the given kernel size that keeps the number of channels.
func conv(g *netdef.Graph, name string, x *netdef.Node, side int, init netdef.Init) *netdef.Node {
	return convTo(g, name, x, x.Shape[3], side, 1, init)
}

// convTo is a convolution with bias that has the given kernel size and stride.
func convTo(g *netdef.Graph, name string, x *netdef.Node, out, side, stride int, init netdef.Init) *netdef.Node {
	defer g.Scope(name)()
	y := g.Conv2D(x, g.Param("w", netdef.Shape{side, side, x.Shape[3], out}, init), stride)
	return g.Add(y, g.Param("b", netdef.Shape{1, 1, 1, out}, netdef.Zeros))
}

// unet maps the inputs xs [B,h,w,C…] to features [B,h,w,cfg.Widths[0]]. more is as in withMore.
// encode modulates the blocks on the way down and in the middle, decode those on the way up. h and
// w are multiples of 2 to the number of levels after the first.
func unet(g *netdef.Graph, cfg EdgeConfig, xs []*netdef.Node, more *netdef.Node, encode, decode *film) *netdef.Node {
	last := len(cfg.Widths) - 1
	// No activation follows these linear layers, so the gain √½ keeps the variance.
	x := withMore(g, linearOf(g, "in", xs, cfg.Widths[0], netdef.HeNormal{Gain: 0.7071}), more)
	p := levels{widths: cfg.Widths, down: append(slices.Clone(cfg.Blocks[:last]), cfg.Mid), up: cfg.up, last: "mid"}
	return p.pyramid(g, x, func(level int, name string, x *netdef.Node, up bool) *netdef.Node {
		f := encode
		if up {
			f = decode
		}
		return resBlock(g, name, x, f, cfg.gate(level))
	})
}

// withMore adds a linear map of a further input to features. It has no effect before training. more
// may be nil.
func withMore(g *netdef.Graph, x, more *netdef.Node) *netdef.Node {
	if more == nil {
		return x
	}
	w := g.Param("more/w", netdef.Shape{1, 1, more.Shape[3], x.Shape[3]}, netdef.Zeros)
	return g.Add(x, g.Conv2D(more, w, 1))
}

// levels are the sizes of a U-Net.
type levels struct {
	widths []int               // channels of every level, from fine to coarse
	down   []int               // blocks of every level on the way down; of the last one all blocks
	up     func(level int) int // blocks of the other levels on the way up
	last   string              // scope of the last level
}

// pyramid takes features from the first width down to the last and up again. block builds a block
// of a level; up says on which way.
func (p levels) pyramid(g *netdef.Graph, x *netdef.Node, block func(level int, name string, x *netdef.Node, up bool) *netdef.Node) *netdef.Node {
	widths := p.widths
	last := len(widths) - 1
	skips := make([]*netdef.Node, last)
	for i, count := range p.down {
		name := fmt.Sprintf("down%d", i)
		if i == last {
			name = p.last
		}
		done := g.Scope(name)
		for b := range count {
			x = block(i, fmt.Sprintf("block%d", b), x, false)
		}
		if i < last {
			skips[i] = x
			x = down(g, x, widths[i+1])
		}
		done()
	}
	for i := last - 1; i >= 0; i-- {
		done := g.Scope(fmt.Sprintf("up%d", i))
		x = linear(g, "up", x, 4*widths[i], netdef.HeNormal{Gain: 0.5})
		x = g.Add(g.DepthToSpace(x, 2), skips[i])
		for b := range p.up(i) {
			x = block(i, fmt.Sprintf("block%d", b), x, true)
		}
		done()
	}
	return x
}

// down halves the resolution with a 2×2 convolution of stride 2.
func down(g *netdef.Graph, x *netdef.Node, out int) *netdef.Node {
	return convTo(g, "down", x, out, 2, 2, netdef.HeNormal{Gain: 0.7071})
}
