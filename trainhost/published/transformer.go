package published

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/vfmrestore/restore/netdef/nets"
)

// transformer finds the sizes of a SiT or DMFT.
func (p *part) transformer(o Options) (nets.TransformerConfig, error) {
	c := nets.TransformerConfig{
		Width: p.axis("x_embedder.proj.weight", 0), Patch: p.axis("x_embedder.proj.weight", 3), Depth: p.count("blocks.%d.attn.qkv.weight"),
		Heads: o.Heads, Encoder: o.Encoder, Classes: p.axis("y_embedder.embedding_table.weight", 0) - 1,
	}
	if c.Heads == 0 {
		c.Heads = max(1, c.Width/64)
		if c.Width == 1152 {
			c.Heads = 16
		}
	}
	switch {
	case o.Network == "sit":
		if o.Encoder != 0 {
			return c, errors.New("all blocks of a SiT are conditioned on t: the number of those that are has a meaning for dmft only")
		}
		c.Encoder = c.Depth
	case c.Encoder == 0:
		c.Encoder = (2*c.Depth + 1) / 3
	}
	if o.Network == "dmft" && c.Encoder >= c.Depth {
		return c, fmt.Errorf("a DMFT has fewer blocks on t than the %d of the checkpoint, not %d", c.Depth, c.Encoder)
	}
	if c.Classes < 0 {
		c.Classes = 0
	}
	// Positions that were trained would be lost. The fixed ones are not stored.
	const name = "pos_embed"
	if t := p.byName[name]; t != nil && len(t.Shape) == 3 && c.Validate() == nil {
		side := int(math.Sqrt(float64(t.Shape[1])))
		if side > 256 || !slices.Equal(t.Shape, []int{1, side * side, c.Width}) {
			return c, &MismatchError{Network: c.Name(), Wrong: []string{fmt.Sprintf("%s is %v, not one row of %d for each of the places of a square", name, t.Shape, c.Width)}}
		}
		v, err := p.file.Values(t)
		if err != nil {
			return c, err
		}
		for i, want := range c.Positions(side, side) {
			if d := math.Abs(float64(v[i] - want)); !(d <= 1e-2) { // bfloat16 has three digits
				return c, fmt.Errorf("%s is not the fixed embedding of places by sines and cosines: value %d is %g, not %g", name, i, v[i], want)
			}
		}
		p.used[name] = true
	}
	for _, name := range []string{"logvar_linear.weight", "logvar_linear.bias"} {
		p.used[name] = true
	}
	return c, nil
}

func transformerRules(c nets.TransformerConfig, p *part) []rule {
	w, d := c.Width, c.Patch
	patch := rule{"flow/patch/w", "x_embedder.proj.weight", []int{w, nets.LatentChannels, d, d}, func(_, _, i, o int) int {
		return (o*nets.LatentChannels+i%nets.LatentChannels)*d*d + i/nets.LatentChannels
	}}
	// The output may have as many channels again, for a variance that samplers do not use.
	channels := p.axis("final_layer.linear.weight", 0) / max(1, d*d)
	if channels != 2*nets.LatentChannels {
		channels = nets.LatentChannels
	}
	row := func(o int) int { return o/nets.LatentChannels*channels + o%nets.LatentChannels }
	rules := slices.Concat(
		[]rule{patch, vector("flow/patch/b", "x_embedder.proj.bias", w), table("flow/label", "y_embedder.embedding_table.weight", c.Classes+1, w)},
		linear("flow/time/in", "t_embedder.mlp.0", 256, w), linear("flow/time/out", "t_embedder.mlp.2", w, w),
		linear("flow/final/mod", "final_layer.adaLN_modulation.1", w, 2*w),
		[]rule{
			{"flow/final/out/w", "final_layer.linear.weight", []int{d * d * channels, w}, func(_, _, i, o int) int { return row(o)*w + i }},
			{"flow/final/out/b", "final_layer.linear.bias", []int{d * d * channels}, func(_, _, _, o int) int { return row(o) }},
		})
	for i := range c.Depth {
		ours, theirs := fmt.Sprintf("flow/block%d/", i), fmt.Sprintf("blocks.%d.", i)
		rules = slices.Concat(rules, linear(ours+"mod", theirs+"adaLN_modulation.1", w, 6*w), linear(ours+"qkv", theirs+"attn.qkv", w, 3*w),
			linear(ours+"proj", theirs+"attn.proj", w, w), linear(ours+"mlp0", theirs+"mlp.fc1", w, 4*w), linear(ours+"mlp1", theirs+"mlp.fc2", 4*w, w))
	}
	return rules
}
