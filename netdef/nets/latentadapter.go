package nets

import (
	"fmt"
	"math"

	"github.com/vfmrestore/restore/netdef"
)

// LatentAdapterConfig is the architecture of the paper's noise adapter (B.2): a convolutional
// encoder of the observation whose residual blocks are conditioned on the class of the inverse
// problem by FiLM (Perez et al. 2018). It is not one of the table of architectures, as it proposes
// latents of an autoencoder.
//
// A block is
//
//	h = FiLM(conv3(SiLU(GN(x)))), x = skip(x) + FiLM(conv3(SiLU(GN(h))))
//
// where FiLM is γ·h + β, and a linear map of the class's embedding gives γ and β. They are 1 and 0
// before training.
type LatentAdapterConfig struct {
	// Widths are the channels of the levels, from fine to coarse. Every level but the first has
	// half as many sites per side as the one before. Each is 8, 16, 24 or a multiple of 32.
	Widths []int `json:"widths"`
	// Blocks is the number of residual blocks of every level. Two more follow after the last level.
	Blocks int `json:"blocks"`
	// Emb is the width of the embedding of the class, a multiple of 8.
	Emb int `json:"emb"`
	// Classes is the number of inverse problems.
	Classes int `json:"classes"`
}

// PaperAdapter is the paper's size: 10 million parameters.
func PaperAdapter() LatentAdapterConfig {
	return LatentAdapterConfig{Widths: []int{64, 128, 256, 256}, Blocks: 2, Emb: 256, Classes: 6}
}

// Name returns the value of weights.KeyNetwork.
func (LatentAdapterConfig) Name() string { return "latent-adapter" }

// Validate returns a *ConfigError for the first setting that is not valid, or nil.
func (c LatentAdapterConfig) Validate() error {
	if err := checkLevels(c.Name(), c.Widths); err != nil {
		return err
	}
	switch {
	case c.Blocks < 1 || c.Blocks > 64:
		return &ConfigError{c.Name(), "blocks", fmt.Sprintf("is %d, must be 1 to 64", c.Blocks)}
	case c.Emb < 8 || c.Emb%8 != 0 || c.Emb > 4096:
		return &ConfigError{c.Name(), "emb", fmt.Sprintf("is %d, must be a multiple of 8 up to 4096", c.Emb)}
	case c.Classes < 1 || c.Classes > 4096:
		return &ConfigError{c.Name(), "classes", fmt.Sprintf("is %d, must be 1 to 4096", c.Classes)}
	}
	return nil
}

// Labels is the length of a one-hot class: Classes, and zeros up to a multiple of 8.
func (c LatentAdapterConfig) Labels() int { return (c.Classes + 7) / 8 * 8 }

// adapterEps is what the adapter's normalisations add to the variance.
const adapterEps = 1e-5

// Posterior builds q(z|y, class) = N(μ, exp(logvar)) for observations y [B,H,W,8] (see ColourSites)
// in [-1,1] and one-hot classes [B,1,1,Labels]. H and W are multiples of 2 to the number of levels
// after the first. The result is [B,H/8,W/8,8] for four levels: channels 0 to 3 are μ, channels 4
// to 7 are logvar, clamped to [MinLogVar, MaxLogVar]. LatentPatches separates them.
//
// Before training μ and logvar are 0: the prior. Parameters are named "adapter/..." under the
// current scope. If the settings or shapes are not valid, the graph gets an error.
func (c LatentAdapterConfig) Posterior(g *netdef.Graph, y, class *netdef.Node) *netdef.Node {
	defer g.Scope("adapter")()
	if err := g.Err(); err != nil {
		return g.Fail(err)
	}
	if err := c.Validate(); err != nil {
		return g.Fail(err)
	}
	if y.Shape[3] != narrowChannels || class.Shape[3] != c.Labels() {
		return g.Fail(fmt.Errorf("nets: %s network: observations %v and classes %v, want 8 channels and %d classes", c.Name(), y.Shape, class.Shape, c.Labels()))
	}
	cond := c.embedding(g, class)
	h := convTo(g, "in", y, c.Widths[0], 3, 1, netdef.HeNormal{Gain: 0.7071})
	for i, width := range c.Widths {
		done := g.Scope(fmt.Sprintf("down%d", i))
		for b := range c.Blocks {
			h = c.block(g, fmt.Sprintf("block%d", b), h, cond, width)
		}
		if i < len(c.Widths)-1 {
			h = halve(g, "down", h, 0)
		}
		done()
	}
	for b := range 2 {
		h = c.block(g, fmt.Sprintf("mid%d", b), h, cond, h.Shape[3])
	}
	done := g.Scope("out")
	h = normConv(g, "", h, 2*LatentChannels, adapterEps, netdef.Zeros)
	done()
	return clampLogVar(g, h)
}

// clampLogVar limits channels 4 to 7.
func clampLogVar(g *netdef.Graph, x *netdef.Node) *netdef.Node {
	bound := func(name string, at float32) *netdef.Node {
		v := make([]float32, 2*LatentChannels)
		for i := range v {
			v[i] = at
			if i < LatentChannels {
				v[i] = float32(math.Copysign(math.MaxFloat32, float64(at)))
			}
		}
		return g.Const(name, netdef.Shape{1, 1, 1, len(v)}, v)
	}
	return g.Max(g.Min(x, bound("most", MaxLogVar)), bound("least", MinLogVar))
}

// embedding returns an embedding of the class, [B,1,1,Emb].
func (c LatentAdapterConfig) embedding(g *netdef.Graph, class *netdef.Node) *netdef.Node {
	defer g.Scope("class")()
	e := g.Conv2D(class, g.Param("table", netdef.Shape{1, 1, c.Labels(), c.Emb}, netdef.Normal{Std: 1}), 1)
	return dense(g, "out", g.SiLU(dense(g, "in", e, c.Emb)), c.Emb)
}

func (c LatentAdapterConfig) block(g *netdef.Graph, name string, x, cond *netdef.Node, width int) *netdef.Node {
	defer g.Scope(name)()
	h := c.modulate(g, "film0", normConv(g, "0", x, width, adapterEps, netdef.HeNormal{Gain: 1}), cond)
	h = c.modulate(g, "film1", normConv(g, "1", h, width, adapterEps, netdef.HeNormal{Gain: branchGain}), cond)
	return g.Add(h, skip(g, x, width))
}

// modulate returns γ·h + β.
func (c LatentAdapterConfig) modulate(g *netdef.Graph, name string, h, cond *netdef.Node) *netdef.Node {
	defer g.Scope(name)()
	width := h.Shape[3]
	start := make([]float32, 2*width)
	for i := range width {
		start[i] = 1
	}
	w := g.Param("w", netdef.Shape{1, 1, c.Emb, 2 * width}, netdef.Zeros)
	p := g.Add(g.Conv2D(cond, w, 1), g.Param("b", netdef.Shape{1, 1, 1, 2 * width}, netdef.Data{Values: start}))
	return g.Add(g.Mul(h, g.Slice(p, 3, 0, width)), g.Slice(p, 3, width, 2*width))
}
