package nets

import (
	"fmt"

	"github.com/vfmrestore/restore/netdef"
)

// PlainConfig is the architecture of plain residual networks: all layers work on 4×4 pixel blocks,
// without normalisation, gates or coarser levels. It is a baseline that shows what the edge
// network's scales are worth.
//
// A block is x + conv3(SiLU(conv3(SiLU(x)) + β)), where an embedding of the conditions gives β.
type PlainConfig struct {
	// Width is the number of channels, a multiple of 8.
	Width int `json:"width"`
	// Blocks is the number of residual blocks of each network.
	Blocks int `json:"blocks"`
	// Emb is the width of the embedding of the conditions, a multiple of 8.
	Emb int `json:"emb"`
	// Guess is as in Traits.
	Guess bool `json:"guess,omitempty"`
	// Scales is as in Traits.
	Scales [][]float32 `json:"scales,omitempty"`
	// SD and Mean are as in EdgeConfig.
	SD   [FlowChannels]float32 `json:"sd"`
	Mean [FlowChannels]float32 `json:"mean"`
}

// DefaultPlain returns a plain network with about as much arithmetic as DefaultEdge.
func DefaultPlain() PlainConfig {
	return PlainConfig{Width: 48, Blocks: 3, Emb: 64, Guess: true, SD: PhotoSD()}
}

// Name implements Architecture.
func (PlainConfig) Name() string { return "plain" }

// Validate implements Architecture.
func (c PlainConfig) Validate() error {
	err := c.validate()
	if err == nil {
		return nil
	}
	err.Network = c.Name()
	return err
}

func (c PlainConfig) validate() *ConfigError {
	switch {
	case c.Width < 8 || c.Width%8 != 0 || c.Width > 4096:
		return &ConfigError{Field: "width", Reason: fmt.Sprintf("is %d, must be a multiple of 8 up to 4096", c.Width)}
	case c.Blocks < 0 || c.Blocks > 256:
		return &ConfigError{Field: "blocks", Reason: fmt.Sprintf("is %d, must be 0 to 256", c.Blocks)}
	case c.Emb < 8 || c.Emb%8 != 0 || c.Emb > 4096:
		return &ConfigError{Field: "emb", Reason: fmt.Sprintf("is %d, must be a multiple of 8 up to 4096", c.Emb)}
	}
	if err := checkScales(c.Scales); err != nil {
		return err
	}
	return checkFlow(c.SD, c.Mean)
}

// Traits implements Architecture.
func (c PlainConfig) Traits() Traits {
	return Traits{Guess: c.Guess, Scales: c.Scales, Widths: []int{c.Width}, Mean: c.Mean}
}

// WithScales implements Architecture.
func (c PlainConfig) WithScales(scales [][]float32) Architecture {
	c.Scales = scales
	return c
}

// Describe implements Architecture.
func (c PlainConfig) Describe() []string {
	return []string{fmt.Sprintf("width %d, %d blocks", c.Width, c.Blocks)}
}

// Align implements Architecture.
func (PlainConfig) Align() int { return 4 }

// Halo implements Architecture: a block has two 3×3 convolutions.
func (c PlainConfig) Halo(steps int) int { return 4 * 2 * c.Blocks * (steps + 1) }

// Memory implements Architecture: a few tensors of flow space, and those of a residual block.
func (c PlainConfig) Memory() Memory {
	return Memory{Work: 4*FlowChannels + 6*c.Width, Widest: max(2*FlowChannels, c.Width)}
}

// adapter implements Architecture.
func (c PlainConfig) adapter(g *netdef.Graph, in AdapterInput) (mu, logvar *netdef.Node) {
	o := observe(g, c.SD, in)
	more := o.second(g)
	f := newFilm(g, "emb", c.Emb, conditions{o.level, in.Task, in.Noise}, c.Blocks*c.Width)
	features := c.body(g, []*netdef.Node{o.normal, in.Mask}, more, f)
	out := linear(g, "out", features, 2*FlowChannels, netdef.Zeros)
	mean, lv := g.Slice(out, 3, 0, FlowChannels), g.Slice(out, 3, FlowChannels, 2*FlowChannels)
	return o.posterior(g, mean, more, func() *netdef.Node { return lv })
}

// flowMap implements Architecture.
func (c PlainConfig) flowMap(g *netdef.Graph, x, r, t *netdef.Node) *netdef.Node {
	return meanFlow(g, c.SD, x, r, t, c.flowNet(g))
}

// oneStep implements Architecture.
func (c PlainConfig) oneStep(g *netdef.Graph, z *netdef.Node) *netdef.Node {
	return oneStep(g, c.SD, z, c.flowNet(g))
}

// flowNet builds the network of the flow map. The β of a block is the sum of one that depends on t
// and one that depends on r.
func (c PlainConfig) flowNet(g *netdef.Graph) func(x, r, t *netdef.Node) *netdef.Node {
	return func(x, r, t *netdef.Node) *netdef.Node {
		count := c.Blocks * c.Width
		ft := newFilm(g, "emb-t", c.Emb, conditions{s: t}, count)
		fr := newFilm(g, "emb-r", c.Emb, conditions{s: r}, count)
		return linear(g, "out", c.body(g, []*netdef.Node{x}, nil, ft, fr), FlowChannels, netdef.Zeros)
	}
}

// body maps the inputs [B,h,w,C…] to features [B,h,w,Width]. more is as in withMore. Each block
// adds the next parameters of all fs.
func (c PlainConfig) body(g *netdef.Graph, xs []*netdef.Node, more *netdef.Node, fs ...*film) *netdef.Node {
	x := withMore(g, linearOf(g, "in", xs, c.Width, netdef.HeNormal{Gain: 0.7071}), more)
	for i := range c.Blocks {
		done := g.Scope(fmt.Sprintf("block%d", i))
		h := conv(g, "conv0", g.SiLU(x), 3, netdef.HeNormal{Gain: 1})
		for _, f := range fs {
			h = g.Add(h, f.take(g, c.Width))
		}
		x = g.Add(x, conv(g, "conv1", g.SiLU(h), 3, netdef.HeNormal{Gain: branchGain}))
		done()
	}
	return x
}
