package nets

import (
	"fmt"
	"slices"

	"github.com/vfmrestore/restore/netdef"
)

// normEps is added to the variance of the channel LayerNorm.
const normEps = 1e-5

// branchGain scales the initial weights of the last convolution of a residual
// block: small, so that the stack of blocks starts near the identity, but not
// 0, so that every layer learns from the first steps.
const branchGain = 0.3

// resBlock is a pre-activation residual block with FiLM, and a gate if gate is
// the side of a convolution (1 or 3) and not 0:
//
//	h = SiLU((1+γ)·LN(x) + β)
//	x + conv3(SiLU(affine(LN(conv3(h)))) · (1 + gate(h)))
//
// The gate lets one feature multiply another, which a filter that depends on
// the picture (deblurring by an unknown kernel) needs. It starts at 0, so that
// a network that gets gates later goes on computing what it did.
func resBlock(g *netdef.Graph, name string, x *netdef.Node, f *film, gate int) *netdef.Node {
	defer g.Scope(name)()
	gamma, beta := f.next(g, x.Shape[3])
	return residual(g, x, g.Offset(gamma, 1), beta, gate)
}

// residual is the body of a residual block whose first activation is SiLU(scale·LN(x) + shift).
func residual(g *netdef.Graph, x, scale, shift *netdef.Node, gate int) *netdef.Node {
	h := normal(g, x, scale, shift)
	a := conv(g, "conv0", h, 3, netdef.HeNormal{Gain: 1})
	a = learnt(g, a, "scale", "shift")
	if gate > 0 {
		a = g.Mul(a, g.Offset(conv(g, "gate", h, gate, netdef.Zeros), 1))
	}
	return g.Add(x, conv(g, "conv1", a, 3, netdef.HeNormal{Gain: branchGain}))
}

// normal is SiLU(scale·LN(x) + shift).
func normal(g *netdef.Graph, x, scale, shift *netdef.Node) *netdef.Node {
	return g.SiLU(g.Add(g.Mul(g.LayerNorm(x, normEps), scale), shift))
}

// learnt is normal with learnt vectors of these names.
func learnt(g *netdef.Graph, x *netdef.Node, scale, shift string) *netdef.Node {
	vec := netdef.Shape{1, 1, 1, x.Shape[3]}
	return normal(g, x, g.Param(scale, vec, netdef.Ones), g.Param(shift, vec, netdef.Zeros))
}

// conv is a convolution of the given side that keeps the number of channels.
func conv(g *netdef.Graph, name string, x *netdef.Node, side int, init netdef.Init) *netdef.Node {
	return convTo(g, name, x, x.Shape[3], side, 1, init)
}

// convTo is a convolution of the given side and stride with bias.
func convTo(g *netdef.Graph, name string, x *netdef.Node, out, side, stride int, init netdef.Init) *netdef.Node {
	defer g.Scope(name)()
	y := g.Conv2D(x, g.Param("w", netdef.Shape{side, side, x.Shape[3], out}, init), stride)
	return g.Add(y, g.Param("b", netdef.Shape{1, 1, 1, out}, netdef.Zeros))
}

// unet maps the xs [B,h,w,C…] to features [B,h,w,cfg.Widths[0]]. more (nil
// for none) is a further input, without effect before training. The blocks
// down to the middle are modulated by encode, those on the way up by decode.
// h and w are multiples of 2 per level after the first.
func unet(g *netdef.Graph, cfg EdgeConfig, xs []*netdef.Node, more *netdef.Node, encode, decode *film) *netdef.Node {
	last := len(cfg.Widths) - 1
	// The activations are not rectified between these linear layers, so the
	// gain √½ keeps the variance.
	x := linearOf(g, "in", xs, cfg.Widths[0], netdef.HeNormal{Gain: 0.7071})
	if more != nil {
		w := g.Param("more/w", netdef.Shape{1, 1, more.Shape[3], cfg.Widths[0]}, netdef.Zeros)
		x = g.Add(x, g.Conv2D(more, w, 1))
	}
	return shape(g, x, cfg.Widths, append(slices.Clone(cfg.Blocks[:last]), cfg.Mid), cfg.up, "mid", func(level int, name string, x *netdef.Node, up bool) *netdef.Node {
		f := encode
		if up {
			f = decode
		}
		return resBlock(g, name, x, f, cfg.gate(level))
	})
}

// shape takes features of the first width down to the last and up again: so many blocks of a level on the way down, so many (up) on the way up. The last level
// has a name of its own.
func shape(g *netdef.Graph, x *netdef.Node, widths, blocks []int, up func(level int) int, lastName string, block func(level int, name string, x *netdef.Node, up bool) *netdef.Node) *netdef.Node {
	last := len(widths) - 1
	skips := make([]*netdef.Node, last)
	for i, count := range blocks {
		name := fmt.Sprintf("down%d", i)
		if i == last {
			name = lastName
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
		for b := range up(i) {
			x = block(i, fmt.Sprintf("block%d", b), x, true)
		}
		done()
	}
	return x
}

// down halves the resolution by a 2×2 convolution of stride 2.
func down(g *netdef.Graph, x *netdef.Node, out int) *netdef.Node {
	return convTo(g, "down", x, out, 2, 2, netdef.HeNormal{Gain: 0.7071})
}
