package nets

import (
	"fmt"
	"math"

	"github.com/vfmrestore/restore/netdef"
)

// TransformerConfig is the architecture of SiT (Ma et al. 2024) and, with Encoder < Depth, of DMFT
// (Lee et al. 2025): transformers over patches of latents whose blocks are conditioned by
// adaLN-Zero (Peebles and Xie 2023) on a time and a class. It is not one of the table of
// architectures: these work on pictures tile by tile, whereas here each token sees all others.
//
// A block, with the six vectors of its modulation m = Linear(SiLU(c)), is
//
//	x += m2·proj(attention(LN(x)·(1+m1) + m0)),  x += m5·mlp(LN(x)·(1+m4) + m3)
//
// where c is the sum of the embeddings of the block's time and of the class.
type TransformerConfig struct {
	// Width is the number of channels of a token, a multiple of 8·Heads and of 4.
	Width int `json:"width"`
	// Depth is the number of blocks.
	Depth int `json:"depth"`
	// Heads is the number of attention heads.
	Heads int `json:"heads"`
	// Patch is the number of latent sites on a side of a token's patch: 2, 4 or 8.
	Patch int `json:"patch"`
	// Encoder is how many blocks are conditioned on t. The others and the output are conditioned on
	// r. It is equal to Depth for a network of instantaneous velocities; then r = t for the output.
	Encoder int `json:"encoder"`
	// Classes is the number of class labels, without the one that stands for no class.
	Classes int `json:"classes"`
}

// SiTB2 and DMFTB2 are the paper's sizes (B.2): 130 million parameters.
func SiTB2() TransformerConfig {
	return TransformerConfig{Width: 768, Depth: 12, Heads: 12, Patch: 2, Encoder: 12, Classes: 1000}
}

// DMFTB2 returns the size of the paper's flow map. See SiTB2.
func DMFTB2() TransformerConfig {
	c := SiTB2()
	c.Encoder = 8
	return c
}

// Name returns "sit" or "dmft", the value of weights.KeyNetwork.
func (c TransformerConfig) Name() string {
	if c.Encoder < c.Depth {
		return "dmft"
	}
	return "sit"
}

// Validate returns a *ConfigError for the first setting that is not valid, or nil.
func (c TransformerConfig) Validate() error {
	fail := func(field, format string, a ...any) error {
		return &ConfigError{c.Name(), field, fmt.Sprintf(format, a...)}
	}
	switch {
	case c.Width < 8 || c.Width > 4096:
		return fail("width", "is %d, must be 8 to 4096", c.Width)
	case c.Heads < 1 || c.Width%(8*c.Heads) != 0:
		return fail("heads", "is %d, must divide the width %d into multiples of 8", c.Heads, c.Width)
	case c.Depth < 1 || c.Depth > 128:
		return fail("depth", "is %d, must be 1 to 128", c.Depth)
	case c.Patch != 2 && c.Patch != 4 && c.Patch != 8:
		return fail("patch", "is %d, must be 2, 4 or 8", c.Patch)
	case c.Encoder < 0 || c.Encoder > c.Depth:
		return fail("encoder", "is %d, must be 0 to the depth %d", c.Encoder, c.Depth)
	case c.Classes < 0 || c.Classes > 1<<20:
		return fail("classes", "is %d, must be 0 to %d", c.Classes, 1<<20)
	}
	return nil
}

// Labels is the length of a one-hot label: the classes, the label for no class, which is number
// Classes, and zeros up to a multiple of 8.
func (c TransformerConfig) Labels() int { return (c.Classes + 8) / 8 * 8 }

// PatchChannels is the number of channels of a patch of latents.
func (c TransformerConfig) PatchChannels() int { return c.Patch * c.Patch * LatentChannels }

// mlpRatio is the width of a block's hidden layer relative to the tokens'.
const mlpRatio = 4

// tokenEps is what the transformers' layer normalisations add to the variance.
const tokenEps = 1e-6

// timeFrequencies is half the number of sinusoidal features of a time.
const timeFrequencies = 128

// Velocity builds the velocity u(x, r, t) for patches x [B,h,w,PatchChannels] (see LatentPatches),
// times r and t [B,1,1,1] in [0,1] with noise at 1, and one-hot labels [B,1,1,Labels]. h and w may
// be any, but networks are trained for one size. A network whose blocks all depend on t ignores r.
//
// Before training u is 0. Parameters are named "flow/..." under the current scope. If the settings
// or shapes are not valid, the graph gets an error.
func (c TransformerConfig) Velocity(g *netdef.Graph, x, r, t, label *netdef.Node) *netdef.Node {
	defer g.Scope("flow")()
	if err := g.Err(); err != nil {
		return g.Fail(err)
	}
	if err := c.Validate(); err != nil {
		return g.Fail(err)
	}
	if x.Shape[3] != c.PatchChannels() || x.Shape[1]*x.Shape[2]%8 != 0 || label.Shape[3] != c.Labels() {
		return g.Fail(fmt.Errorf("nets: %s network: patches %v and labels %v, want %d channels, a multiple of 8 patches, and %d labels",
			c.Name(), x.Shape, label.Shape, c.PatchChannels(), c.Labels()))
	}
	class := g.Conv2D(label, g.Param("label", netdef.Shape{1, 1, c.Labels(), c.Width}, netdef.Normal{Std: 0.02}), 1)
	embed := func(s *netdef.Node) *netdef.Node { return g.SiLU(g.Add(c.time(g, s), class)) }
	ct := embed(t)
	cr := ct
	if c.Encoder < c.Depth {
		cr = embed(r)
	}
	h := g.Add(dense(g, "patch", x, c.Width), positions(g, x.Shape[1], x.Shape[2], c.Width))
	for i := range c.Depth {
		cond := ct
		if i >= c.Encoder {
			cond = cr
		}
		h = c.block(g, fmt.Sprintf("block%d", i), h, cond)
	}
	defer g.Scope("final")()
	m := modulation(g, cr, c.Width, 2)
	return linear(g, "out", modulate(g, h, m[0], m[1]), c.PatchChannels(), netdef.Zeros)
}

// Guided builds the velocity with classifier-free guidance (Ho and Salimans 2022): that without a
// class plus scale times the difference that the class makes. Both are computed in one batch.
func (c TransformerConfig) Guided(g *netdef.Graph, x, r, t, label *netdef.Node, scale float64) *netdef.Node {
	none := make([]float32, c.Labels())
	none[c.Classes] = 1
	b := x.Shape[0]
	null := g.BroadcastTo(g.Const("no class", netdef.Shape{1, 1, 1, len(none)}, none), netdef.Shape{b, 1, 1, len(none)})
	twice := func(n *netdef.Node) *netdef.Node {
		s := n.Shape
		s[0] = b
		n = g.BroadcastTo(n, s)
		return g.Concat(0, n, n)
	}
	s := label.Shape
	s[0] = b
	u := c.Velocity(g, g.Concat(0, x, x), twice(r), twice(t), g.Concat(0, g.BroadcastTo(label, s), null))
	with, without := g.Slice(u, 0, 0, b), g.Slice(u, 0, b, 2*b)
	return g.Add(without, g.Scale(g.Sub(with, without), scale))
}

// dense is a 1×1 convolution with bias whose initial weights have the variance 2/(in+out) of Glorot
// and Bengio (2010).
func dense(g *netdef.Graph, name string, x *netdef.Node, out int) *netdef.Node {
	return linear(g, name, x, out, netdef.Normal{Std: math.Sqrt(2 / float64(x.Shape[3]+out))})
}

// time embeds a time [B,1,1,1] in Width channels.
func (c TransformerConfig) time(g *netdef.Graph, s *netdef.Node) *netdef.Node {
	defer g.Scope("time")()
	f := make([]float32, timeFrequencies)
	for i := range f {
		f[i] = float32(math.Pow(10000, -float64(i)/timeFrequencies))
	}
	angle := g.Mul(s, g.Const("freq", netdef.Shape{1, 1, 1, len(f)}, f))
	init := netdef.Normal{Std: 0.02}
	h := g.SiLU(linear(g, "in", g.Concat(3, g.Cos(angle), g.Sin(angle)), c.Width, init))
	return linear(g, "out", h, c.Width, init)
}

// modulation returns n vectors [B,1,1,width], zero before training.
func modulation(g *netdef.Graph, cond *netdef.Node, width, n int) []*netdef.Node {
	all := linear(g, "mod", cond, n*width, netdef.Zeros)
	m := make([]*netdef.Node, n)
	for i := range m {
		m[i] = g.Slice(all, 3, i*width, (i+1)*width)
	}
	return m
}

// modulate returns LN(x)·(1+scale) + shift.
func modulate(g *netdef.Graph, x, shift, scale *netdef.Node) *netdef.Node {
	return g.Add(g.Mul(g.LayerNorm(x, tokenEps), g.Offset(scale, 1)), shift)
}

func (c TransformerConfig) block(g *netdef.Graph, name string, x, cond *netdef.Node) *netdef.Node {
	defer g.Scope(name)()
	m := modulation(g, cond, c.Width, 6)
	h := modulate(g, x, m[0], m[1])
	h = selfAttention(g, dense(g, "qkv", h, 3*c.Width), c.Heads)
	x = g.Add(x, g.Mul(dense(g, "proj", h, c.Width), m[2]))
	h = g.GELU(dense(g, "mlp0", modulate(g, x, m[3], m[4]), mlpRatio*c.Width))
	return g.Add(x, g.Mul(dense(g, "mlp1", h, c.Width), m[5]))
}

// selfAttention attends over all sites. qkv [B,h,w,3·C] holds queries, keys and values, each with
// the channels of one head after those of another.
func selfAttention(g *netdef.Graph, qkv *netdef.Node, heads int) *netdef.Node {
	s := qkv.Shape
	all := g.SplitHeads(qkv, 3*heads) // [B,3·heads,N,d]: the heads of the queries come first
	part := func(i int) *netdef.Node {
		return g.Crop2D(all, i*heads, 0, heads, all.Shape[2])
	}
	return g.MergeHeads(g.Attention(part(0), part(1), part(2)), s[1], s[2])
}

// positions returns the fixed embedding of the places of h × w tokens, [1,h,w,width]: the sines and
// cosines of column·10000^(-4i/width), i < width/4, then those of the row.
func positions(g *netdef.Graph, h, w, width int) *netdef.Node {
	v := make([]float32, 0, h*w*width)
	for row := range h {
		for col := range w {
			for _, p := range []int{col, row} {
				for _, f := range []func(float64) float64{math.Sin, math.Cos} {
					for i := range width / 4 {
						v = append(v, float32(f(float64(p)*math.Pow(10000, -float64(4*i)/float64(width)))))
					}
				}
			}
		}
	}
	return g.Const("positions", netdef.Shape{1, h, w, width}, v)
}

// Positions returns the values of the fixed embedding of places that Velocity adds to h × w tokens,
// row by row.
func (c TransformerConfig) Positions(h, w int) []float32 {
	return positions(netdef.NewGraph(), h, w, c.Width).Op.(*netdef.ConstOp).Data
}
