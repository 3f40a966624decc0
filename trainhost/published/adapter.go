package published

import (
	"fmt"
	"slices"

	"github.com/vfmrestore/restore/netdef/nets"
)

// adapter finds the sizes of an adapter.
func (p *part) adapter() nets.LatentAdapterConfig {
	c := nets.LatentAdapterConfig{Classes: p.axis("class_embed.0.weight", 0), Emb: p.axis("class_embed.0.weight", 1), Blocks: p.count("down_blocks.0.res_blocks.%d.conv1.weight")}
	for i := range p.count("down_blocks.%d.res_blocks.0.conv1.weight") {
		c.Widths = append(c.Widths, p.axis(fmt.Sprintf("down_blocks.%d.res_blocks.0.conv1.weight", i), 0))
	}
	return c
}

func adapterRules(c nets.LatentAdapterConfig) []rule {
	if c.Validate() != nil {
		return nil
	}
	block := func(ours, theirs string, in, out int) []rule {
		rules := slices.Concat(norm(ours+"norm0", theirs+"norm1", in), conv(ours+"conv0", theirs+"conv1", in, out, 3), linear(ours+"film0", theirs+"film1.fc", c.Emb, 2*out),
			norm(ours+"norm1", theirs+"norm2", out), conv(ours+"conv1", theirs+"conv2", out, out, 3), linear(ours+"film1", theirs+"film2.fc", c.Emb, 2*out))
		if in != out {
			rules = append(rules, conv(ours+"skip", theirs+"shortcut", in, out, 1)...)
		}
		return rules
	}
	last := len(c.Widths) - 1
	rules := slices.Concat([]rule{table("adapter/class/table", "class_embed.0.weight", c.Classes, c.Emb)},
		linear("adapter/class/in", "class_embed.1", c.Emb, c.Emb), linear("adapter/class/out", "class_embed.3", c.Emb, c.Emb), conv("adapter/in", "conv_in", 3, c.Widths[0], 3),
		norm("adapter/out/norm", "norm_out", c.Widths[last]), conv("adapter/out/conv", "conv_out", c.Widths[last], 2*nets.LatentChannels, 3))
	in := c.Widths[0]
	for i, w := range c.Widths {
		ours, theirs := fmt.Sprintf("adapter/down%d/", i), fmt.Sprintf("down_blocks.%d.", i)
		for b := range c.Blocks {
			rules = append(rules, block(ours+fmt.Sprintf("block%d/", b), theirs+fmt.Sprintf("res_blocks.%d.", b), in, w)...)
			in = w
		}
		if i < last {
			rules = append(rules, conv(ours+"down", theirs+"downsample", w, w, 3)...)
		}
	}
	return slices.Concat(rules, block("adapter/mid0/", "mid_block1.", in, in), block("adapter/mid1/", "mid_block2.", in, in))
}
