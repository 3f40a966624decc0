package nets

import (
	"fmt"

	"github.com/vfmrestore/restore/netdef"
)

// AutoencoderConfig is the architecture of SD-VAE, the autoencoder of latent diffusion (Rombach et
// al. 2022), through which the paper's networks see pictures. Residual blocks are x +
// conv3(SiLU(GN( conv3(SiLU(GN(x)))))). Between two of them at the coarsest level each site attends
// to all others, so the decoder and the encoder work on whole pictures.
type AutoencoderConfig struct {
	// Widths are the channels of the levels, from fine to coarse. Every level but the first has
	// half as many sites per side as the one before. Each is 8, 16, 24 or a multiple of 32.
	Widths []int `json:"widths"`
	// Blocks is the number of residual blocks of every level of the encoder. The decoder has one
	// more.
	Blocks int `json:"blocks"`
}

// SDVAE is the published size: 84 million parameters; latents have an eighth of the picture's side.
func SDVAE() AutoencoderConfig {
	return AutoencoderConfig{Widths: []int{128, 256, 512, 512}, Blocks: 2}
}

// LatentScale is what SD-VAE's latents are multiplied by before flow maps see them, so that their
// variance is about 1.
const LatentScale = 0.18215

// Name returns the value of weights.KeyNetwork.
func (AutoencoderConfig) Name() string { return "sd-vae" }

// Validate returns a *ConfigError for the first setting that is not valid, or nil.
func (c AutoencoderConfig) Validate() error {
	if err := checkLevels(c.Name(), c.Widths); err != nil {
		return err
	}
	if c.Blocks < 1 || c.Blocks > 64 {
		return &ConfigError{c.Name(), "blocks", fmt.Sprintf("is %d, must be 1 to 64", c.Blocks)}
	}
	return nil
}

// vaeEps is what the autoencoder's normalisations add to the variance.
const vaeEps = 1e-6

// check returns the graph's earlier error, or an error for settings or an input that do not fit.
func (c AutoencoderConfig) check(g *netdef.Graph, x *netdef.Node) error {
	if err := g.Err(); err != nil {
		return err
	}
	if err := c.Validate(); err != nil {
		return err
	}
	if x.Shape[3] != narrowChannels {
		return fmt.Errorf("nets: %s network: input %q is %v, want 8 channels", c.Name(), x.Name, x.Shape)
	}
	return nil
}

// Encode builds the encoder for pictures x [B,H,W,8] in [-1,1] (see ColourSites). H and W are
// multiples of 2 to the number of levels after the first, and the latent has a multiple of 8 sites.
// The result is [B,h,w,8]: the mean of the latent in channels 0 to 3, its log-variance (not
// clamped) in channels 4 to 7, without LatentScale. Parameters are named "encoder/..." under the
// current scope.
func (c AutoencoderConfig) Encode(g *netdef.Graph, x *netdef.Node) *netdef.Node {
	defer g.Scope("encoder")()
	if err := c.check(g, x); err != nil {
		return g.Fail(err)
	}
	h := convTo(g, "in", x, c.Widths[0], 3, 1, netdef.HeNormal{Gain: 0.7071})
	for i, width := range c.Widths {
		done := g.Scope(fmt.Sprintf("down%d", i))
		for b := range c.Blocks {
			h = vaeBlock(g, fmt.Sprintf("block%d", b), h, width)
		}
		if i < len(c.Widths)-1 {
			h = halve(g, "down", h, 1)
		}
		done()
	}
	h = vaeMiddle(g, h)
	done := g.Scope("out")
	h = normConv(g, "", h, 2*LatentChannels, vaeEps, netdef.HeNormal{Gain: 1})
	done()
	return linear(g, "latent", h, 2*LatentChannels, netdef.HeNormal{Gain: 0.7071})
}

// Decode builds the decoder for latents z [B,h,w,8], whose channels 4 to 7 are zero, without
// LatentScale. The number of sites is a multiple of 8. The result is a picture [B,H,W,8] whose
// channels 0 to 2 are the colours, about in [-1,1]. Parameters are named "decoder/..." under the
// current scope.
func (c AutoencoderConfig) Decode(g *netdef.Graph, z *netdef.Node) *netdef.Node {
	defer g.Scope("decoder")()
	if err := c.check(g, z); err != nil {
		return g.Fail(err)
	}
	last := len(c.Widths) - 1
	h := linear(g, "latent", z, narrowChannels, netdef.HeNormal{Gain: 0.7071})
	h = convTo(g, "in", h, c.Widths[last], 3, 1, netdef.HeNormal{Gain: 0.7071})
	h = vaeMiddle(g, h)
	for i := last; i >= 0; i-- {
		done := g.Scope(fmt.Sprintf("up%d", i))
		for b := range c.Blocks + 1 {
			h = vaeBlock(g, fmt.Sprintf("block%d", b), h, c.Widths[i])
		}
		if i > 0 {
			h = conv(g, "up", double(g, h), 3, netdef.HeNormal{Gain: 0.7071})
		}
		done()
	}
	defer g.Scope("out")()
	return normConv(g, "", h, narrowChannels, vaeEps, netdef.HeNormal{Gain: 1})
}

func vaeBlock(g *netdef.Graph, name string, x *netdef.Node, width int) *netdef.Node {
	defer g.Scope(name)()
	h := normConv(g, "0", x, width, vaeEps, netdef.HeNormal{Gain: 1})
	return g.Add(normConv(g, "1", h, width, vaeEps, netdef.HeNormal{Gain: branchGain}), skip(g, x, width))
}

// vaeMiddle is two residual blocks with an attention of one head between them.
func vaeMiddle(g *netdef.Graph, x *netdef.Node) *netdef.Node {
	defer g.Scope("mid")()
	width := x.Shape[3]
	x = vaeBlock(g, "block0", x, width)
	done := g.Scope("attention")
	n := groupNorm(g, "norm", x, vaeEps)
	head := func(name string) *netdef.Node { return g.SplitHeads(dense(g, name, n, width), 1) }
	h := g.MergeHeads(g.Attention(head("q"), head("k"), head("v")), x.Shape[1], x.Shape[2])
	x = g.Add(x, dense(g, "out", h, width))
	done()
	return vaeBlock(g, "block1", x, width)
}
