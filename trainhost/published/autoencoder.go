package published

import (
	"fmt"
	"slices"

	"github.com/vfmrestore/restore/netdef/nets"
)

// autoencoder finds the sizes of an SD-VAE.
func (p *part) autoencoder() nets.AutoencoderConfig {
	c := nets.AutoencoderConfig{Blocks: p.count("encoder.down_blocks.0.resnets.%d.conv1.weight")}
	for i := range p.count("encoder.down_blocks.%d.resnets.0.conv1.weight") {
		c.Widths = append(c.Widths, p.axis(fmt.Sprintf("encoder.down_blocks.%d.resnets.0.conv1.weight", i), 0))
	}
	return c
}

func autoencoderRules(c nets.AutoencoderConfig, p *part) []rule {
	if c.Validate() != nil {
		return nil
	}
	block := func(ours, theirs string, in, out int) []rule {
		rules := slices.Concat(norm(ours+"norm0", theirs+"norm1", in), conv(ours+"conv0", theirs+"conv1", in, out, 3),
			norm(ours+"norm1", theirs+"norm2", out), conv(ours+"conv1", theirs+"conv2", out, out, 3))
		if in != out {
			rules = append(rules, conv(ours+"skip", theirs+"conv_shortcut", in, out, 1)...)
		}
		return rules
	}
	const latent = nets.LatentChannels
	last := len(c.Widths) - 1
	wide, fine := c.Widths[last], c.Widths[0]
	rules := slices.Concat(
		conv("encoder/in", "encoder.conv_in", 3, fine, 3), norm("encoder/out/norm", "encoder.conv_norm_out", wide),
		conv("encoder/out/conv", "encoder.conv_out", wide, 2*latent, 3), conv("encoder/latent", "quant_conv", 2*latent, 2*latent, 1),
		conv("decoder/latent", "post_quant_conv", latent, latent, 1), conv("decoder/in", "decoder.conv_in", latent, wide, 3),
		norm("decoder/out/norm", "decoder.conv_norm_out", fine), conv("decoder/out/conv", "decoder.conv_out", fine, 3, 3))
	for _, half := range []string{"encoder", "decoder"} {
		ours, theirs := half+"/mid/", half+".mid_block."
		attention := theirs + "attentions.0."
		// diffusers renamed these; checkpoints have either names.
		names := [4]string{"to_q", "to_k", "to_v", "to_out.0"}
		if p.byName[attention+"query.weight"] != nil {
			names = [4]string{"query", "key", "value", "proj_attn"}
		}
		rules = slices.Concat(rules, block(ours+"block0/", theirs+"resnets.0.", wide, wide), block(ours+"block1/", theirs+"resnets.1.", wide, wide),
			norm(ours+"attention/norm", attention+"group_norm", wide))
		for i, name := range []string{"q", "k", "v", "out"} {
			rules = append(rules, linear(ours+"attention/"+name, attention+names[i], wide, wide)...)
		}
	}
	in := fine
	for i, w := range c.Widths {
		ours, theirs := fmt.Sprintf("encoder/down%d/", i), fmt.Sprintf("encoder.down_blocks.%d.", i)
		for b := range c.Blocks {
			rules = append(rules, block(ours+fmt.Sprintf("block%d/", b), theirs+fmt.Sprintf("resnets.%d.", b), in, w)...)
			in = w
		}
		if i < last {
			rules = append(rules, conv(ours+"down", theirs+"downsamplers.0.conv", w, w, 3)...)
		}
	}
	for i := last; i >= 0; i-- { // diffusers counts from the coarsest level
		w := c.Widths[i]
		ours, theirs := fmt.Sprintf("decoder/up%d/", i), fmt.Sprintf("decoder.up_blocks.%d.", last-i)
		for b := range c.Blocks + 1 {
			rules = append(rules, block(ours+fmt.Sprintf("block%d/", b), theirs+fmt.Sprintf("resnets.%d.", b), in, w)...)
			in = w
		}
		if i > 0 {
			rules = append(rules, conv(ours+"up", theirs+"upsamplers.0.conv", w, w, 3)...)
		}
	}
	return rules
}
